// A file of one's own becomes what the data set would have made of it.

#include "condenser/data/load_item.hpp"

#include "data/fixtures.hpp"
#include "support/catch.hpp"

using namespace condenser::data;
using namespace condenser::data::testing;

namespace {

Card card_of(const TempFolder& folder, ItemShape shape) {
  Card card;
  card.file = card.root = folder.path();
  card.name = "own";
  card.format = "image_folder";
  card.shape = shape;
  card.classes = {"a", "b"};
  card.normalization.mean.assign(static_cast<size_t>(shape.c), 0.5);
  card.normalization.std.assign(static_cast<size_t>(shape.c), 0.25);
  card.splits["train"] = {{"train", ""}};
  return card;
}

}  // namespace

TEST_CASE("a file is loaded as the split that holds it would load it", "[data]") {
  const TempFolder folder;
  std::vector<uint8_t> pixels;
  for (int k = 0; k < 3 * 9 * 7; ++k) pixels.push_back(static_cast<uint8_t>(k * 5));
  const auto file = folder.write("train/a/x.png", png_bytes(3, 9, 7, pixels));
  folder.write("train/b/y.png", png_bytes(3, 9, 7, pixels));
  for (const ItemShape shape : {ItemShape{3, 9, 7}, ItemShape{3, 5, 4}, ItemShape{1, 12, 12}}) {
    const Card card = card_of(folder, shape);
    std::vector<float> expected(static_cast<size_t>(shape.elements()));
    open_split(card, "train")->get(0, expected);
    CHECK(load_item(card, file) == expected);
  }
}

TEST_CASE("a sound becomes the features that its data set has", "[data][audio]") {
  const TempFolder folder;
  std::string samples;
  for (int k = 0; k < 700; ++k) samples += little_endian(static_cast<uint64_t>(k * k % 4001), 2);
  const auto file = folder.write("yes/anna_nohash_0.wav", wav_bytes({}, samples));
  folder.write("no/ben_nohash_0.wav", wav_bytes({}, samples.substr(200)));
  folder.write("testing_list.txt", "");
  folder.write("validation_list.txt", "");
  Card card = card_of(folder, {1, 49, 10});
  card.format = "wav_folder";
  card.classes = {"yes", "no"};
  card.splits["train"] = {{".", ""}};
  std::vector<float> expected(490);
  open_split(card, "train")->get(0, expected);
  CHECK(load_item(card, file) == expected);
  CHECK(contains(error_of([&] { load_item(card, folder.write("bad.wav", "RIFF")); }), "bad.wav"));
}

TEST_CASE("damaged sounds stop a run or are left out, as configured", "[data][audio]") {
  const TempFolder folder;
  const std::string samples(1000, '\1');
  folder.write("yes/anna_nohash_0.wav", wav_bytes({}, samples));
  folder.write("yes/carl_nohash_0.wav", "RIFF, and no more");
  folder.write("no/ben_nohash_0.wav", wav_bytes({}, samples));
  folder.write("testing_list.txt", "");
  folder.write("validation_list.txt", "");
  Card card = card_of(folder, {1, 49, 10});
  card.format = "wav_folder";
  card.classes = {"yes", "no"};
  card.splits["train"] = {{".", ""}};
  CHECK(contains(error_of([&] { open_split(card, "train"); }), "carl_nohash_0.wav"));
  CHECK(open_split(card, "train", {.on_damaged = OnDamaged::Skip})->size() == 2);
}

TEST_CASE("files that are no pictures are named", "[data]") {
  const TempFolder folder;
  const Card card = card_of(folder, {1, 4, 4});
  const auto error = [&](const std::filesystem::path& file) { return error_of([&] { load_item(card, file); }); };
  for (const char* bytes : {"", "hello", "\x89PNG\r\n\x1a\n", "\xff\xd8\xff"}) {
    const auto file = folder.write("bad.png", bytes);
    CHECK(contains(error(file), "bad.png"));
  }
  CHECK(contains(error(folder.path() / "missing.png"), "missing.png"));
  CHECK(contains(error(folder.path()), folder.path().filename().string()));
  const Card features = card_of(folder, {2, 4, 4});
  CHECK(contains(error_of([&] { load_item(features, folder.path() / "x.png"); }), "1 (grey) or 3 (RGB)"));
}
