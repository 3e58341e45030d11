#include "condenser/train/augment.hpp"
#include "condenser/core/team.hpp"

#include <cmath>
#include <numeric>
#include <set>

#include "support/catch.hpp"

namespace condenser::train {
namespace {

constexpr data::ItemShape kShape{2, 6, 5};
const data::Normalization kNormalization{{0.25, 0.5}, {0.5, 0.25}};  // a zero pixel is -0.5 and -2
const AugmentOptions kNothing{.shift = 0};

// Shape, classes and normalization; augmentation asks a data set for nothing else.
std::unique_ptr<data::Dataset> described(data::ItemShape shape, data::Normalization normalization, int classes = 3) {
  return data::make_image_dataset(shape, std::vector<std::string>(static_cast<size_t>(classes), "class"),
                                  std::move(normalization), {}, {});
}

data::Batch numbered(int64_t images, data::ItemShape shape = kShape) {
  data::Batch batch;
  batch.size = images;
  batch.x.resize(static_cast<size_t>(images * shape.elements()));
  for (size_t i = 0; i < batch.x.size(); ++i) batch.x[i] = static_cast<float>(100 + i);
  for (int64_t i = 0; i < images; ++i) batch.y.push_back(i % 3);
  return batch;
}

data::Batch augmented_batch(const AugmentOptions& options, uint64_t seed, int64_t step, int64_t images = 40) {
  auto batch = numbered(images);
  batch.position = step;
  augment(options, *described(kShape, kNormalization), seed, batch);
  return batch;
}

std::vector<float> augmented(const AugmentOptions& options, uint64_t seed, int64_t step, int64_t images = 40) {
  return augmented_batch(options, seed, step, images).x;
}

float pixel(const std::vector<float>& batch, int64_t i, int64_t c, int64_t y, int64_t x) {
  return batch[static_cast<size_t>(((i * kShape.c + c) * kShape.h + y) * kShape.w + x)];
}

// Everything at once; `x` within 0..1 after denormalization, RGB.
AugmentOptions everything() {
  AugmentOptions o{.shift = 2, .flip = true, .vertical_flip = true, .degrees = 20, .translate = 0.1, .shear = 5};
  o.scale = {0.8, 1.2};
  o.randaugment = {.operations = 2, .magnitude = 9};
  o.brightness = o.contrast = o.saturation = 0.4, o.hue = 0.1;
  o.erasing = 0.5, o.cutout = 4, o.mixup = 0.2, o.cutmix = 1;
  return o;
}

data::Batch photos(int64_t images) {
  auto batch = numbered(images, {3, 16, 16});
  for (size_t i = 0; i < batch.x.size(); ++i) batch.x[i] = std::sin(static_cast<float>(i) * 0.37f);  // -1..1
  return batch;
}

const data::Normalization kHalf{{0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}};

data::Batch everything_on(int64_t images, uint64_t seed, int64_t step) {
  auto batch = photos(images);
  batch.position = step;
  augment(everything(), *described({3, 16, 16}, kHalf), seed, batch);
  return batch;
}

}  // namespace

TEST_CASE("augmentation is a pure function of seed and step", "[train][augment]") {
  const auto first = everything_on(20, 1, 5);
  CHECK(first.x == everything_on(20, 1, 5).x);
  CHECK(first.x != everything_on(20, 1, 6).x);
  CHECK(first.x != everything_on(20, 2, 5).x);
}

TEST_CASE("augmentation does not depend on the number of threads", "[train][augment]") {
  const auto alone = everything_on(33, 1, 5);
  core::Team::instance().resize(3);
  const auto shared = everything_on(33, 1, 5);
  core::Team::instance().resize(1);
  CHECK(shared.x == alone.x);
  CHECK(shared.t == alone.t);
}

TEST_CASE("rows of a global batch may be shared among processes", "[train][augment]") {
  AugmentOptions options = everything();
  options.mixup = options.cutmix = 0;
  const auto dataset = described({3, 16, 16}, kHalf);
  auto whole = photos(20), part = photos(20);
  part.x.erase(part.x.begin(), part.x.begin() + 12 * 768);
  part.size = 8;
  part.first = 12;
  whole.position = part.position = 5;
  augment(options, *dataset, 1, whole);
  augment(options, *dataset, 1, part);
  CHECK(std::equal(part.x.begin(), part.x.end(), whole.x.begin() + 12 * 768));
}

TEST_CASE("all changes together keep pixels between black and white", "[train][augment]") {
  const auto after = everything_on(60, 3, 1);
  const auto [low, high] = std::minmax_element(after.x.begin(), after.x.end());
  CHECK(*low >= -1.0001f);
  CHECK(*high <= 1.0001f);
}

TEST_CASE("nothing asked for changes nothing", "[train][augment]") {
  const auto after = augmented_batch(kNothing, 1, 5);
  CHECK(after.x == numbered(40).x);
  CHECK(after.t.empty());
}

TEST_CASE("a shift moves all planes of an image alike and fills with the zero pixel", "[train][augment]") {
  const auto before = numbered(40).x;
  const auto after = augmented({.shift = 2}, 3, 1);
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

TEST_CASE("a shift larger than the image leaves only the zero pixel or less of it", "[train][augment]") {
  const auto after = augmented({.shift = 64}, 3, 1);
  CHECK(std::count(after.begin(), after.end(), -0.5f) > 0);
}

TEST_CASE("what comes in from outside is black, the mean, or the picture mirrored", "[train][augment]") {
  const auto zero = augmented({.shift = 2}, 3, 1), mean = augmented({.shift = 2, .fill = "mean"}, 3, 1),
             reflect = augmented({.shift = 2, .fill = "reflect"}, 3, 1);
  int64_t outside = 0;
  for (int64_t i = 0; i < 40; ++i)
    for (int64_t c = 0; c < kShape.c; ++c)
      for (int64_t y = 0; y < kShape.h; ++y)
        for (int64_t x = 0; x < kShape.w; ++x) {
          const bool from_outside = pixel(zero, i, c, y, x) < 0;
          outside += from_outside;
          CHECK(pixel(mean, i, c, y, x) == (from_outside ? 0.0f : pixel(zero, i, c, y, x)));
          if (from_outside) {
            CHECK(pixel(reflect, i, c, y, x) >= 100.0f);
          } else {
            CHECK(pixel(reflect, i, c, y, x) == pixel(zero, i, c, y, x));
          }
        }
  CHECK(outside > 0);
}

TEST_CASE("a flip mirrors rows of about half of the images", "[train][augment]") {
  const auto before = numbered(200).x;
  const auto after = augmented({.shift = 0, .flip = true}, 3, 1, 200);
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

TEST_CASE("a vertical flip mirrors columns of about half of the images", "[train][augment]") {
  const auto before = numbered(200).x;
  const auto after = augmented({.shift = 0, .vertical_flip = true}, 3, 1, 200);
  int flipped = 0;
  for (int64_t i = 0; i < 200; ++i) {
    const bool mirrored = pixel(after, i, 0, 0, 0) != pixel(before, i, 0, 0, 0);
    flipped += mirrored;
    for (int64_t y = 0; y < kShape.h; ++y)
      REQUIRE(pixel(after, i, 1, y, 2) == pixel(before, i, 1, mirrored ? kShape.h - 1 - y : y, 2));
  }
  CHECK(flipped > 60);
  CHECK(flipped < 140);
}

TEST_CASE("flips and shifts are the same with and without a warp", "[train][augment]") {
  // A scale that is not 1 by less than the fixed-point coordinates can tell takes the way of the warp.
  AugmentOptions moved{.shift = 2, .flip = true, .vertical_flip = true}, warped = moved;
  warped.scale = {1.0 + 1e-9, 1.0 + 1e-9};
  CHECK(augmented(moved, 3, 1) == augmented(warped, 3, 1));
}

TEST_CASE("warps differ from image to image and stay within their range", "[train][augment]") {
  // A single bright pixel in the middle of 9x9: a translation of at most 0.25 x 9 pixels leaves it within 3 of there.
  constexpr data::ItemShape shape{1, 9, 9};
  data::Batch batch;
  batch.size = 50;
  batch.x.assign(50 * 81, 0.0f);
  for (size_t i = 0; i < 50; ++i) batch.x[i * 81 + 40] = 1.0f;
  AugmentOptions options{.shift = 0, .translate = 0.25};
  batch.position = 1;
  augment(options, *described(shape, {}), 1, batch);
  double spread = 0;
  for (size_t i = 0; i < 50; ++i) {
    double sum = 0, x_sum = 0;
    for (size_t k = 0; k < 81; ++k) {
      const double v = static_cast<double>(batch.x[i * 81 + k]);
      sum += v;
      x_sum += v * (static_cast<double>(k % 9) - 4);
    }
    CHECK(sum == Approx(1.0).margin(1e-4));  // bilinear weights sum to one
    CHECK(std::abs(x_sum) <= 2.25 + 1e-4);
    spread += std::abs(x_sum);
  }
  CHECK(spread / 50 > 0.7);  // 1.125 on average
}

TEST_CASE("cutout sets one square to the mean", "[train][augment]") {
  const auto before = numbered(40).x;
  const auto after = augmented({.shift = 0, .cutout = 3}, 3, 1);
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

TEST_CASE("random erasing sets rectangles of the asked share in the asked share of images", "[train][augment]") {
  constexpr data::ItemShape shape{1, 40, 40};
  auto batch = numbered(300, shape);
  AugmentOptions options{.shift = 0, .erasing = 0.5};
  options.erasing_area = {0.1, 0.2};
  batch.position = 1;
  augment(options, *described(shape, {}), 1, batch);
  int erased = 0;
  for (int64_t i = 0; i < 300; ++i) {
    const auto first = batch.x.begin() + i * 1600;
    const auto zeros = std::count(first, first + 1600, 0.0f);
    if (zeros == 0) continue;
    ++erased;
    CHECK(zeros >= 140);  // 160 to 320, up to rounding of the sides
    CHECK(zeros <= 345);
    int64_t rows = 0, widest = 0;
    for (int64_t y = 0; y < 40; ++y) {
      const int64_t zeros_in_row = std::count(first + y * 40, first + (y + 1) * 40, 0.0f);
      rows += zeros_in_row > 0;
      widest = std::max(widest, zeros_in_row);
    }
    CHECK(rows * widest == zeros);  // a rectangle
  }
  CHECK(erased > 110);
  CHECK(erased < 190);
}

TEST_CASE("SpecAugment masks whole frames and whole coefficients", "[train][augment]") {
  constexpr data::ItemShape shape{1, 49, 10};
  auto batch = numbered(60, shape);
  AugmentOptions options{.shift = 0};
  options.specaugment = {.time_masks = 2, .time_width = 5, .frequency_masks = 1, .frequency_width = 3};
  batch.position = 1;
  augment(options, *described(shape, {}), 1, batch);
  int64_t most_frames = 0, most_coefficients = 0;
  for (int64_t i = 0; i < 60; ++i) {
    const auto zero = [&](int64_t y, int64_t x) { return batch.x[static_cast<size_t>((i * 49 + y) * 10 + x)] == 0.0f; };
    std::vector<bool> frames(49, true), coefficients(10, true);
    for (int64_t y = 0; y < 49; ++y)
      for (int64_t x = 0; x < 10; ++x)
        if (!zero(y, x)) frames[static_cast<size_t>(y)] = coefficients[static_cast<size_t>(x)] = false;
    for (int64_t y = 0; y < 49; ++y)
      for (int64_t x = 0; x < 10; ++x)
        CHECK(zero(y, x) == (frames[static_cast<size_t>(y)] || coefficients[static_cast<size_t>(x)]));
    most_frames = std::max<int64_t>(most_frames, std::count(frames.begin(), frames.end(), true));
    most_coefficients =
        std::max<int64_t>(most_coefficients, std::count(coefficients.begin(), coefficients.end(), true));
  }
  CHECK(most_frames > 5);  // two masks
  CHECK(most_frames <= 10);
  CHECK(most_coefficients == 3);
}

TEST_CASE("SpecAugment follows the layout: frames in columns give the same picture transposed", "[train][augment]") {
  constexpr data::ItemShape rows{1, 40, 10}, columns{1, 10, 40};
  AugmentOptions options{.shift = 0};
  options.specaugment = {.time_masks = 2, .time_width = 6, .frequency_masks = 1, .frequency_width = 3};
  auto a = numbered(30, rows), b = numbered(30, columns);
  for (auto* batch : {&a, &b}) std::fill(batch->x.begin(), batch->x.end(), 1.0f);
  augment(options, *described(rows, {}), 1, a);
  options.specaugment.time_in_columns = true;
  augment(options, *described(columns, {}), 1, b);
  bool hidden = false;
  for (int64_t i = 0; i < 30; ++i)
    for (int64_t frame = 0; frame < 40; ++frame)
      for (int64_t band = 0; band < 10; ++band) {
        const float in_rows = a.x[static_cast<size_t>((i * 40 + frame) * 10 + band)];
        CHECK(in_rows == b.x[static_cast<size_t>((i * 10 + band) * 40 + frame)]);
        hidden = hidden || in_rows == 0.0f;
      }
  CHECK(hidden);
}

TEST_CASE("mixup and cutmix are drawn per batch, one of the two when both are on", "[train][augment]") {
  AugmentOptions options{.shift = 0, .mixup = 1, .cutmix = 1};
  options.mix_probability = 0.75;
  int plain = 0, cut = 0, blended = 0;
  for (int64_t step = 0; step < 200; ++step) {
    const auto batch = augmented_batch(options, 1, step, 4);
    const auto before = numbered(4).x;
    if (batch.t.empty()) {
      CHECK(batch.x == before);
      ++plain;
      continue;
    }
    for (size_t i = 0; i < 4; ++i) CHECK(batch.t[3 * i] + batch.t[3 * i + 1] + batch.t[3 * i + 2] == Approx(1.0));
    bool whole = true;  // every pixel belongs to one of the two
    for (size_t k = 0; k < 60; ++k) whole = whole && (batch.x[k] == before[k] || batch.x[k] == before[180 + k]);
    whole ? ++cut : ++blended;
  }
  CHECK(plain > 25);
  CHECK(plain < 80);
  CHECK(cut > 45);
  CHECK(blended > 45);
}

TEST_CASE("options that cannot apply are refused by name", "[train][augment]") {
  auto batch = numbered(2);
  const auto two_channels = described(kShape, kNormalization);
  const auto message = [&](const AugmentOptions& options) -> std::string {
    try {
      augment(options, *two_channels, 1, batch);
    } catch (const core::ConfigError& e) {
      return e.what();
    }
    return "";
  };
  CHECK(message({.shift = 0, .hue = 0.1}).find("augment.hue") == 0);
  CHECK(message({.shift = 0, .saturation = 0.1}).find("augment.saturation") == 0);
  AugmentOptions masks;
  masks.specaugment.time_masks = 1;
  CHECK(message(masks).find("augment.specaugment") == 0);
  CHECK(message({.shift = 1, .brightness = 0.1}).empty());
}

TEST_CASE("ranges of augmentation are two numbers in order", "[train][augment]") {
  const auto message = [](const std::string& yaml) -> std::string {
    auto reader = core::config::Reader::from_text(yaml, "a.yaml");
    AugmentOptions options;
    try {
      read_options(reader, options);
      reader.finish();
    } catch (const core::ConfigError& e) {
      return e.what();
    }
    return "";
  };
  CHECK(message("scale: [1.2, 0.8]").find("a.yaml:1: scale") == 0);
  CHECK(message("scale: [1]").find("a.yaml:1: scale") == 0);
  CHECK(message("erasing_area: [0.3, 0.1]").find("a.yaml:1: erasing_area") == 0);
  CHECK(message("randaugment: {operations: 2, magnitude: 11}").find("randaugment.magnitude") != std::string::npos);
  CHECK(message("{scale: [0.8, 1.2], randaugment: {operations: 2}, specaugment: {time_masks: 1}, fill: mean}").empty());
}

}  // namespace condenser::train
