// Each change of one image against a naive expectation.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "support/catch.hpp"
#include "train/augment/image.hpp"
#include "train/augment/mix.hpp"

namespace condenser::train {
namespace {

struct Picture {
  std::vector<float> values;
  Image image;

  explicit Picture(data::ItemShape shape, float outside = -1.0f) : values(static_cast<size_t>(shape.elements())) {
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>((i * 37 + i * i * 11) % 256) / 255.0f;
    image = {.shape = shape,
             .values = values.data(),
             .outside = std::vector<float>(static_cast<size_t>(shape.c), outside),
             .reflect = false,
             .scratch = {}};
  }
  float& at(int64_t c, int64_t y, int64_t x) {
    return values[static_cast<size_t>((c * image.shape.h + y) * image.shape.w + x)];
  }
};

void check_near(const std::vector<float>& a, const std::vector<float>& b, double margin = 1e-5) {
  REQUIRE(a.size() == b.size());
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(static_cast<double>(a[i] - b[i])));
  CHECK(worst <= margin);
}

// The definition of the warp in double precision.
std::vector<float> naive_warp(Picture p, const Affine& map) {
  const auto [channels, h, w] = p.image.shape;
  std::vector<float> out(p.values.size());
  const double mx = static_cast<double>(w - 1) / 2, my = static_cast<double>(h - 1) / 2;
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t y = 0; y < h; ++y)
      for (int64_t x = 0; x < w; ++x) {
        const double dx = static_cast<double>(x) - mx, dy = static_cast<double>(y) - my;
        const double sx = map.xx * dx + map.xy * dy + map.x0 + mx, sy = map.yx * dx + map.yy * dy + map.y0 + my;
        const auto left = static_cast<int64_t>(std::floor(sx)), top = static_cast<int64_t>(std::floor(sy));
        double sum = 0;
        for (int64_t j = 0; j < 2; ++j)
          for (int64_t i = 0; i < 2; ++i) {
            const int64_t px = left + i, py = top + j;
            const bool inside = px >= 0 && px < w && py >= 0 && py < h;
            const double weight =
                (1 - std::abs(sx - static_cast<double>(px))) * (1 - std::abs(sy - static_cast<double>(py)));
            sum += weight * static_cast<double>(inside ? p.at(c, py, px) : p.image.outside[static_cast<size_t>(c)]);
          }
        out[static_cast<size_t>((c * h + y) * w + x)] = static_cast<float>(sum);
      }
  return out;
}

}  // namespace

TEST_CASE("a quarter turn of an odd square is exact, and counter-clockwise", "[train][augment]") {
  Picture p({2, 7, 7});
  Picture before = p;
  p.image.values = p.values.data();
  warp(p.image, rotation(90));
  for (int64_t c = 0; c < 2; ++c)
    for (int64_t y = 0; y < 7; ++y)
      for (int64_t x = 0; x < 7; ++x) CHECK(p.at(c, y, x) == before.at(c, x, 6 - y));  // the right side is now on top
}

TEST_CASE("a warp is the bilinear reading of the map", "[train][augment]") {
  for (const auto shape : {data::ItemShape{1, 9, 12}, data::ItemShape{3, 8, 8}}) {
    const Affine maps[] = {rotation(23),
                           scaling(0.6),
                           scaling(1.7),
                           shearing(0.4, -0.2),
                           translation(2.25, -1.5),
                           then(then(mirror(true, false), rotation(-140)), translation(30, 0))};
    for (const Affine& map : maps) {
      Picture p(shape);
      const auto expected = naive_warp(p, map);
      warp(p.image, map);
      check_near(p.values, expected, 1e-3);  // coordinates have 16 bits of fraction
    }
  }
}

TEST_CASE("a warp of nothing changes nothing", "[train][augment]") {
  Picture p({3, 8, 5});
  const auto before = p.values;
  warp(p.image, then(then(rotation(0), scaling(1)), then(shearing(0, 0), translation(0, 0))));
  CHECK(p.values == before);
}

