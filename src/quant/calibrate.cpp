// Runs the float executor over a stratified subset and feeds one observer per node.
#include "quant/calibrate.hpp"

#include <algorithm>
#include <string>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/int16.hpp"
#include "condenser/data/split.hpp"
#include "condenser/runtime/float_executor.hpp"

namespace condenser::quant {
namespace {

// The input keeps its extremes: pixels are bounded, and 8-bit pixels then map to int8 one to one (q = u8 - 128).
// Values of 16 bits have steps enough to reach the largest.
std::unique_ptr<Observer> observer_for(const arch::Op& op, bool wide, const QuantOptions& options) {
  if (arch::passes_values_on(op)) return nullptr;
  QuantOptions chosen = options;
  if (std::holds_alternative<arch::Input>(op) || wide) chosen.observer = "min_max";
  return make_observer(chosen);
}

// Per node, the convolutions and linears that read it.
std::vector<std::vector<int>> weighted_readers(const arch::Spec& spec) {
  std::vector<std::vector<int>> readers = arch::consumers(spec);
  for (std::vector<int>& list : readers)
    std::erase_if(list, [&](int i) {
      const arch::Op& op = spec.node(i).op;
      return !std::holds_alternative<arch::Conv2d>(op) && !std::holds_alternative<arch::Linear>(op);
    });
  return readers;
}

std::vector<PatchMoments> empty_moments(const arch::Spec& spec, const std::vector<std::vector<int>>& readers) {
  std::vector<PatchMoments> moments(spec.nodes.size());
  const std::vector<arch::NodeCost> costs = arch::analyze(spec).nodes;
  for (size_t from = 0; from < readers.size(); ++from)
    for (const int i : readers[from]) {
      const auto reader = static_cast<size_t>(i);
      moments[reader] = {spec.node(i).op, costs[from].shape, costs[reader].shape};
    }
  return moments;
}

void accumulate(std::span<const float> values, size_t item, double weight, std::vector<double>& mean) {
  mean.resize(item);
  for (size_t at = 0; at < values.size(); at += item) {
    for (size_t k = 0; k < item; ++k) mean[k] += weight * static_cast<double>(values[at + k]);
  }
}

void check_fits(const arch::Spec& spec, const data::Dataset& samples) {
  const data::ItemShape s = samples.shape();
  if (arch::Shape{s.c, s.h, s.w} == spec.input && samples.size() > 0) return;
  throw core::Error("calibration of " + spec.name + ": " + std::to_string(samples.size()) + " samples of " +
                    arch::to_string({s.c, s.h, s.w}) + "; expected at least one of " + arch::to_string(spec.input));
}

}  // namespace

int64_t batch_size(const arch::Spec& spec) {
  int64_t largest = 1;
  for (const arch::NodeCost& cost : arch::analyze(spec).nodes) largest = std::max(largest, cost.shape.elements());
  return std::clamp<int64_t>((int64_t{1} << 20) / largest, 1, 64);
}

Calibration calibrate(const arch::Spec& spec, const arch::Weights& weights, const data::Dataset& samples,
                      const QuantOptions& options) {
  check_fits(spec, samples);
  const runtime::FloatExecutor executor(spec, weights);
  std::vector<std::unique_ptr<Observer>> observers;
  const arch::Int16Nodes wide = arch::int16_nodes(spec, arch::analyze(spec), options.int16);
  for (size_t i = 0; i < spec.nodes.size(); ++i)
    observers.push_back(observer_for(spec.nodes[i].op, arch::is_int16(wide, static_cast<int>(i)), options));
  const std::vector<std::vector<int>> readers = weighted_readers(spec);
  const bool learns = options.weight_rounding == "learned";

  Calibration result{std::vector<Range>(spec.nodes.size()), std::vector<std::vector<double>>(spec.nodes.size()),
                     learns ? empty_moments(spec, readers) : std::vector<PatchMoments>(spec.nodes.size())};
  const std::vector<int64_t> indices =
      data::stratified_subset(samples, options.calibration_samples, options.calibration_seed);
  const auto batch = static_cast<size_t>(batch_size(spec)), item = static_cast<size_t>(spec.input.elements());
  std::vector<float> x;
  for (size_t first = 0; first < indices.size(); first += batch) {
    const size_t n = std::min(batch, indices.size() - first);
    x.resize(n * item);
    for (size_t i = 0; i < n; ++i) samples.get(indices[first + i], std::span(x).subspan(i * item, item));
    executor.run(x, static_cast<int64_t>(n), [&](int node, std::span<const float> values) {
      const auto i = static_cast<size_t>(node);
      if (observers[i]) observers[i]->observe(values);
      if (options.bias_correction && !readers[i].empty()) {
        accumulate(values, values.size() / n, 1.0 / static_cast<double>(indices.size()), result.means[i]);
      }
      if (!learns) return;
      for (const int reader : readers[i])
        result.moments[static_cast<size_t>(reader)].add(values, static_cast<int64_t>(first));
    });
  }
  for (size_t i = 0; i < observers.size(); ++i) {
    if (observers[i]) result.ranges[i] = observers[i]->range();
  }
  return result;
}

}  // namespace condenser::quant
