#pragma once
// Grey of RGB pixels, for both formats.

#include <cstdint>
#include <vector>

namespace condenser::data {

// ITU-R BT.601 with the integers of Pillow's convert("L"): (19595 R + 38470 G + 7471 B + 2^15) / 2^16. The weights sum
// to one: grey stays as it is.
inline std::vector<uint8_t> luma(const std::vector<uint8_t>& rgb) {
  std::vector<uint8_t> grey(rgb.size() / 3);
  for (size_t i = 0; i < grey.size(); ++i)
    grey[i] =
        static_cast<uint8_t>((19595u * rgb[3 * i] + 38470u * rgb[3 * i + 1] + 7471u * rgb[3 * i + 2] + 32768u) >> 16);
  return grey;
}

}  // namespace condenser::data
