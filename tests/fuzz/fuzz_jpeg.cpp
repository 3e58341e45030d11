// Any bytes as a JPEG file.
#include "picture.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return condenser::fuzz::decode_and_resize(condenser::data::decode_jpeg, data, size);
}
