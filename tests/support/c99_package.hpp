#pragma once
// Random int8 packages of exemplars with their known answers: what an export is made of.

#include "condenser/core/temporary_folder.hpp"
#include "condenser/exporters/target.hpp"

namespace condenser::testing {

struct C99Case {
  exporters::Package package;
  exporters::KnownAnswers answers;
};

// `lowered` must be supported by the c99 target. Answers come from the int8 executor. `wide`: nodes of 16 bits.
C99Case c99_case(const arch::Spec& lowered, uint64_t seed, size_t samples, const std::vector<bool>& wide = {});

// A small network of sounds, an eighth of a second at 8000 Hz, with the front-end that makes its inputs. From 200
// channels on its arena has room for the front-end's scratch.
C99Case sound_case(uint64_t seed, size_t samples, const data::FeatureOptions& = {}, int channels = 6);

// An exemplar exported into a folder of its own.
struct C99Export {
  core::TemporaryFolder temporary;
  std::filesystem::path folder = temporary.path() / "out";
  C99Case test;
  C99Export(const char* exemplar, size_t samples, const exporters::ExportOptions& = {});
  explicit C99Export(C99Case, const exporters::ExportOptions& = {});  // with answers of a stream where it is one
};

}  // namespace condenser::testing
