#pragma once
// Comma-separated values (RFC 4180). Private to src/data.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace condenser::data {

// Calls row(line, fields) for every row; `line` is where it begins, from 1. Fields may be quoted ("a ""b"", c"), then
// they may hold commas, quotes and line ends. Rows end with \n or \r\n; empty lines are passed over, as is a byte order
// mark. Throws core::Error naming file and line: an open quote, text after a closing one, a zero byte.
void read_csv(std::string_view text, const std::filesystem::path& file,
              const std::function<void(int64_t line, const std::vector<std::string>& fields)>& row);

// A field for messages: quoted fields may hold line ends, messages may not.
std::string shown(const std::string& field);

}  // namespace condenser::data
