// Convolution as a matrix product over moved planes. Registers hold 4 output channels x 3 vectors of pixels (forward)
// or 4 output channels x 3 sources (weight gradient).
#include "nn/conv_kernels.hpp"

#include <algorithm>

#include "condenser/arch/analysis.hpp"
#include "nn/clones.hpp"

namespace condenser::nn {
namespace {

constexpr int64_t kLanes = 8;
typedef float Vector __attribute__((vector_size(32)));
typedef float UnalignedVector __attribute__((vector_size(32), aligned(4), may_alias));

inline Vector load(const float* from) { return *reinterpret_cast<const UnalignedVector*>(from); }
inline void store(float* to, const Vector& v) { *reinterpret_cast<UnalignedVector*>(to) = v; }

// out[c * out_stride + at ...] for Channels channels and Vectors vectors of pixels from `at` on.
template <int Channels, int Vectors>
inline void forward_block(const float* const* sources, int64_t count, const float* weight, int64_t at, float* out,
                          int64_t out_stride) {
  Vector sum[Channels][Vectors] = {};
  for (int64_t j = 0; j < count; ++j) {
    Vector x[Vectors];
    for (int v = 0; v < Vectors; ++v) x[v] = load(sources[j] + at + v * kLanes);
    for (int c = 0; c < Channels; ++c) {
      const float w = weight[c * count + j];
      for (int v = 0; v < Vectors; ++v) sum[c][v] += w * x[v];
    }
  }
  for (int c = 0; c < Channels; ++c)
    for (int v = 0; v < Vectors; ++v) store(out + c * out_stride + at + v * kLanes, sum[c][v]);
}

// All pixels of Channels output channels; the last vector overlaps the one before.
template <int Channels>
inline void forward_channels(const float* const* sources, int64_t count, const float* weight, int64_t pixels,
                             float* out, int64_t out_stride) {
  int64_t at = 0;
  for (; at + 3 * kLanes <= pixels; at += 3 * kLanes)
    forward_block<Channels, 3>(sources, count, weight, at, out, out_stride);
  for (; at + kLanes <= pixels; at += kLanes) forward_block<Channels, 1>(sources, count, weight, at, out, out_stride);
  if (at == pixels) return;
  if (pixels >= kLanes) {
    forward_block<Channels, 1>(sources, count, weight, pixels - kLanes, out, out_stride);
    return;
  }
  for (; at < pixels; ++at)
    for (int c = 0; c < Channels; ++c) {
      float sum = 0.0f;
      for (int64_t j = 0; j < count; ++j) sum += weight[c * count + j] * sources[j][at];
      out[c * out_stride + at] = sum;
    }
}

CONDENSER_CLONES void multiply(const float* const* sources, int64_t count, const float* weight, int64_t channels,
                               int64_t pixels, float* out, int64_t out_stride) {
  int64_t c = 0;
  for (; c + 4 <= channels; c += 4)
    forward_channels<4>(sources, count, weight + c * count, pixels, out + c * out_stride, out_stride);
  if (channels - c == 3)
    forward_channels<3>(sources, count, weight + c * count, pixels, out + c * out_stride, out_stride);
  if (channels - c == 2)
    forward_channels<2>(sources, count, weight + c * count, pixels, out + c * out_stride, out_stride);
  if (channels - c == 1)
    forward_channels<1>(sources, count, weight + c * count, pixels, out + c * out_stride, out_stride);
}

inline float horizontal_sum(const Vector& v) {
  return ((v[0] + v[4]) + (v[1] + v[5])) + ((v[2] + v[6]) + (v[3] + v[7]));
}

// Planes of several images: plane p of image i at base + i * image + p * plane.
struct Planes {
  const float* base;
  int64_t image, plane;
};

// d_weight[c][j] += sum over images and pixels of dy[c] * source_j.
template <int Channels, int Sources>
inline void weight_block(const Planes& dy, const float* const* sources, int64_t source_image, int64_t images,
                         int64_t pixels, float* d_weight, int64_t count) {
  Vector sum[Channels][Sources] = {};
  float tail[Channels][Sources] = {};
  for (int64_t i = 0; i < images; ++i) {
    const float* d = dy.base + i * dy.image;
    const int64_t from = i * source_image;
    int64_t at = 0;
    for (; at + kLanes <= pixels; at += kLanes) {
      Vector x[Sources];
      for (int j = 0; j < Sources; ++j) x[j] = load(sources[j] + from + at);
      for (int c = 0; c < Channels; ++c) {
        const Vector g = load(d + c * dy.plane + at);
        for (int j = 0; j < Sources; ++j) sum[c][j] += g * x[j];
      }
    }
    for (; at < pixels; ++at)
      for (int c = 0; c < Channels; ++c)
        for (int j = 0; j < Sources; ++j) tail[c][j] += d[c * dy.plane + at] * sources[j][from + at];
  }
  for (int c = 0; c < Channels; ++c)
    for (int j = 0; j < Sources; ++j) d_weight[c * count + j] += horizontal_sum(sum[c][j]) + tail[c][j];
}

template <int Channels>
inline void weight_channels(const Planes& dy, const float* const* sources, int64_t source_image, int64_t count,
                            int64_t images, int64_t pixels, float* d_weight) {
  int64_t j = 0;
  for (; j + 3 <= count; j += 3)
    weight_block<Channels, 3>(dy, sources + j, source_image, images, pixels, d_weight + j, count);
  for (; j < count; ++j) weight_block<Channels, 1>(dy, sources + j, source_image, images, pixels, d_weight + j, count);
}

CONDENSER_CLONES void weight_product(Planes dy, const float* const* sources, int64_t source_image, int64_t count,
                                     int64_t channels, int64_t images, int64_t pixels, float* d_weight) {
  for (int64_t c = 0; c < channels;) {
    const int64_t left = channels - c;
    float* to = d_weight + c * count;
    if (left >= 4)
      weight_channels<4>(dy, sources, source_image, count, images, pixels, to);
    else if (left == 3)
      weight_channels<3>(dy, sources, source_image, count, images, pixels, to);
    else if (left == 2)
      weight_channels<2>(dy, sources, source_image, count, images, pixels, to);
    else
      weight_channels<1>(dy, sources, source_image, count, images, pixels, to);
    const int64_t done = std::min<int64_t>(4, left);
    c += done;
    dy.base += done * dy.plane;
  }
}

// Copies a row of a plane; rows are too short for memcpy to pay off. The last vector overlaps the one before.
template <class Wide>
inline void copy_lanes(const float* from, int64_t width, float* to) {
  typedef Wide Unaligned __attribute__((aligned(4), may_alias));
  constexpr int64_t kWidth = sizeof(Wide) / sizeof(float);
  const auto copy = [&](int64_t at) {
    *reinterpret_cast<Unaligned*>(to + at) = *reinterpret_cast<const Unaligned*>(from + at);
  };
  for (int64_t i = 0; i + kWidth < width; i += kWidth) copy(i);
  copy(width - kWidth);
}

inline void copy_row(const float* from, int64_t width, float* to) {
  typedef float HalfVector __attribute__((vector_size(16)));
  if (width >= kLanes) return copy_lanes<Vector>(from, width, to);
  if (width >= kLanes / 2) return copy_lanes<HalfVector>(from, width, to);
  for (int64_t i = 0; i < width; ++i) copy_lanes<float>(from + i, 1, to + i);
}

// The packed planes of one image; `to` holds zeros where nothing is written.
CONDENSER_CLONES void pack_input(const ConvGeometry& g, const float* x, float* to) {
  const int64_t sh = g.op.stride.h, sw = g.op.stride.w, top = g.op.pad.top, left = g.op.pad.left;
  if (sh == 1 && sw == 1) {
    for (int64_t c = 0; c < g.in.c; ++c) {
      float* row = to + c * g.plane + top * g.row + left;
      for (int64_t y = 0; y < g.in.h; ++y, x += g.in.w, row += g.row) copy_row(x, g.in.w, row);
    }
    return;
  }
  for (int64_t c = 0; c < g.in.c; ++c)
    for (int64_t y = 0; y < g.in.h; ++y, x += g.in.w) {
      const int64_t padded = y + top;
      float* row = to + (c * g.phases + padded % sh * sw) * g.plane + padded / sh * g.row;
      for (int64_t phase = 0; phase < sw; ++phase) {  // columns i with (i + left) % sw == phase
        const int64_t first = (left + sw - 1 - phase) / sw;
        float* out = row + phase * g.plane + first;
        const int64_t start = first * sw + phase - left;
        const int64_t count = (g.in.w - start + sw - 1) / sw;
        for (int64_t k = 0; k < count; ++k) out[k] = x[start + k * sw];
      }
    }
}

// Output planes with rows `row` floats apart and zeros between them.
CONDENSER_CLONES void pack_output(const ConvGeometry& g, const float* y, int64_t plane, float* to) {
  for (int64_t c = 0; c < g.out.c; ++c)
    for (int64_t r = 0; r < g.out.h; ++r)
      copy_row(y + (c * g.out.h + r) * g.out.w, g.out.w, to + c * plane + r * g.row);
}

CONDENSER_CLONES void unpack_output(const ConvGeometry& g, const float* packed, int64_t channels, int64_t plane,
                                    float* y) {
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t r = 0; r < g.out.h; ++r)
      copy_row(packed + c * plane + r * g.row, g.out.w, y + (c * g.out.h + r) * g.out.w);
}

// Where the sources of one group start, given the packed (or direct) planes of an image.
void list_sources(const ConvGeometry& g, const float* planes, int64_t group, std::vector<const float*>& sources) {
  const int64_t channels = g.in.c / g.op.groups;
  const int64_t channel_floats = g.direct ? g.in.h * g.in.w : g.phases * g.plane;
  sources.clear();
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t offset : g.tap) sources.push_back(planes + (group * channels + c) * channel_floats + offset);
}

