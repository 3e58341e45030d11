// Folders of int8 features with y_labels.csv; and MLPerf Tiny's published integers against our own front-end.
#include <array>
#include <cmath>

#include "condenser/core/error.hpp"
#include "condenser/core/files.hpp"
#include "data/fixtures.hpp"
#include "data/formats/formats.hpp"
#include "support/absent.hpp"
#include "support/catch.hpp"

using namespace condenser::data;
using namespace condenser::data::testing;

namespace {

struct Example {
  Example() {
    folder.write("set/a.bin", std::string("\x00\x01\xff\x80\x7f\x53", 6));
    folder.write("set/b.bin", "bbbbbb");
    folder.write("set/y_labels.csv", "a.bin,2,1\nb.bin,2,0\r\n\n");
    folder.write("card.yaml",
                 "condenser_card: 1\nname: made\nformat: features_int8\nshape: [1, 3, 2]\nclasses: [x, y]\n"
                 "scale: 0.5\nzero_point: 83\nmean: [-10]\nstd: [4]\nsplits:\n  test: [{path: set}]\n");
  }
  std::shared_ptr<const Dataset> open() const { return open_split(read_card(folder.path()), "test"); }
  std::string error_with(const std::string& name, const std::string& bytes) const {
    const auto path = folder.path() / name;
    const std::string before = condenser::core::read_file(path);
    folder.write(name, bytes);
    const std::string message = error_of([this] { open(); });
    folder.write(name, before);
    return message;
  }

  TempFolder folder;
};

}  // namespace

TEST_CASE("int8 features are scaled, then normalized", "[features_int8]") {
  const Example example;
  const auto dataset = example.open();
  REQUIRE(dataset->size() == 2);
  CHECK(dataset->shape() == ItemShape{1, 3, 2});
  CHECK(dataset->label(0) == 1);
  CHECK(dataset->label(1) == 0);
  CHECK(dataset->name(0) == (example.folder.path() / "set/a.bin").string());
  std::vector<float> out(6);
  dataset->get(0, out);
  const int q[] = {0, 1, -1, -128, 127, 83};
  for (int k = 0; k < 6; ++k) CHECK(out[k] == static_cast<float>(((q[k] - 83) * 0.5 + 10) / 4));
  CHECK(contains(error_of([&] { dataset->get(2, out); }), "item 2 asked for; it holds 2"));
}

TEST_CASE("a card may have a test split only", "[features_int8]") {
  const Example example;
  const Card card = read_card(example.folder.path());
  CHECK(contains(error_of([&] { open_split(card, "train"); }), "no split train; expected one of test"));
}

TEST_CASE("what is wrong with int8 features is said", "[features_int8]") {
  const Example example;
  const std::string file = "set/y_labels.csv";
  CHECK(example.error_with(file, "b.bin,2,1\n").empty());
  CHECK(contains(example.error_with(file, ""), "no items"));
  CHECK(contains(example.error_with(file, "a.bin,3,1\n"), "line 1 is \"a.bin,3,1\"; expected a file beside it"));
  CHECK(contains(example.error_with(file, "a.bin\n"), "line 1 is"));
  CHECK(contains(example.error_with(file, "../a.bin,2,1\n"), "line 1 is"));
  CHECK(contains(example.error_with(file, "a.bin,2,2\n"), "item 0 has label 2"));
  CHECK(contains(example.error_with(file, "a.bin,2,x\n"), "item 0 has label -1"));
  CHECK(contains(example.error_with(file, "c.bin,2,1\n"), "c.bin"));
  CHECK(contains(example.error_with("set/a.bin", "short"), "a.bin: 5 bytes; expected 6 for 1x3x2"));
}

TEST_CASE("the checksum of int8 features covers items and labels", "[features_int8]") {
  const Example example;
  const auto set = example.folder.path() / "set";
  const std::string before = checksum(set, "features_int8");
  example.folder.write("set/notes.md", "no part of it");
  CHECK(checksum(set, "features_int8") == before);
  example.folder.write("set/a.bin", "aaaaaa");
  CHECK(checksum(set, "features_int8") != before);
}

// kws01 was made from the clips of Speech Commands' test partition, with q = trunc(x / scale + zero_point). The subset
// has clips of that partition too: where both have one, the integers made by TensorFlow and those made here must agree.
TEST_CASE("features are the integers that MLPerf Tiny published", "[features_int8][slow]") {
  Card published_card = read_card(CONDENSER_SOURCE_DIR "/datasets/kws01");
  Card clips_card = read_card(CONDENSER_SOURCE_DIR "/datasets/speech_commands_subset");
  if (!std::filesystem::exists(published_card.root) || !std::filesystem::exists(clips_card.root)) {
    condenser::tests::skip_without("data: kws01", "kws01 or speech_commands_subset is not here");
    return;
  }
  published_card.normalization = clips_card.normalization = {{0.0}, {1.0}};
  // In single precision, as there: coefficients of silent frames are 0 but for rounding.
  const auto scale = static_cast<float>(published_card.scale);
  const auto integers = [&](const Dataset& dataset, auto round) {
    std::vector<std::array<int, 490>> items(dataset.size());
    std::vector<float> values(490);
    for (int64_t i = 0; i < dataset.size(); ++i) {
      dataset.get(i, values);
      for (int k = 0; k < 490; ++k) items[i][k] = static_cast<int>(round(values[k] / scale + 83.0f));
    }
    return items;
  };
  const auto published = open_split(published_card, "test");
  const auto theirs = integers(*published, [](float q) { return std::round(q); });
  int common = 0, equal = 0;
  for (const char* split : {"train", "validation", "test"}) {
    const auto clips = open_split(clips_card, split);
    const auto ours = integers(*clips, [](float q) { return std::trunc(q); });
    for (size_t i = 0; i < ours.size(); ++i) {
      for (size_t j = 0; j < theirs.size(); ++j) {
        int differences = 0, k = 0;
        for (; k < 490 && std::abs(ours[i][k] - theirs[j][k]) <= 1; ++k) differences += ours[i][k] != theirs[j][k];
        if (k < 490) continue;
        CHECK(clips->label(i) == published->label(j));
        CHECK(differences < 49);
        ++common;
        equal += differences == 0;
      }
    }
  }
  CHECK(common >= 225);
  CHECK(equal >= 200);
}
