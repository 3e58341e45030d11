#pragma once
// Random int8 packages of exemplars with their known answers: what an export is made of.

#include "condenser/exporters/target.hpp"

namespace condenser::testing {

struct C99Case {
  exporters::Package package;
  exporters::KnownAnswers answers;
};

// `lowered` must be supported by the c99 target. Answers come from the int8 executor.
C99Case c99_case(const arch::Spec& lowered, uint64_t seed, size_t samples);

}  // namespace condenser::testing
