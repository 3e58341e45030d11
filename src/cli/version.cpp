// Build facts. The version number stands once, in the top CMakeLists.txt.

#include "cli/version.hpp"

namespace condenser::cli {
std::string version() { return CONDENSER_VERSION; }
std::string compiler() { return CONDENSER_COMPILER; }
std::string build_type() { return CONDENSER_BUILD_TYPE; }
std::string libtorch_version() { return CONDENSER_TORCH_VERSION; }
}  // namespace condenser::cli
