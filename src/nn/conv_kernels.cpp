// Packs planes, lists the sources of a product, and puts its results where they belong.
#include "nn/conv_kernels.hpp"

#include <algorithm>

#include "condenser/arch/analysis.hpp"
#include "nn/clones.hpp"

namespace condenser::nn {
namespace {

using Floats = std::vector<float>;

// Whether rows, which fill vectors badly, had better go through a product of `count` sources together with the zeros
// between them: then each vector is written twice.
bool grid_pays(const Tiling& grid, const Tiling& rows, int64_t count) {
  constexpr int64_t kCopy = 12;  // as long as so many multiplications
  return grid.cost * static_cast<double>(count + kCopy) < rows.cost * static_cast<double>(count);
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
  typedef float Vector __attribute__((vector_size(32)));
  typedef float HalfVector __attribute__((vector_size(16)));
  if (width >= 8) return copy_lanes<Vector>(from, width, to);
  if (width >= 4) return copy_lanes<HalfVector>(from, width, to);
  for (int64_t i = 0; i < width; ++i) copy_lanes<float>(from + i, 1, to + i);
}

// Every step-th pixel; the usual step has a loop that the compiler can vectorize.
inline void copy_every(const float* __restrict from, int64_t step, int64_t count, float* __restrict to) {
  if (step == 2)
    for (int64_t k = 0; k < count; ++k) to[k] = from[2 * k];
  else
    for (int64_t k = 0; k < count; ++k) to[k] = from[step * k];
}

// The packed planes of some channels; `to` holds zeros where nothing is written.
CONDENSER_CLONED(pack_input, (const ConvGeometry& g, const float* x, int64_t channels, float* to),
                 (g, x, channels, to)) {
  const int64_t sh = g.op.stride.h, sw = g.op.stride.w, top = g.op.pad.top, left = g.op.pad.left;
  if (sh == 1 && sw == 1) {
    for (int64_t c = 0; c < channels; ++c) {
      float* row = to + c * g.plane + top * g.row + left;
      for (int64_t y = 0; y < g.in.h; ++y, x += g.in.w, row += g.row) copy_row(x, g.in.w, row);
    }
    return;
  }
  // Columns i with (i + left) % sw == phase, rows alike; phases that no tap reads stay as they are.
  for (int64_t phase = 0; phase < std::min<int64_t>(sw, g.op.kernel.w); ++phase) {
    const int64_t first = (left + sw - 1 - phase) / sw, start = first * sw + phase - left;
    const int64_t count = (g.in.w - start + sw - 1) / sw;
    for (int64_t c = 0; c < channels; ++c) {
      float* plane = to + (c * g.phases + phase) * g.plane + first;
      const float* row = x + c * g.in.h * g.in.w + start;
      for (int64_t y = 0; y < g.in.h; ++y, row += g.in.w) {
        const int64_t padded = y + top, row_phase = padded % sh;
        if (row_phase < g.op.kernel.h)
          copy_every(row, sw, count, plane + row_phase * sw * g.plane + padded / sh * g.row);
      }
    }
  }
}

// Planes [channels, h, w] to or from planes with rows `row` floats apart.
CONDENSER_CLONED(spread_rows,
                 (const float* from, int64_t channels, int64_t h, int64_t w, int64_t row, int64_t plane, float* to),
                 (from, channels, h, w, row, plane, to)) {
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t y = 0; y < h; ++y) copy_row(from + (c * h + y) * w, w, to + c * plane + y * row);
}
CONDENSER_CLONED(gather_rows,
                 (const float* from, int64_t channels, int64_t h, int64_t w, int64_t row, int64_t plane, float* to),
                 (from, channels, h, w, row, plane, to)) {
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t y = 0; y < h; ++y) copy_row(from + c * plane + y * row, w, to + (c * h + y) * w);
}

