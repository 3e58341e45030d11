#pragma once
// The probe `inherited`: how well a candidate does with its part of the shared weights.

#include "condenser/nn/spec_net.hpp"
#include "train/probes/subject.hpp"

namespace condenser::train {

std::unique_ptr<search::Probe> inherited_probe(const ProbeRequest&);

// Statistics of batch norm become those of the images, [n, c, h, w] each: means over the batches (Yu and Huang 2019,
// arXiv 1903.05134).
void recalibrate(const arch::Spec&, const std::vector<at::Tensor>& batches, arch::Weights&);

}  // namespace condenser::train
