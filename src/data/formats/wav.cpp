// A RIFF file is a list of chunks: four letters, a little-endian size, that many bytes, one more when the size is odd.
// "fmt " says how samples are written and stands before "data"; others are passed over. The format is small and every
// file comes from outside, so this is our own parser, which refuses what libraries would patch: all lengths are checked
// against the bytes that are there.
#include "data/formats/wav.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "condenser/core/error.hpp"

namespace condenser::data {
namespace {

constexpr int kPcm = 1, kFloat = 3, kExtensible = 0xfffe;
// What follows the number of the coding in the GUIDs of WAVE_FORMAT_EXTENSIBLE (Microsoft, "Multiple channel audio
// data").
constexpr std::string_view kGuidTail("\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71", 14);
// Sizes that programs write ahead when they cannot go back: 0xffffffff (ffmpeg), 0x80000000 (arecord), 0x7ffff000 (sox,
// espeak, mplayer), some less the size of the header.
constexpr uint64_t kLeastUnwritten = 0x7fff0000;
constexpr double kCancelled = 1e-3;  // of the amplitude of the channels: 60 dB

struct Coding {
  int format = 0, channels = 0, rate = 0, bits = 0;
  bool wrong_byte_rate = false;
  int64_t frame_bytes() const { return static_cast<int64_t>(channels) * bits / 8; }
};

// What is found under the name .wav in practice.
struct Signature {
  std::string_view bytes;
  const char* name;
};
constexpr Signature kOthers[] = {{"RF64", "a 64-bit WAV file (RF64)"},
                                 {"BW64", "a 64-bit WAV file (BW64)"},
                                 {"RIFX", "a big-endian WAV file (RIFX)"},
                                 {"fLaC", "a FLAC file"},
                                 {"OggS", "an Ogg file (Vorbis, Opus)"},
                                 {"ID3", "an MP3 file"},
                                 {"\xff\xfb", "an MP3 file"},
                                 {"\xff\xf3", "an MP3 file"},
                                 {"FORM", "an AIFF file"},
                                 {".snd", "an AU file"},
                                 {"version https://git-lfs", "a Git LFS pointer (the file itself was not fetched)"}};

const char* coding_name(int format) {
  switch (format) {
    case 2: return " (ADPCM)";
    case 6: return " (A-law)";
    case 7: return " (mu-law)";
    case 17: return " (IMA ADPCM)";
    case 85: return " (MP3)";
    default: return "";
  }
}

[[noreturn]] void refuse(const std::string& name, const std::string& what) { throw core::Error(name + ": " + what); }

uint64_t little_endian(std::string_view bytes, size_t at, int count) {
  uint64_t value = 0;
  for (int i = count - 1; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

Coding parse_format(std::string_view chunk, const std::string& name) {
  if (chunk.size() < 16) {
    refuse(name, "fmt chunk of " + std::to_string(chunk.size()) + " bytes; expected 16 or more; the file is damaged");
  }
  Coding coding;
  coding.format = static_cast<int>(little_endian(chunk, 0, 2));
  coding.channels = static_cast<int>(little_endian(chunk, 2, 2));
  const uint64_t rate = little_endian(chunk, 4, 4);
  coding.bits = static_cast<int>(little_endian(chunk, 14, 2));
  const bool extensible = coding.format == kExtensible;
  if (extensible && chunk.size() >= 40 && chunk.substr(26, kGuidTail.size()) != kGuidTail)
    refuse(name, "a coding of somebody's own (WAVE_FORMAT_EXTENSIBLE with an unknown GUID); convert it to 16-bit PCM");
  if (extensible && chunk.size() >= 26) coding.format = static_cast<int>(little_endian(chunk, 24, 2));
  const std::string found = "format " + std::to_string(coding.format) + coding_name(coding.format) + " with " +
                            std::to_string(coding.bits) +
                            " bits; expected PCM (1) with 8, 16, 24 or 32 or float (3) with 32 or 64";
  if (coding.format != kPcm && coding.format != kFloat) refuse(name, found + "; convert the file to 16-bit PCM");
  const int bits = coding.bits;
  const bool known =
      coding.format == kPcm ? bits == 8 || bits == 16 || bits == 24 || bits == 32 : bits == 32 || bits == 64;
  if (!known) refuse(name, found);
  if (coding.channels != 1 && coding.channels != 2) {
    refuse(name, std::to_string(coding.channels) + " channels; expected 1 or 2");
  }
  if (rate < 1 || rate > 1'000'000) refuse(name, std::to_string(rate) + " samples a second; the file is damaged");
  coding.rate = static_cast<int>(rate);
  // Readers disagree about which of the two counts; the wrong one is noise.
  const auto frame = static_cast<int64_t>(little_endian(chunk, 12, 2));
  if (frame != coding.frame_bytes()) {
    refuse(name, std::to_string(frame) + " bytes a frame; expected " + std::to_string(coding.frame_bytes()) + " for " +
                     std::to_string(coding.channels) + (coding.channels == 1 ? " channel" : " channels") + " of " +
                     std::to_string(bits) + " bits; the header contradicts itself, write the file anew");
  }
  coding.wrong_byte_rate = little_endian(chunk, 8, 4) != rate * static_cast<uint64_t>(frame);
  if (extensible && chunk.size() >= 20) {
    const auto valid = static_cast<int>(little_endian(chunk, 18, 2));  // the upper bits, the rest are zeros
    if (valid > bits) {
      refuse(name, std::to_string(valid) + " valid bits in samples of " + std::to_string(bits) +
                       "; the header contradicts itself, write the file anew");
    }
  }
  return coding;
}

// A sample on the scale of 16 bits; infinite and undefined floats are refused.
double sample_at(std::string_view data, size_t at, const Coding& coding, const std::string& name) {
  const int bytes = coding.bits / 8;
  const uint64_t raw = little_endian(data, at, bytes);
  if (coding.format == kFloat) {
    const double value =
        coding.bits == 32 ? std::bit_cast<float>(static_cast<uint32_t>(raw)) : std::bit_cast<double>(raw);
    if (!std::isfinite(value)) refuse(name, "a sample that is not a finite number; the file is damaged");
    return value * 32768;
  }
  if (coding.bits == 8) return (static_cast<double>(raw) - 128) * 256;  // the only size without sign
  const int64_t value = static_cast<int64_t>(raw << (64 - coding.bits)) >> (64 - coding.bits);
  return std::ldexp(static_cast<double>(value), 16 - coding.bits);
}

void decode(std::string_view data, const Coding& coding, const std::string& name, Sound& sound) {
  const size_t frame = coding.frame_bytes();
  if (data.empty()) refuse(name, "no samples; expected one or more");
  if (data.size() % frame != 0) {
    refuse(name, "data chunk of " + std::to_string(data.size()) + " bytes; expected a multiple of " +
                     std::to_string(frame) + ", one frame of samples; the file is damaged");
  }
  sound.samples.resize(data.size() / frame);
  double before = 0, after = 0;  // mean amplitudes, times samples
  for (size_t i = 0; i < sound.samples.size(); ++i) {
    double sum = 0;
    for (int c = 0; c < coding.channels; ++c) {
      const double sample = sample_at(data, i * frame + c * coding.bits / 8, coding, name);
      sum += sample;
      before += std::abs(sample) / coding.channels;
    }
    sound.samples[i] = static_cast<float>(sum / coding.channels);
    after += std::abs(sum) / coding.channels;
    if (!std::isfinite(sound.samples[i])) refuse(name, "a sample beyond the range of numbers; the file is damaged");
  }
  sound.cancelled = before > 0 && after <= kCancelled * before;
}

// Behind the samples: a second part of them would be dropped.
void check_only_data(std::string_view bytes, size_t at, const std::string& name) {
  while (at + 8 <= bytes.size()) {
    if (bytes.substr(at, 4) == "data") refuse(name, "two data chunks; expected one; write the file anew");
    const uint64_t size = little_endian(bytes, at + 4, 4);
    if (size > bytes.size() - at - 8) return;
    at += 8 + size + size % 2;
  }
}

// Whether all of the bytes are chunks, so that an empty one before them was meant to be empty.
bool are_chunks(std::string_view bytes) {
  while (bytes.size() >= 8) {
    const auto is_letter = [](char c) { return c >= ' ' && c <= '~'; };
    const uint64_t size = little_endian(bytes, 4, 4);
    if (!std::ranges::all_of(bytes.substr(0, 4), is_letter) || size > bytes.size() - 8) return false;
    bytes.remove_prefix(std::min<uint64_t>(8 + size + size % 2, bytes.size()));
  }
  return bytes.empty();
}

bool is_unwritten(uint64_t size, std::string_view rest) {
  return size == 0 ? !are_chunks(rest) : size >= kLeastUnwritten && size > rest.size();
}

std::string what_it_is(std::string_view bytes) {
  if (bytes.empty()) return "an empty file";
  for (const Signature& other : kOthers)
    if (bytes.starts_with(other.bytes)) return other.name;
  return std::to_string(bytes.size()) + " bytes that do not begin with RIFF....WAVE";
}

}  // namespace

Sound parse_wav(std::string_view bytes, const std::string& name) {
  if (bytes.size() < 12 || bytes.substr(0, 4) != "RIFF" || bytes.substr(8, 4) != "WAVE") {
    refuse(name, "not a WAV file: " + what_it_is(bytes) + "; convert it to 16-bit PCM, or take it out");
  }
  Coding coding;
  for (size_t at = 12; at + 8 <= bytes.size();) {
    const std::string_view id = bytes.substr(at, 4);
    uint64_t size = little_endian(bytes, at + 4, 4);
    at += 8;
    const bool unwritten = id == "data" && coding.format != 0 && is_unwritten(size, bytes.substr(at));
    if (unwritten) size = (bytes.size() - at) - (bytes.size() - at) % static_cast<size_t>(coding.frame_bytes());
    if (size > bytes.size() - at) {
      refuse(name, "a chunk of " + std::to_string(size) + " bytes, of which " + std::to_string(bytes.size() - at) +
                       " are there; the file is cut short");
    }
    const std::string_view chunk = bytes.substr(at, size);
    if (id == "fmt ") coding = parse_format(chunk, name);
    if (id == "data") {
      if (coding.format == 0) refuse(name, "samples before their format (no fmt chunk); the file is damaged");
      if (!unwritten) check_only_data(bytes, at + size + size % 2, name);
      Sound sound{coding.rate, {}, coding.wrong_byte_rate, unwritten};
      decode(chunk, coding, name, sound);
      return sound;
    }
    at += size + size % 2;
  }
  refuse(name, "no data chunk; the file is cut short");
}

}  // namespace condenser::data
