// In-memory data set and subsets.
#include "condenser/data/dataset.hpp"

#include <cmath>
#include <limits>

#include "data/fixtures.hpp"
#include "support/catch.hpp"

using namespace condenser::data;
using condenser::data::testing::contains;
using condenser::data::testing::error_of;

namespace {

std::unique_ptr<Dataset> two_items(Normalization normalization = {{0.5, 0.25}, {0.5, 2.0}}) {
  // Two items of two channels, 1x3.
  return make_image_dataset({2, 1, 3}, {"a", "b"}, std::move(normalization),
                            {0, 128, 255, 1, 2, 3, 10, 20, 30, 40, 50, 60}, {1, 0});
}

}  // namespace

TEST_CASE("items are normalized per channel", "[data]") {
  const auto dataset = two_items();
  REQUIRE(dataset->size() == 2);
  CHECK(dataset->shape() == ItemShape{2, 1, 3});
  CHECK(dataset->label(0) == 1);
  CHECK(dataset->label(1) == 0);
  std::vector<float> out(6);
  dataset->get(0, out);
  const std::vector<double> expected = {
      -1.0, (128 / 255.0 - 0.5) / 0.5, 1.0, (1 / 255.0 - 0.25) / 2, (2 / 255.0 - 0.25) / 2, (3 / 255.0 - 0.25) / 2};
  for (size_t k = 0; k < 6; ++k) CHECK(out[k] == static_cast<float>(expected[k]));
  dataset->get(1, out);
  CHECK(out[5] == static_cast<float>((60 / 255.0 - 0.25) / 2));
}

TEST_CASE("without normalization values are in 0..1", "[data]") {
  const auto dataset = two_items({});
  std::vector<float> out(6);
  dataset->get(0, out);
  CHECK(out[0] == 0.0f);
  CHECK(out[2] == 1.0f);
  CHECK(dataset->normalization().mean == std::vector<double>{0, 0});
  CHECK(dataset->normalization().std == std::vector<double>{1, 1});
}

TEST_CASE("a data set refuses what does not fit", "[data]") {
  const auto dataset = two_items();
  std::vector<float> small(5), out(6);
  CHECK(contains(error_of([&] { dataset->get(2, out); }), "item 2 asked for; it holds 2"));
  CHECK(contains(error_of([&] { dataset->get(-1, out); }), "item -1"));
  CHECK(contains(error_of([&] { dataset->label(2); }), "item 2"));
  CHECK(contains(error_of([&] { dataset->get(0, small); }), "5 values for one item; expected 6"));
  const auto make = [](ItemShape shape, Normalization normalization, std::vector<int> labels) {
    return error_of([&] { make_image_dataset(shape, {"a", "b"}, normalization, {1, 2}, labels); });
  };
  CHECK(make({1, 1, 1}, {}, {0, 1}).empty());
  CHECK(contains(make({1, 1, 1}, {}, {0}), "2 bytes of pixels for 1 labels"));
  CHECK(contains(make({1, 1, 1}, {}, {0, 2}), "item 1 has label 2; expected 0..1"));
  CHECK(contains(make({1, 1, 1}, {}, {-1, 0}), "item 0 has label -1"));
  CHECK(contains(make({0, 1, 1}, {}, {0, 1}), "shape 0x1x1"));
  CHECK(contains(make({1, 1, 1}, {{0, 0}, {1, 1}}, {0, 1}), "expected 1 of each"));
  CHECK(contains(make({1, 1, 1}, {{0}, {0}}, {0, 1}), "std above 0"));
  CHECK(contains(make({1, 1, 1}, {{std::numeric_limits<double>::quiet_NaN()}, {1}}, {0, 1}), "finite"));
}

TEST_CASE("a subset shows the chosen items in the given order", "[data]") {
  const auto base = testing::counting_dataset(10, 3);
  const auto part = subset(base, {7, 2, 2});
  REQUIRE(part->size() == 3);
  float value = 0;
  part->get(0, {&value, 1});
  CHECK(value == 7 / 255.0f);
  CHECK(part->label(0) == 1);
  CHECK(part->label(2) == 2);
  CHECK(part->classes() == base->classes());
  CHECK(subset(part, {1})->label(0) == 2);
  CHECK(contains(error_of([&] { part->get(3, {&value, 1}); }), "item 3 asked for; it holds 3"));
  CHECK(contains(error_of([&] { subset(base, {10}); }), "index 10 of a data set of 10"));
  CHECK(contains(error_of([&] { subset(base, {-1}); }), "index -1"));
  CHECK(contains(error_of([&] { subset(nullptr, {}); }), "no data set"));
}

TEST_CASE("a shifted data set moves whole pixels and repeats the border", "[data]") {
  const std::shared_ptr<const Dataset> base =
      make_image_dataset({1, 2, 3}, {"a", "b"}, {}, {0, 51, 102, 153, 204, 255}, {1});
  const auto moved = [&](int right, int down) {
    std::vector<float> out(6);
    shifted(base, right, down)->get(0, out);
    std::vector<int> fifths;
    for (const float x : out) fifths.push_back(static_cast<int>(std::lround(5 * x)));
    return fifths;
  };
  CHECK(moved(0, 0) == std::vector{0, 1, 2, 3, 4, 5});
  CHECK(moved(1, 0) == std::vector{0, 0, 1, 3, 3, 4});
  CHECK(moved(-2, 0) == std::vector{2, 2, 2, 5, 5, 5});
  CHECK(moved(0, 1) == std::vector{0, 1, 2, 0, 1, 2});
  CHECK(moved(-1, -1) == std::vector{4, 5, 5, 4, 5, 5});
  CHECK(shifted(base, 1, 0)->label(0) == 1);
  CHECK(contains(error_of([&] { shifted(base, 3, 0); }), "items 2x3; expected less"));
}
