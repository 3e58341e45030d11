#pragma once
// Whether a device trains as the processor does: `condenser doctor --gpu`.

#include <c10/core/Device.h>

#include "condenser/train/backend.hpp"

namespace condenser::train {

// On a GPU also fp16 and recorded steps.
std::vector<DeviceCheck> check_device(at::Device, int steps = 50, int batch_size = 128);

}  // namespace condenser::train
