// What happens to each image of a batch, in order: geometry, the policy's operations, colour, masks; then pairs of
// images are mixed. Each image draws from a stream of its own, so threads may share the batch in any way.
#include "condenser/train/augment.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "train/augment/image.hpp"
#include "train/augment/mix.hpp"

namespace condenser::train {
namespace {

// Numbers of the random streams; each purpose has its own.
constexpr uint64_t kAugmentStream = 0x61756721;  // substream: step of the run and row of the batch
constexpr uint64_t kMixStream = 0x6d697821;      // substream: step of the run

bool warps(const AugmentOptions& o) {
  return o.degrees > 0 || o.translate > 0 || o.shear > 0 || o.scale[0] != 1 || o.scale[1] != 1;
}
bool jitters(const AugmentOptions& o) { return o.brightness > 0 || o.contrast > 0 || o.saturation > 0 || o.hue > 0; }
bool changes_colours(const AugmentOptions& o) { return o.randaugment.operations > 0 || jitters(o); }
bool masks(const AugmentOptions& o) {
  return o.erasing > 0 || o.cutout > 0 || o.specaugment.time_masks > 0 || o.specaugment.frequency_masks > 0;
}
bool changes_images(const AugmentOptions& o) {
  return o.shift > 0 || o.flip || o.vertical_flip || warps(o) || changes_colours(o) || masks(o);
}

int64_t below(int64_t n, core::Rng& rng) { return static_cast<int64_t>(rng.below(static_cast<uint64_t>(n))); }
double either_side(double largest, core::Rng& rng) { return largest > 0 ? rng.uniform(-largest, largest) : 0; }
double factor(double range, core::Rng& rng) { return 1 + either_side(range, rng); }
double slope(double degrees) { return std::tan(degrees * std::numbers::pi / 180); }

void change_place(const AugmentOptions& o, Image& image, core::Rng& rng) {
  Move m;
  if (o.shift > 0) {
    m.down = below(2 * o.shift + 1, rng) - o.shift;
    m.right = below(2 * o.shift + 1, rng) - o.shift;
  }
  if (o.flip) m.flip = rng.below(2) == 1;
  if (o.vertical_flip) m.vertical_flip = rng.below(2) == 1;
  if (!warps(o)) return move(image, m);
  Affine map = mirror(m.flip, m.vertical_flip);
  const double along_x = slope(either_side(o.shear, rng)), along_y = slope(either_side(o.shear, rng));
  map = then(map, shearing(along_x, along_y));
  if (o.scale[0] != 1 || o.scale[1] != 1)  // uniform in the logarithm: halves are as frequent as doubles
    map = then(map, scaling(std::exp(rng.uniform(std::log(o.scale[0]), std::log(o.scale[1])))));
  map = then(map, rotation(either_side(o.degrees, rng)));
  const double right = either_side(o.translate, rng) * static_cast<double>(image.shape.w);
  const double down = either_side(o.translate, rng) * static_cast<double>(image.shape.h);
  warp(image, then(map, translation(right + static_cast<double>(m.right), down + static_cast<double>(m.down))));
}

void change_colours(const AugmentOptions& o, Image& image, core::Rng& rng) {
  for (int i = 0; i < o.randaugment.operations; ++i) {
    const Operation& operation = operations()[rng.below(operations().size())];
    const double strength = o.randaugment.magnitude / 10;
    operation.apply(image, rng.below(2) == 1 ? strength : -strength);
  }
  if (!jitters(o)) return;
  Colour change;
  change.brightness = factor(o.brightness, rng);
  change.contrast = factor(o.contrast, rng);
  change.saturation = factor(o.saturation, rng);
  change.hue = either_side(o.hue, rng);
  colour(image, change);
}

void fill_rectangle(Image& image, int64_t top, int64_t left, int64_t height, int64_t width) {
  const auto [channels, h, w] = image.shape;
  const int64_t from = std::clamp<int64_t>(left, 0, w), to = std::clamp<int64_t>(left + width, 0, w);
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t y = std::max<int64_t>(0, top); y < std::min(h, top + height); ++y)
      std::fill(image.plane(c) + y * w + from, image.plane(c) + y * w + to, 0.0f);
}

// Random erasing (Zhong et al., arXiv 1708.04896): aspect ratio 0.3 to 1 / 0.3, uniform in the logarithm.
void erase(const AugmentOptions& o, Image& image, core::Rng& rng) {
  if (rng.uniform() >= o.erasing) return;
  const auto [channels, h, w] = image.shape;
  const double area = rng.uniform(o.erasing_area[0], o.erasing_area[1]) * static_cast<double>(h * w);
  const double ratio = std::exp(either_side(std::log(1 / 0.3), rng));
  const int64_t height = std::min<int64_t>(h, std::lround(std::sqrt(area * ratio)));
  const int64_t width = std::min<int64_t>(w, std::lround(std::sqrt(area / ratio)));
  const int64_t top = below(h - height + 1, rng), left = below(w - width + 1, rng);
  fill_rectangle(image, top, left, height, width);
}

// One mask along an axis: a width of 0 to `widest`, anywhere.
struct Stripe {
  int64_t at, width;
};
Stripe stripe(int64_t extent, int64_t widest, core::Rng& rng) {
  const int64_t width = below(std::min(extent, widest) + 1, rng);
  return {below(extent - width + 1, rng), width};
}

void mask(const AugmentOptions& o, Image& image, core::Rng& rng) {
  const int64_t h = image.shape.h, w = image.shape.w;
  if (o.erasing > 0) erase(o, image, rng);
  if (o.cutout > 0) {  // the centre is uniform over the image, the square may lie partly outside
    const int64_t top = below(h, rng) - o.cutout / 2, left = below(w, rng) - o.cutout / 2;
    fill_rectangle(image, top, left, o.cutout, o.cutout);
  }
  const SpecAugment& a = o.specaugment;
  const auto hide = [&](int64_t extent, int64_t width, bool down) {
    const Stripe s = stripe(extent, width, rng);
    if (down)
      fill_rectangle(image, s.at, 0, s.width, w);
    else
      fill_rectangle(image, 0, s.at, h, s.width);
  };
  for (int i = 0; i < a.time_masks; ++i) hide(a.time_in_columns ? w : h, a.time_width, !a.time_in_columns);
  for (int i = 0; i < a.frequency_masks; ++i) hide(a.time_in_columns ? h : w, a.frequency_width, a.time_in_columns);
}

// The two scales of an image's values, and what lies outside of it on each.
class Scales {
 public:
  Scales(const AugmentOptions& o, const data::ItemShape& shape, const data::Normalization& normalization) {
    for (size_t c = 0; c < static_cast<size_t>(shape.c); ++c) {
      mean_.push_back(static_cast<float>(normalization.mean[c]));
      std_.push_back(static_cast<float>(normalization.std[c]));
      const bool zero = o.fill == "zero";
      outside_pixels_.push_back(zero ? 0.0f : mean_.back());
      outside_.push_back(zero ? static_cast<float>(-normalization.mean[c] / normalization.std[c]) : 0.0f);
    }
  }
  void normalized(Image& image) const { image.outside = outside_; }

