// Shift, flip and cutout on a batch of planes.
#include "train/augment.hpp"

#include <algorithm>
#include <vector>

#include "condenser/core/rng.hpp"
#include "train/streams.hpp"

namespace condenser::train {
namespace {

// What happens to one image.
struct Draw {
  int64_t down = 0, right = 0;
  bool flip = false;
  int64_t cut_top = 0, cut_left = 0;  // may lie partly outside
};

Draw draw(const AugmentOptions& options, const data::ItemShape& shape, core::Rng& rng) {
  Draw d;
  if (options.shift > 0) {
    const auto choices = static_cast<uint64_t>(2 * options.shift + 1);
    d.down = static_cast<int64_t>(rng.below(choices)) - options.shift;
    d.right = static_cast<int64_t>(rng.below(choices)) - options.shift;
  }
  if (options.flip) d.flip = rng.below(2) == 1;
  if (options.cutout > 0) {  // the centre is uniform over the image
    d.cut_top = static_cast<int64_t>(rng.below(static_cast<uint64_t>(shape.h))) - options.cutout / 2;
    d.cut_left = static_cast<int64_t>(rng.below(static_cast<uint64_t>(shape.w))) - options.cutout / 2;
  }
  return d;
}

// to[y][x] = from[y - down][x - right], `zero` outside.
void shift_plane(const float* from, float* to, int64_t h, int64_t w, const Draw& d, float zero) {
  const int64_t kept = std::max<int64_t>(0, w - std::abs(d.right));
  for (int64_t y = 0; y < h; ++y) {
    float* row = to + y * w;
    const int64_t source = y - d.down;
    if (source < 0 || source >= h || kept == 0) {
      std::fill(row, row + w, zero);
      continue;
    }
    const float* in = from + source * w + std::max<int64_t>(0, -d.right);
    float* out = row + std::max<int64_t>(0, d.right);
    std::fill(row, out, zero);
    std::copy(in, in + kept, out);
    std::fill(out + kept, row + w, zero);
  }
}

void cut(float* plane, int64_t h, int64_t w, const Draw& d, int64_t side) {
  const int64_t left = std::clamp<int64_t>(d.cut_left, 0, w), right = std::clamp<int64_t>(d.cut_left + side, 0, w);
  for (int64_t y = std::max<int64_t>(0, d.cut_top); y < std::min(h, d.cut_top + side); ++y)
    std::fill(plane + y * w + left, plane + y * w + right, 0.0f);
}

}  // namespace

void augment(const AugmentOptions& options, const data::Dataset& dataset, uint64_t seed, int64_t step,
             data::Batch& items) {
  const data::ItemShape shape = dataset.shape();
  const data::Normalization& normalization = dataset.normalization();
  const std::span<float> batch = items.x;
  if (options.shift == 0 && !options.flip && options.cutout == 0) return;
  core::Rng rng(seed, kAugmentStream, static_cast<uint64_t>(step));
  const int64_t plane_size = shape.h * shape.w;
  std::vector<float> scratch(static_cast<size_t>(plane_size));
  const auto images = static_cast<int64_t>(batch.size()) / shape.elements();
  for (int64_t i = 0; i < images; ++i) {
    const Draw d = draw(options, shape, rng);
    for (int64_t c = 0; c < shape.c; ++c) {
      float* plane = batch.data() + (i * shape.c + c) * plane_size;
      if (d.down != 0 || d.right != 0) {
        const auto zero =
            static_cast<float>(-normalization.mean[static_cast<size_t>(c)] / normalization.std[static_cast<size_t>(c)]);
        std::copy(plane, plane + plane_size, scratch.begin());
        shift_plane(scratch.data(), plane, shape.h, shape.w, d, zero);
      }
      if (d.flip)
        for (int64_t y = 0; y < shape.h; ++y) std::reverse(plane + y * shape.w, plane + (y + 1) * shape.w);
      if (options.cutout > 0) cut(plane, shape.h, shape.w, d, options.cutout);
    }
  }
}

}  // namespace condenser::train