// Puts the products of the phases, `product` floats each, into the planes of the input's gradient. With stride 2 two
// phases make a row.
CONDENSER_CLONED(place_phases,
                 (const ConvGeometry& g, const float* products, int64_t product, int64_t channels, float* dx),
                 (g, products, product, channels, dx)) {
  const int64_t sh = g.op.stride.h, sw = g.op.stride.w, plane = product / channels;
  for (size_t i = 0; i < g.gradient.size(); ++i) {
    const GradientPhase& phase = g.gradient[i];
    if (phase.in_place) continue;
    const bool pair = sw == 2 && phase.left == 0 && g.in.w > 1;
    if (sw == 2 && phase.left == 1) continue;  // placed with its neighbour
    size_t other = i;
    while (pair && (g.gradient[other].top != phase.top || g.gradient[other].left != 1))
      other = (other + 1) % g.gradient.size();
    const GradientPhase& odd = g.gradient[other];
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t y = 0; y < phase.rows; ++y) {
        float* __restrict to = dx + (c * g.in.h + phase.top + y * sh) * g.in.w + phase.left;
        const float* __restrict from = products + static_cast<int64_t>(i) * product + c * plane + y * phase.product_row;
        if (sw == 1) {
          copy_row(from, phase.columns, to);
        } else if (pair) {
          const float* __restrict next =
              products + static_cast<int64_t>(other) * product + c * plane + y * odd.product_row;
          for (int64_t k = 0; k < odd.columns; ++k) {
            to[2 * k] = from[k];
            to[2 * k + 1] = next[k];
          }
          if (phase.columns > odd.columns) to[2 * odd.columns] = from[odd.columns];
        } else {
          for (int64_t k = 0; k < phase.columns; ++k) to[k * sw] = from[k];
        }
      }
  }
}

std::vector<const float*> list_sources(const float* planes, int64_t channels, int64_t channel_floats,
                                       const std::vector<Tap>& taps) {
  std::vector<const float*> sources;
  for (int64_t c = 0; c < channels; ++c)
    for (const Tap& tap : taps) sources.push_back(planes + c * channel_floats + tap.offset);
  return sources;
}

// Along one axis: the input positions of one phase and how far its taps reach beyond the output.
struct AxisPhase {
  int64_t first, count, q, taps;  // input position and number of positions; q of the first; taps
  AxisPhase(int64_t phase, int64_t in, int64_t pad, int64_t kernel, int64_t stride)
      : first(((phase - pad) % stride + stride) % stride),
        count(first < in ? (in - first + stride - 1) / stride : 0),
        q((first + pad) / stride),
        taps(phase < kernel ? (kernel - phase + stride - 1) / stride : 0) {}
};

// Zeros needed before and after the output along one axis.
struct Margins {
  int64_t before = 0, after = 0;
  void include(const AxisPhase& a, int64_t out) {
    if (a.count == 0 || a.taps == 0) return;
    before = std::max(before, a.taps - 1 - a.q);
    after = std::max(after, a.q + a.count - out);
  }
};

