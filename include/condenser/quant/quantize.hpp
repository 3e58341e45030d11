#pragma once
// Post-training int8 quantization: observe activations, choose ranges, quantize weights per output channel.

#include <memory>
#include <string>
#include <vector>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/design.hpp"
#include "condenser/arch/int16.hpp"
#include "condenser/arch/int4.hpp"
#include "condenser/arch/weights.hpp"
#include "condenser/core/config.hpp"
#include "condenser/data/dataset.hpp"
#include "condenser/runtime/quant_params.hpp"

namespace condenser::quant {

// Training in int8 form after the quantization (nn/fake_quant.hpp).
struct QatOptions {
  int epochs = 0;        // 0: none
  double lr = 2e-4;      // of adamw, falling to 0 along a cosine; batch norm is folded by then, so that rates are small
  double teacher = 0.5;  // share of the network in floats in the loss; 0: the labels alone
};

struct QuantOptions {
  std::string observer = "percentile";  // min_max, percentile, mse, entropy
  double percentile = 99.99;            // of |x| kept, for observer percentile
  int calibration_samples = 512;        // stratified subset of the training part
  uint64_t calibration_seed = 1;
  bool bias_correction = true;  // move biases by the mean error that weight rounding makes on the calibration samples
  std::string weight_rounding = "nearest";  // or learned: see quant/weight_rounding.hpp
  bool equalize = false;                    // before all else; see equalize.hpp
  arch::Int16Words int16;                   // nodes whose values have 16 bits; see arch/int16.hpp
  arch::Int4Words int4;                     // layers whose weights have 4 bits; see arch/int4.hpp
  bool automatic = false;                   // observer, weight_rounding and equalize are chosen by trying
  int sensitivity = 0;                      // samples for sensitivities() in report.hpp; 0: none
  double max_loss = 2;                      // points of accuracy that int8 may fall behind float on the test part
  QatOptions qat;
};
void read_options(core::config::Reader&, QuantOptions&);
const std::vector<std::string>& observer_names();
std::string way_text(const QuantOptions&);  // "percentile 99.9, learned rounding, equalized"

struct Quantized {
  arch::Weights weights;  // I8 weights and I32 biases
  runtime::QuantParams quant;
};

// Of the design's lowered form; `weights` are lowered too (arch::lower()). Nodes that pass values through (MaxPool,
// average pools, ...) keep their input's parameters where the kernel needs it.
Quantized quantize(const arch::Design&, const arch::Weights& weights, const data::Dataset& calibration,
                   const QuantOptions&);

// The same with outputs as they are in `outputs`: weights and biases alone are rounded, none corrected. What a network
// that is trained in its int8 form does at every step.
Quantized quantize(const arch::Spec& lowered, const arch::Analysis& costs, const arch::Weights& weights,
                   const runtime::QuantParams& outputs);

}  // namespace condenser::quant
