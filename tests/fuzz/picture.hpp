#pragma once
// The body of the targets that decode pictures.

#include <vector>

#include "data/formats/image.hpp"
#include "input.hpp"

namespace condenser::fuzz {

// The first byte chooses channels, window and size, the rest is the file. `decode`: decode_jpeg or decode_png.
template <class Decode>
int decode_and_resize(const Decode& decode, const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const int choice = data[0], channels = choice & 1 ? 3 : 1;
  data::Wanted wanted;
  if (choice & 2) wanted.window = {0.3, 0.2, 0.5, 0.6};
  if (choice & 4) wanted.h = wanted.w = 1 + (choice >> 3);
  return expect_error_or_nothing([&] {
    const data::Picture picture = decode(text_of(data + 1, size - 1), channels, "x", wanted);
    std::vector<uint8_t> planes(static_cast<size_t>(channels) * 5 * 7);
    data::resize_to_planes(data::view_of(picture), 5, 7, planes);
  });
}

}  // namespace condenser::fuzz
