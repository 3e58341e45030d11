#pragma once
// The probe that trains a candidate for a few epochs and looks at the validation data.

#include <memory>

#include "condenser/train/backend.hpp"

namespace condenser::train {

std::unique_ptr<search::Probe> short_train_probe(const ProbeRequest&);

}  // namespace condenser::train
