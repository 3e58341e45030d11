#pragma once
// Runs the PyTorch export in PyTorch.

#include "condenser/verify/verify.hpp"

namespace condenser::verify {

// "float": the float executor's values within 1e-5. "int8": with values rounded to 8 bits, right about as many answers
// as the int8 executor.
std::vector<Check> verify_torch(const std::filesystem::path& folder, const exporters::Package&,
                                const exporters::KnownAnswers&);

}  // namespace condenser::verify
