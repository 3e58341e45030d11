#pragma once
// Shape of one sample: of a network's input, of the value of a node, of an item of a data set. The batch is never part
// of it.

#include <cstdint>
#include <string>

namespace condenser::core {

struct Shape {
  int64_t c = 0, h = 1, w = 1;
  int64_t elements() const { return c * h * w; }
  bool operator==(const Shape&) const = default;
};

std::string to_string(const Shape&);  // "32x56x56" (channels, height, width)

}  // namespace condenser::core
