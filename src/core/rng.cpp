// Philox 4x32-10 (J. Salmon, M. Moraes, R. Dror, D. Shaw: Parallel random numbers: as easy as 1, 2, 3; SC 2011) and the
// distributions made from it. Uses only exactly rounded arithmetic (+ - * / sqrt; no libm, no fused multiply-add: this
// file is compiled with -ffp-contract=off), so that every machine draws the same bits.

#include "condenser/core/rng.hpp"

#include <cmath>

#include "condenser/core/error.hpp"

namespace condenser::core {
namespace {

// The finalizer of MurmurHash3: a bijection of 64 bits that keeps 0 and sends neighbours far apart.
uint64_t mix(uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  x ^= x >> 33;
  return x;
}

// Natural logarithm of a normal positive double: x = 2^e m with m in [sqrt(1/2), sqrt(2)), ln m = 2
// artanh((m-1)/(m+1)).
double portable_log(double x) {
  constexpr double kLn2High = 0x1.62e42fee00000p-1, kLn2Low = 0x1.a39ef35793c76p-33;
  int exponent = 0;
  double m = std::frexp(x, &exponent);
  if (m < 0x1.6a09e667f3bcdp-1) {
    m *= 2;
    --exponent;
  }
  const double s = (m - 1) / (m + 1), s2 = s * s;  // |s| < 0.172: ten terms reach 1e-17
  double tail = 0;
  for (int k = 21; k >= 3; k -= 2) tail = tail * s2 + 1.0 / k;
  return exponent * kLn2High + (2 * s + (2 * s * s2 * tail + exponent * kLn2Low));
}

// cos and sin of an angle in [0, pi/4] by their Taylor series.
double small_cos(double x) {
  const double x2 = x * x;
  double sum = 1;
  for (int k = 18; k >= 2; k -= 2) sum = 1 - sum * x2 / (k * (k - 1));
  return sum;
}
double small_sin(double x) {
  const double x2 = x * x;
  double sum = 1;
  for (int k = 19; k >= 3; k -= 2) sum = 1 - sum * x2 / (k * (k - 1));
  return x * sum;
}

// cos(2 pi turn) for turn in [0, 1). The folding is exact.
double cos_of_turn(double turn) {
  constexpr double kTwoPi = 0x1.921fb54442d18p+2;
  if (turn > 0.5) turn = 1 - turn;
  const bool negative = turn > 0.25;
  if (negative) turn = 0.5 - turn;
  const double value = turn <= 0.125 ? small_cos(kTwoPi * turn) : small_sin(kTwoPi * (0.25 - turn));
  return negative ? -value : value;
}

}  // namespace

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53u} * counter[0];
    const uint64_t b = uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
    key[0] += 0x9E3779B9u;  // golden ratio
    key[1] += 0xBB67AE85u;  // sqrt(3) - 1
  }
  return counter;
}

// Substreams of one stream never meet; streams are spread over the 64 bits, so that small substream numbers of two
// streams meet with a probability of about 2^-64 times their count.
Rng::Rng(uint64_t seed, uint64_t stream, uint64_t substream)
    : key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)},
      stream_(mix(stream) ^ substream),
      counter_(0) {}

void Rng::seek(uint64_t counter) {
  counter_ = counter;
  has_spare_ = false;
}

uint64_t Rng::next() {
  const uint64_t value = counter_++;
  if ((value & 1) && has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  const uint64_t block = value >> 1;
  const auto words = philox4x32({static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32),
                                 static_cast<uint32_t>(stream_), static_cast<uint32_t>(stream_ >> 32)},
                                {key_[0], key_[1]});
  const uint64_t first = uint64_t{words[1]} << 32 | words[0];
  const uint64_t second = uint64_t{words[3]} << 32 | words[2];
  has_spare_ = !(value & 1);
  spare_ = second;
  return has_spare_ ? first : second;
}

uint64_t Rng::below(uint64_t n) {
  if (n == 0) throw Error("Rng::below(0): there is no number below 0");
  const uint64_t skip = (0 - n) % n;  // 2^64 mod n: the first values that would make the remainder uneven
  uint64_t value = next();
  while (value < skip) value = next();
  return value % n;
}

double Rng::uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

double Rng::uniform(double low, double high) {
  const double value = low + (high - low) * uniform();
  return value < high || low == high ? value : std::nextafter(high, low);  // rounding may reach the open end
}

double Rng::normal() {
  const double radius = std::sqrt(-2 * portable_log(1 - uniform()));
  return radius * cos_of_turn(uniform());
}

}  // namespace condenser::core
