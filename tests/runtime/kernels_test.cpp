// The int8 kernels against a naive integer reference, bit for bit. The reference is written from the definition of each
// operator: plain loops over padded images, 128-bit integers, rounding as floor or half-away of exact quotients.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "condenser/core/rng.hpp"
#include "runtime/fixed_point.hpp"
#include "runtime/kernel_cases.hpp"
#include "support/absent.hpp"
#include "support/arm_dsp/kernels.h"
#include "support/arm_mve/kernels.h"
#include "support/catch.hpp"
#include "support/kernel_forms.hpp"

extern "C" {
#include "runtime/kernels/cnd_fixed_point.h"
}

namespace condenser::runtime {
namespace {

using Wide = __int128;
using core::Rng;

Wide floor_divide(Wide a, Wide b) {  // b > 0
  const Wide quotient = a / b;
  return quotient * b > a ? quotient - 1 : quotient;
}

Wide power_of_two(int n) { return Wide{1} << n; }

// Nearest integer of a / b, ties away from zero; b > 0.
Wide round_away(Wide a, Wide b) { return a < 0 ? -((-2 * a + b) / (2 * b)) : (2 * a + b) / (2 * b); }

// The two roundings of the profile "double": first to nearest with ties upwards at 2^-31, then at 2^-right.
int64_t reference_requantize(int64_t x, int64_t multiplier, int shift) {
  Wide shifted = Wide{x} * power_of_two(std::max(shift, 0));
  shifted = std::clamp(shifted, Wide{INT32_MIN}, Wide{INT32_MAX});
  const Wide high = floor_divide(2 * shifted * multiplier + power_of_two(31), power_of_two(32));
  return static_cast<int64_t>(round_away(high, power_of_two(std::max(-shift, 0))));
}

int8_t reference_output(int64_t x, int64_t multiplier, int shift, const OutputRange& range) {
  const int64_t q = reference_requantize(x, multiplier, shift) + range.zero_point;
  return static_cast<int8_t>(std::min<int64_t>(std::max<int64_t>(q, range.low), range.high));
}

int random_int(Rng& rng, int low, int high) {
  return low + static_cast<int>(rng.below(static_cast<uint64_t>(int64_t{high} - low + 1)));
}

// Uniform, or all extremes in a third of the cases: those reach the largest sums.
std::vector<int8_t> random_values(Rng& rng, size_t n, int low = -128) {
  std::vector<int8_t> values(n);
  const int kind = random_int(rng, 0, 5);
  for (int8_t& v : values) {
    v = static_cast<int8_t>(kind == 0 ? (rng.below(2) ? 127 : low) : kind == 1 ? low : random_int(rng, low, 127));
  }
  return values;
}

OutputRange random_range(Rng& rng) {
  OutputRange range;
  range.zero_point = random_int(rng, -128, 127);
  if (rng.below(2)) range.low = range.zero_point;
  if (rng.below(3) == 0) range.high = random_int(rng, range.zero_point, 127);
  return range;
}

// Mostly of the size that fills the output; now and then the extremes of what quantize_multiplier() can return.
// `is_short`: within what the short form of scaling allows.
ChannelConstants random_channels(Rng& rng, int out, int64_t depth, bool is_short) {
  ChannelConstants c;
  const int typical = -6 - static_cast<int>(std::log2(static_cast<double>(depth)) / 2.0);
  for (int o = 0; o < out; ++o) {
    c.bias.push_back(random_int(rng, -20000, 20000));
    const uint64_t kind = rng.below(8);
    c.multiplier.push_back(kind == 0 ? INT32_MAX : kind == 1 ? 1 << 30 : random_int(rng, 1 << 30, INT32_MAX));
    c.shift.push_back(static_cast<int8_t>(kind == 2   ? 30
                                          : kind == 3 ? -31
                                          : kind == 4 ? random_int(rng, -31, 30)
                                                      : typical + random_int(rng, -3, 3)));
    if (rng.below(16) == 0) c.multiplier.back() = 0, c.shift.back() = 0;
    if (is_short && c.shift.back() >= 0) c.shift.back() = static_cast<int8_t>(random_int(rng, -12, -1));
  }
  return c;
}

// What kernels take, so that they can multiply inputs as they are stored; weights are [out, ...].
std::vector<int32_t> folded(const std::vector<int32_t>& bias, int zero_point, const std::vector<int8_t>& weights) {
  std::vector<int32_t> result = bias;
  for (size_t i = 0; i < weights.size(); ++i) result[i / (weights.size() / bias.size())] -= zero_point * weights[i];
  return result;
}

struct ConvCase {
  ConvStep step;
  std::vector<int8_t> torch_weights;  // [out, in/groups, kh, kw]
  std::vector<int8_t> input;          // [h, w, c]

