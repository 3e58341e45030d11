#pragma once
// What tests of products share: numbers, their comparison, and every instruction set.

#include <cstdint>
#include <vector>

#include "nn/tiling.hpp"
#include "support/catch.hpp"
#include "support/lively.hpp"

namespace condenser::nn {

using testing::random_floats;

inline void check_near(const std::vector<float>& got, const std::vector<double>& expected) {
  REQUIRE(got.size() == expected.size());
  for (size_t i = 0; i < got.size(); ++i) REQUIRE(got[i] == Approx(expected[i]).epsilon(1e-4).margin(1e-4));
}

// Every instruction set that this processor has.
class EverySimd {
 public:
  ~EverySimd() { limit_simd(Simd::Avx512); }
  std::vector<Simd> sets() const {
    std::vector<Simd> found;
    for (const Simd set : {Simd::Baseline, Simd::Avx2, Simd::Avx512}) {
      limit_simd(set);
      if (simd() == set) found.push_back(set);
    }
    return found;
  }
};

}  // namespace condenser::nn
