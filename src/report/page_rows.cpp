// Rows as columns of short texts. Ten thousand rows of twenty columns have to fit a page that opens at once, so nothing
// that rows have in common is written twice.

#include "report/page_rows.hpp"

#include <cmath>
#include <map>

#include "condenser/core/text.hpp"

namespace condenser::report {
namespace {

constexpr char kOpen = '\x01';  // in a pattern: here stands a number of the row; no text of people keeps this byte
constexpr size_t kMostText = 400;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// JSON text. Markup is escaped, so that it may stand inside a script element.
std::string quoted(const std::string& text) {
  std::string out;
  for (const char c : core::json_quote(text)) out += c == '<' ? "\\u003c" : c == '>' ? "\\u003e" : std::string(1, c);
  return out;
}

// One digit more than is shown, so that sorting has something to go by.
std::string number_cell(double value, int digits) {
  constexpr int kCount = 7;
  if (!std::isfinite(value)) return "";
  if (value == std::floor(value) && std::abs(value) < 1e15) return core::fixed(value, 0);
  if (digits < 0 || std::abs(value) >= 1e6) return core::significant(value, kCount);
  std::string text = core::fixed(value, digits + 1);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string numbers_json(const RowColumn& column) {
  std::string cells;
  for (size_t k = 0; k < column.numbers.size(); ++k)
    cells += (k ? ";" : "") + number_cell(column.numbers[k], column.digits);
  return "\"v\":" + quoted(cells);
}

// "max_macs: 9,000; limit 8,000" -> the pattern "max_macs: ?; limit ?" and the numbers "9,000 8,000".
std::string pattern_of(const std::string& text, std::string& numbers) {
  std::string pattern;
  for (size_t at = 0; at < text.size();) {
    if (!is_digit(text[at])) {
      pattern += text[at++];
      continue;
    }
    size_t end = at;
    while (end < text.size() && (is_digit(text[end]) || ((text[end] == ',' || text[end] == '.') &&
                                                         end + 1 < text.size() && is_digit(text[end + 1]))))
      ++end;
    pattern += kOpen;
    numbers += " " + text.substr(at, end - at);
    at = end;
  }
  return pattern;
}

// A line of people's text, bounded; whole characters.
std::string bounded(const std::string& text) {
  std::string line = core::printable(text);
  if (line.size() <= kMostText) return line;
  size_t end = kMostText;
  while (end > 0 && (line[end] & 0xC0) == 0x80) --end;
  return line.substr(0, end) + "...";
}

std::string texts_json(const std::vector<std::string>& texts) {
  std::map<std::string, size_t> known;
  std::string patterns, cells;
  for (size_t k = 0; k < texts.size(); ++k) {
    if (k) cells += ';';
    if (texts[k].empty()) continue;
    std::string numbers;
    const std::string pattern = pattern_of(bounded(texts[k]), numbers);
    const auto [entry, added] = known.emplace(pattern, known.size());
    if (added) patterns += (patterns.empty() ? "" : ",") + quoted(pattern);
    cells += std::to_string(entry->second) + numbers;
  }
  return "\"p\":[" + patterns + "],\"v\":" + quoted(cells);
}

std::string choices_json(const RowColumn& column) {
  constexpr const char* kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
  constexpr size_t kBase = 36;
  size_t most = 0;
  std::string fields;
  for (const RowColumn::Field& field : column.fields) {
    std::string labels;
    for (const std::string& label : field.labels)
      labels += (labels.empty() ? "" : ",") + quoted(core::printable(label));
    fields += (fields.empty() ? "" : ",") + ("[" + quoted(core::printable(field.name)) + ",[" + labels + "]]");
    most = std::max(most, field.labels.size());
  }
  size_t width = 1;
  for (size_t room = kBase; room < most; room *= kBase) ++width;
  std::string cells;
  for (size_t k = 0; k < column.choices.size(); ++k) {
    if (k) cells += ';';
    for (const int choice : column.choices[k]) {
      std::string digits(width, '0');
      auto rest = static_cast<size_t>(choice);
      for (size_t d = width; d-- > 0; rest /= kBase) digits[d] = kDigits[rest % kBase];
      cells += digits;
    }
  }
  return "\"f\":[" + fields + "],\"w\":" + std::to_string(width) + ",\"v\":" + quoted(cells);
}

std::string column_json(const RowColumn& c) {
  return "{\"k\":" + quoted(c.key) + ",\"t\":" + quoted(c.title) + ",\"u\":" + quoted(c.unit) +
         ",\"d\":" + std::to_string(c.digits) + ",\"s\":" + (c.in_table ? "1" : "0") +
         ",\"h\":" + (c.in_hover ? "1" : "0") + "," +
         (!c.fields.empty() ? choices_json(c)
          : c.texts.empty() ? numbers_json(c)
                            : texts_json(c.texts)) +
         "}";
}

}  // namespace

std::string rows_json(const PageRows& rows) {
  std::string columns;
  for (const RowColumn& column : rows.columns) columns += (columns.empty() ? "" : ",\n") + column_json(column);
  return "{\"n\":" + std::to_string(rows.count) + ",\"one\":" + quoted(rows.one) + ",\"c\":[\n" + columns + "]}";
}

}  // namespace condenser::report
