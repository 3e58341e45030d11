// WAV files: every coding that is read, and every way in which a file can be wrong.
#include "data/formats/wav.hpp"

#include <bit>

#include "condenser/core/error.hpp"
#include "condenser/core/rng.hpp"
#include "data/fixtures.hpp"
#include "support/catch.hpp"

using namespace condenser::data;
using namespace condenser::data::testing;

namespace {

std::string pcm16(const std::vector<int>& samples) {
  std::string bytes;
  for (int s : samples) bytes += little_endian(static_cast<uint16_t>(s), 2);
  return bytes;
}

std::string error_in(const std::string& bytes) {
  return error_of([&] { parse_wav(bytes, "a.wav"); });
}

using Samples = std::vector<float>;

}  // namespace

TEST_CASE("PCM of every width is read", "[wav]") {
  const Sound sound = parse_wav(wav_bytes({.rate = 8000}, pcm16({0, 1, -1, 32767, -32768})), "a.wav");
  CHECK(sound.rate == 8000);
  CHECK(sound.samples == Samples{0, 1, -1, 32767, -32768});
  const auto samples = [](int bits, const std::string& data) {
    return parse_wav(wav_bytes({.bits = bits}, data), "a.wav").samples;
  };
  CHECK(samples(8, std::string("\x80\x81\x00\xff", 4)) == Samples{0, 256, -32768, 32512});
  CHECK(samples(24, little_endian(0x7fff00, 3) + little_endian(0xffff80, 3) + little_endian(0x80, 3)) ==
        Samples{32767, -0.5f, 0.5f});
  CHECK(samples(32, little_endian(0x00010000, 4) + little_endian(0x80000000, 4) + little_endian(0x7fffffff, 4)) ==
        Samples{1, -32768, 32768});
}

TEST_CASE("floats are read at their level, also beyond full scale", "[wav]") {
  std::string data;
  for (float x : {0.5f, -1.0f, 1.0f, -3.0f}) data += little_endian(std::bit_cast<uint32_t>(x), 4);
  const Samples expected = {16384, -32768, 32768, -98304};
  CHECK(parse_wav(wav_bytes({.format = 3, .bits = 32}, data), "a.wav").samples == expected);
  std::string wide;
  for (double x : {0.5, -1.0, 1.0, -3.0}) wide += little_endian(std::bit_cast<uint64_t>(x), 8);
  CHECK(parse_wav(wav_bytes({.format = 3, .bits = 64}, wide), "a.wav").samples == expected);
  const std::string nan = little_endian(0x7fc00000, 4);
  CHECK(contains(error_in(wav_bytes({.format = 3, .bits = 32}, nan)), "not a finite number"));
}

TEST_CASE("header fields that contradict each other are refused", "[wav]") {
  const auto with_frame = [](int bits, int frame) {
    std::string bytes = wav_bytes({.bits = bits}, std::string(12, '\x01'));
    const size_t fmt = bytes.find("fmt ");
    bytes.replace(fmt + 8 + 12, 2, little_endian(static_cast<uint64_t>(frame), 2));
    return error_in(bytes);
  };
  CHECK(contains(with_frame(24, 4), "4 bytes a frame; expected 3 for 1 channel of 24 bits"));
  CHECK(contains(with_frame(16, 4), "4 bytes a frame; expected 2 for 1 channel of 16 bits"));
  CHECK(with_frame(16, 2).empty());
}

TEST_CASE("samples in two chunks are refused rather than read in part", "[wav]") {
  const std::string plain = wav_bytes({}, pcm16({7, 8}));
  CHECK(contains(error_in(plain + "LIST" + little_endian(2, 4) + "ab" + "data" + little_endian(2, 4) + "cd"),
                 "two data chunks"));
  CHECK(error_in(plain + "LIST" + little_endian(2, 4) + "ab").empty());
}

TEST_CASE("a stream whose size was never written is read to its end", "[wav]") {
  const std::string plain = wav_bytes({}, pcm16({7, 8, 9}));
  CHECK_FALSE(parse_wav(plain, "a.wav").unwritten_size);
  const auto with_size = [&](uint32_t size) {
    std::string bytes = plain;
    return bytes.replace(bytes.find("data") + 4, 4, little_endian(size, 4));
  };
  for (const uint32_t size : {0xffffffffu, 0xffffffffu - 36, 0x80000000u, 0x7fffffffu, 0x7ffff000u, 0u}) {
    INFO(size);
    const Sound sound = parse_wav(with_size(size), "a.wav");
    CHECK(sound.samples == Samples{7, 8, 9});
    CHECK(sound.unwritten_size);
    CHECK(parse_wav(with_size(size) + "\x01", "a.wav").samples == Samples{7, 8, 9});  // half a sample more
  }
  CHECK(contains(error_in(with_size(100)), "a chunk of 100 bytes, of which 6 are there"));
  const std::string list = "LIST" + little_endian(4, 4) + "abcd";
  CHECK(contains(error_in(wav_bytes({}, "") + list), "no samples"));  // it was meant to be empty
}