void plan_gradient(ConvGeometry& g) {
  const arch::Conv2d& op = g.op;
  std::vector<AxisPhase> rows, columns;
  Margins vertical, horizontal;
  for (int64_t r = 0; r < op.stride.h; ++r) {
    rows.emplace_back(r, g.in.h, op.pad.top, op.kernel.h, op.stride.h);
    vertical.include(rows.back(), g.out.h);
  }
  for (int64_t r = 0; r < op.stride.w; ++r) {
    columns.emplace_back(r, g.in.w, op.pad.left, op.kernel.w, op.stride.w);
    horizontal.include(columns.back(), g.out.w);
  }
  // The zeros right of a row serve as the zeros left of the next one.
  g.d_row = g.out.w + std::max(horizontal.before, horizontal.after);
  g.d_first = vertical.before * g.d_row + horizontal.before;
  g.d_plane = (vertical.before + g.out.h + vertical.after) * g.d_row + horizontal.before + horizontal.after;
  for (int64_t ry = 0; ry < op.stride.h; ++ry)
    for (int64_t rx = 0; rx < op.stride.w; ++rx) {
      const AxisPhase& y = rows[static_cast<size_t>(ry)];
      const AxisPhase& x = columns[static_cast<size_t>(rx)];
      if (y.count == 0 || x.count == 0) continue;
      GradientPhase phase{.top = y.first, .left = x.first, .rows = y.count, .columns = x.count};
      for (int64_t my = 0; my < y.taps; ++my)
        for (int64_t mx = 0; mx < x.taps; ++mx)
          phase.taps.push_back({g.d_first + (y.q - my) * g.d_row + x.q - mx,
                                (my * op.stride.h + ry) * op.kernel.w + mx * op.stride.w + rx});
      const int64_t grid = (y.count - 1) * g.d_row + x.count;
      phase.tiling = make_tiling(y.count, x.count, g.d_row, x.count);
      Tiling whole = make_tiling(1, grid, grid, grid);
      const bool pays = grid_pays(whole, phase.tiling, g.out_group() * static_cast<int64_t>(phase.taps.size()));
      if (pays) phase.tiling = std::move(whole);
      phase.in_place = !pays && g.phases == 1;
      phase.product_row = pays ? g.d_row : x.count;
      g.gradient.push_back(std::move(phase));
    }
}

}  // namespace

ConvGeometry conv_geometry(const arch::Shape& in, const arch::Conv2d& op) {
  ConvGeometry g{.in = in, .out = arch::node_cost("conv", op, {in}).shape, .op = op};
  const int64_t sh = op.stride.h, sw = op.stride.w;
  g.phases = sh * sw;
  g.direct = op.kernel == arch::Size{} && op.stride == arch::Size{} && op.pad == arch::Pad{};
  if (g.direct) {
    g.row = g.d_row = in.w;
    g.plane = g.d_plane = in.h * in.w;
    g.taps = {{0, 0}};
    g.tiling = make_tiling(in.h, in.w, in.w, in.w);
    g.gradient = {
        {.rows = in.h, .columns = in.w, .taps = g.taps, .tiling = g.tiling, .product_row = in.w, .in_place = true}};
    return g;
  }
  // With stride 1 the zeros right of a row serve as the zeros left of the next one.
  const int64_t width =
      sw == 1 ? in.w + std::max(op.pad.left, op.pad.right) : (in.w + op.pad.left + op.pad.right + sw - 1) / sw;
  g.row = std::max(width, g.out.w);
  g.grid = (g.out.h - 1) * g.row + g.out.w;
  int64_t last = 0;
  for (int64_t y = 0; y < op.kernel.h; ++y)
    for (int64_t x = 0; x < op.kernel.w; ++x) last = std::max(last, y / sh * g.row + x / sw);
  const int64_t rows = (in.h + op.pad.top + op.pad.bottom + sh - 1) / sh;
  g.plane = std::max(last + g.grid, rows * g.row + op.pad.left);
  for (int64_t y = 0; y < op.kernel.h; ++y)
    for (int64_t x = 0; x < op.kernel.w; ++x)
      g.taps.push_back({(y % sh * sw + x % sw) * g.plane + y / sh * g.row + x / sw, y * op.kernel.w + x});
  g.tiling = make_tiling(g.out.h, g.out.w, g.row, g.out.w);
  Tiling whole = make_tiling(1, g.grid, g.grid, g.grid);
  g.by_grid = grid_pays(whole, g.tiling, g.sources());
  if (g.by_grid) g.tiling = std::move(whole);
  plan_gradient(g);
  return g;
}

int64_t forward_weight_parts(const ConvGeometry& g) {
  return g.op.groups * static_cast<int64_t>(block_ends(g.tiling, g.out_group()).size());
}

