#pragma once
// RIFF WAVE files, from bytes to 16-bit mono. Private to src/data.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace condenser::data {

struct Sound {
  int rate = 0;  // Hz
  std::vector<int16_t> samples;
};

// PCM of 8, 16, 24 or 32 bits and floats of 32 or 64; mono, or stereo, which is averaged. Throws core::Error that
// begins with `name`: not a WAVE file, another coding, cut short, no samples.
Sound parse_wav(std::string_view bytes, const std::string& name);

}  // namespace condenser::data
