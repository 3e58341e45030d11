#pragma once
// Comma-separated values (RFC 4180): the one reader of rows, and quotes for fields that are written.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace condenser::core {

// Calls row(line, fields) for every row; `line` is where it begins, from 1. Fields may be quoted ("a ""b"", c"), also
// after spaces; then they may hold separators, quotes and line ends. Rows end with \n or \r\n, in a text without \n
// with \r; empty lines are passed over, as are a byte order mark and a first line "sep=;". Throws core::Error naming
// file and line: an open quote, text after a closing one, zero bytes (UTF-16 by name).
void read_csv(std::string_view text, const std::filesystem::path& file,
              const std::function<void(int64_t line, const std::vector<std::string>& fields)>& row,
              char separator = ',');

// The separator of a text: that of its line "sep=;", or of comma, semicolon and tab the one that its first row has most
// of outside quotes; a comma when it has none.
char separator_of(std::string_view text);

// A field for messages: quoted fields may hold line ends, messages may not.
std::string shown(const std::string& field);

// A field to be written: in quotes when it holds commas, quotes or line ends.
std::string csv_quoted(std::string_view text);

}  // namespace condenser::core
