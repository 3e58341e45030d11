// Counts, duplicates, unreadable items, mean and deviation.
#include "condenser/data/check.hpp"

#include <cmath>

#include "data/fixtures.hpp"
#include "support/catch.hpp"

using namespace condenser::data;
using namespace condenser::data::testing;

namespace {

Card folder_card(const TempFolder& folder) {
  Card card;
  card.file = folder.path() / "card.yaml";
  card.root = folder.path();
  card.format = "image_folder";
  card.shape = {1, 1, 2};
  card.normalization = {{0.5}, {0.25}};
  card.splits["train"] = {{"train", ""}};
  card.splits["test"] = {{"test", ""}};
  return card;
}

std::string pair(uint8_t a, uint8_t b) { return png_bytes(1, 1, 2, {a, b}); }

}  // namespace

TEST_CASE("a clean set is counted and measured", "[data]") {
  const TempFolder folder;
  folder.write("train/a/1.png", pair(0, 51));
  folder.write("train/a/2.png", pair(0, 0));
  folder.write("train/b/1.png", pair(102, 255));
  folder.write("test/a/1.png", pair(3, 4));
  folder.write("test/b/1.png", pair(1, 2));
  const CheckReport report = check_data(folder_card(folder));
  CHECK(report.clean());
  CHECK(report.classes == std::vector<std::string>{"a", "b"});
  REQUIRE(report.splits.size() == 2);
  CHECK(report.splits[0].split == "train");
  CHECK(report.splits[0].items == 3);
  CHECK(report.splits[0].per_class == std::vector<int64_t>{2, 1});
  CHECK(report.splits[1].per_class == std::vector<int64_t>{1, 1});
  // Values 0, .2, 0, 0, .4, 1.
  CHECK(report.splits[0].found.mean[0] == Approx(1.6 / 6));
  CHECK(report.splits[0].found.std[0] == Approx(std::sqrt(1.2 / 6 - std::pow(1.6 / 6, 2))));
  CHECK(report.duplicates.empty());
}

TEST_CASE("duplicates are found by content, within and between splits", "[data]") {
  const TempFolder folder;
  folder.write("train/a/1.png", pair(7, 8));
  folder.write("train/b/2.png", pair(7, 8));
  folder.write("train/b/3.png", pair(9, 9));
  folder.write("test/b/x.png", png_bytes(3, 1, 2, {9, 9, 9, 9, 9, 9}));  // another file, the same picture
  const CheckReport report = check_data(folder_card(folder));
  CHECK_FALSE(report.clean());
  CHECK(report.within == 1);
  CHECK(report.between == 1);
  REQUIRE(report.duplicates.size() == 2);
  CHECK(contains(report.duplicates[0].first, "train/a/1.png"));
  CHECK(contains(report.duplicates[0].second, "train/b/2.png"));
  CHECK_FALSE(report.duplicates[0].same_label);
  CHECK(report.duplicates[1].first_split == "train");
  CHECK(report.duplicates[1].second_split == "test");
  CHECK(report.duplicates[1].same_label);
}

TEST_CASE("unreadable items and splits are named, the rest is looked at", "[data]") {
  const TempFolder folder;
  folder.write("train/a/1.png", pair(0, 255));
  folder.write("train/b/2.png", "no picture");
  const CheckReport report = check_data(folder_card(folder));
  CHECK_FALSE(report.clean());
  REQUIRE(report.splits.size() == 2);
  REQUIRE(report.splits[0].unreadable.size() == 1);
  CHECK(contains(report.splits[0].unreadable[0], "train/b/2.png"));
  CHECK(report.splits[0].found.mean[0] == Approx(0.5));
  CHECK(contains(report.splits[1].error, "test: no such folder"));
}