int64_t round_up(int64_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

}  // namespace

ConvGeometry conv_geometry(const arch::Shape& in, const arch::Conv2d& op) {
  ConvGeometry g{.in = in, .out = arch::node_cost("conv", op, {in}).shape, .op = op};
  const int64_t sh = op.stride.h, sw = op.stride.w;
  g.phases = sh * sw;
  g.direct = op.kernel == arch::Size{} && op.stride == arch::Size{} && op.pad == arch::Pad{};
  g.sources = in.c / op.groups * op.kernel.h * op.kernel.w;
  // With stride 1 the zeros right of a row serve as the zeros left of the next one.
  const int64_t width =
      sw == 1 ? in.w + std::max(op.pad.left, op.pad.right) : (in.w + op.pad.left + op.pad.right + sw - 1) / sw;
  g.row = g.direct ? in.w : std::max(width, g.out.w);
  g.grid = (g.out.h - 1) * g.row + g.out.w;
  int64_t last = 0;
  for (int64_t y = 0; y < op.kernel.h; ++y)
    for (int64_t x = 0; x < op.kernel.w; ++x) last = std::max(last, y / sh * g.row + x / sw);
  const int64_t rows = (in.h + op.pad.top + op.pad.bottom + sh - 1) / sh;
  g.plane = round_up(std::max(last + round_up(g.grid), rows * g.row + op.pad.left));
  g.packed_image = in.c * g.phases * g.plane;
  for (int64_t y = 0; y < op.kernel.h; ++y)
    for (int64_t x = 0; x < op.kernel.w; ++x)
      g.tap.push_back((y % sh * sw + x % sw) * g.plane + y / sh * g.row + x / sw);
  return g;
}