  // Runs `change` on pixels as shares of full scale.
  template <class Change>
  void on_pixels(Image& image, const Change& change) const {
    image.outside = outside_pixels_;
    for_values(image, [&](float v, size_t c) { return v * std_[c] + mean_[c]; });
    change();
    for_values(image, [&](float v, size_t c) { return (v - mean_[c]) / std_[c]; });
    image.outside = outside_;
  }

 private:
  template <class Map>
  static void for_values(Image& image, const Map& map) {
    for (int64_t c = 0; c < image.shape.c; ++c) {
      float* plane = image.plane(c);
      for (int64_t i = 0; i < image.plane_size(); ++i) plane[i] = map(plane[i], static_cast<size_t>(c));
    }
  }
  std::vector<float> mean_, std_, outside_, outside_pixels_;
};

void change_images(const AugmentOptions& o, const data::Dataset& dataset, uint64_t seed, data::Batch& batch) {
  const data::ItemShape shape = dataset.shape();
  const Scales scales(o, shape, dataset.normalization());
  constexpr int64_t kRows = int64_t{1} << 24;  // more than a batch can have
  Image image{.shape = shape, .reflect = o.fill == "reflect"};
  scales.normalized(image);
  for (int64_t i = 0; i < batch.size; ++i) {
    core::Rng rng(seed, kAugmentStream, static_cast<uint64_t>(batch.position * kRows + batch.first + i));
    image.values = batch.x.data() + i * shape.elements();
    change_place(o, image, rng);
    if (changes_colours(o)) scales.on_pixels(image, [&] { change_colours(o, image, rng); });
    if (masks(o)) mask(o, image, rng);
  }
}

void mix_images(const AugmentOptions& o, const data::Dataset& dataset, uint64_t seed, data::Batch& batch) {
  core::Rng rng(seed, kMixStream, static_cast<uint64_t>(batch.position));
  if (rng.uniform() >= o.mix_probability) return;
  const bool both = o.mixup > 0 && o.cutmix > 0;
  const bool cut = both ? rng.below(2) == 1 : o.cutmix > 0;
  const double share = beta(cut ? o.cutmix : o.mixup, rng);
  const auto classes = std::ssize(dataset.classes());
  if (cut) {
    cutmix(batch, dataset.shape(), classes, random_box(dataset.shape(), 1 - share, rng));
  } else {
    mixup(batch, classes, static_cast<float>(share));
  }
}

}  // namespace

void augment(const AugmentOptions& options, const data::Dataset& dataset, uint64_t seed, data::Batch& batch) {
  if (const auto wrong = misfit(options, dataset.shape()))
    throw core::ConfigError("augment." + wrong->key + ": expected " + wrong->expected);
  if (changes_images(options)) change_images(options, dataset, seed, batch);
  if (options.mixup > 0 || options.cutmix > 0) mix_images(options, dataset, seed, batch);
}

}  // namespace condenser::train
