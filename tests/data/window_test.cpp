// Random windows: shares, ratios, places; and windows in pixels.
#include "data/window.hpp"

#include <cmath>

#include "support/catch.hpp"

using namespace condenser::data;
using condenser::core::Rng;

TEST_CASE("random windows keep to area and ratio, and lie inside", "[data]") {
  const SampleAugment augment{.crop_area = 0.2, .crop_ratio = 4.0 / 3};
  Rng rng(1);
  double smallest = 1, largest = 0, widest = 0, area_sum = 0;
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) {
    const Window w = random_window(augment, rng);
    CHECK(w.x >= 0);
    CHECK(w.y >= 0);
    CHECK(w.x + w.w <= 1 + 1e-12);
    CHECK(w.y + w.h <= 1 + 1e-12);
    const double area = w.w * w.h, ratio = std::max(w.w / w.h, w.h / w.w);
    CHECK(area >= 0.2 - 1e-12);
    CHECK(ratio <= 4.0 / 3 + 1e-12);
    smallest = std::min(smallest, area);
    largest = std::max(largest, area);
    widest = std::max(widest, ratio);
    area_sum += area;
  }
  CHECK(smallest < 0.21);
  CHECK(largest > 0.95);
  CHECK(widest > 1.3);
  // A ratio fits an area a with probability min(1, ln(1/a) / ln(4/3)); weighted so, the mean area is 0.5385.
  CHECK(std::abs(area_sum / kDraws - 0.5385) < 0.015);
}

TEST_CASE("without a crop the window is the whole and nothing is drawn", "[data]") {
  Rng rng(1);
  CHECK(random_window({}, rng) == Window{});
  CHECK(random_window({.crop_ratio = 2}, rng) == Window{});
  CHECK(rng.counter() == 0);
}

TEST_CASE("windows in pixels are never empty and never outside", "[data]") {
  CHECK(rect_of({}, 3, 4).w == 4);
  const Rect half = rect_of({0.5, 0, 0.5, 0.5}, 5, 4);
  CHECK(half.y == 3);
  CHECK(half.h == 2);
  CHECK(half.w == 2);
  Rng rng(2);
  for (int i = 0; i < 2000; ++i) {
    const Window w = random_window({.crop_area = 0.01, .crop_ratio = 3}, rng);
    const int height = 1 + static_cast<int>(rng.below(20)), width = 1 + static_cast<int>(rng.below(20));
    const Rect r = rect_of(w, height, width);
    CHECK((r.h >= 1 && r.w >= 1 && r.y >= 0 && r.x >= 0 && r.y + r.h <= height && r.x + r.w <= width));
  }
}