bool has_transposed(const arch::Conv2d& op) {
  return op.stride == arch::Size{} && op.pad.top < op.kernel.h && op.pad.bottom < op.kernel.h &&
         op.pad.left < op.kernel.w && op.pad.right < op.kernel.w;
}

ConvGeometry transposed_geometry(const ConvGeometry& g) {
  arch::Conv2d op = g.op;
  op.out = static_cast<int>(g.in.c);
  op.pad = {g.op.kernel.h - 1 - g.op.pad.top, g.op.kernel.h - 1 - g.op.pad.bottom, g.op.kernel.w - 1 - g.op.pad.left,
            g.op.kernel.w - 1 - g.op.pad.right};
  return conv_geometry(g.out, op);
}

void transpose_weight(const ConvGeometry& g, const float* weight, float* transposed) {
  const int64_t taps = int64_t{g.op.kernel.h} * g.op.kernel.w;
  const int64_t in_group = g.in.c / g.op.groups, out_group = g.out.c / g.op.groups;
  for (int64_t group = 0; group < g.op.groups; ++group)
    for (int64_t o = 0; o < out_group; ++o)
      for (int64_t i = 0; i < in_group; ++i)
        for (int64_t t = 0; t < taps; ++t)
          transposed[((group * in_group + i) * out_group + o) * taps + taps - 1 - t] =
              weight[((group * out_group + o) * in_group + i) * taps + t];
}

