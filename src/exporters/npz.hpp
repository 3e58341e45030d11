#pragma once
// Arrays as NumPy loads them: an uncompressed zip of .npy files, the same byte for byte every time.

#include <map>
#include <string>

#include "condenser/arch/weights.hpp"

namespace condenser::exporters {

std::string to_npz(const std::map<std::string, arch::Tensor>& arrays);

}  // namespace condenser::exporters
