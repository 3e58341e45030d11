#include "condenser/core/shape.hpp"

namespace condenser::core {

std::string to_string(const Shape& s) {
  return std::to_string(s.c) + "x" + std::to_string(s.h) + "x" + std::to_string(s.w);
}

}  // namespace condenser::core
