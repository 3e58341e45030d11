// One table, four forms: aligned text and Markdown from the cells' text, CSV and JSON from their raw values.
// Which columns exist and what they mean is decided by the reports.

#include "condenser/core/table.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>

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
  const std::string text = (formula ? "'" : "") + printable(words);
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
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

// The rows as text, the titles first, each cell padded to its column's width.
std::vector<std::vector<std::string>> padded(const Table& table,
                                             const std::function<std::string(const std::string&)>& escape) {
  std::vector<std::vector<std::string>> lines(1);
  for (const Column& column : table.columns) lines[0].push_back(escape(printable(column.title)));
  for (const auto& row : table.rows) {
    lines.emplace_back();
    for (const Cell& cell : row) lines.back().push_back(escape(printable(cell.text)));
  }
  for (size_t c = 0; c < table.columns.size(); ++c) {
    size_t widest = 3;  // the shortest rule of a Markdown column with its colon
    for (const auto& line : lines) widest = std::max(widest, display_width(line[c]));
    for (auto& line : lines)
      line[c].insert(table.columns[c].right ? 0 : line[c].size(), std::string(widest - display_width(line[c]), ' '));
  }
  return lines;
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

Cell cell(double value, int digits) {
  if (!std::isfinite(value)) return {"null", number(value)};
  return {number(value), group(fixed(value, digits))};
}

Cell cell(const std::string& value) { return {json_quote(value), value}; }
Cell cell(const char* value) { return cell(std::string(value)); }
Cell empty_cell() { return {"null", ""}; }

std::string to_text(const Table& table) {
  check(table);
  auto lines = padded(table, [](const std::string& text) { return text; });
  std::vector<std::string> rule;
  for (const std::string& title : lines[0]) rule.emplace_back(display_width(title), '-');
  lines.insert(lines.begin() + 1, rule);
  std::vector<std::string> out;
  for (const auto& line : lines) {
    std::string text;
    for (const std::string& field : line) text += (text.empty() ? "" : "  ") + field;
    text.erase(text.find_last_not_of(' ') + 1);
    out.push_back(text);
  }
  return join_lines(out);
}

std::string to_markdown(const Table& table) {
  check(table);
  auto lines = padded(table, escape_markdown);
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
