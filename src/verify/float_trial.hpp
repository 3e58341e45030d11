#pragma once
// What trials of runtimes that compute in floats have in common: feeding a script, and comparing what it answers.

#include <string>
#include <string_view>
#include <vector>

#include "condenser/verify/verify.hpp"

namespace condenser::verify {

struct RuntimeAnswer {
  std::string bytes;             // all outputs, each of all samples; empty: it did not run
  std::string runtime, trouble;  // the runtime's name; why there are no bytes
};

// Runs a script with `arguments`, then a file of inputs and a file for outputs. It prints the version of `runtime`.
RuntimeAnswer run_runtime(const std::string& python, std::string_view script, std::vector<std::string> arguments,
                          const std::string& inputs, size_t output_bytes, const std::string& runtime);

// The first samples' inputs in floats, [n, c, h, w]; and how many bytes of floats they are answered with.
std::vector<float> float_inputs(const exporters::Package&, const exporters::KnownAnswers&, size_t samples);
size_t float_output_bytes(const exporters::Package&, size_t samples);
std::string bytes_of(const std::vector<float>&);

// The int8 network by a runtime that rounds in its own way: as often right as the executor, within 0.1 points or within
// what chance explains (McNemar's exact test of who is right about which sample, p at least 0.05).
Check int8_check(const std::filesystem::path& model, const RuntimeAnswer&, const exporters::Package&,
                 const exporters::KnownAnswers&);
// The same of integers as they are: of one sample after the other all outputs, [h, w, c].
Check integer_check(const char* name, const std::filesystem::path& model, const RuntimeAnswer&,
                    const exporters::KnownAnswers&);
// The float network: the float executor's values within `tolerance` of the largest.
Check float_check(const std::filesystem::path& model, const RuntimeAnswer&, const exporters::Package&,
                  const std::vector<float>& inputs, int64_t samples, double tolerance);

}  // namespace condenser::verify
