// Data at another size, in another colour, behind another front-end than their card says.
#include "condenser/data/preparation.hpp"

#include <algorithm>

#include "data/fixtures.hpp"
#include "support/catch.hpp"

using namespace condenser::data;
using namespace condenser::data::testing;

namespace {

const std::string kIdx =
    "condenser_card: 1\nname: tiny\nformat: idx\nclasses: [a, b]\n"
    "splits: {train: [{path: images}, {path: labels}]}\n";
const std::string kFolder =
    "condenser_card: 1\nname: tiny\nformat: image_folder\nclasses: [a, b]\nsplits: {train: [{path: train}]}\n";

// Interleaved pixels of two pictures that have edges in both directions.
std::vector<uint8_t> pixels(int c, int h, int w, int which) {
  std::vector<uint8_t> made;
  for (int y = 0; y < h; ++y)
    for (int x = 0; x < w; ++x)
      for (int k = 0; k < c; ++k)
        made.push_back(static_cast<uint8_t>((37 * x * y + 91 * which + 55 * k + 5 * y) % 256));
  return made;
}

std::string planes(int c, const std::vector<uint8_t>& interleaved) {
  std::string made;
  for (int k = 0; k < c; ++k)
    for (size_t i = static_cast<size_t>(k); i < interleaved.size(); i += static_cast<size_t>(c))
      made += static_cast<char>(interleaved[i]);
  return made;
}

// The same two pictures in one file and in two.
struct Both {
  TempFolder folder;
  Card in_one, in_two;

  Both(int c, int h, int w) {
    const std::string shape =
        "shape: [" + std::to_string(c) + ", " + std::to_string(h) + ", " + std::to_string(w) + "]\n";
    const auto a = pixels(c, h, w, 0), b = pixels(c, h, w, 1);
    std::vector<uint32_t> extents{2};
    if (c > 1) extents.push_back(static_cast<uint32_t>(c));
    extents.insert(extents.end(), {static_cast<uint32_t>(h), static_cast<uint32_t>(w)});
    folder.write("idx/images", idx_bytes(extents, planes(c, a) + planes(c, b)));
    folder.write("idx/labels", idx_bytes({2}, std::string("\0\1", 2)));
    folder.write("folder/train/a/1.png", png_bytes(c, h, w, a));
    folder.write("folder/train/b/1.png", png_bytes(c, h, w, b));
    in_one = read_card(folder.write("idx/card.yaml", kIdx + shape));
    in_two = read_card(folder.write("folder/card.yaml", kFolder + shape));
  }
};

std::vector<float> items(const Card& card) {
  const auto set = open_split(card, "train");
  std::vector<float> all(static_cast<size_t>(set->size() * set->shape().elements()));
  for (int64_t i = 0; i < set->size(); ++i)
    set->get(i, std::span(all).subspan(static_cast<size_t>(i * set->shape().elements()),
                                       static_cast<size_t>(set->shape().elements())));
  return all;
}

std::string refused(const Card& card, const Preparation& p) {
  return error_of([&] { prepare(card, p); });
}

}  // namespace

TEST_CASE("pictures in one file are brought to a size as pictures of a folder are", "[data]") {
  const Both both(1, 12, 18);
  const Card made = prepare(both.in_one, {.size = 8});
  CHECK(made.shape == ItemShape{1, 8, 12});
  CHECK(prepare(both.in_two, {.size = 8}).shape == made.shape);
  const auto small = items(made);
  CHECK(small == items(prepare(both.in_two, {.size = 8})));
  CHECK(small.size() == 2 * 96);
  CHECK(*std::ranges::max_element(small) > *std::ranges::min_element(small));
  CHECK(items(prepare(both.in_one, {.size = 12})) == items(both.in_one));
  CHECK(items(prepare(made, {.size = 12})) == items(both.in_one));  // from what the file holds, not from the smaller
}

TEST_CASE("colour becomes grey as pictures of a folder do, with its statistics", "[data]") {
  Both both(3, 10, 10);
  for (Card* card : {&both.in_one, &both.in_two}) {
    card->normalization = {{0.5, 0.4, 0.3}, {0.2, 0.25, 0.3}};
    const Card grey = prepare(*card, {.size = 6, .colour = "grey"});
    CHECK(grey.shape == ItemShape{1, 6, 6});
    REQUIRE(grey.normalization.mean.size() == 1);
    CHECK(grey.normalization.mean[0] == Approx(0.299 * 0.5 + 0.587 * 0.4 + 0.114 * 0.3));
    CHECK(grey.normalization.std[0] == Approx(0.299 * 0.2 + 0.587 * 0.25 + 0.114 * 0.3));
    CHECK(prepare(*card, {.colour = "rgb"}).shape == card->shape);
  }
  const Preparation grey{.size = 6, .colour = "grey"};
  CHECK(items(prepare(both.in_one, grey)) == items(prepare(both.in_two, grey)));
}

TEST_CASE("what the data cannot be is refused with what they are", "[data]") {
  const Both both(1, 12, 18);
  CHECK(refused(both.in_one, {.size = 13}) ==
        "data set tiny: size = 13; expected at most 12, the pictures have 1x12x18");
  CHECK(refused(both.in_two, {.size = 13}).empty());  // each file has a size of its own
  CHECK(refused(both.in_one, {.colour = "rgb"}) == "data set tiny: colour = rgb; expected grey: the pictures are grey");
  CHECK(refused(both.in_one, {.coefficients = 10}) ==
        "data set tiny: a front-end is chosen; expected sounds, these are pictures");
  Card sounds;
  sounds.name = "words";
  sounds.format = "wav_folder";
  CHECK(refused(sounds, {.size = 20}) ==
        "data set words: size or colour is chosen; expected pictures, these are sounds");
  CHECK(prepare(sounds, {.coefficients = 20, .stride_ms = 10}).shape == ItemShape{1, 98, 20});
  CHECK_THAT(refused(sounds, {.coefficients = 41}), Catch::Contains("at most bands, 40"));
  sounds.audio.features.kind = "log_mel";
  CHECK_THAT(refused(sounds, {.coefficients = 20}), Catch::Contains("its features are log_mel"));
}
