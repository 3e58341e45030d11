// Moves by whole pixels, and one bilinear warp for everything else. Coordinates of the warp are fixed-point numbers
// with 16 bits of fraction, so that quarter turns are exact and every machine reads the same pixels.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "train/augment/image.hpp"

namespace condenser::train {
namespace {

constexpr int kFraction = 16;
constexpr int64_t kOne = int64_t{1} << kFraction;

int64_t fixed(double value) { return std::llround(value * static_cast<double>(kOne)); }

// The place inside [0, last] that a mirror at both ends shows; the border itself is not repeated.
int64_t mirrored(int64_t at, int64_t last) {
  if (at >= 0 && at <= last) return at;
  if (last == 0) return 0;
  at = std::abs(at) % (2 * last);
  return at <= last ? at : 2 * last - at;
}

// For each place along an axis the one it comes from, -1: outside.
std::vector<int64_t> sources(int64_t extent, int64_t shift, bool flip, bool reflect) {
  std::vector<int64_t> from(static_cast<size_t>(extent));
  for (int64_t i = 0; i < extent; ++i) {
    int64_t at = i - shift;
    if (reflect) at = mirrored(at, extent - 1);
    const bool inside = at >= 0 && at < extent;
    from[static_cast<size_t>(i)] = !inside ? -1 : flip ? extent - 1 - at : at;
  }
  return from;
}

}  // namespace

void move(Image& image, const Move& m) {
  if (m.down == 0 && m.right == 0 && !m.flip && !m.vertical_flip) return;
  const auto [channels, h, w] = image.shape;
  const auto rows = sources(h, m.down, m.vertical_flip, image.reflect);
  auto columns = sources(w, m.right, m.flip, image.reflect);
  for (auto& x : columns)
    if (x < 0) x = w;  // a column of the fill value behind each row
  const int64_t stride = w + 1;
  image.scratch.resize(static_cast<size_t>(h * stride));
  for (int64_t c = 0; c < channels; ++c) {
    const float outside = image.outside[static_cast<size_t>(c)];
    float* plane = image.plane(c);
    for (int64_t y = 0; y < h; ++y) {
      float* row = image.scratch.data() + y * stride;
      std::copy(plane + y * w, plane + (y + 1) * w, row);
      row[w] = outside;
    }
    for (int64_t y = 0; y < h; ++y) {
      float* to = plane + y * w;
      const int64_t source = rows[static_cast<size_t>(y)];
      if (source < 0) {
        std::fill(to, to + w, outside);
        continue;
      }
      const float* from = image.scratch.data() + source * stride;
      for (int64_t x = 0; x < w; ++x) to[x] = from[columns[static_cast<size_t>(x)]];
    }
  }
}

Affine rotation(double degrees) {
  const double angle = degrees * std::numbers::pi / 180;
  return {.xx = std::cos(angle), .xy = -std::sin(angle), .yx = std::sin(angle), .yy = std::cos(angle)};
}

Affine scaling(double factor) { return {.xx = 1 / factor, .yy = 1 / factor}; }

Affine shearing(double along_x, double along_y) { return then({.xy = -along_x}, {.yx = -along_y}); }

Affine translation(double right, double down) { return {.x0 = -right, .y0 = -down}; }

Affine mirror(bool flip, bool vertical_flip) { return {.xx = flip ? -1.0 : 1.0, .yy = vertical_flip ? -1.0 : 1.0}; }

// A pixel of the last picture is followed back through the second change, then through the first.
Affine then(const Affine& a, const Affine& b) {
  return {.xx = a.xx * b.xx + a.xy * b.yx,
          .xy = a.xx * b.xy + a.xy * b.yy,
          .yx = a.yx * b.xx + a.yy * b.yx,
          .yy = a.yx * b.xy + a.yy * b.yy,
          .x0 = a.xx * b.x0 + a.xy * b.y0 + a.x0,
          .y0 = a.yx * b.x0 + a.yy * b.y0 + a.y0};
}

void warp(Image& image, const Affine& map) {
  const auto [channels, h, w] = image.shape;
  // Planes with a frame of the fill value, one pixel before and two behind: every place in [-1, w] has both neighbours.
  const int64_t stride = w + 3, padded = stride * (h + 3);
  image.scratch.resize(static_cast<size_t>(channels * padded));
  for (int64_t c = 0; c < channels; ++c) {
    float* to = image.scratch.data() + c * padded;
    std::fill(to, to + padded, image.outside[static_cast<size_t>(c)]);
    for (int64_t y = 0; y < h; ++y) std::copy_n(image.plane(c) + y * w, w, to + (y + 1) * stride + 1);
  }

  const double middle_x = static_cast<double>(w - 1) / 2, middle_y = static_cast<double>(h - 1) / 2;
  const int64_t xx = fixed(map.xx), xy = fixed(map.xy), yx = fixed(map.yx), yy = fixed(map.yy);
  const int64_t first_x = fixed(map.x0 + middle_x - map.xx * middle_x - map.xy * middle_y);
  const int64_t first_y = fixed(map.y0 + middle_y - map.yx * middle_x - map.yy * middle_y);
  const auto inside = [&](int64_t at, int64_t extent) {
    return image.reflect ? mirrored(at, (extent - 1) * kOne) : std::clamp(at, -kOne, extent * kOne);
  };
  struct Tap {
    int64_t at;
    float x, y;  // weights of the right and the lower neighbours
  };
  std::vector<Tap> taps(static_cast<size_t>(w));
  for (int64_t y = 0; y < h; ++y) {
    for (int64_t x = 0; x < w; ++x) {
      const int64_t from_x = inside(first_x + x * xx + y * xy, w), from_y = inside(first_y + x * yx + y * yy, h);
      constexpr float kUnit = 1.0f / static_cast<float>(kOne);
      taps[static_cast<size_t>(x)] = {((from_y >> kFraction) + 1) * stride + (from_x >> kFraction) + 1,
                                      static_cast<float>(from_x & (kOne - 1)) * kUnit,
                                      static_cast<float>(from_y & (kOne - 1)) * kUnit};
    }
    for (int64_t c = 0; c < channels; ++c) {
      const float* from = image.scratch.data() + c * padded;
      float* to = image.plane(c) + y * w;
      for (int64_t x = 0; x < w; ++x) {
        const Tap tap = taps[static_cast<size_t>(x)];
        const float* p = from + tap.at;
        const float upper = p[0] + tap.x * (p[1] - p[0]);
        const float lower = p[stride] + tap.x * (p[stride + 1] - p[stride]);
        to[x] = upper + tap.y * (lower - upper);
      }
    }
  }
}

}  // namespace condenser::train
