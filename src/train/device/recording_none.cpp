// For CPU builds of LibTorch.
#include "condenser/core/error.hpp"
#include "train/device/recording.hpp"

namespace condenser::train {

bool can_record() { return false; }

std::unique_ptr<Recording> record(const std::function<void()>&) {
  throw core::Error("this LibTorch was built without CUDA: nothing to record");
}

}  // namespace condenser::train
