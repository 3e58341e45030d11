#pragma once
// Loads libcondenser_torch.so on demand: LibTorch costs a quarter of a second and may be absent.

#include "condenser/train/backend.hpp"

namespace condenser::cli {

// The one backend of the process. Throws core::Error saying what is missing and how to get it.
train::Backend& torch_backend();

// Where the module was looked for; for doctor.
std::string torch_module_path();

}  // namespace condenser::cli
