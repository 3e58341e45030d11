#pragma once
// Runs a quantized Spec with the very kernels that are shipped, in one arena laid out by plan_memory().

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "condenser/arch/memory.hpp"
#include "condenser/runtime/int8_program.hpp"

namespace condenser::runtime {

class Int8Executor {
 public:
  explicit Int8Executor(Int8Program program);

  // Called for every node in order with its output, [h, w, c], of 8 or 16 bits.
  using Tap = std::function<void(int node, std::span<const int16_t> values)>;

  // input: [h, w, c]; returns the outputs' values one output after the other, each [h, w, c]; valid until the next run.
  // Not thread-safe (one arena per executor).
  std::span<const int8_t> run(std::span<const int8_t> input, const Tap& tap = {});

  // Normalized float [c, h, w] -> int8 [h, w, c], round half away from zero, saturated.
  void quantize_input(std::span<const float> chw, std::span<int8_t> hwc) const;

  const Int8Program& program() const { return program_; }

 private:
  Int8Program program_;
  std::vector<int8_t> arena_;
  std::vector<int8_t> results_;  // of several outputs, which lie apart in the arena
  std::vector<int16_t> shown_;   // to a tap
};

}  // namespace condenser::runtime
