#include "cli/stages.hpp"
namespace condenser::cli {
int cmd_compare(const Invocation&) { throw core::Error("not built yet"); }
}  // namespace condenser::cli
