// Which vectors the processor has, and which of them fill rows of pixels best.
#include "nn/tiling.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <string_view>

#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"

namespace condenser::nn {
namespace {

struct Row {
  const char* name;
  Simd simd;
};
constexpr Row kRows[] = {{"baseline", Simd::Baseline}, {"avx2", Simd::Avx2}, {"avx512", Simd::Avx512}};

Simd most_wanted() {
  const char* text = std::getenv("CONDENSER_KERNELS");
  if (text == nullptr || *text == 0) return Simd::Avx512;
  for (const Row& row : kRows)
    if (std::string_view(text) == row.name) return row.simd;
  throw core::ConfigError("CONDENSER_KERNELS = " + core::printable(text) + "; expected baseline, avx2 or avx512");
}

Simd best_simd() {
#if defined(__x86_64__) && defined(__linux__)
  const auto all_of_v4 = [] {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
  };
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return all_of_v4() ? Simd::Avx512 : Simd::Avx2;
#endif
  return Simd::Baseline;
}

std::atomic<Simd> simd_limit{Simd::Avx512};

// Processors that do a vector of 16 in two halves: Zen 4, AMD's family 19h. There one of 8 costs half of it.
bool halves_wide_vectors() {
#if defined(__x86_64__)
  uint32_t a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(0, &a, &b, &c, &d) == 0 || b != signature_AMD_ebx || __get_cpuid(1, &a, &b, &c, &d) == 0)
    return false;
  return (a >> 8 & 0xf) + (a >> 20 & 0xff) == 0x19;
#else
  return false;
#endif
}

}  // namespace

Simd simd() {
  static const Simd best = std::min(best_simd(), most_wanted());
  return std::min(best, simd_limit.load());
}

void limit_simd(Simd most) { simd_limit = most; }

std::string kernel_set() {
  const Simd used = simd();
  const std::string name = kRows[static_cast<int>(used)].name;
  return used == Simd::Avx512 && halves_wide_vectors() ? name + " in halves" : name;
}

Tiling make_tiling(int64_t rows, int64_t width, int64_t from_row, int64_t to_row) {
  if (from_row == width && to_row == width) {
    width *= rows;
    rows = 1;
  }
  struct Candidate {
    Simd simd;
    int lanes, registers;
    double cost;
  };
  static const double kHalf = halves_wide_vectors() ? 0.55 : 0.95;
  const Candidate kCandidates[] = {{Simd::Avx512, 16, 32, 1.0},
                                   {Simd::Avx512, 8, 32, kHalf},
                                   {Simd::Avx2, 8, 16, kHalf * 1.1},
                                   {Simd::Baseline, 4, 16, kHalf},
                                   {Simd::Baseline, 1, 16, kHalf}};
  Tiling t;
  for (const Candidate& c : kCandidates) {
    if (c.simd > simd() || c.lanes > width) continue;
    const double cost = c.cost * static_cast<double>(rows * ((width + c.lanes - 1) / c.lanes));
    if (t.cost > 0 && cost >= t.cost) continue;
    t.cost = cost;
    t.lanes = c.lanes;
    t.registers = c.registers;
  }
  const int64_t over = width % t.lanes;
  t.overlap = over > 0 ? t.lanes - over : 0;
  for (int64_t y = 0; y < rows; ++y)
    for (int64_t x = 0; x + t.lanes <= width; x += t.lanes) t.whole.push_back({y * from_row + x, y * to_row + x});
  if (over > 0)
    for (int64_t y = 0; y < rows; ++y) t.last.push_back({y * from_row + width - t.lanes, y * to_row + width - t.lanes});
  return t;
}

}  // namespace condenser::nn
