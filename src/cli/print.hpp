#pragma once
// What verbs print to standard output besides tables.

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace condenser::cli {

struct StageOutput;

// A text to a file, whole or not at all, or to standard output where no file is named.
void print_to(const std::filesystem::path& file, const std::string& text);
// Indented, with a line end. Bytes that are no UTF-8 are replaced, invisible characters escaped.
void print_json(const nlohmann::ordered_json&);
// The one for format json, the other for all others.
void print_either(const nlohmann::ordered_json&, const StageOutput&, const std::string& format);

}  // namespace condenser::cli
