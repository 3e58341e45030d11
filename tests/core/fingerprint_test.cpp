#include "condenser/core/fingerprint.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "condenser/core/rng.hpp"
#include "support/catch.hpp"

using condenser::core::Fingerprint;
using condenser::core::Mixer;
using condenser::core::Rng;

namespace {

// Flips each bit of the last or last but one of two words: the share of times that each bit of the result follows.
// `word` makes the words; the result is the share farthest from one half.
template <class Word>
double worst_share(bool last, const Word& word) {
  constexpr int kRounds = 4000;
  double worst = 0;
  for (int bit = 0; bit < 64; ++bit) {
    std::vector<int> flips(128, 0);
    for (int round = 0; round < kRounds; ++round) {
      uint64_t first = word(), second = word();
      const Fingerprint before = Mixer().add(first).add(second).finish();
      (last ? second : first) ^= uint64_t{1} << bit;
      const Fingerprint after = Mixer().add(first).add(second).finish();
      for (size_t k = 0; k < 64; ++k) {
        flips[k] += static_cast<int>((before.a ^ after.a) >> k & 1);
        flips[64 + k] += static_cast<int>((before.b ^ after.b) >> k & 1);
      }
    }
    for (int count : flips) worst = std::max(worst, std::abs(count / double{kRounds} - 0.5));
  }
  return worst;
}

size_t distinct(std::vector<uint64_t> values) {
  std::sort(values.begin(), values.end());
  return static_cast<size_t>(std::unique(values.begin(), values.end()) - values.begin());
}

}  // namespace

// A fair coin thrown 4,000 times strays by 0.008; the worst of 8,192 such counts by 0.035 at most.
TEST_CASE("every bit of a word turns half of the bits of a fingerprint", "[core]") {
  Rng rng(1);
  for (const bool last : {true, false}) {
    CHECK(worst_share(last, [&] { return rng.next(); }) < 0.045);
    CHECK(worst_share(last, [&] { return rng.below(256); }) < 0.045);  // as attributes are: small numbers
  }
}

TEST_CASE("order and number of words count, and halves stay in their lanes", "[core]") {
  CHECK(Mixer().add(1).add(2).finish() != Mixer().add(2).add(1).finish());
  CHECK(Mixer().add(0).finish() != Mixer().finish());
  CHECK(Mixer().add(0).add(0).finish() != Mixer().add(0).finish());
  CHECK(Mixer().add(Fingerprint{7, 7}).finish() == Mixer().add(7).finish());
  const Fingerprint one = Mixer().add(Fingerprint{1, 5}).finish(), other = Mixer().add(Fingerprint{1, 6}).finish();
  CHECK(one.a == other.a);
  CHECK(one.b != other.b);
}

// Of 2^20 values 32 bits of chance let n^2 / 2^33 = 128 meet, give or take 11; 64 bits let none.
TEST_CASE("short sequences of small numbers meet no more often than chance", "[core]") {
  std::vector<uint64_t> a, b, low, high;
  for (uint64_t x = 0; x < 1024; ++x) {
    for (uint64_t y = 0; y < 1024; ++y) {
      const Fingerprint f = Mixer().add(x).add(y).finish();
      a.push_back(f.a);
      b.push_back(f.b);
      low.push_back(f.a & 0xffffffff);
      high.push_back(f.b >> 32);
    }
  }
  CHECK(distinct(a) == a.size());
  CHECK(distinct(b) == b.size());
  for (const auto* half : {&low, &high}) {
    const double met = static_cast<double>(half->size() - distinct(*half));
    CHECK(met > 60);
    CHECK(met < 200);
  }
}
