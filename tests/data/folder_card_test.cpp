// Folders of pictures without a card: which layouts are known, what is cut, what is refused.
#include <set>

#include "condenser/core/log.hpp"
#include "condenser/data/card.hpp"
#include "data/fixtures.hpp"
#include "support/catch.hpp"

using namespace condenser::data;
using namespace condenser::data::testing;
namespace fs = std::filesystem;

namespace {

// Different pictures in every file.
void add(const TempFolder& folder, const std::string& below, int count) {
  static uint8_t serial = 0;
  for (int i = 0; i < count; ++i) {
    ++serial;
    folder.write(below + "/" + std::to_string(i) + ".png",
                 png_bytes(1, 2, 2, {serial, static_cast<uint8_t>(serial * 7), static_cast<uint8_t>(i), 200}));
  }
}

Card card_of(const TempFolder& folder) {
  Card card = folder_card(folder.path(), {1, 2, 2}, 0.2, 1);
  find_classes(card);
  return card;
}

std::string refusal(const TempFolder& folder) {
  return error_of([&] { card_of(folder); });
}

std::set<std::string> names(const Dataset& dataset) {
  std::set<std::string> all;
  for (int64_t i = 0; i < dataset.size(); ++i) all.insert(dataset.name(i));
  return all;
}

struct Quiet {
  Quiet() { condenser::core::log::set_level(condenser::core::log::Level::Error); }
  ~Quiet() { condenser::core::log::set_level(condenser::core::log::Level::Info); }
};

}  // namespace

TEST_CASE("parts are known by all their usual names", "[data][folder_card]") {
  const Quiet quiet;
  const std::vector<std::pair<std::string, std::string>> known = {
      {"validation", "validation"}, {"val", "validation"}, {"VALID", "validation"}, {"dev", "validation"},
      {"eval", "validation"},       {"testing", "test"},   {"Test", "test"}};
  for (const auto& [name, split] : known) {
    const TempFolder folder;
    for (const char* c : {"/a", "/b"}) {
      add(folder, std::string("Training") + c, 6);
      add(folder, name + c, 3);
    }
    const Card card = card_of(folder);
    INFO(name);
    CHECK(card.splits.contains(split));
    CHECK(open_split(card, split)->size() == 6);
    CHECK(card.has_split("test"));
  }
}

TEST_CASE("without a test part one is cut, balanced, and nothing is in both", "[data][folder_card]") {
  const Quiet quiet;
  for (const std::string below : {"", "train/"}) {
    const TempFolder folder;
    add(folder, below + "a", 20);
    add(folder, below + "b", 10);
    if (!below.empty()) add(folder, "val/a", 2);
    const Card card = card_of(folder);
    const auto train = open_split(card, "train"), test = open_split(card, "test");
    CHECK(train->size() == 24);
    CHECK(test->size() == 6);
    int64_t of_b = 0;
    for (int64_t i = 0; i < test->size(); ++i) of_b += test->label(i);
    CHECK(of_b == 2);
    std::set<std::string> both = names(*train);
    both.merge(names(*test));
    CHECK(both.size() == 30);
    CHECK(names(*open_split(card, "test")) == names(*test));
    Card other = card;
    other.split_seed = 2;
    CHECK(names(*open_split(other, "test")) != names(*test));
  }
}

TEST_CASE("copies of a picture stay on one side of the cut", "[data][folder_card]") {
  const Quiet quiet;
  const TempFolder folder;
  const std::string same = png_bytes(1, 2, 2, {1, 2, 3, 4});
  for (int i = 0; i < 12; ++i) folder.write("a/" + std::to_string(i) + ".png", same);
  add(folder, "b", 10);
  const Card card = card_of(folder);
  const auto test = open_split(card, "test");
  for (int64_t i = 0; i < test->size(); ++i) CHECK(test->label(i) == 1);
  CHECK(test->size() == 2);
}

TEST_CASE("a table stands for folders, and tables beside it for the other parts", "[data][folder_card]") {
  const Quiet quiet;
  const TempFolder folder;
  add(folder, "a", 10);
  add(folder, "b", 10);
  const auto rows = [](int begin, int end) {
    std::string text = "path,label\n";
    for (int i = begin; i < end; ++i)
      for (const std::string label : {"a", "b"}) text += label + "/" + std::to_string(i) + ".png," + label + "\n";
    return text;
  };
  const auto opened = [&](const char* name) {
    Card card = folder_card(folder.path() / name, {1, 2, 2}, 0.2, 1);
    find_classes(card);
    return card;
  };
  folder.write("all.csv", rows(0, 10));
  const Card all = opened("all.csv");
  CHECK(all.classes == std::vector<std::string>{"a", "b"});
  CHECK(open_split(all, "train")->size() == 16);  // a fifth is cut
  CHECK(open_split(all, "test")->size() == 4);

  folder.write("train.csv", rows(0, 6));
  folder.write("Test.csv", rows(6, 10));
  const Card parts = opened("train.csv");
  CHECK(open_split(parts, "train")->size() == 12);
  CHECK(open_split(parts, "test")->size() == 8);
  folder.write("testing.tsv", "path\tlabel\n");
  CHECK(contains(error_of([&] { opened("train.csv"); }), "would both be the test part"));

  folder.write("several.csv", "path,label\na/0.png,a;b\nb/0.png,b\n");
  CHECK(contains(error_of([&] { opened("several.csv"); }), "label a;b names several classes"));
}

