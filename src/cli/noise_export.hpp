#pragma once
// The int8 export of a network that nobody has trained: random weights, ranges from pictures of noise.

#include <filesystem>

#include "condenser/arch/design.hpp"
#include "condenser/exporters/target.hpp"

namespace condenser::cli {

// Writes the c99 export into `folder`; the answers of the executor to `count` pictures of noise, 8 at most. Throws
// core::Error for an operator that cannot be exported.
exporters::KnownAnswers export_with_noise(const arch::Design&, int count, const std::filesystem::path& folder,
                                          const exporters::ExportOptions& = {});

}  // namespace condenser::cli