TEST_CASE("warps follow one another as changes of the picture", "[train][augment]") {
  // First to the right, then a quarter turn counter-clockwise: what was right of the middle is above it.
  Picture p({1, 5, 5}, 0.0f);
  std::fill(p.values.begin(), p.values.end(), 0.0f);
  p.at(0, 2, 2) = 1;
  warp(p.image, then(translation(2, 0), rotation(90)));
  CHECK(p.at(0, 0, 2) == 1.0f);
}

TEST_CASE("a mirrored border shows the picture once more without its edge", "[train][augment]") {
  for (const bool by_warp : {false, true}) {
    Picture p({1, 1, 4});
    p.values = {1, 2, 3, 4};
    p.image.values = p.values.data();
    p.image.reflect = true;
    by_warp ? warp(p.image, translation(2, 0)) : move(p.image, {.right = 2});
    CHECK(p.values == std::vector<float>{3, 2, 1, 2});
  }
}

TEST_CASE("a move equals the warp of the same move", "[train][augment]") {
  Picture moved({2, 6, 5}), warped({2, 6, 5});
  move(moved.image, {.down = 2, .right = -1, .flip = true});
  warp(warped.image, then(mirror(true, false), translation(-1, 2)));
  CHECK(moved.values == warped.values);
}

TEST_CASE("colour with factors of one changes nothing", "[train][augment]") {
  for (const int64_t channels : {1, 3}) {
    Picture p({channels, 6, 6});
    const auto before = p.values;
    colour(p.image, {});
    check_near(p.values, before, 1e-6);
  }
}

TEST_CASE("brightness, contrast and saturation are what their names say", "[train][augment]") {
  Picture p({3, 4, 4});
  const auto before = p.values;
  const auto grey_of = [&](size_t i) { return 0.299f * before[i] + 0.587f * before[16 + i] + 0.114f * before[32 + i]; };
  float mean_grey = 0;
  for (size_t i = 0; i < 16; ++i) mean_grey += grey_of(i) / 16;
  const auto expected = [&](auto&& of) {
    std::vector<float> values(48);
    for (size_t i = 0; i < 48; ++i) values[i] = std::clamp(of(before[i], grey_of(i % 16)), 0.0f, 1.0f);
    return values;
  };
  SECTION("brightness") {
    colour(p.image, {.brightness = 1.5});
    check_near(p.values, expected([](float v, float) { return 1.5f * v; }));
  }
  SECTION("contrast") {
    colour(p.image, {.contrast = 0.3});
    check_near(p.values, expected([&](float v, float) { return 0.3f * v + 0.7f * mean_grey; }));
  }
  SECTION("saturation") {
    colour(p.image, {.saturation = 1.8});
    check_near(p.values, expected([](float v, float grey) { return 1.8f * v - 0.8f * grey; }));
  }
  SECTION("contrast after brightness") {
    colour(p.image, {.brightness = 0.5, .contrast = 0.6});
    check_near(p.values, expected([&](float v, float) { return 0.6f * 0.5f * v + 0.4f * 0.5f * mean_grey; }));
  }
}

TEST_CASE("hue turns red to green after a third and leaves grey", "[train][augment]") {
  Picture p({3, 1, 2});
  p.values = {1, 0.5, 0, 0.5, 0, 0.5};  // red, grey
  p.image.values = p.values.data();
  colour(p.image, {.hue = 1.0 / 3});
  check_near(p.values, {0, 0.5, 1, 0.5, 0, 0.5}, 1e-6);
}

TEST_CASE("one channel knows brightness and contrast only", "[train][augment]") {
  Picture p({1, 2, 2});
  p.values = {0.2f, 0.4f, 0.6f, 0.8f};
  p.image.values = p.values.data();
  colour(p.image, {.contrast = 0.5, .saturation = 0, .hue = 0.2});
  check_near(p.values, {0.35f, 0.45f, 0.55f, 0.65f}, 1e-6);
}

