#pragma once
// RIFF WAVE files, from bytes to mono. Private to src/data.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace condenser::data {

// Samples on the scale of 16-bit PCM (full scale is 32768) at the resolution of the file: 24 bits have fractions,
// floats may lie beyond full scale.
struct Sound {
  int rate = 0;  // Hz
  std::vector<float> samples;
};

// PCM of 8, 16, 24 or 32 bits and floats of 32 or 64; mono, or stereo, which is averaged. A data chunk whose size was
// never written (0xffffffff, of streams) goes to the end of the file. Header fields that contradict each other are
// refused. Throws core::Error that begins with `name`: not a WAVE file, another coding, cut short, no samples.
Sound parse_wav(std::string_view bytes, const std::string& name);

}  // namespace condenser::data
