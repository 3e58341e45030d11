// Random windows, and windows in pixels.
#include "data/window.hpp"

#include <algorithm>
#include <cmath>

namespace condenser::data {

Rect rect_of(const Window& window, int height, int width) {
  // Both ends are rounded, so that neighbouring windows share their border.
  const auto range = [](double begin, double extent, int n) {
    const int first = std::clamp(static_cast<int>(std::lround(begin * n)), 0, n - 1);
    const int last = std::clamp(static_cast<int>(std::lround((begin + extent) * n)), first + 1, n);
    return std::pair(first, last - first);
  };
  const auto [y, h] = range(window.y, window.h, height);
  const auto [x, w] = range(window.x, window.w, width);
  return {y, x, h, w};
}

Window random_window(const SampleAugment& augment, core::Rng& rng) {
  if (augment.crop_area >= 1) return {};
  const double widest = std::log(std::max(1.0, augment.crop_ratio));
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double area = rng.uniform(augment.crop_area, 1.0);
    const double ratio = std::exp(rng.uniform(-widest, widest));
    const double w = std::sqrt(area * ratio), h = std::sqrt(area / ratio);
    const double y = rng.uniform() * (1 - h), x = rng.uniform() * (1 - w);
    if (w <= 1 && h <= 1) return {y, x, h, w};
  }
  return {};
}

}  // namespace condenser::data
