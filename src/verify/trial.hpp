#pragma once
// What trials on every machine have in common: the manifest, running programs, comparing outputs.

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "condenser/core/process.hpp"
#include "condenser/exporters/stream.hpp"
#include "condenser/verify/verify.hpp"

namespace condenser::verify {

struct Manifest {
  std::string prefix;
  size_t input_bytes = 0;
  std::vector<size_t> outputs;  // bytes of each
  size_t clip_samples = 0;      // of sounds that the export makes inputs from; 0: of none
  double sample_rate = 0;       // of those
  std::optional<exporters::StreamTimes> stream;
  int64_t constant_bytes = 0;
  std::string weights_file;  // of constants that lie outside of the program; "": they are part of it
  int64_t weights_bytes = 0;
  std::string library;                       // that it calls and does not hold, "CMSIS-NN"; "": none
  std::map<std::string, std::string> files;  // name -> SHA-256
  size_t output_bytes() const;               // of all together
  std::vector<std::string> sources() const;  // what a firmware compiles
};
Manifest read_manifest(const std::filesystem::path& folder);

// Strict C99 without warnings, of gcc and clang.
const std::vector<std::string>& strict_options();
// Compiler options that the self-test of the export needs: it is empty without the first.
std::vector<std::string> self_test_options(const Manifest&, const std::filesystem::path& folder);
std::string self_test_macro(const std::string& prefix);  // the self-test of an export is empty without it

std::string describe(const core::ProcessResult&);  // its end and the first error it printed
// Ended from outside, or short of memory or room: says nothing about the files.
bool machine_trouble(const core::ProcessResult&);

std::string bytes_of(const std::vector<std::vector<int8_t>>& samples);
std::string bytes_of(const std::vector<std::vector<int16_t>>& clips);  // little-endian
// All sounds, else all inputs, one after the other: what a stream is proven on.
std::string stream_of(const exporters::KnownAnswers&, const Manifest&);
// Throws core::Error unless the answers fit the export.
void check_answers(const exporters::KnownAnswers&, const Manifest&);
// `found`: the outputs of all samples, one after the other. Says in `check` what differs; passed when nothing does.
void compare(const exporters::KnownAnswers&, const std::string& found, Check& check);
// The same of the answers of a stream; says nothing of right and wrong.
void compare_stream(const exporters::KnownAnswers&, const std::string& found, Check& check);

}  // namespace condenser::verify
