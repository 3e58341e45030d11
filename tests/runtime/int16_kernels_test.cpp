// Kernels of values of 8 and 16 bits against their definition: plain loops in 128-bit integers.
#include <algorithm>
#include <cmath>

#include "condenser/core/rng.hpp"
#include "runtime/kernels/cnd_activation_a16.h"
#include "runtime/kernels/cnd_add_a16.h"
#include "runtime/kernels/cnd_avg_pool_a16.h"
#include "runtime/kernels/cnd_concat_a16.h"
#include "runtime/kernels/cnd_conv2d_a16.h"
#include "runtime/kernels/cnd_max_pool_a16.h"
#include "runtime/kernels/cnd_mul_a16.h"
#include "runtime/kernels/cnd_softmax_mul_a16.h"
#include "support/catch.hpp"
#include "support/kernel_forms.hpp"

namespace condenser::runtime {
namespace {

using Wide = __int128;
using core::Rng;

int random_int(Rng& rng, int low, int high) {
  return low + static_cast<int>(rng.below(static_cast<uint64_t>(int64_t{high} - low + 1)));
}

// Values of 8 or 16 bits as kernels read them.
struct Values {
  int bits = 8, zero_point = 0;
  std::vector<int8_t> narrow;
  std::vector<int16_t> wide;

