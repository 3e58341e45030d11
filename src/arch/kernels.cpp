// The table of kernels, the best of an operator first.

#include "condenser/arch/kernels.hpp"

#include <algorithm>
#include <utility>

#include "arch/conv_rows.hpp"
#include "arch/round_up.hpp"

namespace condenser::arch {
namespace {

using Shapes = std::span<const Shape>;

template <class... Ops>
bool is(const Op& op, Shapes) {
  return (std::holds_alternative<Ops>(op) || ...);
}

// One input channel makes a convolution dense: its patches serve all outputs.
bool is_depthwise(const Op& op, Shapes in) {
  const auto* conv = std::get_if<Conv2d>(&op);
  return conv != nullptr && in[0].c > 1 && depthwise(*conv, in[0]);
}

// A product of one pixel, as a convolution too.
bool is_linear(const Op& op, Shapes in) {
  const auto* conv = std::get_if<Conv2d>(&op);
  const bool pixel = conv != nullptr && in[0].h == 1 && in[0].w == 1 && conv->kernel == square(1) &&
                     conv->pad == Pad{} && conv->groups == 1;
  return pixel || std::holds_alternative<Linear>(op);
}

// Of weights of 4 bits: the same kernel, which unpacks them.
template <bool (*kFits)(const Op&, Shapes)>
bool packed(const Op& op, Shapes in) {
  return weight_bits(op) == 4 && kFits(op, in);
}

bool always(const Op&, const Shape&, const Shape&) { return true; }

// A channel is read a few rows ahead of where it is written, and others are not touched. Padding of a whole window
// would let the first rows of the output run ahead of the reads.
bool keeps_its_channels(const Op& op, const Shape& in, const Shape& out) {
  const auto& conv = std::get<Conv2d>(op);
  return out.c == in.c && out.h <= in.h && out.w <= in.w && conv.pad.top < conv.kernel.h;
}

// Lines of patches of two pixels for a few rows of the output and the weights of two channels, 16 bits a value; see
// cnd_conv2d.h.
int64_t patches(const Op& op, const Shape& in, const Shape& out) {
  const auto& conv = std::get<Conv2d>(op);
  const int64_t line = 4 * round_up(in.c / conv.groups * conv.kernel.w, 4);
  return line * ((conv_rows(conv, in, out) - 1) * conv.stride.h + 2 * conv.kernel.h);
}

// A few padded rows of one channel and its weights, 16 bits a value; see cnd_depthwise.h.
int64_t padded_rows(const Op& op, const Shape&, const Shape& out) {
  const auto& conv = std::get<Conv2d>(op);
  struct Axis {
    int64_t out, kernel, stride;
  } across{out.h, conv.kernel.h, conv.stride.h}, along{out.w, conv.kernel.w, conv.stride.w};
  if (out.h > out.w && (out.w - 1) * conv.stride.w <= kDepthwiseRowsAhead) std::swap(across, along);
  const int64_t taps = round_up(along.kernel, 2);
  const int64_t row = round_up((round_up(along.out, 4) - 1) * along.stride + taps, 2);
  const int64_t lines = std::min(kDepthwiseRowsAhead / across.stride + 1, across.out);
  return 2 * (((lines - 1) * across.stride + across.kernel) * row + across.kernel * taps);
}

constexpr const char* kC = "C";
constexpr const char* kTable = "C, AVX-512 VBMI, NEON";
constexpr const char* kWide = "C, AVX2, AVX-512 VNNI, NEON";
constexpr const char* kDsp = "C, Arm DSP, AVX2, AVX-512 VNNI, NEON";
constexpr const char* kMve = "C, Arm DSP, Arm MVE, AVX2, AVX-512 VNNI, NEON";
constexpr const char* kArm = "C, Arm DSP, Arm MVE";

constexpr Kernel kKernels[] = {
    {"linear_w4", kArm, packed<is_linear>, nullptr, nullptr},
    {"depthwise_w4", kMve, packed<is_depthwise>, keeps_its_channels, padded_rows},
    {"conv2d_w4", kMve, packed<is<Conv2d>>, nullptr, patches},
    {"linear", kMve, is_linear, nullptr, nullptr},
    {"depthwise", kMve, is_depthwise, keeps_its_channels, padded_rows},
    {"conv2d", kMve, is<Conv2d>, nullptr, patches},
    {"activation", kTable, is<Activation, Scale>, always, nullptr},
    {"prelu", kC, is<PRelu>, always, nullptr},
    {"softmax_mul", kWide, is<SoftmaxMul>, always, nullptr},
    {"add", kMve, is<Add>, always, nullptr},
    {"mul", kWide, is<Mul>, always, nullptr},
    {"avg_pool", kDsp, is<AvgPool>, nullptr, nullptr},
    {"max_pool", kC, is<MaxPool>, nullptr, nullptr},
    {"global_avg_pool", kC, is<GlobalAvgPool>, nullptr, nullptr},
    {"blur_pool", kC, is<BlurPool>, nullptr, nullptr},
    {"upsample", kC, is<Upsample>, nullptr, nullptr},
    {"concat", kC, is<Concat>, nullptr, nullptr},
    {"slice", kC, is<Slice>, nullptr, nullptr},
    {"channel_shuffle", kC, is<ChannelShuffle>, nullptr, nullptr},
};

}  // namespace

std::span<const Kernel> kernels() { return kKernels; }

const Kernel* choose_kernel(const Op& op, Shapes in) {
  const auto row = std::ranges::find_if(kKernels, [&](const Kernel& kernel) { return kernel.fits(op, in); });
  return row == std::end(kKernels) ? nullptr : row;
}

}  // namespace condenser::arch