TEST_CASE("layouts that can be read in two ways, or in none, are refused", "[data][folder_card]") {
  const Quiet quiet;
  {
    const TempFolder folder;
    for (const char* name : {"train/a", "train/b", "a", "b"}) add(folder, name, 1);
    CHECK(contains(refusal(folder), "holds train/ and also a, b/, which are classes of it; expected one layout"));
  }
  {
    const TempFolder folder;
    for (const char* name : {"train/a", "train/b", "val/a", "valid/a"}) add(folder, name, 1);
    CHECK(contains(refusal(folder), "val/ and valid/ would both be the validation part"));
  }
  {
    const TempFolder folder;
    for (const char* name : {"a/train", "a/test", "b/train"}) add(folder, name, 1);
    CHECK(contains(refusal(folder), "a part inside of a/"));
  }
  {
    const TempFolder folder;
    for (const char* name : {"test/a", "test/b"}) add(folder, name, 1);
    CHECK(contains(refusal(folder), "holds test/, but no train/"));
  }
  {
    const TempFolder folder;
    for (const char* name : {"birds/train/a", "birds/train/b"}) add(folder, name, 1);
    CHECK(contains(refusal(folder), "did you mean " + (folder.path() / "birds").string() + "?"));
  }
  {
    const TempFolder folder;
    add(folder, "a", 1);
    CHECK(contains(refusal(folder), "1 folders with pictures or sounds; expected train/<class>/"));
  }
  {
    const TempFolder folder;
    for (const char* name : {"train/a", "train/b", "test/a", "test/B"}) add(folder, name, 1);
    CHECK(contains(refusal(folder), "test: \"B\" is not one of the 2 classes; it looks like \"b\""));
  }
  {
    const TempFolder folder;
    add(folder, "photos", 2);
    CHECK(contains(error_of([&] {
                     folder_card(folder.path() / "photos", {1, 2, 2}, 0.2, 1);
                   }),
                   "did you mean " + folder.path().string() + "?"));
  }
  CHECK(contains(error_of([] { folder_card("/nowhere/at/all", {1, 2, 2}, 0.2, 1); }), "no such folder"));
}

namespace {

// Tones that differ in every file.
void add_sounds(const TempFolder& folder, const std::string& below, int count, int rate = 16000) {
  static int serial = 0;
  for (int i = 0; i < count; ++i) {
    std::string data;
    ++serial;
    for (int n = 0; n < rate; ++n) data += little_endian(static_cast<uint16_t>((n * (serial + 3)) % 20000), 2);
    folder.write(below + "/" + std::to_string(i) + ".wav", wav_bytes({.rate = rate}, data));
  }
}

}  // namespace

TEST_CASE("folders of sounds have the layouts of pictures", "[data][folder_card]") {
  const Quiet quiet;
  {
    const TempFolder folder;
    for (const char* name : {"yes", "no"}) add_sounds(folder, name, 5);
    folder.write("README.md", "about");
    const Card card = card_of(folder);
    CHECK(card.format == "wav_folder");
    CHECK(card.shape == ItemShape{1, 49, 10});
    CHECK(card.classes == std::vector<std::string>{"no", "yes"});
    const auto train = open_split(card, "train"), test = open_split(card, "test");
    CHECK(train->size() == 8);
    CHECK(test->size() == 2);
    for (const std::string& name : names(*test)) CHECK(!names(*train).contains(name));
  }
  for (const std::string part : {"", "val", "validation"}) {
    const TempFolder folder;
    for (const char* name : {"train/yes", "train/no", "test/yes", "test/no"}) add_sounds(folder, name, 2, 8000);
    if (!part.empty()) add_sounds(folder, part + "/yes", 1, 8000);  // a part may lack a class
    add_sounds(folder, "holdout/yes", 1, 8000);
    const Card card = card_of(folder);
    CHECK(card.audio.sample_rate == 8000);
    std::vector<Unused> unused;
    CHECK(open_split(card, "train", {.on_unused = [&](const Unused& u) { unused.push_back(u); }})->size() == 4);
    REQUIRE(unused.size() == 1);
    CHECK(contains(unused[0].first[0], "holdout"));
    CHECK(open_split(card, "test")->size() == 4);
    CHECK(card.splits.contains("validation") == !part.empty());
    if (!part.empty()) CHECK(open_split(card, "validation")->size() == 1);
  }
  {
    const TempFolder folder;  // the layout of Speech Commands
    for (const char* name : {"yes", "no", "_background_noise_"}) add_sounds(folder, name, 4);
    folder.write("validation_list.txt", "yes/0.wav\nno/0.wav\n");
    folder.write("testing_list.txt", "yes/1.wav\nno/1.wav\n");
    const Card card = card_of(folder);
    CHECK(card.classes.size() == 2);
    CHECK(open_split(card, "train")->size() == 4);
    CHECK(names(*open_split(card, "test")).contains((folder.path() / "yes/1.wav").string()));
    CHECK(open_split(card, "validation")->size() == 2);
  }
  {
    const TempFolder folder;
    for (const char* name : {"train/yes", "train/no", "test/yess"}) add_sounds(folder, name, 1);
    CHECK(contains(refusal(folder), "yess\" is not one of the 2 classes"));
  }
  {
    const TempFolder folder;
    for (const char* name : {"yes", "no"}) add_sounds(folder, name, 1, 1000);
    CHECK(contains(refusal(folder), "expected a card with format: wav_folder, sample_rate and features"));
  }
}

TEST_CASE("folders beside the parts are reported", "[data][folder_card]") {
  const Quiet quiet;
  const TempFolder folder;
  for (const char* name : {"train/a", "train/b", "test/a", "holdout/a"}) add(folder, name, 3);
  folder.write("README.txt", "x");
  std::vector<Unused> unused;
  open_split(card_of(folder), "train", {.on_unused = [&](const Unused& u) { unused.push_back(u); }});
  REQUIRE(unused.size() == 1);
  CHECK(unused[0].why == Why::NoSplit);
  CHECK(unused[0].count == 3);
  CHECK(contains(unused[0].first[0], "holdout"));
}