  std::vector<int32_t> bias() const { return folded(step.channels.bias, step.input_zero_point, torch_weights); }
};

int output_extent(int64_t in, int kernel, int stride, int before, int after) {
  const int64_t room = in + before + after - kernel;
  return room < 0 ? 0 : static_cast<int>(room / stride) + 1;
}

ConvCase random_conv(Rng& rng, int groups, int in_per_group, int out_per_group) {
  ConvCase test;
  ConvStep& s = test.step;
  s.op.groups = groups;
  s.op.out = groups * out_per_group;
  do {
    s.in = {groups * in_per_group, random_int(rng, 1, 9), random_int(rng, 1, 9)};
    s.op.kernel = {random_int(rng, 1, 5), random_int(rng, 1, 5)};
    s.op.stride = {random_int(rng, 1, 3), random_int(rng, 1, 3)};
    s.op.pad = {random_int(rng, 0, 4), random_int(rng, 0, 4), random_int(rng, 0, 4), random_int(rng, 0, 4)};
    s.out = {s.op.out, output_extent(s.in.h, s.op.kernel.h, s.op.stride.h, s.op.pad.top, s.op.pad.bottom),
             output_extent(s.in.w, s.op.kernel.w, s.op.stride.w, s.op.pad.left, s.op.pad.right)};
  } while (s.out.elements() == 0);
  s.input_zero_point = random_int(rng, -128, 127);
  s.range = random_range(rng);
  const int64_t depth = int64_t{in_per_group} * s.op.kernel.h * s.op.kernel.w;
  test.torch_weights = random_values(rng, static_cast<size_t>(depth * s.op.out), -127);
  test.input = random_values(rng, static_cast<size_t>(s.in.elements()));
  s.short_scale = random_int(rng, 0, 1);
  s.channels = random_channels(rng, s.op.out, depth, s.short_scale != 0);
  return test;
}

// Convolves an explicitly padded image of real values (q - zero point).
std::vector<int8_t> reference_conv(const ConvCase& test) {
  const ConvStep& s = test.step;
  const arch::Conv2d& op = s.op;
  const int64_t height = s.in.h + op.pad.top + op.pad.bottom;
  const int64_t width = s.in.w + op.pad.left + op.pad.right;
  std::vector<int64_t> image(static_cast<size_t>(s.in.c * height * width), 0);  // [c, h, w]
  for (int64_t c = 0; c < s.in.c; ++c)
    for (int64_t y = 0; y < s.in.h; ++y)
      for (int64_t x = 0; x < s.in.w; ++x)
        image[static_cast<size_t>((c * height + y + op.pad.top) * width + x + op.pad.left)] =
            test.input[static_cast<size_t>((y * s.in.w + x) * s.in.c + c)] - s.input_zero_point;
  const int64_t group_in = s.in.c / op.groups;
  const int64_t group_out = op.out / op.groups;
  std::vector<int8_t> result(static_cast<size_t>(s.out.elements()));
  for (int64_t o = 0; o < op.out; ++o)
    for (int64_t y = 0; y < s.out.h; ++y)
      for (int64_t x = 0; x < s.out.w; ++x) {
        int64_t sum = s.channels.bias[static_cast<size_t>(o)];
        for (int64_t i = 0; i < group_in; ++i)
          for (int64_t ky = 0; ky < op.kernel.h; ++ky)
            for (int64_t kx = 0; kx < op.kernel.w; ++kx) {
              const int64_t c = o / group_out * group_in + i;
              sum +=
                  image[static_cast<size_t>((c * height + y * op.stride.h + ky) * width + x * op.stride.w + kx)] *
                  test.torch_weights[static_cast<size_t>(((o * group_in + i) * op.kernel.h + ky) * op.kernel.w + kx)];
            }
        const auto k = static_cast<size_t>(o);
        result[static_cast<size_t>((y * s.out.w + x) * op.out + o)] =
            reference_output(sum, s.channels.multiplier[k], s.channels.shift[k], s.range);
      }
  return result;
}

// The layouts of the kernels, written as their definition: element (o, ky, kx, i) or (ky, kx, o).
std::vector<int8_t> reorder(const ConvCase& test, bool depthwise) {
  const arch::Conv2d& op = test.step.op;
  const int64_t group_in = test.step.in.c / op.groups;
  std::vector<int8_t> result;
  const auto weight = [&](int64_t o, int64_t ky, int64_t kx, int64_t i) {
    return test.torch_weights[static_cast<size_t>(((o * group_in + i) * op.kernel.h + ky) * op.kernel.w + kx)];
  };
  if (depthwise) {
    for (int ky = 0; ky < op.kernel.h; ++ky)
      for (int kx = 0; kx < op.kernel.w; ++kx)
        for (int o = 0; o < op.out; ++o) result.push_back(weight(o, ky, kx, 0));
    return result;
  }
  for (int o = 0; o < op.out; ++o)
    for (int ky = 0; ky < op.kernel.h; ++ky)
      for (int kx = 0; kx < op.kernel.w; ++kx)
        for (int64_t i = 0; i < group_in; ++i) result.push_back(weight(o, ky, kx, i));
  return result;
}

// To the nearest multiple of 16 towards zero: what weights of 4 bits can be.
std::vector<int8_t> in_4_bits(std::vector<int8_t> weights) {
  for (int8_t& w : weights) w = static_cast<int8_t>(w / 16 * 16);
  return weights;
}

// Rows of `row` weights by twos, as kernels read them with 4 bits: the first one in the lower half of a byte.
std::vector<int8_t> paired(const std::vector<int8_t>& weights, size_t rows_of_group, size_t row) {
  std::vector<int8_t> result;
  for (size_t group = 0; group < weights.size(); group += rows_of_group * row)
    for (size_t o = 0; o < rows_of_group; o += 2)
      for (size_t k = 0; k < row; ++k) {
        const int first = weights[group + o * row + k] / 16;
        const int second = o + 1 < rows_of_group ? weights[group + (o + 1) * row + k] / 16 : first;
        result.push_back(static_cast<int8_t>(static_cast<uint8_t>((first & 15) + 16 * (second & 15))));
      }
  return result;
}

// Scratch of exactly the bytes that the table states, between guards.
class Scratch {
 public:
  explicit Scratch(const ConvStep& s) {
    const arch::Op op = s.op;
    const arch::Kernel* kernel = arch::choose_kernel(op, std::span(&s.in, 1));
    size_ = static_cast<size_t>(kernel->scratch == nullptr ? 0 : kernel->scratch(op, s.in, s.out)) / 2;
    memory_.assign(size_ + 2 * kGuard, kPattern);
  }
  int16_t* data() { return memory_.data() + kGuard; }
  bool intact() const {
    const auto untouched = [](int16_t v) { return v == kPattern; };
    return std::all_of(memory_.begin(), memory_.begin() + kGuard, untouched) &&
           std::all_of(memory_.end() - kGuard, memory_.end(), untouched);
  }

