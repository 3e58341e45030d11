#pragma once
// What int8 costs: per-node signal-to-noise ratio, saturation, and accuracy of both forms on the same samples.

#include <optional>
#include <string>
#include <vector>

#include "condenser/arch/design.hpp"
#include "condenser/arch/weights.hpp"
#include "condenser/core/table.hpp"
#include "condenser/data/task.hpp"
#include "condenser/runtime/quant_params.hpp"

namespace condenser::quant {

struct NodeReport {
  std::string node;
  double snr_db = 0;              // 10 log10(sum x^2 / sum (x - dequantized)^2) against the float executor; infinite
                                  // without noise, minus infinite without signal, NaN: not known which
  double saturated_fraction = 0;  // of float values outside what the node's int8 range can say
  runtime::TensorQuant output;
  // Of the float values that the int8 range can say, in kHistogramBins equal parts of it, from the least on.
  std::vector<int64_t> histogram = {};
};
inline constexpr size_t kHistogramBins = 64;

std::vector<NodeReport> node_reports(const arch::Spec& lowered, const arch::Weights& float_weights,
                                     const arch::Weights& int8_weights, const runtime::QuantParams&,
                                     const data::Dataset& samples);
core::Table to_table(const std::vector<NodeReport>&);

// What a node would give back if it alone stayed in floats, its weights and its output.
struct Sensitivity {
  std::string node;
  data::Evaluation alone;
};

// In simulation: float operators on weights and values that are rounded to what int8 can say, which differs from the
// integers by their own last rounding. The first entry has no node: all in int8. Nodes whose int8 loses nothing of its
// own (pools, moves of pixels or channels) are left out. Costs a float run of the samples for each entry.
std::vector<Sensitivity> sensitivities(const arch::Spec& lowered, const arch::Weights& float_weights,
                                       const arch::Weights& int8_weights, const runtime::QuantParams&,
                                       const data::Dataset& samples, const data::Task&);

// What it costs if one layer alone has weights of 4 bits, to nearest and without bias correction.
struct Int4Trial {
  std::string node;
  int64_t saved_bytes = 0;  // of constants
  data::Evaluation alone;   // of the integers themselves
};

// Of every convolution and linear layer whose weights have 8 bits and would take less space in 4.
std::vector<Int4Trial> int4_trials(const arch::Design&, const arch::Weights& float_weights,
                                   const arch::Weights& int8_weights, const runtime::QuantParams&,
                                   const data::Dataset& samples, const data::Task&);

struct Accuracy {
  int64_t correct = 0, total = 0;
  double percent() const { return total ? 100.0 * static_cast<double>(correct) / static_cast<double>(total) : 0.0; }
};

struct Interval {
  double low_percent = 0, high_percent = 100;
};
Interval wilson_95(const Accuracy&);     // Wilson score interval
std::string to_string(const Accuracy&);  // "98.35 % (1967/2000, 95 % interval 97.69..98.82)"

Accuracy accuracy_of(const data::Evaluation&);  // of none for a task without classes

// How well items were made again, where that is the task.
struct Reconstruction {
  double error = 0;        // mean squared, of normalized values; of the normal items where the data tell them
  double auc_percent = 0;  // of the error as a score of anomaly; NaN: the data do not tell
  int64_t items = 0;
};
std::optional<Reconstruction> reconstruction_of(const data::Evaluation&);  // none: another task
std::string to_string(const Reconstruction&);  // "AUC 93.41 % (2000 items), reconstruction error 0.01834"

// Both forms by the same rules as the trainer's figures (data/task.hpp). Throws core::Error when an output is not
// finite, or when shapes or classes do not fit.
data::Evaluation evaluate_float(const arch::Spec&, const arch::Weights&, const data::Dataset&, const data::Task&);
data::Evaluation evaluate_int8(const arch::Spec& lowered, const arch::Weights& int8_weights,
                               const runtime::QuantParams&, const data::Dataset&, const data::Task&);
// Weights and biases as floats again, by "<node>.<param>": what int8 multiplies by.
arch::Weights dequantize(const arch::Spec& lowered, const arch::Weights& int8_weights, const runtime::QuantParams&);
// Integers [h, w, c] as the values of the float network, [c, h, w].
void dequantize(std::span<const int8_t> hwc, const core::Shape&, const runtime::TensorQuant&, std::span<float> chw);
void dequantize(std::span<const int16_t> hwc, const core::Shape&, const runtime::TensorQuant&, std::span<float> chw);

}  // namespace condenser::quant
