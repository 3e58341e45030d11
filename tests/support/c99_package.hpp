#pragma once
// Random int8 packages of exemplars with their known answers: what an export is made of.

#include "condenser/core/temporary_folder.hpp"
#include "condenser/exporters/target.hpp"

namespace condenser::testing {

struct C99Case {
  exporters::Package package;
  exporters::KnownAnswers answers;
};

// `lowered` must be supported by the c99 target. Answers come from the int8 executor.
C99Case c99_case(const arch::Spec& lowered, uint64_t seed, size_t samples);

// An exemplar exported into a folder of its own.
struct C99Export {
  core::TemporaryFolder temporary;
  std::filesystem::path folder = temporary.path() / "out";
  C99Case test;
  C99Export(const char* exemplar, size_t samples);
};

}  // namespace condenser::testing
