// Resizing against the formula in floating point, and properties that any resampling filter must have.
#include <algorithm>
#include <cmath>

#include "condenser/core/rng.hpp"
#include "data/formats/image.hpp"
#include "support/catch.hpp"

using namespace condenser::data;

namespace {

Picture random_picture(int c, int h, int w, uint64_t seed) {
  Picture picture{c, h, w, std::vector<uint8_t>(static_cast<size_t>(c) * h * w)};
  condenser::core::Rng rng(seed);
  for (uint8_t& value : picture.pixels) value = static_cast<uint8_t>(rng.below(256));
  return picture;
}

std::vector<uint8_t> resized(const Picture& picture, int h, int w) {
  std::vector<uint8_t> planes(static_cast<size_t>(picture.c) * h * w);
  resize_to_planes(view_of(picture), h, w, planes);
  return planes;
}

// The same filter written as the continuous formula, all in double, both directions at once.
double reference(const Picture& p, int channel, int h, int w, int y, int x) {
  const double sy = double(p.h) / h, sx = double(p.w) / w;
  const auto weight = [](double source, double center, double scale) {
    return std::max(0.0, 1 - std::abs(source + 0.5 - center) / std::max(1.0, scale));
  };
  double total = 0, sum = 0;
  for (int v = 0; v < p.h; ++v) {
    for (int u = 0; u < p.w; ++u) {
      const double k = weight(v, (y + 0.5) * sy, sy) * weight(u, (x + 0.5) * sx, sx);
      sum += k;
      total += k * p.pixels[(static_cast<size_t>(v) * p.w + u) * p.c + channel];
    }
  }
  return total / sum;
}

}  // namespace

TEST_CASE("resizing follows the triangle filter", "[data]") {
  for (auto [h, w, to_h, to_w] : {std::tuple{7, 9, 3, 4}, {5, 4, 11, 13}, {8, 8, 4, 4}, {1, 6, 3, 1}, {16, 5, 5, 16}}) {
    const Picture picture = random_picture(3, h, w, h * 100 + w);
    const auto planes = resized(picture, to_h, to_w);
    for (int k = 0; k < 3; ++k) {
      for (int y = 0; y < to_h; ++y) {
        for (int x = 0; x < to_w; ++x) {
          const double expected = reference(picture, k, to_h, to_w, y, x);
          CHECK(std::abs(planes[(k * to_h + y) * to_w + x] - expected) <= 0.51);
        }
      }
    }
  }
}

TEST_CASE("known values of the filter", "[data]") {
  const Picture row{1, 1, 2, {0, 100}};
  CHECK(resized(row, 1, 4) == std::vector<uint8_t>{0, 25, 75, 100});
  const Picture four{1, 1, 4, {0, 0, 80, 80}};
  // Weights 1 3 3 1; beside the border 3 3 1 (of 7).
  CHECK(resized(four, 1, 2) == std::vector<uint8_t>{11, 69});
}

TEST_CASE("a picture of the right size stays as it is, in planes", "[data]") {
  const Picture picture = random_picture(3, 4, 5, 1);
  const auto planes = resized(picture, 4, 5);
  for (int k = 0; k < 3; ++k) {
    for (int i = 0; i < 20; ++i) CHECK(planes[k * 20 + i] == picture.pixels[i * 3 + k]);
  }
}

TEST_CASE("a part of a picture is resized as if it were cut out", "[data]") {
  for (int c : {1, 3}) {
    const Picture whole = random_picture(c, 9, 11, 5);
    Picture part{c, 4, 6, {}}, view = whole;
    for (int y = 3; y < 7; ++y) {
      const auto row = whole.pixels.begin() + (y * 11 + 2) * c;
      part.pixels.insert(part.pixels.end(), row, row + 6 * c);
    }
    view.h = 4, view.w = 6, view.first = (3 * 11 + 2) * c, view.stride = 11 * c;
    for (auto [h, w] : {std::pair{3, 3}, {8, 5}, {4, 6}}) CHECK(resized(view, h, w) == resized(part, h, w));
  }
}

TEST_CASE("an even picture stays even at any size", "[data]") {
  for (uint8_t value : {0, 1, 127, 255}) {
    const Picture picture{1, 13, 29, std::vector<uint8_t>(13 * 29, value)};
    for (auto [h, w] : {std::pair{1, 1}, {7, 64}, {100, 3}, {13, 28}}) {
      const auto planes = resized(picture, h, w);
      CHECK(std::ranges::all_of(planes, [value](uint8_t v) { return v == value; }));
    }
  }
}

TEST_CASE("every source pixel counts when shrinking", "[data]") {
  for (int x = 0; x < 64; ++x) {
    Picture picture{1, 1, 64, std::vector<uint8_t>(64, 0)};
    picture.pixels[x] = 255;
    const auto planes = resized(picture, 1, 4);
    CHECK(std::ranges::any_of(planes, [](uint8_t v) { return v > 0; }));
  }
}

TEST_CASE("resizing a mirrored picture gives the mirrored result", "[data]") {
  Picture picture = random_picture(1, 1, 31, 3), mirrored = picture;
  std::ranges::reverse(mirrored.pixels);
  for (int w : {4, 10, 31, 77}) {
    auto a = resized(picture, 1, w);
    std::ranges::reverse(a);
    CHECK(a == resized(mirrored, 1, w));
  }
}
