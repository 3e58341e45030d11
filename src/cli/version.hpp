#pragma once
// Version and build facts, from CMake.

#include <string>

namespace condenser::cli {
std::string version();           // "0.1.0"
std::string compiler();          // "GNU 12.2.0"
std::string build_type();        // "Release"
std::string libtorch_version();  // built against; "none" in a build without LibTorch
}  // namespace condenser::cli
