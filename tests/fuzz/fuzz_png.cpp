// Pictures: the first byte chooses channels, window and size, the rest is the file.
#include "data/formats/image.hpp"
#include "input.hpp"

using namespace condenser;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const int choice = data[0], channels = choice & 1 ? 3 : 1;
  data::Wanted wanted;
  if (choice & 2) wanted.window = {0.3, 0.2, 0.5, 0.6};
  if (choice & 4) wanted.h = wanted.w = 1 + (choice >> 3);
  return fuzz::expect_error_or_nothing([&] {
    const data::Picture picture = data::decode_png(fuzz::text_of(data + 1, size - 1), channels, "x", wanted);
    std::vector<uint8_t> planes(static_cast<size_t>(channels) * 5 * 7);
    data::resize_to_planes(data::view_of(picture), 5, 7, planes);
  });
}
