#pragma once
// The name of all kernels as they are now: eight hexadecimal digits, which stand in the functions' names of an export.

#include <string>

namespace condenser::exporters {

const std::string& kernel_version();

}  // namespace condenser::exporters
