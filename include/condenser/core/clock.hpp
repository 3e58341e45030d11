#pragma once
// The time of day, for people and for agreements between machines; never for measuring.

#include <chrono>

namespace condenser::core {

// Since 1970, by the machine's clock, which may jump.
inline double unix_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace condenser::core
