// One table, four forms: aligned text and Markdown from the cells' text, CSV and JSON from their raw values.
// Which columns exist and what they mean is decided by the reports.

#include "condenser/core/table.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>

#include "condenser/core/csv.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"

namespace condenser::core {
namespace {

// "1632345.5" -> "1,632,345.5"; a sign in front is kept.
std::string group(std::string digits) {
  const size_t first = !digits.empty() && digits[0] == '-' ? 1 : 0;
  size_t at = std::min(digits.find('.'), digits.size());
  while (at > first + 3) digits.insert(at -= 3, 1, ',');
  return digits;
}

size_t width(const std::string& text) { return display_width(text); }

void check(const Table& table) {
  for (size_t i = 0; i < table.rows.size(); ++i)
    if (table.rows[i].size() != table.columns.size())
      throw Error("table row " + std::to_string(i) + " has " + std::to_string(table.rows[i].size()) +
                  " cells; expected " + std::to_string(table.columns.size()));
}

// One unit of UTF-16 as JSON escapes it.
void append_unit(std::string& out, char32_t unit) {
  constexpr const char* kHex = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHex[unit >> shift & 0xF];
}

std::string escape_markdown(const std::string& text) {
  const auto part_of_word = [&](size_t i) {
    return i < text.size() && std::isalnum(static_cast<unsigned char>(text[i]));
  };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool inside_word = text[i] == '_' && i > 0 && part_of_word(i - 1) && part_of_word(i + 1);
    if (std::string_view("\\`*_<>[]|~&").find(text[i]) != std::string_view::npos && !inside_word) out += '\\';
    out += text[i];
  }
  return out;
}

// A spreadsheet takes a text that begins like a formula for one; an apostrophe tells it that this is text.
std::string csv_field(const std::string& words) {
  const bool formula = !words.empty() && std::string_view("=+-@").find(words[0]) != std::string_view::npos;
  return csv_quoted((formula ? "'" : "") + printable(words));
}

std::string csv_value(const Cell& cell) {
  if (cell.json == "null") return "";
  if (cell.json.empty() || cell.json[0] != '"') return cell.json;
  return csv_field(nlohmann::json::parse(cell.json).get<std::string>());
}

std::string join_lines(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

using Lines = std::vector<std::vector<std::string>>;

// The rows as text, the titles first.
Lines texts(const Table& table, const std::function<std::string(const std::string&)>& escape) {
  Lines lines(1);
  for (const Column& column : table.columns) lines[0].push_back(escape(printable(column.title)));
  for (const auto& row : table.rows) {
    lines.emplace_back();
    for (const Cell& cell : row) lines.back().push_back(escape(printable(cell.text)));
  }
  return lines;
}

std::vector<size_t> widths(const Lines& lines) {
  std::vector<size_t> widest(lines[0].size(), 3);  // the shortest rule of a Markdown column with its colon
  for (const auto& line : lines)
    for (size_t c = 0; c < line.size(); ++c) widest[c] = std::max(widest[c], width(line[c]));
  return widest;
}

// Each cell padded to its column's width.
void pad(const Table& table, Lines& lines, const std::vector<size_t>& wide) {
  for (auto& line : lines)
    for (size_t c = 0; c < line.size(); ++c)
      line[c].insert(table.columns[c].right ? 0 : line[c].size(), std::string(wide[c] - width(line[c]), ' '));
}

// ---- narrow tables

constexpr size_t kNarrowest = 8;  // that a column of text may become

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    if (c != ' ')
      words.back() += c;
    else if (!words.back().empty())
      words.emplace_back();
  }
  return words;
}

// Such a word is never broken: half a number is another number.
bool is_number(const std::string& word) {
  return word.find_first_of("0123456789") != std::string::npos &&
         word.find_first_not_of("0123456789.,+-eE%()[]:;x") == std::string::npos;
}

// The width of the beginning of a word that still fits: up to its last sign of punctuation, else as much as there is.
size_t break_at(const std::string& word, size_t room) {
  size_t fits = 0, good = 0;
  for (size_t at = 0; at < word.size();) {
    next_code_point(word, at);
    if (width(word.substr(0, at)) > room) break;
    fits = at;
    if (std::string_view("/_-=,;:.").find(word[at - 1]) != std::string_view::npos) good = at;
  }
  return good > 0 ? good : std::max<size_t>(fits, 1);
}

std::vector<std::string> wrapped(const std::string& text, size_t room) {
  if (width(text) <= room) return {text};
  std::vector<std::string> lines(1);
  for (std::string word : words_of(text)) {
    if (!lines.back().empty() && width(lines.back()) + 1 + width(word) > room) lines.emplace_back();
    while (width(word) > room && !is_number(word)) {
      const size_t length = break_at(word, room);
      lines.back() = word.substr(0, length);
      lines.emplace_back();
      word.erase(0, length);
    }
    lines.back().append(lines.back().empty() ? "" : " ").append(word);
  }
  return lines;
}

// How narrow a column may become.
size_t floor_of(const Lines& lines, size_t column) {
  size_t floor = kNarrowest;
  for (const auto& line : lines)
    for (const std::string& word : words_of(line[column]))
      if (is_number(word)) floor = std::max(floor, width(word));
  return floor;
}

size_t total(const std::vector<size_t>& wide) {
  size_t sum = 2 * (wide.size() - 1);
  for (const size_t w : wide) sum += w;
  return sum;
}