TEST_CASE("bytes a second that do not follow from the rest are noticed, not refused", "[wav]") {
  std::string bytes = wav_bytes({}, pcm16({7, 8, 9}));
  CHECK_FALSE(parse_wav(bytes, "a.wav").wrong_byte_rate);
  for (const uint32_t rate : {0u, 1u, 64000u, 0xffffffffu}) {
    bytes.replace(bytes.find("fmt ") + 16, 4, little_endian(rate, 4));
    CHECK(parse_wav(bytes, "a.wav").samples == Samples{7, 8, 9});
    CHECK(parse_wav(bytes, "a.wav").wrong_byte_rate);
  }
}

TEST_CASE("channels of opposite phase are noticed, silence and stereo are not", "[wav]") {
  const auto cancelled = [](const std::vector<int>& samples) {
    return parse_wav(wav_bytes({.channels = 2}, pcm16(samples)), "a.wav").cancelled;
  };
  CHECK(cancelled({1000, -1000, -3000, 3000, 5000, -5001, 9000, -9000}));
  CHECK_FALSE(cancelled({0, 0, 0, 0}));
  CHECK_FALSE(cancelled({1000, 1000, -3000, -3000}));
  CHECK_FALSE(cancelled({1000, -900, -3000, 2700}));
  CHECK_FALSE(parse_wav(wav_bytes({}, pcm16({1, -1})), "a.wav").cancelled);
}

TEST_CASE("other files under the name are called by theirs", "[wav]") {
  CHECK(contains(error_in("fLaC...."), "a FLAC file"));
  CHECK(contains(error_in("RF64\xff\xff\xff\xffWAVE"), "RF64"));
  CHECK(contains(error_in(""), "an empty file"));
  CHECK(contains(error_in(wav_bytes({.format = 7, .bits = 8}, "abcd")), "format 7 (mu-law)"));
}

TEST_CASE("stereo is averaged", "[wav]") {
  const std::string bytes = wav_bytes({.channels = 2}, pcm16({10, 20, -32768, -32768, 5, -5}));
  CHECK(parse_wav(bytes, "a.wav").samples == Samples{15, -32768, 0});
}

TEST_CASE("other chunks are passed over, also odd ones", "[wav]") {
  const std::string plain = wav_bytes({}, pcm16({7}));
  const std::string odd = "LIST" + little_endian(3, 4) + "abc" + std::string(1, '\0');
  std::string with = plain;
  with.insert(12, odd);
  with.insert(with.find("data"), odd);
  CHECK(parse_wav(with + odd, "a.wav").samples == Samples{7});
}

TEST_CASE("the extensible header names its coding further on", "[wav]") {
  std::string bytes = wav_bytes({.format = 0xfffe}, pcm16({7}));
  const std::string extension = little_endian(22, 2) + little_endian(16, 2) + little_endian(4, 4) +
                                little_endian(1, 2) +
                                std::string("\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71", 14);
  bytes.insert(36, extension);
  bytes.replace(16, 4, little_endian(40, 4));
  CHECK(parse_wav(bytes, "a.wav").samples == Samples{7});
  bytes[bytes.find("data") - 1] = '\x70';
  CHECK(contains(error_in(bytes), "unknown GUID"));
}

TEST_CASE("damaged WAV files are refused by name", "[wav]") {
  const std::string good = wav_bytes({}, pcm16({1, 2, 3, 4}));
  REQUIRE(error_in(good).empty());
  for (size_t size = 0; size < good.size(); ++size) {
    INFO(size << " of " << good.size() << " bytes");
    CHECK(error_in(good.substr(0, size)).starts_with("a.wav: "));
  }
  CHECK(contains(error_in(""), "not a WAV file: an empty file"));
  CHECK(
      contains(error_in(good.substr(0, good.size() - 3)), "a chunk of 8 bytes, of which 5 are there; the file is cut"));
  CHECK(contains(error_in(wav_bytes({}, "")), "no samples"));
  CHECK(contains(error_in(wav_bytes({}, "abc")), "data chunk of 3 bytes; expected a multiple of 2"));
  CHECK(contains(error_in(wav_bytes({.format = 2}, "abcd")), "format 2 (ADPCM) with 16 bits; expected PCM"));
  CHECK(contains(error_in(wav_bytes({.format = 3}, "abcd")), "format 3 with 16 bits"));
  CHECK(contains(error_in(wav_bytes({.bits = 12}, "abcd")), "with 12 bits"));
  CHECK(contains(error_in(wav_bytes({.channels = 0}, "abcd")), "0 channels; expected 1 or 2"));
  CHECK(contains(error_in(wav_bytes({.channels = 6}, "abcd")), "6 channels; expected 1 or 2"));
  CHECK(contains(error_in(wav_bytes({.rate = 0}, "abcd")), "0 samples a second"));
  std::string swapped = good;
  swapped.replace(12, 4, "junk");
  CHECK(contains(error_in(swapped), "no fmt chunk"));
}

TEST_CASE("changed bytes of a WAV file only give errors", "[wav]") {
  const std::string good = wav_bytes({.channels = 2}, pcm16({1, 2, 3, 4}));
  condenser::core::Rng rng(3);
  int read = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string bytes = good;
    for (int changes = 1 + static_cast<int>(rng.below(4)); changes > 0; --changes) {
      bytes[rng.below(bytes.size())] = static_cast<char>(rng.below(256));
    }
    try {
      read += parse_wav(bytes, "a.wav").samples.size() <= good.size() ? 1 : 0;
    } catch (const condenser::core::Error&) {
    }
  }
  CHECK(read > 0);
}
