#pragma once
// What the reader and the writer of Spec files share.

#include <filesystem>
#include <string>

namespace condenser::arch {

inline constexpr int kSpecVersion = 1;

bool is_json_file(const std::filesystem::path&);  // throws ConfigError unless .json, .yaml or .yml

// JSON text that YAML reads alike. Throws core::Error unless `text` is UTF-8.
std::string quoted_text(const std::string& text);

}  // namespace condenser::arch
