// Shape arithmetic. What an operator makes of a shape is in analysis.cpp.

#include "condenser/arch/shape.hpp"

namespace condenser::arch {

std::string to_string(const Shape& s) {
  return std::to_string(s.c) + "x" + std::to_string(s.h) + "x" + std::to_string(s.w);
}

int64_t window_out(int64_t in, int kernel, int stride, int before, int after) {
  const int64_t room = in + before + after - kernel;
  if (room < 0) return 0;  // the window does not fit; C++ division would round -1/2 to 0 and promise one output
  return room / stride + 1;
}

}  // namespace condenser::arch
