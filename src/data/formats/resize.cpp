// Resizing with a triangle filter, which is bilinear interpolation when enlarging and a weighted area average when
// shrinking (the triangle is widened by the factor, so every source pixel counts). Integers throughout: the same bytes
// on every machine.
//
// Positions are in pixels of the file. The picture is [b, b+e) of them; source pixel x stands for the cell [xq, xq+q),
// of which [l, r) belongs to the picture and has its centre at (l+r)/2. Target pixel o of m has its centre at b +
// (2o+1)e/2m, so their distance is |(l+r-2b)m - (2o+1)e| / 2m; the triangle's half width is max(e, qm)/m. Times 2m, the
// weight is (r-l) max(0, 2 max(e, qm) - |(l+r-2b)m - (2o+1)e|), divided by the sum over the pixels that exist (the
// border is repeated).
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "core/clones.hpp"
#include "data/formats/image.hpp"

namespace condenser::data {
namespace {

constexpr int kWeightBits = 16;  // 65536 * 65280 still fits 32 bits, see below
constexpr int kRowBits = 8;      // below the point, between the two directions

// The source pixels of every target pixel: `taps` weights each, from first[o] on; they sum to 2^kWeightBits.
struct Axis {
  int taps = 0;
  std::vector<int> first;
  std::vector<uint32_t> weights;  // [m, taps], zeros at the end
};

struct Taps {
  int64_t first = 0, sum = 0;
  std::vector<int64_t> weights;
};

// `n` source pixels, of which `side` is the picture.
void find_taps(int64_t o, int64_t n, const Side& side, int64_t m, Taps& taps) {
  const int64_t b = side.begin, e = side.extent, q = side.cell;
  const int64_t half = 2 * std::max(e, q * m), center = (2 * o + 1) * e;
  taps.weights.clear();
  taps.sum = 0;
  // Two to spare in front, zero weights are dropped.
  for (int64_t x = std::max<int64_t>(0, ((center - half) / m + 2 * b) / (2 * q) - 2); x < n; ++x) {
    const int64_t l = std::max(x * q, b), r = std::min(x * q + q, b + e);
    const int64_t distance = (l + r - 2 * b) * m - center;
    if (r <= l || distance <= -half) continue;
    if (distance >= half) break;
    const int64_t weight = (r - l) * (half - std::abs(distance));
    if (taps.weights.empty()) taps.first = x;
    taps.weights.push_back(weight);
    taps.sum += weight;
  }
}

Axis make_axis(int n, Side side, int m) {
  if (side.extent == 0) side.extent = n * side.cell;
  Axis axis;
  // Centres in an open interval of length 2 max(e, qm)/m, q apart; those of cut cells lie nearer.
  const int64_t q = side.cell, width = 2 * std::max<int64_t>(side.extent, q * m), cut = q > 1 ? 2 : 0;
  axis.taps = static_cast<int>(std::min<int64_t>(n, (width + q * m - 1) / (q * m) + cut));
  axis.first.resize(m);
  axis.weights.assign(static_cast<size_t>(m) * axis.taps, 0);
  Taps taps;
  for (int o = 0; o < m; ++o) {
    find_taps(o, n, side, m, taps);
    // Zeros at the end must not read past the last pixel.
    const int64_t spare = std::max<int64_t>(0, taps.first + axis.taps - n);
    axis.first[o] = static_cast<int>(taps.first - spare);
    uint32_t* weights = axis.weights.data() + static_cast<size_t>(o) * axis.taps + spare;
    // Differences of rounded running sums: they sum exactly to one, and errors do not add up along the row.
    int64_t running = 0, before = 0;
    for (int64_t weight : taps.weights) {
      running += weight;
      const int64_t now = ((running << (kWeightBits + 1)) + taps.sum) / (2 * taps.sum);
      *weights++ = static_cast<uint32_t>(now - before);
      before = now;
    }
  }
  return axis;
}

// One row between the two directions: elements = w * c.
CONDENSER_CLONES
void blend_rows(const uint8_t* from, ptrdiff_t stride, const uint32_t* weights, int taps, int elements, uint32_t* to) {
  for (int e = 0; e < elements; ++e) to[e] = 1u << (kWeightBits - kRowBits - 1);
  for (int t = 0; t < taps; ++t, from += stride) {
    const uint32_t weight = weights[t];
    if (weight == 0) continue;
    for (int e = 0; e < elements; ++e) to[e] += weight * from[e];
  }
  for (int e = 0; e < elements; ++e) to[e] >>= kWeightBits - kRowBits;
}

// Across one row, into one row of each of C planes. At most 65280 * 2^16 + 2^23 < 2^32. Colours go through four lanes
// of a vector, of which the last is ignored; `row` is one element longer for that.
using Lanes = uint32_t __attribute__((vector_size(16)));

template <int C>
void blend_columns_of(const uint32_t* row, const Axis& axis, uint8_t* to, size_t plane) {
  constexpr int kShift = kWeightBits + kRowBits;
  const int taps = axis.taps;
  const uint32_t* weights = axis.weights.data();
  for (size_t x = 0; x < axis.first.size(); ++x, weights += taps) {
    const uint32_t* from = row + static_cast<size_t>(axis.first[x]) * C;
    if constexpr (C == 1) {
      uint32_t total = 1u << (kShift - 1);
      for (int t = 0; t < taps; ++t) total += weights[t] * from[t];
      to[x] = static_cast<uint8_t>(total >> kShift);
    } else {
      Lanes total = Lanes{} + (1u << (kShift - 1));
      for (int t = 0; t < taps; ++t) {
        Lanes pixel;
        std::memcpy(&pixel, from + t * C, sizeof pixel);
        total += weights[t] * pixel;
      }
      total >>= kShift;
      for (int k = 0; k < C; ++k) to[k * plane + x] = static_cast<uint8_t>(total[k]);
    }
  }
}

CONDENSER_CLONES void blend_columns(const uint32_t* row, int c, const Axis& axis, uint8_t* to, size_t plane) {
  c == 1 ? blend_columns_of<1>(row, axis, to, plane) : blend_columns_of<3>(row, axis, to, plane);
}

}  // namespace

void resize_to_planes(const View& from, int height, int width, std::span<uint8_t> planes) {
  const Axis down = make_axis(from.h, from.down, height), across = make_axis(from.w, from.across, width);
  std::vector<uint32_t> row(static_cast<size_t>(from.w) * from.c + 1);
  const size_t plane = static_cast<size_t>(height) * width;
  for (int y = 0; y < height; ++y) {
    blend_rows(from.pixels + down.first[y] * from.stride, from.stride,
               down.weights.data() + static_cast<size_t>(y) * down.taps, down.taps, from.w * from.c, row.data());
    uint8_t* to = planes.data() + static_cast<size_t>(y) * width;
    blend_columns(row.data(), from.c, across, to, plane);
  }
}

}  // namespace condenser::data