TEST_CASE("several classes per item are counted each", "[data]") {
  const TempFolder folder;
  folder.write("1.png", pair(1, 2));
  folder.write("2.png", pair(3, 4));
  folder.write("train.csv", "path,label\n1.png,a;b\n2.png,\n");
  Card card = folder_card(folder);
  card.format = "csv";
  card.multi_label = true;
  card.splits = {{"train", {{"train.csv", ""}}}};
  const CheckReport report = check_data(card);
  CHECK(report.splits[0].per_class == std::vector<int64_t>{1, 1});
  CHECK(report.splits[0].without_class == 1);
}

namespace {

const Finding* find(const CheckReport& report, const std::string& kind) {
  for (const Finding& finding : report.findings)
    if (finding.kind == kind) return &finding;
  return nullptr;
}

}  // namespace

TEST_CASE("statistics far from the card's are a problem", "[data]") {
  const TempFolder folder;
  for (int i = 0; i < 4; ++i) {
    folder.write("train/" + std::string(i % 2 ? "a" : "b") + std::to_string(i / 2) + "/1.png",
                 pair(static_cast<uint8_t>(100 + i), 201));
    folder.write("test/" + std::string(i % 2 ? "a" : "b") + std::to_string(i / 2) + "/1.png",
                 pair(static_cast<uint8_t>(10 + i), 20));
  }
  Card card = folder_card(folder);
  CHECK(check_data(card).clean());
  card.normalization = {{0.9}, {0.02}};
  CheckReport report = check_data(card);
  CHECK_FALSE(report.clean());
  REQUIRE(find(report, "normalization"));
  CHECK(contains(find(report, "normalization")->text, "mean [0.9000] and std [0.0200]"));
  card.normalization = {{1.0}, {0.2}};
  CHECK(find(check_data(card), "normalization"));
}

TEST_CASE("contradictions, empty classes and unequal classes are found", "[data]") {
  const TempFolder folder;
  for (int i = 0; i < 20; ++i)
    folder.write("train/a/" + std::to_string(i) + ".png", pair(static_cast<uint8_t>(60 + i), 200));
  folder.write("train/b/1.png", pair(60, 200));
  folder.write("train/c/notes.txt", "x");
  folder.write("test/a/1.png", pair(5, 250));
  const CheckReport report = check_data(folder_card(folder));
  CHECK_FALSE(report.clean());
  REQUIRE(find(report, "contradicting_labels"));
  CHECK(find(report, "contradicting_labels")->count == 1);
  REQUIRE(find(report, "class_without_items"));
  CHECK(find(report, "class_without_items")->problem);
  CHECK(contains(find(report, "class_without_items")->text, "c"));
  REQUIRE(find(report, "class_sizes"));
  CHECK(contains(find(report, "class_sizes")->text, "a has 20 items, b 1"));
  CHECK(find(report, "unused"));
  CHECK_FALSE(find(report, "constant"));
  CHECK_FALSE(find(report, "unreadable"));
}

TEST_CASE("a class that the test part lacks is a problem: no figure says how well it is known", "[data]") {
  const TempFolder folder;
  for (const char* name : {"train/a/1.png", "train/b/1.png", "test/a/1.png"})
    folder.write(name, pair(static_cast<uint8_t>(name[1] + name[6]), 200));
  const CheckReport report = check_data(folder_card(folder));
  REQUIRE(find(report, "class_without_items"));
  CHECK(find(report, "class_without_items")->split == "test");
  CHECK_FALSE(report.clean());
}

TEST_CASE("a picture of one value is noted", "[data]") {
  const TempFolder folder;
  folder.write("test/b/1.png", pair(6, 250));
  folder.write("train/a/1.png", pair(128, 128));
  folder.write("train/b/1.png", pair(60, 200));
  folder.write("test/a/1.png", pair(5, 250));
  const CheckReport report = check_data(folder_card(folder));
  CHECK(report.clean());
  REQUIRE(find(report, "constant"));
  CHECK(find(report, "constant")->items.size() == 1);
}