 private:
  static constexpr size_t kGuard = 32;
  static constexpr int16_t kPattern = 0x5a5a;
  size_t size_ = 0;
  std::vector<int16_t> memory_;
};

template <class Params, class Kernel>
std::vector<int8_t> run_conv(const Params& p, const ConvCase& test, const std::vector<int8_t>& weights,
                             const Kernel& kernel) {
  std::vector<int8_t> output(static_cast<size_t>(test.step.out.elements()), 99);
  const ChannelConstants& c = test.step.channels;
  Scratch scratch(test.step);
  kernel(&p, weights.data(), test.bias().data(), c.multiplier.data(), c.shift.data(), scratch.data(), test.input.data(),
         output.data());
  REQUIRE(scratch.intact());
  return output;
}

void check_conv(const ConvCase& test) {
  const std::vector<int8_t> expected = reference_conv(test);
  for (const auto& kernel : forms("conv2d", cnd_conv2d, cnd_conv2d_dsp, cnd_conv2d_mve))
    REQUIRE(run_conv(conv2d_params(test.step), test, reorder(test, false), kernel) == expected);
  ConvCase four = test;
  four.torch_weights = in_4_bits(test.torch_weights);
  const auto groups = static_cast<size_t>(test.step.op.groups), out = static_cast<size_t>(test.step.op.out);
  const std::vector<int8_t> weights = paired(reorder(four, false), out / groups, four.torch_weights.size() / out);
  const std::vector<int8_t> expected_of_four = reference_conv(four);
  for (const auto& kernel : forms("conv2d_w4", cnd_conv2d_w4, cnd_conv2d_w4_dsp, cnd_conv2d_w4_mve))
    REQUIRE(run_conv(conv2d_params(four.step), four, weights, kernel) == expected_of_four);
}

}  // namespace

// What the tests below leave out on this machine.
TEST_CASE("the kernels run in every form that they are compiled for", "[runtime]") {
  for (const KernelForm& form : kernel_forms()) {
    if (!form.runs) tests::skip_without("processor: " + std::string(form.name), "this one lacks the instructions");
  }
}

TEST_CASE("requantization rounds twice as the profile says, also at its extremes", "[runtime]") {
  Rng rng(1);
  const std::vector<int32_t> edges = {0, 1, -1, 2, -2, 3, -3, 255, -256, 1 << 30, -(1 << 30), INT32_MAX, INT32_MIN};
  for (int k = 0; k < 20000; ++k) {
    const int32_t x = rng.below(3) == 0 ? edges[rng.below(edges.size())]
                                        : static_cast<int32_t>(static_cast<uint32_t>(rng.next())) >> rng.below(31);
    const int32_t multiplier = rng.below(8) == 0 ? INT32_MAX : random_int(rng, 0, INT32_MAX);
    const int shift = random_int(rng, -31, 30);
    REQUIRE(cnd_requantize(x, multiplier, shift) == reference_requantize(x, multiplier, shift));
    OutputRange range = random_range(rng);
    REQUIRE(cnd_requantize_s8(x, multiplier, shift, range.zero_point, range.low, range.high) ==
            reference_output(x, multiplier, shift, range));
  }
}

TEST_CASE("ties round upwards in the high product and away from zero in the shift", "[runtime]") {
  CHECK(cnd_high_mul(1, 1 << 30) == 1);    // +0.5
  CHECK(cnd_high_mul(-1, 1 << 30) == 0);   // -0.5
  CHECK(cnd_high_mul(-3, 1 << 30) == -1);  // -1.5
  CHECK(cnd_rounding_divide_by_pot(3, 1) == 2);
  CHECK(cnd_rounding_divide_by_pot(-3, 1) == -2);
  CHECK(cnd_rounding_divide_by_pot(-1, 1) == -1);
  CHECK(cnd_rounding_divide_by_pot(INT32_MIN, 31) == -1);
  CHECK(cnd_shift_right(-5, 1) == -3);
}

TEST_CASE("multipliers approximate scale ratios to 31 bits", "[runtime]") {
  Rng rng(2);
  for (int k = 0; k < 2000; ++k) {
    const double ratio = std::exp2(rng.uniform(-31.0, 29.0));
    const Requant r = quantize_multiplier(ratio, "test");
    CHECK(r.multiplier >= 1 << 30);
    CHECK(std::abs(std::ldexp(r.multiplier, r.shift - 31) / ratio - 1.0) <= std::exp2(-30));
    const Requant gain = quantize_gain(ratio, "test");
    CHECK(gain.shift >= -7);
    CHECK(std::abs(std::ldexp(gain.multiplier, gain.shift - 31) - ratio) <= ratio * std::exp2(-30) + std::exp2(-38));
  }
  const Requant one = quantize_multiplier(1.0 - 1e-12, "test");  // rounds up to 2^31
  CHECK(one.multiplier == 1 << 30);
  CHECK(one.shift == 1);
  CHECK(quantize_multiplier(1e-12, "test").multiplier == 0);
  CHECK_THROWS_WITH(quantize_multiplier(1e12, "node x"), Catch::Contains("node x") && Catch::Contains("2^30"));
  for (const double bad : {0.0, -1.0, std::nan(""), static_cast<double>(INFINITY)})
    CHECK_THROWS_AS(quantize_multiplier(bad, "test"), core::Error);
}

TEST_CASE("convolution equals the naive reference", "[runtime]") {
  Rng rng(3);
  for (int k = 0; k < 250; ++k) {
    const int groups = random_int(rng, 1, 4);
    const ConvCase test = random_conv(rng, groups, random_int(rng, 1, 9), random_int(rng, 1, 9));
    if (arch::choose_kernel(test.step.op, std::span(&test.step.in, 1))->name != std::string_view("conv2d")) continue;
    INFO("case " << k);
    check_conv(test);
  }
}

// Many channels, wide maps and deep windows: several blocks of weights, strips of columns, and what fits neither.
TEST_CASE("convolution of large shapes equals the naive reference", "[runtime]") {
  Rng rng(31);
  for (int k = 0; k < 16; ++k) {
    ConvCase test =
        random_conv(rng, 1, k % 4 == 0 ? random_int(rng, 200, 400) : random_int(rng, 1, 60), random_int(rng, 20, 150));
    ConvStep& s = test.step;
    s.in.h = random_int(rng, 1, 4), s.in.w = k % 3 == 0 ? random_int(rng, 100, 300) : s.in.w + 6;
    s.out.h = output_extent(s.in.h, s.op.kernel.h, s.op.stride.h, s.op.pad.top, s.op.pad.bottom);
    s.out.w = output_extent(s.in.w, s.op.kernel.w, s.op.stride.w, s.op.pad.left, s.op.pad.right);
    if (s.out.elements() == 0) continue;
    test.input = random_values(rng, static_cast<size_t>(s.in.elements()));
    INFO("case " << k);
    check_conv(test);
  }
}

TEST_CASE("a window that lies in the padding alone gives the bias", "[runtime]") {
  Rng rng(30);
  ConvCase test = random_conv(rng, 1, 4, 4);
  test.step.in = {4, 2, 2};
  test.step.op.kernel = {1, 1};
  test.step.op.stride = {1, 1};
  test.step.op.pad = {2, 3, 3, 2};
  test.step.out = {4, 7, 7};
  test.torch_weights = random_values(rng, 16, -127);
  test.input = random_values(rng, 16);
  check_conv(test);
}

TEST_CASE("depthwise convolution equals the naive reference", "[runtime]") {
  Rng rng(4);
  for (int k = 0; k < 250; ++k) {
    const int channels = k % 4 == 0 ? random_int(rng, 30, 70) : random_int(rng, 2, 9);
    const int multiple = k % 3 == 0 ? 1 : random_int(rng, 1, 40);
    const ConvCase test = random_conv(rng, channels, 1, channels > 20 ? std::min(multiple, 3) : multiple);
    INFO("case " << k);
    const std::vector<int8_t> expected = reference_conv(test);
    for (const auto& kernel : forms("depthwise", cnd_depthwise, cnd_depthwise_dsp, cnd_depthwise_mve))
      REQUIRE(run_conv(depthwise_params(test.step), test, reorder(test, true), kernel) == expected);
    ConvCase four = test;
    four.torch_weights = in_4_bits(test.torch_weights);
    const std::vector<int8_t> weights =
        paired(reorder(four, true), static_cast<size_t>(test.step.op.out), 1);  // neighbours of a tap
    const std::vector<int8_t> expected_of_four = reference_conv(four);
    for (const auto& kernel : forms("depthwise_w4", cnd_depthwise_w4, cnd_depthwise_w4_dsp, cnd_depthwise_w4_mve))
      REQUIRE(run_conv(depthwise_params(four.step), four, weights, kernel) == expected_of_four);
  }
}

namespace {

// Where the output begins at the input. `intact`: nothing behind the output was written.
std::vector<int8_t> run_in_place(const ConvCase& test, const FormOf<decltype(cnd_depthwise)>& kernel, bool& intact) {
  constexpr size_t kGuard = 64;
  std::vector<int8_t> arena = test.input;
  arena.resize(test.input.size() + kGuard, 77);
  const std::vector<int8_t> before = arena;
  const cnd_depthwise_params p = depthwise_params(test.step);
  const ChannelConstants& c = test.step.channels;
  Scratch scratch(test.step);
  kernel(&p, reorder(test, true).data(), test.bias().data(), c.multiplier.data(), c.shift.data(), scratch.data(),
         arena.data(), arena.data());
  const auto end = static_cast<std::ptrdiff_t>(test.step.out.elements());
  intact = scratch.intact() && std::equal(arena.begin() + end, arena.end(), before.begin() + end);
  return {arena.begin(), arena.begin() + end};
}

// Kernels 3, 5, 7 and asymmetric ones; the output is not larger than the input.
ConvCase random_in_place(Rng& rng, int channels) {
  for (;;) {
    ConvCase test = random_conv(rng, channels, 1, 1);
    ConvStep& s = test.step;
    s.in.h = random_int(rng, 1, 15), s.in.w = random_int(rng, 1, 15);
    const int kernel = 3 + 2 * random_int(rng, 0, 2);
    s.op.kernel = rng.below(3) == 0 ? arch::Size{random_int(rng, 1, 7), random_int(rng, 1, 7)} : arch::square(kernel);
    s.op.stride = {random_int(rng, 1, 2), random_int(rng, 1, 2)};
    s.op.pad = {random_int(rng, 0, 4), random_int(rng, 0, 4), random_int(rng, 0, 4), random_int(rng, 0, 4)};
    if (rng.below(2)) s.op.pad = {s.op.kernel.h / 2, s.op.kernel.h / 2, s.op.kernel.w / 2, s.op.kernel.w / 2};
    s.out.h = output_extent(s.in.h, s.op.kernel.h, s.op.stride.h, s.op.pad.top, s.op.pad.bottom);
    s.out.w = output_extent(s.in.w, s.op.kernel.w, s.op.stride.w, s.op.pad.left, s.op.pad.right);
    if (s.out.elements() == 0 || s.out.h > s.in.h || s.out.w > s.in.w) continue;
    test.torch_weights = random_values(rng, static_cast<size_t>(channels * s.op.kernel.h * s.op.kernel.w), -127);
    test.input = random_values(rng, static_cast<size_t>(s.in.elements()));
    return test;
  }
}

}  // namespace

TEST_CASE("depthwise convolution over its own input equals the one beside it", "[runtime]") {
  Rng rng(41);
  int in_place = 0;
  for (int k = 0; k < 600; ++k) {
    const int channels = k % 10 == 0 ? random_int(rng, 30, 70) : random_int(rng, 2, 17);
    const ConvCase test = random_in_place(rng, channels);
    const arch::Op op = test.step.op;
    const arch::Kernel* row = arch::choose_kernel(op, std::span(&test.step.in, 1));
    if (!row->in_place(op, test.step.in, test.step.out)) continue;
    ++in_place;
    INFO("case " << k);
    for (const auto& kernel : forms("depthwise", cnd_depthwise, cnd_depthwise_dsp, cnd_depthwise_mve)) {
      bool intact = false;
      REQUIRE(run_in_place(test, kernel, intact) ==
              run_conv(depthwise_params(test.step), test, reorder(test, true), kernel));
      REQUIRE(intact);
    }
  }
  CHECK(in_place > 300);
}

TEST_CASE("pointwise convolution equals the naive reference", "[runtime]") {
  Rng rng(5);
  for (int k = 0; k < 100; ++k) {
    ConvCase test = random_conv(rng, 1, random_int(rng, 1, 40), random_int(rng, 1, 20));
    test.step.in.h += 1;  // not one pixel: that is a linear layer
    test.input = random_values(rng, static_cast<size_t>(test.step.in.elements()));
    test.step.op.kernel = test.step.op.stride = {1, 1};
    test.step.op.pad = {};
    test.step.out = {test.step.op.out, test.step.in.h, test.step.in.w};
    test.torch_weights.resize(static_cast<size_t>(test.step.in.c * test.step.op.out));
    INFO("case " << k);
    check_conv(test);
  }
}

namespace {

std::vector<int8_t> reference_linear(const LinearStep& s, const std::vector<int8_t>& input) {
  std::vector<int8_t> output(static_cast<size_t>(s.out));
  for (size_t o = 0; o < output.size(); ++o) {
    int64_t sum = s.channels.bias[o];
    for (size_t i = 0; i < input.size(); ++i)
      sum += int64_t{input[i] - s.input_zero_point} * s.weights[o * input.size() + i];
    output[o] = reference_output(sum, s.channels.multiplier[o], s.channels.shift[o], s.range);
  }
  return output;
}

}  // namespace

TEST_CASE("linear equals the naive reference", "[runtime]") {
  Rng rng(6);
  for (int k = 0; k < 100; ++k) {
    LinearStep s;
    s.in = random_int(rng, 1, 200);
    s.out = random_int(rng, 1, 20);
    s.input_zero_point = random_int(rng, -128, 127);
    s.range = random_range(rng);
    s.short_scale = random_int(rng, 0, 1);
    s.channels = random_channels(rng, s.out, s.in, s.short_scale != 0);
    s.weights = random_values(rng, static_cast<size_t>(s.in * s.out), -127);
    const std::vector<int8_t> input = random_values(rng, static_cast<size_t>(s.in));
    const cnd_linear_params p = linear_params(s);
    const std::vector<int32_t> bias = folded(s.channels.bias, s.input_zero_point, s.weights);
    for (const auto& kernel : forms("linear", cnd_linear, cnd_linear_dsp, cnd_linear_mve)) {
      std::vector<int8_t> output(static_cast<size_t>(s.out));
      kernel(&p, s.weights.data(), bias.data(), s.channels.multiplier.data(), s.channels.shift.data(), input.data(),
             output.data());
      REQUIRE(output == reference_linear(s, input));
    }
    LinearStep four = s;
    four.weights = in_4_bits(s.weights);
    const std::vector<int8_t> weights = paired(four.weights, static_cast<size_t>(s.out), static_cast<size_t>(s.in));
    const std::vector<int32_t> bias_of_four = folded(s.channels.bias, s.input_zero_point, four.weights);
    const cnd_linear_w4_params q = {p.in_c, p.out_c, p.output_zero_point, p.act_min, p.act_max, p.short_scale};
    for (const auto& kernel : forms("linear_w4", cnd_linear_w4, cnd_linear_w4_dsp, cnd_linear_w4_mve)) {
      std::vector<int8_t> output(static_cast<size_t>(s.out));
      kernel(&q, weights.data(), bias_of_four.data(), s.channels.multiplier.data(), s.channels.shift.data(),
             input.data(), output.data());
      REQUIRE(output == reference_linear(four, input));
    }
  }
}

namespace {

// Shape, window and values of a random pooling; each window meets the input.
template <class StepType>
StepType random_pool(Rng& rng) {
  StepType s;
  do {
    s.in = {random_int(rng, 1, 70), random_int(rng, 1, 9), random_int(rng, 1, 9)};
    s.op.kernel = {random_int(rng, 1, 5), random_int(rng, 1, 5)};
    s.op.stride = {random_int(rng, 1, 4), random_int(rng, 1, 4)};
    s.op.pad = {random_int(rng, 0, s.op.kernel.h - 1), random_int(rng, 0, s.op.kernel.h - 1),
                random_int(rng, 0, s.op.kernel.w - 1), random_int(rng, 0, s.op.kernel.w - 1)};
    s.out = {s.in.c, output_extent(s.in.h, s.op.kernel.h, s.op.stride.h, s.op.pad.top, s.op.pad.bottom),
             output_extent(s.in.w, s.op.kernel.w, s.op.stride.w, s.op.pad.left, s.op.pad.right)};
  } while (s.out.elements() == 0);
  return s;
}

// Calls visit(index of the output, values inside the input, number of padded values) for every window.
template <class StepType, class Visit>
void for_each_window(const StepType& s, const std::vector<int8_t>& input, Visit visit) {
  for (int64_t y = 0; y < s.out.h; ++y)
    for (int64_t x = 0; x < s.out.w; ++x)
      for (int64_t c = 0; c < s.in.c; ++c) {
        std::vector<int64_t> values;
        int64_t padded = 0;
        for (int64_t ky = 0; ky < s.op.kernel.h; ++ky)
          for (int64_t kx = 0; kx < s.op.kernel.w; ++kx) {
            const int64_t iy = y * s.op.stride.h + ky - s.op.pad.top;
            const int64_t ix = x * s.op.stride.w + kx - s.op.pad.left;
            const bool inside = iy >= 0 && iy < s.in.h && ix >= 0 && ix < s.in.w;
            if (inside) values.push_back(input[static_cast<size_t>((iy * s.in.w + ix) * s.in.c + c)]);
            if (!inside) ++padded;
          }
        visit(static_cast<size_t>((y * s.out.w + x) * s.in.c + c), values, padded);
      }
}

}  // namespace

TEST_CASE("average pooling equals the naive reference, with and without counted padding", "[runtime]") {
  Rng rng(7);
  for (int k = 0; k < 120; ++k) {
    AvgPoolStep s = random_pool<AvgPoolStep>(rng);
    s.op.count_include_pad = k % 2 == 0;
    s.zero_point = random_int(rng, -128, 127);
    const std::vector<int8_t> input = random_values(rng, static_cast<size_t>(s.in.elements()));
    std::vector<int8_t> output(static_cast<size_t>(s.out.elements()));
    const cnd_avg_pool_params p = avg_pool_params(s);
    for (const auto& kernel : forms("avg_pool", cnd_avg_pool, cnd_avg_pool_dsp)) {
      kernel(&p, input.data(), output.data());
      for_each_window(s, input, [&](size_t index, const std::vector<int64_t>& values, int64_t padded) {
        Wide sum = std::accumulate(values.begin(), values.end(), int64_t{0});
        Wide count = static_cast<int64_t>(values.size());
        if (s.op.count_include_pad) {
          sum += padded * s.zero_point;
          count += padded;
        }
        REQUIRE(output[index] == static_cast<int8_t>(round_away(sum, count)));
      });
    }
  }
}

TEST_CASE("maximum pooling equals the naive reference", "[runtime]") {
  Rng rng(8);
  for (int k = 0; k < 80; ++k) {
    const MaxPoolStep s = random_pool<MaxPoolStep>(rng);
    const std::vector<int8_t> input = random_values(rng, static_cast<size_t>(s.in.elements()));
    std::vector<int8_t> output(static_cast<size_t>(s.out.elements()));
    const cnd_max_pool_params p = max_pool_params(s);
    for (const auto& kernel : forms("max_pool", cnd_max_pool)) {
      kernel(&p, input.data(), output.data());
      for_each_window(s, input, [&](size_t index, const std::vector<int64_t>& values, int64_t) {
        REQUIRE(output[index] == *std::max_element(values.begin(), values.end()));
      });
    }
  }
}

TEST_CASE("global average pooling equals the naive reference", "[runtime]") {
  Rng rng(9);
  for (int k = 0; k < 60; ++k) {
    const int pixels = random_int(rng, 1, 60);
    const int channels = random_int(rng, 1, 80);
    const std::vector<int8_t> input = random_values(rng, static_cast<size_t>(pixels * channels));
    std::vector<int8_t> output(static_cast<size_t>(channels));
    const cnd_global_avg_pool_params p{pixels, channels};
    for (const auto& kernel : forms("global_avg_pool", cnd_global_avg_pool)) {
      kernel(&p, input.data(), output.data());
      for (int c = 0; c < channels; ++c) {
        int64_t sum = 0;
        for (int i = 0; i < pixels; ++i) sum += input[static_cast<size_t>(i * channels + c)];
        REQUIRE(output[static_cast<size_t>(c)] == static_cast<int8_t>(round_away(sum, pixels)));
      }
    }
  }
}

TEST_CASE("addition equals the naive reference and may overwrite either input", "[runtime]") {
  Rng rng(10);
  for (int k = 0; k < 200; ++k) {
    const double a_scale = std::exp(rng.uniform(-6.0, 2.0));
    const double b_scale = k % 5 == 0 ? a_scale : std::exp(rng.uniform(-6.0, 2.0));
    const double out_scale = std::max(a_scale, b_scale) * std::exp2(rng.uniform(-12.0, 3.0));
    const double twice = 2.0 * std::max(a_scale, b_scale);
    AddStep s;
    s.count = random_int(rng, 1, 60);
    s.a_zero_point = random_int(rng, -128, 127);
    s.b_zero_point = random_int(rng, -128, 127);
    s.a = quantize_multiplier(a_scale / twice, "a");
    s.b = quantize_multiplier(b_scale / twice, "b");
    s.out = quantize_multiplier(twice / (1048576.0 * out_scale), "out");
    s.range = random_range(rng);
    const std::vector<int8_t> a = random_values(rng, static_cast<size_t>(s.count));
    const std::vector<int8_t> b = random_values(rng, static_cast<size_t>(s.count));
    std::vector<int8_t> expected(a.size());
    for (size_t i = 0; i < a.size(); ++i) {
      const int64_t left = reference_requantize(int64_t{a[i] - s.a_zero_point} << 20, s.a.multiplier, s.a.shift);
      const int64_t right = reference_requantize(int64_t{b[i] - s.b_zero_point} << 20, s.b.multiplier, s.b.shift);
      expected[i] = reference_output(left + right, s.out.multiplier, s.out.shift, s.range);
      const double real = (a_scale * (a[i] - s.a_zero_point) + b_scale * (b[i] - s.b_zero_point)) / out_scale;
      const double exact = std::clamp(real + s.range.zero_point, double(s.range.low), double(s.range.high));
      REQUIRE(std::abs(expected[i] - exact) < 0.51);  // the form itself is a rounded sum
    }
    const cnd_add_params p = add_params(s);
    for (const auto& kernel : forms("add", cnd_add, cnd_add_dsp, cnd_add_mve)) {
      std::vector<int8_t> output(a.size()), over_a = a, over_b = b;
      kernel(&p, a.data(), b.data(), output.data());
      kernel(&p, over_a.data(), b.data(), over_a.data());
      kernel(&p, a.data(), over_b.data(), over_b.data());
      REQUIRE(output == expected);
      REQUIRE(over_a == expected);
      REQUIRE(over_b == expected);
    }
  }
}

TEST_CASE("an activation is its table, in place too", "[runtime]") {
  std::vector<int8_t> table(256), input(256);
  Rng rng(11);
  for (size_t i = 0; i < 256; ++i) {
    table[i] = static_cast<int8_t>(random_int(rng, -128, 127));
    input[i] = static_cast<int8_t>(static_cast<int>(i) - 128);
  }
  const cnd_activation_params p{256};
  for (const auto& kernel : forms("activation", cnd_activation)) {
    std::vector<int8_t> output(256), over_input = input;
    kernel(&p, table.data(), input.data(), output.data());
    CHECK(output == table);
    kernel(&p, table.data(), over_input.data(), over_input.data());
    CHECK(over_input == table);
  }
}

namespace {

struct SoftmaxCase {
  SoftmaxMulStep step;
  double attention_scale = 1, ratio = 1;
  std::vector<int8_t> a, v;  // [pixels, channels]
};

// `terms` of each softmax, along `axis`.
SoftmaxCase random_softmax(Rng& rng, arch::SoftmaxAxis axis, int terms) {
  SoftmaxCase test;
  SoftmaxMulStep& s = test.step;
  const bool over_channels = axis == arch::SoftmaxAxis::Channels;
  const int lines = random_int(rng, 1, 5);
  s.axis = axis;
  s.pixels = over_channels ? lines : terms;
  s.channels = over_channels ? terms : lines;
  s.value_zero_point = random_int(rng, -128, 127);
  s.output_zero_point = random_int(rng, -128, 127);
  test.attention_scale = std::exp(rng.uniform(-7.0, 1.0));
  // From far too coarse to the step that gives the mean probability, 1 / terms, a few integers; and a little beyond.
  test.ratio = std::exp2(rng.uniform(-12.0, std::log2(terms) + 4.0));
  s.gain = quantize_gain(test.ratio, "test");
  for (int d = 0; d < 256; ++d)
    s.table.push_back(static_cast<uint16_t>(std::lround(65535.0 * std::exp(-test.attention_scale * d))));
  test.a = random_values(rng, static_cast<size_t>(s.pixels * s.channels));
  test.v = random_values(rng, static_cast<size_t>(s.pixels * s.channels));
  return test;
}

// The attention values that share a softmax with value `index`.
std::vector<int8_t> softmax_line(const SoftmaxCase& test, size_t index) {
  const auto channels = static_cast<size_t>(test.step.channels);
  std::vector<int8_t> line;
  for (size_t i = 0; i < test.a.size(); ++i) {
    const bool same = test.step.axis == arch::SoftmaxAxis::Channels ? i / channels == index / channels
                                                                    : i % channels == index % channels;
    if (same) line.push_back(test.a[i]);
  }
  return line;
}

// First: the documented integer arithmetic in 128 bits. Second: the exact quotient of table values.
std::pair<int8_t, long double> reference_softmax(const SoftmaxCase& test, const std::vector<int8_t>& line,
                                                 size_t index) {
  const SoftmaxMulStep& s = test.step;
  const int8_t largest = *std::ranges::max_element(line);
  Wide sum = 0;
  for (const int8_t other : line) sum += s.table[static_cast<size_t>(largest - other)];
  const Wide gain = floor_divide(Wide{s.gain.multiplier} * power_of_two(24) + sum / 2, sum);
  const Wide t = s.table[static_cast<size_t>(largest - test.a[index])];
  const Wide value = test.v[index] - s.value_zero_point;
  const Wide q = round_away(t * value * gain, power_of_two(55 - s.gain.shift)) + s.output_zero_point;
  const Wide bounded = q < -128 ? -128 : q > 127 ? 127 : q;
  const long double exact = static_cast<long double>(static_cast<int64_t>(t * value)) *
                                static_cast<long double>(test.ratio) / static_cast<int64_t>(sum) +
                            s.output_zero_point;
  return {static_cast<int8_t>(bounded), std::min(std::max(exact, -128.0L), 127.0L)};
}

// Also that either input may be overwritten.
std::vector<int8_t> run_softmax(const SoftmaxCase& test) {
  const cnd_softmax_mul_params p = softmax_mul_params(test.step);
  std::vector<int8_t> output(test.a.size());
  cnd_softmax_mul(&p, test.step.table.data(), test.a.data(), test.v.data(), output.data());
  for (const auto& kernel : forms("softmax_mul", cnd_softmax_mul, cnd_softmax_mul_dsp)) {
    std::vector<int8_t> over_a = test.a, over_v = test.v;
    kernel(&p, test.step.table.data(), over_a.data(), test.v.data(), over_a.data());
    kernel(&p, test.step.table.data(), test.a.data(), over_v.data(), over_v.data());
    REQUIRE(over_a == output);
    REQUIRE(over_v == output);
  }
  return output;
}

constexpr arch::SoftmaxAxis kAxes[] = {arch::SoftmaxAxis::Channels, arch::SoftmaxAxis::Space};

}  // namespace

TEST_CASE("softmax times value equals its documented arithmetic and the exact quotient within half a step",
          "[runtime]") {
  Rng rng(12);
  for (int k = 0; k < 240; ++k) {
    const int terms = k % 20 < 2 ? random_int(rng, 200, 2000) : random_int(rng, 1, 40);
    const SoftmaxCase test = random_softmax(rng, kAxes[k % 2], terms);
    const std::vector<int8_t> output = run_softmax(test);
    std::vector<std::vector<int8_t>> lines;  // one per pixel or per channel
    const bool over_channels = test.step.axis == arch::SoftmaxAxis::Channels;
    const auto channels = static_cast<size_t>(test.step.channels);
    for (int32_t line = 0; line < (over_channels ? test.step.pixels : test.step.channels); ++line)
      lines.push_back(softmax_line(test, static_cast<size_t>(line) * (over_channels ? channels : 1)));
    for (size_t i = 0; i < output.size(); ++i) {
      const auto [integer, exact] = reference_softmax(test, lines[over_channels ? i / channels : i % channels], i);
      REQUIRE(output[i] == integer);
      REQUIRE(std::abs(output[i] - static_cast<double>(exact)) < 0.5001);
    }
  }
}

TEST_CASE("softmax times value at the widest sums and the largest gain", "[runtime]") {
  for (const arch::SoftmaxAxis axis : kAxes) {
    for (const int terms : {1, 65536}) {
      SoftmaxCase test;
      const bool over_channels = axis == arch::SoftmaxAxis::Channels;
      test.step = {over_channels ? 1 : terms, over_channels ? terms : 1,        axis, 127, 0,
                   {INT32_MAX, 30},           std::vector<uint16_t>(256, 65535)};
      test.ratio = std::ldexp(INT32_MAX, -1);
      test.a.assign(static_cast<size_t>(terms), -128);
      test.v.assign(static_cast<size_t>(terms), -128);
      const std::vector<int8_t> output = run_softmax(test);
      CHECK(output.front() == reference_softmax(test, test.a, 0).first);
      CHECK(output.back() == -128);
    }
  }
}

// Multipliers far below their usual range make the rounding of G itself visible.
TEST_CASE("softmax times value rounds its gain as documented", "[runtime]") {
  Rng rng(13);
  for (int k = 0; k < 200; ++k) {
    SoftmaxCase test = random_softmax(rng, kAxes[k % 2], random_int(rng, 2, 150));
    test.step.gain = {random_int(rng, 1, 40), 30};
    const std::vector<int8_t> output = run_softmax(test);
    for (size_t i = 0; i < output.size(); ++i)
      REQUIRE(output[i] == reference_softmax(test, softmax_line(test, i), i).first);
  }
}

namespace {

arch::Shape random_shape(Rng& rng) { return {random_int(rng, 1, 40), random_int(rng, 1, 7), random_int(rng, 1, 7)}; }

size_t place(const arch::Shape& s, int64_t y, int64_t x, int64_t c) {
  return static_cast<size_t>((y * s.w + x) * s.c + c);
}

// Mostly near one, at times far off: saturation and rounding to nothing.
Requant random_requant(Rng& rng) { return quantize_multiplier(std::exp2(rng.uniform(-14.0, 4.0)), "test"); }

template <class Visit>
void for_each_value(const arch::Shape& s, const Visit& visit) {
  for (int64_t y = 0; y < s.h; ++y)
    for (int64_t x = 0; x < s.w; ++x)
      for (int64_t c = 0; c < s.c; ++c) visit(y, x, c);
}

constexpr OutputRange kWholeRange{0, -128, 127};

OutputRange whole_range(int32_t zero_point) {
  OutputRange range = kWholeRange;
  range.zero_point = zero_point;
  return range;
}

}  // namespace

TEST_CASE("a product equals the naive reference, with one pixel for the whole map on either side", "[runtime]") {
  Rng rng(14);
  for (int k = 0; k < 240; ++k) {
    MulStep s;
    s.out = random_shape(rng);
    const arch::Shape pixel{s.out.c, 1, 1};
    s.a = k % 3 == 1 ? pixel : s.out;
    s.b = k % 3 == 2 ? pixel : s.out;
    s.a_zero_point = random_int(rng, -128, 127);
    s.b_zero_point = random_int(rng, -128, 127);
    s.output_zero_point = random_int(rng, -128, 127);
    s.out_scale = random_requant(rng);
    const std::vector<int8_t> a = random_values(rng, static_cast<size_t>(s.a.elements()));
    const std::vector<int8_t> b = random_values(rng, static_cast<size_t>(s.b.elements()));
    std::vector<int8_t> expected(static_cast<size_t>(s.out.elements()));
    for_each_value(s.out, [&](int64_t y, int64_t x, int64_t c) {
      const auto value = [&](const std::vector<int8_t>& v, const arch::Shape& shape) -> int64_t {
        return v[place(shape, shape.h == 1 ? 0 : y, shape.w == 1 ? 0 : x, c)];
      };
      const int64_t product = (value(a, s.a) - s.a_zero_point) * (value(b, s.b) - s.b_zero_point);
      expected[place(s.out, y, x, c)] =
          reference_output(product, s.out_scale.multiplier, s.out_scale.shift, whole_range(s.output_zero_point));
    });
    const cnd_mul_params p = mul_params(s);
    for (const auto& kernel : forms("mul", cnd_mul)) {
      std::vector<int8_t> output(expected.size()), over_a = a, over_b = b;
      kernel(&p, a.data(), b.data(), output.data());
      REQUIRE(output == expected);
      if (s.a == s.out) {
        kernel(&p, over_a.data(), b.data(), over_a.data());
        REQUIRE(over_a == expected);
      }
      if (s.b == s.out) {
        kernel(&p, a.data(), over_b.data(), over_b.data());
        REQUIRE(over_b == expected);
      }
    }
  }
}

TEST_CASE("a parametric ReLU equals the naive reference, in place too", "[runtime]") {
  Rng rng(15);
  for (int k = 0; k < 120; ++k) {
    PReluStep s;
    s.pixels = random_int(rng, 1, 20);
    s.channels = random_int(rng, 1, 40);
    s.input_zero_point = random_int(rng, -128, 127);
    s.output_zero_point = random_int(rng, -128, 127);
    s.positive = random_requant(rng);
    s.negative = random_requant(rng);
    s.slope = random_values(rng, static_cast<size_t>(s.channels), -127);
    std::vector<int8_t> input = random_values(rng, static_cast<size_t>(s.pixels * s.channels));
    std::vector<int8_t> expected;
    for (size_t i = 0; i < input.size(); ++i) {
      const int64_t x = input[i] - s.input_zero_point;
      const Requant& r = x >= 0 ? s.positive : s.negative;
      const int64_t sum = x >= 0 ? x : x * s.slope[i % s.slope.size()];
      expected.push_back(reference_output(sum, r.multiplier, r.shift, whole_range(s.output_zero_point)));
    }
    const cnd_prelu_params p = prelu_params(s);
    std::vector<int8_t> output(input.size());
    cnd_prelu(&p, s.slope.data(), input.data(), output.data());
    REQUIRE(output == expected);
    cnd_prelu(&p, s.slope.data(), input.data(), input.data());
    REQUIRE(input == expected);
  }
}

TEST_CASE("a concatenation equals the naive reference; equal scales are a plain copy", "[runtime]") {
  Rng rng(16);
  for (int k = 0; k < 120; ++k) {
    ConcatStep s;
    s.pixels = random_int(rng, 1, 20);
    s.output_zero_point = random_int(rng, -128, 127);
    std::vector<std::vector<int8_t>> inputs;
    for (int count = random_int(rng, 2, 8); count > 0; --count) {
      ConcatPart part{random_int(rng, 1, 20), s.channels, false, random_int(rng, -128, 127), random_requant(rng)};
      if (rng.below(3) == 0)
        part = {part.channels, s.channels, true, s.output_zero_point, quantize_multiplier(1, "one")};
      s.parts.push_back(part);
      s.channels += part.channels;
      inputs.push_back(random_values(rng, static_cast<size_t>(s.pixels * part.channels)));
    }
    std::vector<int8_t> output(static_cast<size_t>(s.pixels * s.channels)), requantized(output.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      cnd_concat_params p = concat_params(s, s.parts[i]);
      cnd_concat(&p, inputs[i].data(), output.data());
      p.copy = 0;
      cnd_concat(&p, inputs[i].data(), requantized.data());
    }
    REQUIRE(output == requantized);
    for (int32_t pixel = 0; pixel < s.pixels; ++pixel) {
      size_t at = static_cast<size_t>(pixel * s.channels);
      for (size_t i = 0; i < inputs.size(); ++i) {
        const ConcatPart& part = s.parts[i];
        for (int32_t c = 0; c < part.channels; ++c) {
          const int8_t q = inputs[i][static_cast<size_t>(pixel * part.channels + c)];
          const int8_t expected = reference_output(q - part.input_zero_point, part.requant.multiplier,
                                                   part.requant.shift, whole_range(s.output_zero_point));
          REQUIRE(output[at++] == (part.copy ? q : expected));
        }
      }
    }
  }
}

TEST_CASE("slices and shuffles move channels as they are defined", "[runtime]") {
  Rng rng(17);
  for (int k = 0; k < 80; ++k) {
    const int groups = random_int(rng, 1, 6);
    const arch::Shape in{int64_t{groups} * random_int(rng, 1, 6), random_int(rng, 1, 6), random_int(rng, 1, 6)};
    const std::vector<int8_t> input = random_values(rng, static_cast<size_t>(in.elements()));

    const int begin = random_int(rng, 0, static_cast<int>(in.c) - 1);
    const SliceStep slice{{begin, random_int(rng, 1, static_cast<int>(in.c) - begin)}, in};
    const arch::Shape part{slice.op.count, in.h, in.w};
    std::vector<int8_t> output(static_cast<size_t>(part.elements()));
    const cnd_slice_params slice_p = slice_params(slice);
    cnd_slice(&slice_p, input.data(), output.data());
    for_each_value(part, [&](int64_t y, int64_t x, int64_t c) {
      REQUIRE(output[place(part, y, x, c)] == input[place(in, y, x, begin + c)]);
    });

    output.assign(input.size(), 0);
    const cnd_channel_shuffle_params shuffle_p = channel_shuffle_params({{groups}, in});
    cnd_channel_shuffle(&shuffle_p, input.data(), output.data());
    const int64_t per_group = in.c / groups;
    for_each_value(in, [&](int64_t y, int64_t x, int64_t c) {
      const int64_t to = c % per_group * groups + c / per_group;
      REQUIRE(output[place(in, y, x, to)] == input[place(in, y, x, c)]);
    });
  }
}

TEST_CASE("up-sampling takes the pixel at floor(i * in / out), at the largest extents too", "[runtime]") {
  Rng rng(18);
  for (int k = 0; k < 60; ++k) {
    UpsampleStep s;
    s.in = random_shape(rng);
    s.out = {s.in.c, s.in.h + random_int(rng, 0, 20), s.in.w + random_int(rng, 0, 20)};
    if (k == 0) s.in = {1, 65535, 1}, s.out = {1, 65536, 1};
    if (k == 1) s.in = s.out = {1, 1, 65536};
    const std::vector<int8_t> input = random_values(rng, static_cast<size_t>(s.in.elements()));
    std::vector<int8_t> output(static_cast<size_t>(s.out.elements()));
    const cnd_upsample_params p = upsample_params(s);
    cnd_upsample(&p, input.data(), output.data());
    int64_t wrong = 0;
    for_each_value(s.out, [&](int64_t y, int64_t x, int64_t c) {
      wrong += output[place(s.out, y, x, c)] != input[place(s.in, y * s.in.h / s.out.h, x * s.in.w / s.out.w, c)];
    });
    REQUIRE(wrong == 0);
  }
}

// An image extended by mirrored rows and columns, then weighted and rounded like an average.
TEST_CASE("a blur equals the naive reference over a mirrored image", "[runtime]") {
  Rng rng(19);
  for (int k = 0; k < 120; ++k) {
    BlurPoolStep s;
    s.op.taps = k % 2 == 0 ? 3 : 5;
    s.op.stride = {random_int(rng, 1, 3), random_int(rng, 1, 3)};
    const int64_t half = s.op.taps / 2;
    s.in = {random_int(rng, 1, 70), half + random_int(rng, 1, 8), half + random_int(rng, 1, 8)};
    s.out = {s.in.c, (s.in.h - 1) / s.op.stride.h + 1, (s.in.w - 1) / s.op.stride.w + 1};
    const std::vector<int8_t> input = random_values(rng, static_cast<size_t>(s.in.elements()));
    const auto mirrored = [](int64_t extent, int64_t border) {
      std::vector<int64_t> from;
      for (int64_t i = border; i > 0; --i) from.push_back(i);
      for (int64_t i = 0; i < extent; ++i) from.push_back(i);
      for (int64_t i = 1; i <= border; ++i) from.push_back(extent - 1 - i);
      return from;
    };
    const std::vector<int64_t> rows = mirrored(s.in.h, half), columns = mirrored(s.in.w, half);
    const std::vector<int64_t> binomial =
        s.op.taps == 3 ? std::vector<int64_t>{1, 2, 1} : std::vector<int64_t>{1, 4, 6, 4, 1};
    std::vector<int8_t> output(static_cast<size_t>(s.out.elements()));
    const cnd_blur_pool_params p = blur_pool_params(s);
    cnd_blur_pool(&p, input.data(), output.data());
    for_each_value(s.out, [&](int64_t y, int64_t x, int64_t c) {
      Wide sum = 0, total = 0;
      for (size_t ky = 0; ky < binomial.size(); ++ky)
        for (size_t kx = 0; kx < binomial.size(); ++kx) {
          const int64_t row = rows[static_cast<size_t>(y * s.op.stride.h) + ky];
          const int64_t column = columns[static_cast<size_t>(x * s.op.stride.w) + kx];
          sum += binomial[ky] * binomial[kx] * input[place(s.in, row, column, c)];
          total += binomial[ky] * binomial[kx];
        }
      REQUIRE(output[place(s.out, y, x, c)] == static_cast<int8_t>(round_away(sum, total)));
    });
  }
}

TEST_CASE("a blur rounds ties away from stored zero, not from the zero point", "[runtime]") {
  BlurPoolStep s;
  s.in = s.out = {1, 2, 2};
  const cnd_blur_pool_params p = blur_pool_params(s);
  // Mirrored, each row is (b a b), so that the sum is 4 times the sum of the four values.
  for (const auto& [value, expected] : {std::pair{int8_t{2}, int8_t{1}}, std::pair{int8_t{-2}, int8_t{-1}}}) {
    const std::vector<int8_t> input = {value, 0, 0, 0};
    std::vector<int8_t> output(4);
    cnd_blur_pool(&p, input.data(), output.data());
    CHECK(output == std::vector<int8_t>(4, expected));  // +-0.5
  }
}

}  // namespace condenser::runtime
