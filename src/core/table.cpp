// One table, four forms: aligned text and Markdown from the cells' text, CSV and JSON from their raw values.
// Which columns exist and what they mean is decided by the reports.

#include "condenser/core/table.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>

#include "condenser/core/error.hpp"

namespace condenser::core {
namespace {

// "1632345.5" -> "1,632,345.5"; a sign in front is kept.
std::string group(std::string digits) {
  const size_t first = !digits.empty() && digits[0] == '-' ? 1 : 0;
  size_t at = std::min(digits.find('.'), digits.size());
  while (at > first + 3) digits.insert(at -= 3, 1, ',');
  return digits;
}

// Bytes to place on one line of text: control characters would break the columns or the terminal.
std::string one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return text;
}

// Code points, not bytes.
size_t width(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

void check(const Table& table) {
  for (size_t i = 0; i < table.rows.size(); ++i)
    if (table.rows[i].size() != table.columns.size())
      throw Error("table row " + std::to_string(i) + " has " + std::to_string(table.rows[i].size()) +
                  " cells; expected " + std::to_string(table.columns.size()));
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

std::string csv_field(const std::string& text) {
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
  for (const Column& column : table.columns) lines[0].push_back(escape(one_line(column.title)));
  for (const auto& row : table.rows) {
    lines.emplace_back();
    for (const Cell& cell : row) lines.back().push_back(escape(one_line(cell.text)));
  }
  for (size_t c = 0; c < table.columns.size(); ++c) {
    size_t widest = 3;  // the shortest rule of a Markdown column with its colon
    for (const auto& line : lines) widest = std::max(widest, width(line[c]));
    for (auto& line : lines)
      line[c].insert(table.columns[c].right ? 0 : line[c].size(), std::string(widest - width(line[c]), ' '));
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

std::string markdown_text(const std::string& text) { return escape_markdown(one_line(text)); }

std::string json_quote(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Cell cell(int64_t value) { return {std::to_string(value), thousands(value)}; }

Cell cell(double value, int digits) {
  if (!std::isfinite(value)) return {"null", std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf"};
  char raw[32];
  const auto end = std::to_chars(raw, raw + sizeof raw, value).ptr;  // shortest text that reads back as the same double
  std::string text(400, '\0');
  text.resize(static_cast<size_t>(std::snprintf(text.data(), text.size(), "%.*f", std::clamp(digits, 0, 60), value)));
  if (text[0] == '-' && text.find_first_of("123456789") == std::string::npos) text.erase(0, 1);  // no "-0.00"
  return {std::string(raw, end), group(text)};
}

Cell cell(const std::string& value) { return {json_quote(value), value}; }
Cell cell(const char* value) { return cell(std::string(value)); }
Cell empty_cell() { return {"null", ""}; }

std::string to_text(const Table& table) {
  check(table);
  auto lines = padded(table, [](const std::string& text) { return text; });
  std::vector<std::string> rule;
  for (const std::string& title : lines[0]) rule.emplace_back(width(title), '-');
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
    rule.emplace_back(width(lines[0][c]), '-');
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
