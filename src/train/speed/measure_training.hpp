#pragma once
// Speed of training, and one step of it to compare with other programs.

#include "condenser/train/backend.hpp"

namespace condenser::train {

// See Backend.
void measure_training(const TrainingSpeedRequest&);
TrainingStep training_step(const arch::Spec&, int batch, int threads);

}  // namespace condenser::train
