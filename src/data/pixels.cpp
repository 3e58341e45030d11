// Normalization by table, checks of items, and parts of stored planes.
#include "data/pixels.hpp"

#include <cmath>
#include <string>
#include <utility>

#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"
#include "data/formats/image.hpp"
#include "data/parallel.hpp"

namespace condenser::data {
namespace {

Normalization checked(Normalization given, int64_t channels) {
  if (given.mean.empty()) given.mean.assign(channels, 0.0);
  if (given.std.empty()) given.std.assign(channels, 1.0);
  if (std::ssize(given.mean) != channels || std::ssize(given.std) != channels) {
    throw core::Error("data set: normalization has " + std::to_string(given.mean.size()) + " means and " +
                      std::to_string(given.std.size()) + " deviations; expected " + std::to_string(channels) +
                      " of each, one per channel");
  }
  for (int64_t c = 0; c < channels; ++c) {
    if (!std::isfinite(given.mean[c]) || !std::isfinite(given.std[c]) || given.std[c] <= 0) {
      throw core::Error("data set: mean " + core::number(given.mean[c]) + " and std " + core::number(given.std[c]) +
                        " of channel " + std::to_string(c) + "; expected finite numbers, std above 0");
    }
  }
  return given;
}

}  // namespace

Normalizer::Normalizer(Normalization normalization, int64_t channels)
    : normalization_(checked(std::move(normalization), channels)), tables_(channels * 256) {
  for (int64_t c = 0; c < channels; ++c) {
    for (int value = 0; value < 256; ++value) {
      tables_[c * 256 + value] = static_cast<float>((value / 255.0 - normalization_.mean[c]) / normalization_.std[c]);
    }
  }
}

void Normalizer::apply(const uint8_t* planes, int64_t plane, float* out) const {
  for (size_t c = 0; c < normalization_.mean.size(); ++c) {
    const float* table = tables_.data() + c * 256;
    for (int64_t k = 0; k < plane; ++k) *out++ = table[*planes++];
  }
}

ItemShape checked(const ItemShape& shape) {
  constexpr int64_t kLargest = 1 << 15;
  for (int64_t extent : {shape.c, shape.h, shape.w}) {
    if (extent < 1 || extent > kLargest) {
      throw core::Error("data set: item shape " + std::to_string(shape.c) + "x" + std::to_string(shape.h) + "x" +
                        std::to_string(shape.w) + "; expected three extents in 1.." + std::to_string(kLargest));
    }
  }
  return shape;
}

void check_item(int64_t i, int64_t size) {
  if (i >= 0 && i < size) return;
  throw core::Error("data set: item " + std::to_string(i) + " asked for; it holds " + std::to_string(size));
}

void check_item(int64_t i, int64_t size, const ItemShape& shape, std::span<const float> out) {
  check_item(i, size);
  if (std::ssize(out) == shape.elements()) return;
  throw core::Error("data set: a buffer of " + std::to_string(out.size()) + " values for one item; expected " +
                    std::to_string(shape.elements()));
}

namespace {

std::vector<uint8_t> grey(const uint8_t* planes, int64_t plane) {
  std::vector<uint8_t> made(static_cast<size_t>(plane));
  for (int64_t k = 0; k < plane; ++k) made[k] = luma(planes[k], planes[plane + k], planes[2 * plane + k]);
  return made;
}

}  // namespace

std::vector<uint8_t> brought_to(const ItemShape& to, const std::vector<uint8_t>& planes, const ItemShape& from) {
  const int64_t n = std::ssize(planes) / from.elements(), plane = from.h * from.w;
  std::vector<uint8_t> made(static_cast<size_t>(n * to.elements()));
  for_each(n, [&](int64_t i) {
    const uint8_t* item = planes.data() + i * from.elements();
    const std::vector<uint8_t> grey_item = to.c < from.c ? grey(item, plane) : std::vector<uint8_t>();
    if (!grey_item.empty()) item = grey_item.data();
    for (int64_t c = 0; c < to.c; ++c) {
      const int h = static_cast<int>(from.h), w = static_cast<int>(from.w);
      resize_to_planes({item + c * plane, 1, h, w, w}, static_cast<int>(to.h), static_cast<int>(to.w),
                       std::span(made).subspan(i * to.elements() + c * to.h * to.w, to.h * to.w));
    }
  });
  return made;
}

void write_item(const uint8_t* planes, const ItemShape& stored, const Window& window, const ItemShape& shape,
                const Normalizer& normalizer, std::span<float> out) {
  const int64_t plane = shape.h * shape.w;
  if (stored == shape && window == Window{}) return normalizer.apply(planes, plane, out.data());
  const int h = static_cast<int>(stored.h), w = static_cast<int>(stored.w);
  const Rect rect = rect_of(window, h, w);
  thread_local std::vector<uint8_t> resized;
  resized.resize(shape.elements());
  for (int64_t c = 0; c < shape.c; ++c) {
    const View part{planes + (c * h + rect.y) * w + rect.x, 1, rect.h, rect.w, w};
    resize_to_planes(part, static_cast<int>(shape.h), static_cast<int>(shape.w),
                     std::span<uint8_t>(resized).subspan(c * plane, plane));
  }
  normalizer.apply(resized.data(), plane, out.data());
}

}  // namespace condenser::data
