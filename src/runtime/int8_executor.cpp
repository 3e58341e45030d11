// Walks an Int8Program and calls the kernels that are shipped, in an arena of exactly the planned size.
#include "condenser/runtime/int8_executor.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "condenser/runtime/quantized.hpp"
#include "runtime/call.hpp"

namespace condenser::runtime {
Int8Executor::Int8Executor(Int8Program program)
    : program_(std::move(program)), arena_(static_cast<size_t>(program_.plan.peak_bytes)) {}

std::span<const int8_t> Int8Executor::run(std::span<const int8_t> input, const Tap& tap) {
  const auto at = [&](int node) { return arena_.data() + program_.plan.offset[static_cast<size_t>(node)]; };
  const auto values = [&](size_t node) {
    const int64_t count = program_.analysis.nodes[node].shape.elements();
    return std::span<const int8_t>(at(static_cast<int>(node)), static_cast<size_t>(count));
  };
  const auto show = [&](size_t node) {
    const std::span<const int8_t> bytes = values(node);
    if (program_.quant.nodes.at(program_.spec.nodes[node].name).output.bits == 8) {
      shown_.assign(bytes.begin(), bytes.end());
    } else {
      shown_.resize(bytes.size());
      std::memcpy(shown_.data(), bytes.data(), 2 * bytes.size());
    }
    tap(static_cast<int>(node), shown_);
  };
  if (input.size() != values(0).size())
    throw core::Error("int8 input of network '" + program_.spec.name + "' has " + std::to_string(input.size()) +
                      " values; expected " + std::to_string(values(0).size()));
  std::ranges::copy(input, at(0));
  if (tap) show(0);
  const std::vector<Turn>& order = program_.order;
  for (size_t i = 0; i < order.size(); ++i) {
    run_call(program_, order[i], arena_.data());
    const size_t node = order[i].node;
    const bool complete = i + 1 == order.size() || order[i + 1].node != node;
    if (tap && complete && !program_.plan.strips.has(static_cast<int>(node))) show(node);
  }
  const arch::Spec& spec = program_.spec;
  if (spec.output_count() == 1) return values(static_cast<size_t>(spec.output()));
  results_.clear();
  for (size_t k = 0; k < spec.output_count(); ++k) {
    const std::span<const int8_t> output = values(static_cast<size_t>(spec.output(k)));
    results_.insert(results_.end(), output.begin(), output.end());
  }
  return results_;
}

void Int8Executor::quantize_input(std::span<const float> chw, std::span<int8_t> hwc) const {
  const arch::Shape& shape = program_.spec.input;
  const auto count = static_cast<size_t>(shape.elements());
  if (chw.size() != count || hwc.size() != count)
    throw core::Error("input of network '" + program_.spec.name + "': " + std::to_string(chw.size()) + " floats for " +
                      std::to_string(hwc.size()) + " integers; expected " + std::to_string(count) + " of both");
  const TensorQuant& quant = program_.input_quant();
  const auto pixels = static_cast<size_t>(shape.h * shape.w);
  const auto channels = static_cast<size_t>(shape.c);
  for (size_t c = 0; c < channels; ++c) {
    for (size_t p = 0; p < pixels; ++p) {
      hwc[p * channels + c] = quantized(chw[c * pixels + p], quant);
    }
  }
}

}  // namespace condenser::runtime
