#pragma once
// What the stages left in a run folder, as the report wants it.

#include "cli/stages/stages.hpp"
#include "condenser/report/material.hpp"

namespace condenser::cli {

// What stages made with other options, and of another network than the winner, is left out. Throws core::Error when
// there is no winner yet, or naming the file that is damaged.
report::Material read_material(RunContext&);

}  // namespace condenser::cli
