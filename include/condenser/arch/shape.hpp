#pragma once
// Extents of values and of windows that slide over them.

#include "condenser/core/shape.hpp"

namespace condenser::arch {

using core::Shape;
using core::to_string;

struct Size {
  int h = 1, w = 1;
  bool operator==(const Size&) const = default;
};

struct Pad {
  int top = 0, bottom = 0, left = 0, right = 0;
  bool operator==(const Pad&) const = default;
};

// Output extent of a window: floor((in + before + after - kernel) / stride) + 1.
inline int64_t window_out(int64_t in, int kernel, int stride, int before, int after) {
  const int64_t room = in + before + after - kernel;
  if (room < 0) return 0;  // the window does not fit; C++ division would round -1/2 to 0 and promise one output
  return room / stride + 1;
}

inline Pad pad_all(int p) { return {p, p, p, p}; }
inline Size square(int n) { return {n, n}; }

}  // namespace condenser::arch
