#pragma once
// A fast 128-bit hash of 64-bit words, for tables that live inside one process. Not cryptographic and free to change
// with every version: it is never stored or printed. What has a name outside the process is hashed by hash.hpp.

#include <compare>
#include <cstddef>
#include <cstdint>

namespace condenser::core {

struct Fingerprint {
  uint64_t a = 0, b = 0;
  auto operator<=>(const Fingerprint&) const = default;
};

struct FingerprintHash {  // of std::unordered_map: the bits are random already
  size_t operator()(const Fingerprint& f) const { return static_cast<size_t>(f.a); }
};

// Words go through two lanes that share nothing but the words. A lane multiplies by an odd constant and folds the upper
// half of the 128-bit product into the lower, so that every bit of a word reaches every bit of the lane (the step of
// wyhash and its relatives). One lane alone tells 2^64 values apart; both together make copies by chance impossible in
// practice. The order of words counts, and so does their number.
class Mixer {
 public:
  Mixer& add(uint64_t word) { return add(word, word); }
  Mixer& add(const Fingerprint& part) { return add(part.a, part.b); }  // each half in its own lane
  Fingerprint now() const { return {a_, b_}; }                         // good enough to go into another Mixer
  Fingerprint finish() const { return {fold(a_ ^ kB, kC), fold(b_ ^ kC, kA)}; }

 private:
  // First 64 bits of the fractions of the square roots of 2 (here made odd), 3, 5, 7 and 11.
  static constexpr uint64_t kA = 0x6a09e667f3bcc909, kB = 0xbb67ae8584caa73b, kC = 0x3c6ef372fe94f82b,
                            kSeedA = 0xa54ff53a5f1d36f1, kSeedB = 0x510e527fade682d1;

  Mixer& add(uint64_t a, uint64_t b) {
    a_ = fold(a_ ^ a, kA);
    b_ = fold(b_ ^ b, kB);
    return *this;
  }

  static uint64_t fold(uint64_t x, uint64_t odd) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(x) * odd;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }

  uint64_t a_ = kSeedA, b_ = kSeedB;
};

}  // namespace condenser::core
