#pragma once
// machine_models.csv as text inside the program.

#include <span>

#include "condenser/core/source_text.hpp"

namespace condenser::arch {

std::span<const core::SourceText> machine_model_text();

}  // namespace condenser::arch
