#pragma once
// Arithmetic on tensor shapes that refuses to overflow.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "condenser/arch/weights.hpp"

namespace condenser::arch {

std::string shape_text(const std::vector<int64_t>& shape);  // "[16, 3, 3, 3]"

// Product of the extents, or nothing when one is negative or the product does not fit.
std::optional<int64_t> product(const std::vector<int64_t>& shape);

std::optional<int64_t> byte_count(DType, const std::vector<int64_t>& shape);

}  // namespace condenser::arch
