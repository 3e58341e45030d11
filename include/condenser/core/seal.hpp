#pragma once
// A checksum that a file carries of itself, over every one of its bytes, with the checksum's own digits as zeros. It
// finds damage (a flipped bit, a file cut and mended by hand), not forgery.

#include <string>
#include <string_view>

namespace condenser::core {

// What stands where the digits will be.
constexpr std::string_view kUnsealed = "00000000000000000000000000000000";

// `label`: the text just before kUnsealed in `bytes`, e.g. "\"checksum\": \"". Throws Error when it is not there.
std::string sealed(std::string bytes, std::string_view label);

enum class SealState { Absent, Whole, Broken };
struct Seal {
  SealState state = SealState::Absent;
  std::string digits;  // as the file has them
};
Seal look_at_seal(std::string_view bytes, std::string_view label);

}  // namespace condenser::core
