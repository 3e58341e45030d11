#pragma once
// Tables for people and programs: aligned text, Markdown, CSV, JSON.

#include <cstdint>
#include <string>
#include <vector>

namespace condenser::core {

struct Column {
  std::string key;    // snake_case with unit, stable: "arena_bytes" (JSON and CSV)
  std::string title;  // for people
  bool right = true;  // alignment
};

// A cell keeps the raw value for programs (JSON text: 12, 0.5, "x", null) and the text for people.
struct Cell {
  std::string json;
  std::string text;
};

Cell cell(int64_t value);                         // 1632345 -> "1,632,345"
Cell cell(double value, int digits);              // so many digits behind the point: 0.98754 -> "0.99"
Cell significant_cell(double value, int digits);  // so many digits that count, for values of any size: "7.018e-09"
Cell cell(const std::string& value);
Cell cell(const char* value);
inline Cell cell(int value) { return cell(static_cast<int64_t>(value)); }
Cell empty_cell();

struct Table {
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;
};

// At most `columns` wide where texts can be broken to that; 0: as wide as it is. Left-aligned cells continue below in
// the same column, broken between words (inside one only when it is wider than the column); numbers are never broken.
std::string to_text(const Table&, size_t columns = 0);
std::string to_markdown(const Table&);
std::string to_csv(const Table&);
std::string to_json(const Table&);  // array of objects

std::string thousands(int64_t value);                // "1,632,345"
std::string bytes_text(int64_t bytes);               // "24,576 bytes (24.0 KiB)"
std::string markdown_text(const std::string& text);  // on one line, markup escaped
std::string json_quote(const std::string& text);     // with the quotes
// JSON text whose strings show what they hold on a terminal: invisible characters as \u escapes, the same value for
// programs.
std::string json_visible(const std::string& json);

}  // namespace condenser::core
