#pragma once
// One pass of the float network over calibration samples: ranges of activations, and mean inputs for bias correction.

#include <vector>

#include "condenser/arch/spec.hpp"
#include "quant/observer.hpp"
#include "quant/patch_moments.hpp"

namespace condenser::quant {

struct Calibration {
  std::vector<Range> ranges;  // per node; empty ranges for nodes that pass their input's values through
  // Per node that a convolution or linear reads, and only if asked for: mean over the samples, [c, h, w]; else empty.
  std::vector<std::vector<double>> means;
  std::vector<PatchMoments>
      moments;  // per convolution and linear, where weights learn how they are rounded; else empty
};

Calibration calibrate(const arch::Spec& lowered, const arch::Weights&, const data::Dataset&, const QuantOptions&);

// Samples per float run so that one activation stays within a few megabytes.
int64_t batch_size(const arch::Spec&);

}  // namespace condenser::quant