void forward_weights(const ConvGeometry& g, const float* weight, int64_t part, float* weights) {
  const auto ends = block_ends(g.tiling, g.out_group());
  const auto blocks = static_cast<int64_t>(ends.size());
  const int64_t count = g.sources(), group = part / blocks * g.out_group() * count;
  const auto weight_of = [&](int64_t c, int64_t j) { return weight[group + c * count + j]; };
  arrange_block(ends, part % blocks, count, weight_of, weights + group);
}

// Phases may have blocks of different sizes: as many parts for each as the one with the most.
int64_t most_gradient_blocks(const ConvGeometry& g) {
  size_t most = 1;
  for (const GradientPhase& phase : g.gradient) most = std::max(most, block_ends(phase.tiling, g.in_group()).size());
  return static_cast<int64_t>(most);
}

int64_t gradient_weight_parts(const ConvGeometry& g) {
  return g.op.groups * static_cast<int64_t>(g.gradient.size()) * most_gradient_blocks(g);
}

void gradient_weights(const ConvGeometry& g, const float* weight, int64_t part, float* weights) {
  const auto phases = static_cast<int64_t>(g.gradient.size());
  const int64_t blocks = most_gradient_blocks(g), block = part % blocks, number = part / blocks % phases;
  const GradientPhase& phase = g.gradient[static_cast<size_t>(number)];
  const auto ends = block_ends(phase.tiling, g.in_group());
  const auto taps = static_cast<int64_t>(phase.taps.size());
  if (taps == 0 || block >= static_cast<int64_t>(ends.size())) return;
  const int64_t group = part / blocks / phases * g.out_group() * g.sources();
  weights += group;
  for (int64_t k = 0; k < number; ++k)
    weights += g.in_group() * g.out_group() * static_cast<int64_t>(g.gradient[static_cast<size_t>(k)].taps.size());
  const auto weight_of = [&](int64_t in, int64_t j) {
    return weight[group + (j / taps * g.in_group() + in) * g.kernel() +
                  phase.taps[static_cast<size_t>(j % taps)].index];
  };
  arrange_block(ends, block, g.out_group() * taps, weight_of, weights);
}

void conv_forward(const ConvGeometry& g, const float* x, const float* weights, const float* bias, int64_t images,
                  float* y) {
  const int64_t in_group = g.in_group(), out_group = g.out_group(), out_plane = g.out.h * g.out.w;
  Floats packed(static_cast<size_t>(g.direct ? 0 : in_group * g.phases * g.plane), 0.0f);
  Floats product(static_cast<size_t>(g.by_grid ? out_group * g.grid : 0));
  const auto sources = list_sources(g.direct ? x : packed.data(), in_group, g.phases * g.plane, g.taps);
  for (int64_t i = 0; i < images; ++i)
    for (int64_t group = 0; group < g.op.groups; ++group) {
      const int64_t from = i * g.in.elements() + group * in_group * g.in.h * g.in.w;
      float* out = y + i * g.out.elements() + group * out_group * out_plane;
      if (!g.direct) pack_input(g, x + from, in_group, packed.data());
      multiply({.sources = sources.data(),
                .source_offset = g.direct ? from : 0,
                .count = g.sources(),
                .weights = weights + group * out_group * g.sources(),
                .bias = bias != nullptr ? bias + group * out_group : nullptr,
                .channels = out_group,
                .tiling = &g.tiling,
                .out = g.by_grid ? product.data() : out,
                .out_plane = g.by_grid ? g.grid : out_plane});
      if (g.by_grid) gather_rows(product.data(), out_group, g.out.h, g.out.w, g.row, g.grid, out);
    }
}