  Values(int bits_, size_t n) : bits(bits_), narrow(bits_ == 8 ? n : 0, 99), wide(bits_ == 16 ? n : 0, 9999) {}
  int at(size_t i) const { return bits == 8 ? int{narrow[i]} : int{wide[i]}; }
  int low() const { return bits == 8 ? INT8_MIN : INT16_MIN; }
  int high() const { return bits == 8 ? INT8_MAX : INT16_MAX; }
  void* data() { return bits == 8 ? static_cast<void*>(narrow.data()) : static_cast<void*>(wide.data()); }
  size_t size() const { return std::max(narrow.size(), wide.size()); }
};

// Uniform, or extremes alone.
Values random_values(Rng& rng, size_t n) {
  Values v(rng.below(2) ? 16 : 8, n);
  if (v.bits == 8) v.zero_point = random_int(rng, -128, 127);
  const bool extreme = rng.below(4) == 0;
  for (size_t i = 0; i < n; ++i) {
    const int q = extreme ? (rng.below(2) ? v.low() : v.high()) : random_int(rng, v.low(), v.high());
    if (v.bits == 8)
      v.narrow[i] = static_cast<int8_t>(q);
    else
      v.wide[i] = static_cast<int16_t>(q);
  }
  return v;
}

struct Output {
  Values values;
  int zero_point = 0, low = 0, high = 0;
};

Output random_output(Rng& rng, size_t n) {
  Output out{Values(rng.below(2) ? 16 : 8, n)};
  if (out.values.bits == 8) out.zero_point = random_int(rng, -128, 127);
  out.low = rng.below(2) ? out.zero_point : out.values.low();
  out.high = rng.below(3) ? out.values.high() : random_int(rng, out.zero_point, out.values.high());
  return out;
}

// Nearest integer of a / b, ties away from zero; b > 0.
Wide round_away(Wide a, Wide b) { return a < 0 ? -((-2 * a + b) / (2 * b)) : (2 * a + b) / (2 * b); }
Wide floor_divide(Wide a, Wide b) { return a / b - (a % b < 0 ? 1 : 0); }

// The two roundings of the profile "double".
Wide requantize(Wide x, int32_t multiplier, int shift) {
  const Wide shifted = std::clamp(x * (Wide{1} << std::max(shift, 0)), Wide{INT32_MIN}, Wide{INT32_MAX});
  const Wide high = floor_divide(2 * shifted * multiplier + (Wide{1} << 31), Wide{1} << 32);
  return round_away(high, Wide{1} << std::max(-shift, 0));
}

int within(Wide x, const Output& out) {
  return static_cast<int>(std::clamp(x + out.zero_point, Wide{out.low}, Wide{out.high}));
}

// What every form of a kernel writes.
template <class Value, class Forms, class Call>
std::vector<Value> agreed(const Forms& forms, size_t n, const Call& call) {
  std::vector<Value> result;
  for (const auto& kernel : forms) {
    std::vector<Value> out(n);
    call(kernel, out.data());
    REQUIRE((result.empty() || result == out));
    result = std::move(out);
  }
  return result;
}

struct Scaling {
  int32_t multiplier = 0;
  int shift = 0;
};
Scaling random_scaling(Rng& rng, int typical) {
  return {random_int(rng, 1 << 30, INT32_MAX),
          rng.below(6) ? typical + random_int(rng, -4, 4) : random_int(rng, -31, 30)};
}

}  // namespace

TEST_CASE("convolutions of 8 and 16 bits equal their definition", "[runtime]") {
  Rng rng(31);
  for (int round = 0; round < 400; ++round) {
    const int kind = random_int(rng, 0, 2);  // dense, depthwise, groups
    const int depth = kind == 1 ? 1 : random_int(rng, 1, 9), groups = kind == 0 ? 1 : random_int(rng, 1, 5);
    cnd_conv2d_a16_params p{};
    p.groups = groups;
    p.in_c = groups * depth;
    p.out_c = groups * random_int(rng, 1, 3);
    do {
      p.in_h = random_int(rng, 1, 7), p.in_w = random_int(rng, 1, 7);
      p.kernel_h = random_int(rng, 1, 5), p.kernel_w = random_int(rng, 1, 5);
      p.stride_h = random_int(rng, 1, 3), p.stride_w = random_int(rng, 1, 3);
      p.pad_top = random_int(rng, 0, 5), p.pad_left = random_int(rng, 0, 5);
      p.out_h = (p.in_h + p.pad_top + random_int(rng, 0, 5) - p.kernel_h) / p.stride_h + 1;
      p.out_w = (p.in_w + p.pad_left + random_int(rng, 0, 5) - p.kernel_w) / p.stride_w + 1;
    } while (p.out_h < 1 || p.out_w < 1);
    Values in = random_values(rng, static_cast<size_t>(p.in_h * p.in_w * p.in_c));
    Output out = random_output(rng, static_cast<size_t>(p.out_h * p.out_w * p.out_c));
    p.input_bits = in.bits, p.input_zero_point = in.zero_point;
    p.output_bits = out.values.bits, p.output_zero_point = out.zero_point, p.act_min = out.low, p.act_max = out.high;
    std::vector<int8_t> weight(static_cast<size_t>(p.out_c * p.kernel_h * p.kernel_w * depth)), shift;
    for (int8_t& w : weight) w = static_cast<int8_t>(random_int(rng, -127, 127));
    std::vector<int32_t> bias, multiplier;
    for (int o = 0; o < p.out_c; ++o) {
      bias.push_back(random_int(rng, -2000000, 2000000));
      const Scaling s = random_scaling(rng, (out.values.bits == 16 ? 0 : -8) - (in.bits == 16 ? 8 : 0));
      multiplier.push_back(s.multiplier);
      shift.push_back(static_cast<int8_t>(s.shift));
    }
    for (const auto& kernel : forms("conv2d_a16", cnd_conv2d_a16)) {
      kernel(&p, weight.data(), bias.data(), multiplier.data(), shift.data(), in.data(), out.values.data());
      for (int y = 0; y < p.out_h; ++y)
        for (int x = 0; x < p.out_w; ++x)
          for (int o = 0; o < p.out_c; ++o) {
            const auto channel = static_cast<size_t>(o);
            Wide sum = bias[channel];
            for (int ky = 0; ky < p.kernel_h; ++ky)
              for (int kx = 0; kx < p.kernel_w; ++kx)
                for (int i = 0; i < depth; ++i) {
                  const int iy = y * p.stride_h - p.pad_top + ky, ix = x * p.stride_w - p.pad_left + kx;
                  if (iy < 0 || iy >= p.in_h || ix < 0 || ix >= p.in_w) continue;
                  const int c = o / (p.out_c / groups) * depth + i;
                  sum += Wide{in.at(static_cast<size_t>((iy * p.in_w + ix) * p.in_c + c)) - in.zero_point} *
                         weight[static_cast<size_t>(((o * p.kernel_h + ky) * p.kernel_w + kx) * depth + i)];
                }
            INFO("round " << round << " at " << y << ", " << x << ", " << o);
            REQUIRE(out.values.at(static_cast<size_t>((y * p.out_w + x) * p.out_c + o)) ==
                    within(requantize(sum, multiplier[channel], shift[channel]), out));
          }
    }
  }
}

TEST_CASE("sums and products of 8 and 16 bits equal their definition", "[runtime]") {
  Rng rng(32);
  for (int round = 0; round < 400; ++round) {
    const int pixels = random_int(rng, 1, 6), channels = random_int(rng, 1, 40);
    const auto count = static_cast<size_t>(pixels * channels);
    Values a = random_values(rng, count), b = random_values(rng, count);
    Output out = random_output(rng, count);
    const int left = a.bits == 16 || b.bits == 16 ? 15 : 20;
    const Scaling sa{random_int(rng, 1 << 30, INT32_MAX), -random_int(rng, 1, 9)},
        sb{random_int(rng, 1 << 30, INT32_MAX), -1}, so = random_scaling(rng, out.values.bits - left - 6);
    const cnd_add_a16_params add{static_cast<int32_t>(count),
                                 left,
                                 a.bits,
                                 -a.zero_point,
                                 b.bits,
                                 -b.zero_point,
                                 sa.multiplier,
                                 sa.shift,
                                 sb.multiplier,
                                 sb.shift,
                                 so.multiplier,
                                 so.shift,
                                 out.values.bits,
                                 out.zero_point,
                                 out.low,
                                 out.high};
    for (const auto& kernel : forms("add_a16", cnd_add_a16)) {
      kernel(&add, a.data(), b.data(), out.values.data());
      for (size_t i = 0; i < count; ++i) {
        const Wide sum = requantize(Wide{a.at(i) - a.zero_point} << left, sa.multiplier, sa.shift) +
                         requantize(Wide{b.at(i) - b.zero_point} << left, sb.multiplier, sb.shift);
        REQUIRE(out.values.at(i) == within(requantize(sum, so.multiplier, so.shift), out));
      }
    }
    const bool one_pixel = rng.below(3) == 0;
    const Scaling sm = random_scaling(rng, out.values.bits - a.bits - b.bits);
    const cnd_mul_a16_params mul{
        pixels,        channels,      a.bits,   channels,        -a.zero_point,  b.bits,  one_pixel ? 0 : channels,
        -b.zero_point, sm.multiplier, sm.shift, out.values.bits, out.zero_point, out.low, out.high};
    for (const auto& kernel : forms("mul_a16", cnd_mul_a16)) {
      kernel(&mul, a.data(), b.data(), out.values.data());
      for (size_t i = 0; i < count; ++i) {
        const size_t k = one_pixel ? i % static_cast<size_t>(channels) : i;
        const Wide product = Wide{a.at(i) - a.zero_point} * (b.at(k) - b.zero_point);
        REQUIRE(out.values.at(i) == within(requantize(product, sm.multiplier, sm.shift), out));
      }
    }
    const int total = channels + random_int(rng, 0, 5), first = random_int(rng, 0, total - channels);
    Output joined = random_output(rng, static_cast<size_t>(pixels * total));
    const cnd_concat_a16_params concat{pixels,
                                       channels,
                                       first,
                                       total,
                                       a.bits,
                                       -a.zero_point,
                                       0,
                                       so.multiplier,
                                       -random_int(rng, 0, 9),
                                       joined.values.bits,
                                       joined.zero_point,
                                       joined.low,
                                       joined.high};
    for (const auto& kernel : forms("concat_a16", cnd_concat_a16)) {
      kernel(&concat, a.data(), joined.values.data());
      for (int pixel = 0; pixel < pixels; ++pixel)
        for (int c = 0; c < channels; ++c) {
          const Wide x = a.at(static_cast<size_t>(pixel * channels + c)) - a.zero_point;
          REQUIRE(joined.values.at(static_cast<size_t>(pixel * total + first + c)) ==
                  within(requantize(x, concat.multiplier, concat.shift), joined));
        }
    }
  }
}

TEST_CASE("softmax times value of 8 and 16 bits equals its definition", "[runtime]") {
  Rng rng(33);
  for (int round = 0; round < 300; ++round) {
    const int pixels = random_int(rng, 1, 9), channels = random_int(rng, 1, 40);
    const bool over_channels = rng.below(2) == 0;
    const auto count = static_cast<size_t>(pixels * channels);
    std::vector<int8_t> attention(count);
    const int spread = random_int(rng, 0, 255);
    for (int8_t& a : attention) a = static_cast<int8_t>(random_int(rng, -128, spread - 128));
    std::vector<uint16_t> table;
    const double scale = std::exp(rng.uniform(-7, 0));
    for (int d = 0; d < 256; ++d) table.push_back(static_cast<uint16_t>(std::lround(65535 * std::exp(-scale * d))));
    Values value = random_values(rng, count);
    Output out = random_output(rng, count);
    const cnd_softmax_mul_a16_params p{over_channels ? pixels : channels,
                                       over_channels ? channels : 1,
                                       over_channels ? channels : pixels,
                                       over_channels ? 1 : channels,
                                       value.bits,
                                       -value.zero_point,
                                       random_int(rng, 1 << 30, INT32_MAX),
                                       random_int(rng, -7, 12),
                                       out.values.bits,
                                       out.zero_point,
                                       out.low,
                                       out.high};
    for (const auto& kernel : forms("softmax_mul_a16", cnd_softmax_mul_a16)) {
      kernel(&p, table.data(), attention.data(), value.data(), out.values.data());
      for (int line = 0; line < p.lines; ++line) {
        const auto place = [&](int k) { return static_cast<size_t>(line * p.line_step + k * p.term_step); };
        int largest = -128;
        for (int k = 0; k < p.terms; ++k) largest = std::max(largest, int{attention[place(k)]});
        const auto term = [&](int k) { return Wide{table[static_cast<size_t>(largest - attention[place(k)])]}; };
        Wide sum = 0;
        for (int k = 0; k < p.terms; ++k) sum += term(k);
        const Wide gain = (Wide{p.multiplier} * 65536 + sum / 2) / sum;
        for (int k = 0; k < p.terms; ++k) {
          const Wide exact = term(k) * (value.at(place(k)) - value.zero_point) * gain;
          REQUIRE(out.values.at(place(k)) == within(round_away(exact, Wide{1} << (47 - p.shift)), out));
        }
      }
    }
  }
}

TEST_CASE("pools of 16 bits equal their definition", "[runtime]") {
  Rng rng(34);
  for (int round = 0; round < 200; ++round) {
    cnd_avg_pool_a16_params p{};
    p.channels = random_int(rng, 1, 9);
    p.in_h = random_int(rng, 1, 9), p.in_w = random_int(rng, 1, 9);
    p.kernel_h = random_int(rng, 1, p.in_h), p.kernel_w = random_int(rng, 1, p.in_w);
    p.stride_h = random_int(rng, 1, 3), p.stride_w = random_int(rng, 1, 3);
    p.pad_top = random_int(rng, 0, p.kernel_h - 1), p.pad_left = random_int(rng, 0, p.kernel_w - 1);
    p.out_h = (p.in_h + p.pad_top - p.kernel_h) / p.stride_h + 1;
    p.out_w = (p.in_w + p.pad_left - p.kernel_w) / p.stride_w + 1;
    p.count_padding = random_int(rng, 0, 1);
    std::vector<int16_t> in(static_cast<size_t>(p.in_h * p.in_w * p.channels));
    for (int16_t& v : in) v = static_cast<int16_t>(random_int(rng, INT16_MIN, INT16_MAX));
    const auto count = static_cast<size_t>(p.out_h * p.out_w * p.channels);
    const cnd_max_pool_a16_params q{p.in_h,     p.in_w,     p.channels, p.out_h,   p.out_w,   p.kernel_h,
                                    p.kernel_w, p.stride_h, p.stride_w, p.pad_top, p.pad_left};
    const auto mean = agreed<int16_t>(forms("avg_pool_a16", cnd_avg_pool_a16), count,
                                      [&](const auto& k, void* to) { k(&p, in.data(), to); });
    const auto most = agreed<int16_t>(forms("max_pool_a16", cnd_max_pool_a16), count,
                                      [&](const auto& k, void* to) { k(&q, in.data(), to); });
    for (int y = 0; y < p.out_h; ++y)
      for (int x = 0; x < p.out_w; ++x)
        for (int c = 0; c < p.channels; ++c) {
          Wide sum = 0, pixels = 0, largest = INT16_MIN;
          for (int ky = 0; ky < p.kernel_h; ++ky)
            for (int kx = 0; kx < p.kernel_w; ++kx) {
              const int iy = y * p.stride_h - p.pad_top + ky, ix = x * p.stride_w - p.pad_left + kx;
              const bool inside = iy >= 0 && iy < p.in_h && ix >= 0 && ix < p.in_w;
              pixels += inside || p.count_padding != 0;
              if (!inside) continue;
              const Wide v = in[static_cast<size_t>((iy * p.in_w + ix) * p.channels + c)];
              sum += v;
              largest = std::max(largest, v);
            }
          const auto at = static_cast<size_t>((y * p.out_w + x) * p.channels + c);
          REQUIRE(mean[at] == static_cast<int>(round_away(sum, pixels)));
          REQUIRE(most[at] == static_cast<int>(largest));
        }
  }
}

TEST_CASE("a table by magnitude meets its entries and runs straight between them", "[runtime]") {
  Rng rng(35);
  std::vector<int16_t> table;
  for (int i = 0; i < 2 * CND_ACTIVATION_ENTRIES; ++i)
    table.push_back(static_cast<int16_t>(random_int(rng, INT16_MIN, INT16_MAX)));
  table[CND_ACTIVATION_ENTRIES] = table[0];
  std::vector<int16_t> in;
  for (int q = INT16_MIN; q <= INT16_MAX; ++q) in.push_back(static_cast<int16_t>(q));
  const cnd_activation_a16_params p{65536, 16, 16};
  const auto all_forms = forms("activation_a16", cnd_activation_a16);
  const auto results = [&]<class Value>(Value, const cnd_activation_a16_params& params, const auto& from) {
    return agreed<Value>(all_forms, from.size(),
                         [&](const auto& kernel, void* to) { kernel(&params, table.data(), from.data(), to); });
  };
  std::vector<int16_t> out = results(int16_t{}, p, in);
  for (const int sign : {1, -1}) {
    // Entries: 0, 1, ... 63, then 64, 66, ... 126, 128, 132, ...
    int magnitude = 0;
    for (int j = 0; j < CND_ACTIVATION_ENTRIES; ++j) {
      const int width = j < 64 ? 1 : 1 << (j / 32 - 1);
      const auto entry = [&](int k) {
        return int{table[static_cast<size_t>(k + (sign < 0 ? CND_ACTIVATION_ENTRIES : 0))]};
      };
      for (int beyond = 0; beyond < width; ++beyond) {
        const int q = sign * (magnitude + beyond);
        if (q > INT16_MAX || q < INT16_MIN) continue;
        const int next = j + 1 < CND_ACTIVATION_ENTRIES ? entry(j + 1) : entry(j);
        const Wide line = round_away(Wide{next - entry(j)} * beyond, width);
        REQUIRE(out[static_cast<size_t>(q - INT16_MIN)] == entry(j) + static_cast<int>(line));
      }
      magnitude += width;
    }
  }
  // To 8 bits, of 64ths; and from 8 bits, entry by entry.
  for (int16_t& t : table) t = static_cast<int16_t>(random_int(rng, -128 * 64, 127 * 64));
  const std::vector<int8_t> narrow = results(int8_t{}, cnd_activation_a16_params{65536, 16, 8}, in);
  out = results(int16_t{}, p, in);
  for (size_t i = 0; i < out.size(); ++i) REQUIRE(narrow[i] == static_cast<int>(round_away(out[i], 64)));
  std::vector<int8_t> all;
  for (int q = -128; q <= 127; ++q) all.push_back(static_cast<int8_t>(q));
  out = results(int16_t{}, cnd_activation_a16_params{256, 8, 16}, all);
  for (size_t i = 0; i < 256; ++i) REQUIRE(out[i] == table[i]);
}

}  // namespace condenser::runtime
