#pragma once
// Counter-based random numbers (Philox 4x32-10, Salmon et al. 2011): a value is a pure function of (seed, stream,
// counter), so any place of any stream can be recomputed after a restart or on another machine. No global generator
// exists.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace condenser::core {

// The raw block function: 128 random bits for a counter and a key, least significant word first.
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

class Rng {
 public:
  // Streams with different numbers are independent. Derive one per purpose: Rng(seed, kShuffle, epoch).
  explicit Rng(uint64_t seed, uint64_t stream = 0, uint64_t substream = 0);

  uint64_t next();             // 64 uniform bits
  uint64_t below(uint64_t n);  // uniform in [0, n), unbiased; n > 0
  double uniform();            // [0, 1), 53 bits
  double uniform(double low, double high);
  double normal();  // mean 0, variance 1 (Box-Muller; each call draws two values); the same bits everywhere

  template <class T>
  void shuffle(std::span<T> values) {  // Fisher-Yates
    for (size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
  }

  uint64_t counter() const { return counter_; }  // values drawn; with the constructor's arguments, the whole state
  void seek(uint64_t counter);

 private:
  uint32_t key_[2];
  uint64_t stream_;     // high half of Philox' 128-bit counter
  uint64_t counter_;    // 64-bit values drawn; a block holds two
  uint64_t spare_ = 0;  // second half of the latest block
  bool has_spare_ = false;
};

}  // namespace condenser::core
