#pragma once
// Speeds of networks, measured side by side.

#include "condenser/train/backend.hpp"

namespace condenser::train {

// See Backend::measure_inference.
std::vector<SpeedSample> measure_inference(const SpeedRequest&);

}  // namespace condenser::train
