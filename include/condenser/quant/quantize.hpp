#pragma once
// Post-training int8 quantization: observe activations, choose ranges, quantize weights per output channel.

#include <memory>
#include <string>

#include "condenser/arch/design.hpp"
#include "condenser/arch/weights.hpp"
#include "condenser/core/config.hpp"
#include "condenser/data/dataset.hpp"
#include "condenser/runtime/quant_params.hpp"

namespace condenser::quant {

struct QuantOptions {
  std::string observer = "mse";   // min_max, percentile, mse
  double percentile = 99.99;      // of |x| kept, for observer percentile
  int calibration_samples = 512;  // stratified subset of the training part
  uint64_t calibration_seed = 1;
  bool bias_correction = true;  // move biases by the mean error that weight rounding makes on the calibration samples
};
void read_options(core::config::Reader&, QuantOptions&);

struct Quantized {
  arch::Weights weights;  // I8 weights and I32 biases
  runtime::QuantParams quant;
};

// Of the design's lowered form; `weights` are lowered too (arch::lower()). Nodes that pass values through (MaxPool,
// average pools, ...) keep their input's parameters where the kernel needs it.
Quantized quantize(const arch::Design&, const arch::Weights& weights, const data::Dataset& calibration,
                   const QuantOptions&);

}  // namespace condenser::quant
