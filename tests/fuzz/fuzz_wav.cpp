// Any bytes as a WAV file: samples or core::Error, nothing else; never more samples than bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "condenser/core/error.hpp"
#include "data/formats/wav.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const condenser::data::Sound sound =
        condenser::data::parse_wav({reinterpret_cast<const char*>(data), size}, "fuzz.wav");
    if (sound.samples.empty() || sound.samples.size() > size || sound.rate < 1) std::abort();
  } catch (const condenser::core::Error&) {
  }
  return 0;
}