TEST_CASE("sharpness 0 smooths, 1 leaves, the border stays", "[train][augment]") {
  Picture p({1, 3, 4}), same({1, 3, 4});
  const auto before = p.values;
  sharpness(same.image, 1);
  check_near(same.values, before, 1e-6);
  sharpness(p.image, 0);
  for (int64_t x = 1; x < 3; ++x) {
    float sum = 0;
    for (int64_t dy = 0; dy < 3; ++dy)
      for (int64_t dx = -1; dx <= 1; ++dx) sum += before[static_cast<size_t>(dy * 4 + x + dx)];
    CHECK(p.at(0, 1, x) == Approx((sum + 4 * before[static_cast<size_t>(4 + x)]) / 13).margin(1e-5));
  }
  CHECK(p.at(0, 1, 0) == before[4]);
  CHECK(p.at(0, 0, 1) == before[1]);
}

TEST_CASE("posterize keeps the highest bits", "[train][augment]") {
  Picture p({1, 16, 16});
  const auto before = p.values;
  posterize(p.image, 3);
  std::set<float> levels(p.values.begin(), p.values.end());
  CHECK(levels.size() <= 8);
  for (size_t i = 0; i < before.size(); ++i) {
    const int level = static_cast<int>(std::lround(before[i] * 255));
    CHECK(p.values[i] == Approx((level / 32 * 32) / 255.0).margin(1e-6));
  }
}

TEST_CASE("solarize inverts what is brighter than the threshold", "[train][augment]") {
  Picture p({1, 1, 4});
  p.values = {0.1f, 0.5f, 0.6f, 1.0f};
  p.image.values = p.values.data();
  solarize(p.image, 0.5);
  check_near(p.values, {0.1f, 0.5f, 0.4f, 0.0f}, 1e-6);
}

TEST_CASE("auto-contrast stretches each channel by itself", "[train][augment]") {
  Picture p({2, 1, 3});
  p.values = {0.2f, 0.3f, 0.6f, 0.5f, 0.5f, 0.5f};
  p.image.values = p.values.data();
  auto_contrast(p.image);
  check_near(p.values, {0, 0.25f, 1, 0.5f, 0.5f, 0.5f}, 1e-6);
}

TEST_CASE("equalize makes ranks of levels", "[train][augment]") {
  Picture p({1, 1, 5});
  p.values = {0.1f, 0.3f, 0.3f, 0.2f, 0.9f};
  p.image.values = p.values.data();
  equalize(p.image);
  check_near(p.values, {0, 0.5f, 0.5f, 0.25f, 1}, 1e-6);
  std::fill(p.values.begin(), p.values.end(), 0.4f);
  equalize(p.image);
  check_near(p.values, std::vector<float>(5, 0.4f), 1e-6);
}

TEST_CASE("every operation of the policy is the identity at strength 0, or a stretch of levels", "[train][augment]") {
  std::set<std::string> names;
  for (const Operation& operation : operations()) {
    INFO(operation.name);
    const std::string name = operation.name;
    CHECK(names.insert(name).second);
    for (const int64_t channels : {1, 3}) {
      Picture weak({channels, 16, 16}, 0.0f), strong({channels, 16, 16}, 0.0f);
      for (auto* p : {&weak, &strong})
        for (float& v : p->values) v = 0.2f + 0.5f * v;
      const auto before = weak.values;
      operation.apply(weak.image, 0.0);
      operation.apply(strong.image, -1.0);
      const auto [low, high] = std::minmax_element(strong.values.begin(), strong.values.end());
      CHECK(*low >= 0.0f);
      CHECK(*high <= 1.0f);
      const bool stretch = name == "auto_contrast" || name == "equalize";
      if (!stretch) check_near(weak.values, before, 0.5 / 255 + 1e-6);
      const bool nothing = name == "identity" || (name == "saturation" && channels == 1);
      CHECK((strong.values == before) == nothing);
    }
  }
  CHECK(names.size() == 14);
}

