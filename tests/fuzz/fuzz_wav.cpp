// Any bytes as a WAV file: samples or core::Error, nothing else; never more samples than bytes.
#include "data/formats/wav.hpp"
#include "input.hpp"

using namespace condenser;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fuzz::expect_error_or_nothing([&] {
    const data::Sound sound = data::parse_wav(fuzz::text_of(data, size), "fuzz.wav");
    if (sound.samples.empty() || sound.samples.size() > size || sound.rate < 1) std::abort();
  });
}
