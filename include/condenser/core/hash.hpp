#pragma once
// Stable hashes: SHA-256 (libcrypto) for files, its first 128 bits for identities. Same value on every machine and
// version.

#include <array>
#include <compare>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace condenser::core {

struct Hash128 {
  std::array<uint8_t, 16> bytes{};
  auto operator<=>(const Hash128&) const = default;
  std::string hex() const;                        // 32 lower-case digits
  static Hash128 from_hex(std::string_view hex);  // throws Error
};

Hash128 hash128(std::string_view bytes);
std::string sha256_hex(std::string_view bytes);
std::string sha256_file(const std::filesystem::path& file);  // streams; throws Error

}  // namespace condenser::core