TEST_CASE("Beta draws have the mean and the variance of the distribution", "[train][augment]") {
  for (const double alpha : {0.2, 1.0, 4.0}) {
    core::Rng rng(1);
    double sum = 0, squares = 0;
    constexpr int kDraws = 4000;
    for (int i = 0; i < kDraws; ++i) {
      const double v = beta(alpha, rng);
      REQUIRE(v >= 0);
      REQUIRE(v <= 1);
      sum += v, squares += (v - 0.5) * (v - 0.5);
    }
    CHECK(sum / kDraws == Approx(0.5).margin(0.03));
    CHECK(squares / kDraws == Approx(0.25 / (2 * alpha + 1)).epsilon(0.1));
  }
}

namespace {
data::Batch five_images() {
  data::Batch batch;
  batch.size = 5;
  batch.x.resize(5 * 24);
  std::iota(batch.x.begin(), batch.x.end(), 0.0f);
  batch.y = {0, 1, 2, 0, 2};
  return batch;
}
}  // namespace

TEST_CASE("mixup is the stated combination of opposite rows", "[train][augment]") {
  auto batch = five_images();
  const auto before = batch;
  mixup(batch, 3, 0.75f);
  for (size_t i = 0; i < 5; ++i)
    for (size_t k = 0; k < 24; ++k)
      CHECK(batch.x[i * 24 + k] == Approx(0.75f * before.x[i * 24 + k] + 0.25f * before.x[(4 - i) * 24 + k]));
  CHECK(batch.t == std::vector<float>{0.75f, 0, 0.25f, 0.25f, 0.75f, 0, 0, 0, 1, 0.75f, 0.25f, 0, 0.25f, 0, 0.75f});
  CHECK(batch.y == before.y);
}

TEST_CASE("cutmix takes a box from the opposite row; targets go by its area", "[train][augment]") {
  constexpr data::ItemShape shape{2, 3, 4};
  auto batch = five_images();
  const auto before = batch;
  cutmix(batch, shape, 3, {.top = 1, .left = 2, .bottom = 3, .right = 4});  // 4 of 12 pixels
  for (size_t i = 0; i < 5; ++i)
    for (size_t k = 0; k < 24; ++k) {
      const size_t y = k % 12 / 4, x = k % 4;
      CHECK(batch.x[i * 24 + k] == before.x[(y >= 1 && x >= 2 ? 4 - i : i) * 24 + k]);
    }
  CHECK(batch.t[0] == Approx(8.0 / 12));
  CHECK(batch.t[2] == Approx(4.0 / 12));
}

TEST_CASE("boxes have the asked area unless the border cuts them off", "[train][augment]") {
  constexpr data::ItemShape shape{1, 40, 40};
  core::Rng rng(2);
  int whole = 0;
  for (int i = 0; i < 200; ++i) {
    const Box box = random_box(shape, 0.25, rng);
    CHECK(box.top >= 0);
    CHECK(box.left >= 0);
    CHECK(box.bottom <= 40);
    CHECK(box.right <= 40);
    CHECK((box.bottom - box.top) * (box.right - box.left) <= 400);
    whole += (box.bottom - box.top) * (box.right - box.left) == 400;
  }
  CHECK(whole > 20);
  const Box nothing = random_box(shape, 0, rng), all = random_box(shape, 1, rng);
  CHECK((nothing.bottom - nothing.top) * (nothing.right - nothing.left) == 0);
  CHECK((all.bottom - all.top) * (all.right - all.left) >= 400);
}

TEST_CASE("targets of several classes are mixed as they are", "[train][augment]") {
  auto batch = five_images();
  batch.t = {1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 1};
  batch.y[1] = -1;
  mixup(batch, 3, 0.75f);
  CHECK(batch.t == std::vector<float>{0.75f, 1, 0.25f, 0, 0, 0.25f, 1, 0, 0, 0, 0, 0.75f, 0.25f, 1, 0.75f});
}

}  // namespace condenser::train
