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
  bool wrong_byte_rate = false;  // the header's bytes a second are not its rate times the bytes of a frame
  bool unwritten_size = false;   // of the samples, as in a stream
  bool cancelled = false;        // two channels of opposite phase leave next to nothing of each other
};

// PCM of 8, 16, 24 or 32 bits and floats of 32 or 64; mono, or stereo, which is averaged. A data chunk whose size was
// never written (streams: 0xffffffff, 0x7ffff000 and others near 2 or 4 GiB, or 0 with samples behind it) goes to the
// end of the file. Header fields that say how samples lie and contradict each other are refused; the bytes a second,
// which nobody needs and many recorders get wrong, are not. Throws core::Error that begins with `name`: not a WAVE
// file, another coding, cut short, no samples.
Sound parse_wav(std::string_view bytes, const std::string& name);

}  // namespace condenser::data
