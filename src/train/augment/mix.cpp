// Mixup (Zhang et al., arXiv 1710.09412) and cutmix (Yun et al., arXiv 1905.04899) in place: images i and size - 1 - i
// become mixtures of each other.
#include "train/augment/mix.hpp"

#include <algorithm>
#include <cmath>

namespace condenser::train {
namespace {

// Gamma(shape, 1): Marsaglia and Tsang 2000, "A simple method for generating gamma variables"; shapes below 1 by their
// note at the end.
double gamma(double shape, core::Rng& rng) {
  if (shape < 1) {
    const double larger = gamma(shape + 1, rng);
    return larger * std::pow(1 - rng.uniform(), 1 / shape);
  }
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = rng.normal(), root = 1 + c * x, u = 1 - rng.uniform();
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

void mix(float* a, float* b, int64_t count, float share) {
  const float rest = 1.0f - share;
  for (int64_t i = 0; i < count; ++i) {
    const float x = a[i], y = b[i];
    a[i] = share * x + rest * y;
    b[i] = share * y + rest * x;
  }
}

void make_targets(data::Batch& batch, int64_t classes) {
  if (!batch.t.empty()) return;
  batch.t.assign(static_cast<size_t>(batch.size * classes), 0.0f);
  for (int64_t i = 0; i < batch.size; ++i)
    batch.t[static_cast<size_t>(i * classes + batch.y[static_cast<size_t>(i)])] = 1.0f;
}

void mix_targets(data::Batch& batch, int64_t classes, float share) {
  make_targets(batch, classes);
  for (int64_t i = 0; i < batch.size / 2; ++i)
    mix(batch.t.data() + i * classes, batch.t.data() + (batch.size - 1 - i) * classes, classes, share);
}

// Calls body(a, b) for each pair of images.
template <class Body>
void for_pairs(data::Batch& batch, const Body& body) {
  const int64_t elements = std::ssize(batch.x) / batch.size;
  for (int64_t i = 0; i < batch.size / 2; ++i)
    body(batch.x.data() + i * elements, batch.x.data() + (batch.size - 1 - i) * elements);
}

}  // namespace

double beta(double alpha, core::Rng& rng) {
  const double a = gamma(alpha, rng), b = gamma(alpha, rng);
  return a + b > 0 ? a / (a + b) : 0.5;  // both vanish only for the smallest alpha
}

void mixup(data::Batch& batch, int64_t classes, float share) {
  const int64_t elements = std::ssize(batch.x) / batch.size;
  for_pairs(batch, [&](float* a, float* b) { mix(a, b, elements, share); });
  mix_targets(batch, classes, share);
}

Box random_box(const data::ItemShape& shape, double area, core::Rng& rng) {
  const auto side = [&](int64_t extent) { return std::lround(std::sqrt(area) * static_cast<double>(extent)); };
  const int64_t height = side(shape.h), width = side(shape.w);
  const int64_t top = static_cast<int64_t>(rng.below(static_cast<uint64_t>(shape.h))) - height / 2;
  const int64_t left = static_cast<int64_t>(rng.below(static_cast<uint64_t>(shape.w))) - width / 2;
  return {std::max<int64_t>(0, top), std::max<int64_t>(0, left), std::min(shape.h, top + height),
          std::min(shape.w, left + width)};
}

void cutmix(data::Batch& batch, const data::ItemShape& shape, int64_t classes, const Box& box) {
  const int64_t height = std::max<int64_t>(0, box.bottom - box.top), width = std::max<int64_t>(0, box.right - box.left);
  for_pairs(batch, [&](float* a, float* b) {
    for (int64_t c = 0; c < shape.c; ++c)
      for (int64_t y = box.top; y < box.top + height; ++y) {
        const int64_t at = (c * shape.h + y) * shape.w + box.left;
        std::swap_ranges(a + at, a + at + width, b + at);
      }
  });
  mix_targets(batch, classes, 1.0f - static_cast<float>(height * width) / static_cast<float>(shape.h * shape.w));
}

}  // namespace condenser::train
