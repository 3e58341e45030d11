#pragma once
// Lists in sentences.

#include <string>
#include <vector>

#include "condenser/core/text.hpp"

namespace condenser::report {

// "a, b and 3 more"
inline std::string join_first(std::vector<std::string> parts, size_t most) {
  const size_t all = parts.size();
  if (all <= most) return core::join(parts);
  parts.resize(most);
  return core::join(parts) + " and " + std::to_string(all - most) + " more";
}

}  // namespace condenser::report
