#include "condenser/core/error.hpp"

#include "condenser/core/text.hpp"

namespace condenser::core {

Error::Error(const std::string& message, ExitCode code) : std::runtime_error(printable(message)), code_(code) {}

}  // namespace condenser::core
