#pragma once
// Automatic mixed precision while it lives: the library's calls choose their type by themselves.

#include <c10/core/DeviceType.h>
#include <c10/core/ScalarType.h>

#include <optional>

namespace condenser::train {

class Autocast {
 public:
  Autocast(c10::DeviceType, std::optional<c10::ScalarType>);  // none: does nothing
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  c10::DeviceType device_;
  bool on_;
};

}  // namespace condenser::train