void conv_forward(const ConvGeometry& g, const float* x, const float* weight, int64_t images, float* y) {
  const int64_t out_group = g.out.c / g.op.groups, out_plane = g.out.h * g.out.w;
  const int64_t packed_plane = round_up(g.grid);
  std::vector<float> packed(static_cast<size_t>(g.direct ? 0 : g.packed_image), 0.0f);
  std::vector<float> result(static_cast<size_t>(g.row == g.out.w ? 0 : out_group * packed_plane));
  std::vector<const float*> sources;
  for (int64_t i = 0; i < images; ++i) {
    const float* image = x + i * g.in.elements();
    if (!g.direct) pack_input(g, image, packed.data());
    for (int64_t group = 0; group < g.op.groups; ++group) {
      list_sources(g, g.direct ? image : packed.data(), group, sources);
      const float* w = weight + group * out_group * g.sources;
      float* out = y + i * g.out.elements() + group * out_group * out_plane;
      if (g.row == g.out.w) {
        multiply(sources.data(), g.sources, w, out_group, out_plane, out, out_plane);
      } else {
        multiply(sources.data(), g.sources, w, out_group, packed_plane, result.data(), packed_plane);
        unpack_output(g, result.data(), out_group, packed_plane, out);
      }
    }
  }
}

void conv_weight_gradient(const ConvGeometry& g, const float* x, const float* dy, int64_t images, float* d_weight) {
  const int64_t out_group = g.out.c / g.op.groups;
  const bool dense = g.row == g.out.w;
  const int64_t packed_plane = round_up(g.grid), out_plane = g.out.h * g.out.w;
  std::vector<float> packed(static_cast<size_t>(g.direct ? 0 : images * g.packed_image), 0.0f);
  std::vector<float> gradients(static_cast<size_t>(dense ? 0 : images * g.out.c * packed_plane), 0.0f);
  if (!g.direct)
    for (int64_t i = 0; i < images; ++i) pack_input(g, x + i * g.in.elements(), packed.data() + i * g.packed_image);
  if (!dense)
    for (int64_t i = 0; i < images; ++i)
      pack_output(g, dy + i * g.out.elements(), packed_plane, gradients.data() + i * g.out.c * packed_plane);
  const float* planes = g.direct ? x : packed.data();
  const int64_t source_image = g.direct ? g.in.elements() : g.packed_image;
  Planes d =
      dense ? Planes{dy, g.out.elements(), out_plane} : Planes{gradients.data(), g.out.c * packed_plane, packed_plane};
  std::vector<const float*> sources;
  for (int64_t group = 0; group < g.op.groups; ++group) {
    list_sources(g, planes, group, sources);
    weight_product(d, sources.data(), source_image, g.sources, out_group, images, dense ? out_plane : packed_plane,
                   d_weight + group * out_group * g.sources);
    d.base += out_group * d.plane;
  }
}

CONDENSER_CLONES void halve_forward(const float* x, int64_t planes, int64_t h, int64_t w, float* y) {
  for (int64_t p = 0; p < planes; ++p, x += h * w)
    for (int64_t r = 0; r < h / 2; ++r, y += w / 2) {
      const float* __restrict upper = x + 2 * r * w;
      const float* __restrict lower = upper + w;
      for (int64_t i = 0; i < w / 2; ++i)
        y[i] = 0.25f * ((upper[2 * i] + upper[2 * i + 1]) + (lower[2 * i] + lower[2 * i + 1]));
    }
}

CONDENSER_CLONES void halve_backward(const float* dy, int64_t planes, int64_t h, int64_t w, float* dx) {
  for (int64_t p = 0; p < planes; ++p, dx += h * w) {
    for (int64_t r = 0; r < h / 2; ++r, dy += w / 2)
      for (int64_t k = 0; k < 2; ++k) {
        float* __restrict row = dx + (2 * r + k) * w;
        for (int64_t i = 0; i < w / 2; ++i) row[2 * i] = row[2 * i + 1] = 0.25f * dy[i];
        if (w % 2 == 1) row[w - 1] = 0.0f;
      }
    if (h % 2 == 1) std::fill(dx + (h - 1) * w, dx + h * w, 0.0f);
  }
}

}  // namespace condenser::nn
