#pragma once
// Shape of one sample. The batch is never part of a Spec.

#include <cstdint>
#include <string>

namespace condenser::arch {

struct Shape {
  int64_t c = 0, h = 1, w = 1;
  int64_t elements() const { return c * h * w; }
  bool operator==(const Shape&) const = default;
};

std::string to_string(const Shape&);  // "32x56x56" (channels, height, width)

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
