// Shape arithmetic. What an operator makes of a shape is in analysis.cpp.

#include "condenser/arch/shape.hpp"

namespace condenser::arch {

std::string to_string(const Shape& s) {
  return std::to_string(s.c) + "x" + std::to_string(s.h) + "x" + std::to_string(s.w);
}

}  // namespace condenser::arch
