// Resizing with a triangle filter, which is bilinear interpolation when enlarging and a weighted area average when
// shrinking (the triangle is widened by the factor, so every source pixel counts). Weights are exact integers: the same
// bytes on every machine.
//
// Target pixel o of m covers the source position (2o+1)n/2m of n pixels. Source pixel x lies at (2x+1)/2, so their
// distance is |(2x+1)m - (2o+1)n| / 2m; the triangle's half width is max(n,m)/m. Scaled by 2 max(n,m), the weight is
// max(0, 2 max(n,m) - |(2x+1)m - (2o+1)n|), divided by the sum over the pixels that exist (the border is repeated).
#include <algorithm>
#include <cstdlib>

#include "data/formats/image.hpp"

namespace condenser::data {
namespace {

struct Taps {
  int first = 0;
  int64_t sum = 0;
  std::vector<int64_t> weights;  // of first, first + 1, ...
};

Taps taps_of(int64_t o, int64_t n, int64_t m) {
  const int64_t half = 2 * std::max(n, m), center = (2 * o + 1) * n;
  Taps taps;
  // (2x+1)m > center - half; one to spare on either side, zero weights are dropped.
  int64_t x = std::max<int64_t>(0, ((center - half) / m - 1) / 2 - 1);
  for (; x < n && (2 * x + 1) * m - center < half; ++x) {
    const int64_t weight = half - std::abs((2 * x + 1) * m - center);
    if (weight <= 0) continue;
    if (taps.weights.empty()) taps.first = static_cast<int>(x);
    taps.weights.push_back(weight);
    taps.sum += weight;
  }
  return taps;
}

std::vector<Taps> all_taps(int n, int m) {
  std::vector<Taps> all;
  for (int o = 0; o < m; ++o) all.push_back(taps_of(o, n, m));
  return all;
}

}  // namespace

void resize_to_planes(const Picture& picture, int height, int width, std::span<uint8_t> planes) {
  const int c = picture.c;
  // Across: rows keep 8 bits below the point, [h, width, c].
  constexpr int64_t kOne = 256;
  const std::vector<Taps> across = all_taps(picture.w, width);
  std::vector<uint16_t> rows(static_cast<size_t>(picture.h) * width * c);
  uint16_t* to = rows.data();
  for (int y = 0; y < picture.h; ++y) {
    const uint8_t* row = picture.pixels.data() + static_cast<size_t>(y) * picture.w * c;
    for (const Taps& taps : across) {
      for (int k = 0; k < c; ++k) {
        int64_t total = 0;
        const uint8_t* from = row + static_cast<size_t>(taps.first) * c + k;
        for (size_t t = 0; t < taps.weights.size(); ++t) total += taps.weights[t] * from[t * c];
        *to++ = static_cast<uint16_t>((total * kOne + taps.sum / 2) / taps.sum);
      }
    }
  }
  // Down, into planes.
  const std::vector<Taps> down = all_taps(picture.h, height);
  const size_t stride = static_cast<size_t>(width) * c;
  for (int k = 0; k < c; ++k) {
    for (int y = 0; y < height; ++y) {
      const Taps& taps = down[y];
      for (int x = 0; x < width; ++x) {
        int64_t total = 0;
        const uint16_t* from = rows.data() + taps.first * stride + static_cast<size_t>(x) * c + k;
        for (size_t t = 0; t < taps.weights.size(); ++t) total += taps.weights[t] * from[t * stride];
        const int64_t whole = taps.sum * kOne;
        planes[(static_cast<size_t>(k) * height + y) * width + x] = static_cast<uint8_t>((total + whole / 2) / whole);
      }
    }
  }
}

}  // namespace condenser::data