// Takes from the widest column of text until the table fits, or nothing can be taken any more.
void narrow(const Table& table, const Lines& lines, size_t columns, std::vector<size_t>& wide) {
  std::vector<size_t> floors;
  for (size_t c = 0; c < wide.size(); ++c) floors.push_back(table.columns[c].right ? wide[c] : floor_of(lines, c));
  while (total(wide) > columns) {
    size_t most = wide.size();
    for (size_t c = 0; c < wide.size(); ++c)
      if (wide[c] > floors[c] && (most == wide.size() || wide[c] > wide[most])) most = c;
    if (most == wide.size()) return;
    --wide[most];
  }
}

// Rows of several lines where a cell is wider than its column. `titles`: lines of the head.
Lines broken(const Lines& lines, const std::vector<size_t>& wide, size_t& titles) {
  Lines out;
  for (size_t l = 0; l < lines.size(); ++l) {
    std::vector<std::vector<std::string>> cells;
    size_t high = 1;
    for (size_t c = 0; c < wide.size(); ++c) {
      cells.push_back(wrapped(lines[l][c], wide[c]));
      high = std::max(high, cells.back().size());
    }
    for (size_t k = 0; k < high; ++k) {
      out.emplace_back();
      for (const auto& cell : cells) out.back().push_back(k < cell.size() ? cell[k] : "");
    }
    if (l == 0) titles = high;
  }
  return out;
}

}  // namespace

std::string thousands(int64_t value) { return group(std::to_string(value)); }

std::string bytes_text(int64_t bytes) {
  const int64_t tenths =
      (bytes * 10 + (bytes < 0 ? -512 : 512)) / 1024;  // no printf: the gate writes these by the ten thousand
  std::string text = thousands(bytes);
  text.append(" bytes (").append(thousands(tenths / 10)).append(1, '.');
  return text.append(1, static_cast<char>('0' + std::abs(tenths % 10))).append(" KiB)");
}

std::string markdown_text(const std::string& text) { return escape_markdown(printable(text)); }

std::string json_quote(const std::string& text) {
  return json_visible(nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

std::string json_visible(const std::string& json) {
  std::string out;
  out.reserve(json.size());
  for (size_t at = 0; at < json.size();) {
    const size_t start = at;
    const char32_t c = next_code_point(json, at);
    if (c < 0x7f || c == kNotUtf8 || !invisible(c)) {
      out.append(json, start, at - start);
    } else if (c <= 0xFFFF) {
      append_unit(out, c);
    } else {
      append_unit(out, 0xD800 + ((c - 0x10000) >> 10));
      append_unit(out, 0xDC00 + ((c - 0x10000) & 0x3FF));
    }
  }
  return out;
}

Cell cell(int64_t value) { return {std::to_string(value), thousands(value)}; }

namespace {

constexpr double kExact = 1e15;  // beyond it digits behind the point say nothing

Cell number_cell(double value, const std::string& text) {
  if (!std::isfinite(value)) return {"null", number(value)};
  return {number(value), text};
}

}  // namespace

Cell cell(double value, int digits) {
  return number_cell(value, std::abs(value) < kExact ? group(fixed(value, digits)) : number(value));
}

Cell significant_cell(double value, int digits) { return number_cell(value, significant(value, digits)); }

Cell cell(const std::string& value) { return {json_quote(value), value}; }
Cell cell(const char* value) { return cell(std::string(value)); }
Cell empty_cell() { return {"null", ""}; }

std::string to_text(const Table& table, size_t columns) {
  check(table);
  if (table.columns.empty()) return "";
  Lines lines = texts(table, [](const std::string& text) { return text; });
  std::vector<size_t> wide = widths(lines);
  size_t titles = 1;
  if (columns > 0 && total(wide) > columns) {
    narrow(table, lines, columns, wide);
    lines = broken(lines, wide, titles);
  }
  pad(table, lines, wide);
  std::vector<std::string> rule;
  for (const size_t w : wide) rule.emplace_back(w, '-');
  lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(titles), rule);
  std::vector<std::string> out;
  for (const auto& line : lines) {
    std::string text = line[0];
    for (size_t c = 1; c < line.size(); ++c) text += "  " + line[c];
    text.erase(text.find_last_not_of(' ') + 1);
    out.push_back(text);
  }
  return join_lines(out);
}

std::string to_markdown(const Table& table) {
  check(table);
  Lines lines = texts(table, escape_markdown);
  pad(table, lines, widths(lines));
  std::vector<std::string> rule;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    rule.emplace_back(display_width(lines[0][c]), '-');
    if (table.columns[c].right) rule.back().back() = ':';
  }
  lines.insert(lines.begin() + 1, rule);
  std::vector<std::string> out;
  for (const auto& line : lines) {
    std::string text = "|";
    for (const std::string& field : line) text += " " + field + " |";
    out.push_back(text);
  }
  return join_lines(out);
}

std::string to_csv(const Table& table) {
  check(table);
  std::vector<std::string> out(1);
  for (size_t c = 0; c < table.columns.size(); ++c) out[0].append(c ? "," : "").append(csv_field(table.columns[c].key));
  for (const auto& row : table.rows) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) line.append(c ? "," : "").append(csv_value(row[c]));
    out.push_back(line);
  }
  return join_lines(out);
}

std::string to_json(const Table& table) {
  check(table);
  std::string out = "[";
  for (size_t r = 0; r < table.rows.size(); ++r) {
    out += r ? ",\n  {" : "\n  {";
    for (size_t c = 0; c < table.columns.size(); ++c)
      out += (c ? ", " : "") + json_quote(table.columns[c].key) + ": " + table.rows[r][c].json;
    out += "}";
  }
  return out + (table.rows.empty() ? "]" : "\n]");
}

}  // namespace condenser::core
