// Pictures listed by a CSV file: columns, paths, classes, several classes at once.
#include "condenser/data/split.hpp"
#include "data/fixtures.hpp"
#include "data/formats/formats.hpp"
#include "support/catch.hpp"

using namespace condenser::data;
using namespace condenser::data::testing;

namespace {

struct Listed {
  explicit Listed(const std::string& index) {
    for (int i = 0; i < 4; ++i) {
      folder.write("img/" + std::to_string(i) + ".png", png_bytes(1, 1, 1, {static_cast<uint8_t>(10 * i)}));
    }
    folder.write("lists/train.csv", index);
    card.file = folder.path() / "card.yaml";
    card.root = folder.path();
    card.format = "csv";
    card.shape = {1, 1, 1};
    card.splits["train"] = {{"lists/train.csv", ""}};
  }
  std::shared_ptr<const Dataset> open() const { return open_split(card, "train"); }
  std::string error() const {
    return error_of([this] { open(); });
  }
  TempFolder folder;
  Card card;
};

float value(const Dataset& dataset, int64_t i) {
  std::vector<float> out(1);
  dataset.get(i, out);
  return out[0];
}

}  // namespace

TEST_CASE("paths are relative to the CSV file, columns go by name", "[data]") {
  Listed listed("label,note,path\nred,\"a, b\",../img/2.png\nblue,,../img/0.png\n");
  const auto dataset = listed.open();
  CHECK(dataset->classes() == std::vector<std::string>{"blue", "red"});
  REQUIRE(dataset->size() == 2);
  CHECK(dataset->label(0) == 1);
  CHECK(dataset->label(1) == 0);
  CHECK_FALSE(dataset->multi_label());
  CHECK(value(*dataset, 0) == 20 / 255.0f);
  CHECK(dataset->name(0) == (listed.folder.path() / "img/2.png").string());
  const auto absolute = (listed.folder.path() / "img/3.png").string();
  listed.folder.write("lists/train.csv", "path,label\n" + absolute + ",b\n../img/1.png,a;b\n");
  CHECK(value(*listed.open(), 0) == 30 / 255.0f);
  CHECK(listed.open()->classes() == std::vector<std::string>{"a;b", "b"});
}

TEST_CASE("an item may have several classes, or none", "[data]") {
  Listed listed("path,label\n../img/0.png,cat; dog\n../img/1.png,\n../img/2.png,dog\n../img/3.png,;bird;\n");
  listed.card.multi_label = true;
  const auto dataset = listed.open();
  CHECK(dataset->multi_label());
  CHECK(dataset->classes() == std::vector<std::string>{"bird", "cat", "dog"});
  const std::vector<std::vector<float>> expected = {{0, 1, 1}, {0, 0, 0}, {0, 0, 1}, {1, 0, 0}};
  const std::vector<int> first = {1, -1, 2, 0};
  std::vector<float> targets(3);
  for (int64_t i = 0; i < 4; ++i) {
    dataset->targets(i, targets);
    CHECK(targets == expected[i]);
    CHECK(dataset->label(i) == first[i]);
  }
  // Splitting works with items that have no class.
  const TwoWay parts = stratified_split(*dataset, 0.5, 1);
  CHECK(parts.first.size() + parts.second.size() == 4);
  CHECK(stratified_subset(*dataset, 4, 1).size() == 4);
}

TEST_CASE("CSV index errors name file, line and what was expected", "[data]") {
  const auto error = [](const std::string& index, std::vector<std::string> classes = {}) {
    Listed listed(index);
    listed.card.classes = std::move(classes);
    return listed.error();
  };
  CHECK(contains(error("path,label\n../img/0.png,re\n", {"red", "blue"}),
                 "train.csv:2: label re is not one of the 2 classes; did you mean red?"));
  CHECK(contains(error("path,label\na,\"x\ny\"\n", {"red"}), "train.csv:2: label x?y is not one"));
  CHECK(contains(error("file,label\n"), "train.csv:1: columns file, label; expected path and label"));
  CHECK(contains(error(""), "train.csv: empty; expected a header row"));
  CHECK(contains(error("path,label\n", {"red"}), "train.csv: no row below the header"));
  CHECK(contains(error("path,label\na,b,c\n"), "train.csv:2: 3 fields; expected 2"));
  CHECK(contains(error("path,label\n,b\n"), "train.csv:2: the path is empty"));
  CHECK(contains(error("path,label\na,\n"), "train.csv:2: the label is empty"));
  CHECK(contains(error("path,label\na,b\n"), "1 classes; expected at least 2"));
  Listed missing("path,label\n../img/0.png,a\nnone.png,b\n");
  const auto dataset = missing.open();  // decoded when asked for
  std::vector<float> out(1);
  CHECK(contains(error_of([&] { dataset->get(1, out); }), "lists/none.png: cannot read"));
}
