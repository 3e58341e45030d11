#pragma once
// What the reader and the writer of Spec files share.

#include <filesystem>

namespace condenser::arch {

inline constexpr int kSpecVersion = 1;

bool is_json_file(const std::filesystem::path&);  // throws ConfigError unless .json, .yaml or .yml

}  // namespace condenser::arch
