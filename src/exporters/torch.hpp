#pragma once
// PyTorch: a module of Python that needs nothing but torch, and safetensors of the floats and of the integers.

#include "condenser/exporters/target.hpp"

namespace condenser::exporters {

std::vector<Unsupported> torch_unsupported(const arch::Design&);
void torch_write(const Package&, const KnownAnswers&, const ExportOptions&, const std::filesystem::path& folder);

}  // namespace condenser::exporters
