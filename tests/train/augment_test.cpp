#include "train/augment.hpp"

#include <set>

#include "support/catch.hpp"

namespace condenser::train {
namespace {

constexpr data::ItemShape kShape{2, 6, 5};
const data::Normalization kNormalization{{0.25, 0.5}, {0.5, 0.25}};  // a zero pixel is -0.5 and -2

std::vector<float> numbered(int64_t images) {
  std::vector<float> batch(static_cast<size_t>(images * kShape.elements()));
  for (size_t i = 0; i < batch.size(); ++i) batch[i] = static_cast<float>(100 + i);
  return batch;
}

std::vector<float> augmented(const AugmentOptions& options, uint64_t seed, int64_t step, int64_t images = 40) {
  static const auto dataset = data::make_image_dataset(kShape, {"a", "b"}, kNormalization, {}, {});
  data::Batch batch{
      .size = images, .x = numbered(images), .y = std::vector<int64_t>(static_cast<size_t>(images)), .t = {}};
  augment(options, *dataset, seed, step, batch);
  return batch.x;
}

float pixel(const std::vector<float>& batch, int64_t i, int64_t c, int64_t y, int64_t x) {
  return batch[static_cast<size_t>(((i * kShape.c + c) * kShape.h + y) * kShape.w + x)];
}

}  // namespace

TEST_CASE("augmentation is a pure function of seed and step", "[train]") {
  const AugmentOptions options{.shift = 2, .flip = true, .cutout = 2};
  CHECK(augmented(options, 1, 5) == augmented(options, 1, 5));
  CHECK(augmented(options, 1, 5) != augmented(options, 1, 6));
  CHECK(augmented(options, 1, 5) != augmented(options, 2, 5));
}

TEST_CASE("nothing asked for changes nothing", "[train]") {
  CHECK(augmented({.shift = 0, .flip = false, .cutout = 0}, 1, 5) == numbered(40));
}

TEST_CASE("a shift moves all planes of an image alike and fills with the zero pixel", "[train]") {
  const auto before = numbered(40);
  const auto after = augmented({.shift = 2, .flip = false, .cutout = 0}, 3, 1);
  std::set<std::pair<int64_t, int64_t>> seen;
  for (int64_t i = 0; i < 40; ++i) {
    int found = 0;
    for (int64_t down = -2; down <= 2; ++down)
      for (int64_t right = -2; right <= 2; ++right) {
        bool fits = true;
        for (int64_t c = 0; c < kShape.c; ++c)
          for (int64_t y = 0; y < kShape.h; ++y)
            for (int64_t x = 0; x < kShape.w; ++x) {
              const int64_t sy = y - down, sx = x - right;
              const bool inside = sy >= 0 && sy < kShape.h && sx >= 0 && sx < kShape.w;
              const float expected = inside ? pixel(before, i, c, sy, sx) : (c == 0 ? -0.5f : -2.0f);
              fits = fits && pixel(after, i, c, y, x) == expected;
            }
        if (fits) ++found, seen.insert({down, right});
      }
    CHECK(found == 1);
  }
  CHECK(seen.size() > 12);  // of 25
}

TEST_CASE("a shift larger than the image leaves only the zero pixel or less of it", "[train]") {
  const auto after = augmented({.shift = 64, .flip = false, .cutout = 0}, 3, 1);
  CHECK(std::count(after.begin(), after.end(), -0.5f) > 0);
}

TEST_CASE("a flip mirrors rows of about half of the images", "[train]") {
  const auto before = numbered(200);
  const auto after = augmented({.shift = 0, .flip = true, .cutout = 0}, 3, 1, 200);
  int flipped = 0;
  for (int64_t i = 0; i < 200; ++i) {
    const bool mirrored = pixel(after, i, 0, 0, 0) != pixel(before, i, 0, 0, 0);
    flipped += mirrored;
    for (int64_t c = 0; c < kShape.c; ++c)
      for (int64_t y = 0; y < kShape.h; ++y)
        for (int64_t x = 0; x < kShape.w; ++x)
          REQUIRE(pixel(after, i, c, y, x) == pixel(before, i, c, y, mirrored ? kShape.w - 1 - x : x));
  }
  CHECK(flipped > 60);
  CHECK(flipped < 140);
}

TEST_CASE("cutout sets one square to the mean", "[train]") {
  const auto before = numbered(40);
  const auto after = augmented({.shift = 0, .flip = false, .cutout = 3}, 3, 1);
  for (int64_t i = 0; i < 40; ++i) {
    int64_t cut = 0;
    for (int64_t y = 0; y < kShape.h; ++y)
      for (int64_t x = 0; x < kShape.w; ++x) {
        const bool zero = pixel(after, i, 0, y, x) == 0.0f;
        cut += zero;
        CHECK((pixel(after, i, 1, y, x) == 0.0f) == zero);
        if (!zero) CHECK(pixel(after, i, 0, y, x) == pixel(before, i, 0, y, x));
      }
    CHECK(cut >= 4);  // the centre is inside
    CHECK(cut <= 9);
  }
}

}  // namespace condenser::train