void conv_input_gradient(const ConvGeometry& g, const float* dy, const float* weights, int64_t images, float* dx) {
  const int64_t in_group = g.in_group(), out_group = g.out_group(), in_plane = g.in.h * g.in.w;
  Floats packed(static_cast<size_t>(g.direct ? 0 : out_group * g.d_plane), 0.0f);
  std::vector<std::vector<const float*>> sources;
  int64_t largest = 0;  // plane of a product
  for (const GradientPhase& phase : g.gradient) {
    sources.push_back(list_sources(g.direct ? dy : packed.data(), out_group, g.d_plane, phase.taps));
    if (!phase.in_place) largest = std::max(largest, phase.rows * phase.product_row);
  }
  const int64_t product = in_group * largest;
  Floats products(static_cast<size_t>(product) * g.gradient.size(), 0.0f);  // zeros where no tap reaches
  for (int64_t i = 0; i < images; ++i)
    for (int64_t group = 0; group < g.op.groups; ++group) {
      const int64_t from = i * g.out.elements() + group * out_group * g.out.h * g.out.w;
      float* to = dx + i * g.in.elements() + group * in_group * in_plane;
      if (!g.direct) spread_rows(dy + from, out_group, g.out.h, g.out.w, g.d_row, g.d_plane, packed.data() + g.d_first);
      const float* w = weights + group * out_group * g.sources();
      for (size_t k = 0; k < g.gradient.size(); ++k) {
        const GradientPhase& phase = g.gradient[k];
        const auto count = static_cast<int64_t>(sources[k].size());
        if (count > 0)
          multiply({.sources = sources[k].data(),
                    .source_offset = g.direct ? from : 0,
                    .count = count,
                    .weights = w,
                    .bias = nullptr,
                    .channels = in_group,
                    .tiling = &phase.tiling,
                    .out = phase.in_place ? to : products.data() + static_cast<int64_t>(k) * product,
                    .out_plane = phase.in_place ? in_plane : largest});
        w += in_group * count;
      }
      if (product > 0) place_phases(g, products.data(), product, in_group, to);
    }
}

void conv_weight_gradient(const ConvGeometry& g, const float* x, const float* dy, int64_t images,
                          const ChannelRange& range, float* d_weight) {
  const int64_t in_group = g.in_group(), in_plane = g.in.h * g.in.w, out_plane = g.out.h * g.out.w;
  const int64_t packed_image = in_group * g.phases * g.plane;
  x += range.group * in_group * in_plane;
  const int64_t channel = range.group * g.out_group() + range.first;
  dy += channel * out_plane;
  Floats packed(static_cast<size_t>(g.direct ? 0 : images * packed_image), 0.0f);
  Floats gradients(static_cast<size_t>(g.by_grid ? images * range.count * g.grid : 0), 0.0f);
  for (int64_t i = 0; i < images; ++i) {
    if (!g.direct) pack_input(g, x + i * g.in.elements(), in_group, packed.data() + i * packed_image);
    if (g.by_grid)
      spread_rows(dy + i * g.out.elements(), range.count, g.out.h, g.out.w, g.row, g.grid,
                  gradients.data() + i * range.count * g.grid);
  }
  const auto sources = list_sources(g.direct ? x : packed.data(), in_group, g.phases * g.plane, g.taps);
  add_weight_product({.dy = g.by_grid ? gradients.data() : dy,
                      .dy_image = g.by_grid ? range.count * g.grid : g.out.elements(),
                      .dy_plane = g.by_grid ? g.grid : out_plane,
                      .sources = sources.data(),
                      .source_image = g.direct ? g.in.elements() : packed_image,
                      .count = g.sources(),
                      .channels = range.count,
                      .images = images,
                      .tiling = &g.tiling,
                      .d_weight = d_weight + channel * g.sources()});
}

void conv_weight_gradient(const ConvGeometry& g, const float* x, const float* dy, int64_t images, float* d_weight) {
  for (int64_t group = 0; group < g.op.groups; ++group)
    conv_weight_gradient(g, x, dy, images, {group, 0, g.out_group()}, d_weight);
}

}  // namespace condenser::nn
