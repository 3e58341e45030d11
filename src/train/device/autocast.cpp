// A source of its own: the header below brings all of ATen.
#include "train/device/autocast.hpp"

#include <ATen/autocast_mode.h>

namespace condenser::train {

Autocast::Autocast(c10::DeviceType device, std::optional<c10::ScalarType> type)
    : device_(device), on_(type.has_value()) {
  if (!on_) return;
  at::autocast::set_autocast_cache_enabled(false);  // every weight is used once
  at::autocast::set_autocast_dtype(device_, *type);
  at::autocast::set_autocast_enabled(device_, true);
}

Autocast::~Autocast() {
  if (on_) at::autocast::set_autocast_enabled(device_, false);
}

}  // namespace condenser::train
