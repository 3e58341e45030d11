#include "condenser/core/seal.hpp"

#include "condenser/core/error.hpp"
#include "condenser/core/hash.hpp"

namespace condenser::core {

std::string sealed(std::string bytes, std::string_view label) {
  const size_t at = bytes.find(std::string(label).append(kUnsealed));
  if (at == std::string::npos) throw Error("no place for a checksum behind " + std::string(label));
  return bytes.replace(at + label.size(), kUnsealed.size(), hash128(bytes).hex());
}

Seal look_at_seal(std::string_view bytes, std::string_view label) {
  const size_t at = bytes.find(label);
  if (at == std::string_view::npos || bytes.size() - at - label.size() < kUnsealed.size()) return {};
  const size_t digits = at + label.size();
  Seal seal{SealState::Broken, std::string(bytes.substr(digits, kUnsealed.size()))};
  std::string unsealed(bytes);
  unsealed.replace(digits, kUnsealed.size(), kUnsealed);
  if (hash128(unsealed).hex() == seal.digits) seal.state = SealState::Whole;
  return seal;
}

}  // namespace condenser::core
