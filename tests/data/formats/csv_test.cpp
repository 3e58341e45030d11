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

TEST_CASE("labels that differ in what nobody sees are one class", "[data]") {
  const std::vector<std::string> two{"cat", "dog"};
  for (const std::string text :
       {"path,label\n../img/0.png, cat\n../img/1.png,dog \n../img/2.png,cat\n../img/3.png,dog\n",
        "path;label\r\n../img/0.png; "
        "\"cat\"\r\n../img/1.png;\"dog\"\r\n../img/2.png;cat\xc2\xa0\r\n../img/3.png;dog\r\n",
        "path\tlabel\n../img/0.png\tcat\n../img/1.png\t\xef\xbb\xbf"
        "dog\n../img/2.png\tcat\xe2\x80\x8b\n ../img/3.png \tdog\n",
        "\xef\xbb\xbfPath , Label\r../img/0.png,cat\r../img/1.png,dog\r\r..\\img\\2.png,cat\r.././img/3.png,dog\r",
        "../img/0.png,cat\n../img/1.png,dog\n../img/2.png,cat\n../img/3.png,dog\n"}) {
    INFO(text);
    const Listed listed(text);
    const auto dataset = listed.open();
    CHECK(dataset->classes() == two);
    REQUIRE(dataset->size() == 4);
    for (int i = 0; i < 4; ++i) {
      CHECK(dataset->label(i) == i % 2);
      CHECK(value(*dataset, i) == static_cast<float>(10 * i) / 255.0f);
    }
  }
}

TEST_CASE("labels that look alike otherwise are refused, both shown", "[data]") {
  const auto error = [](const std::string& first, const std::string& second) {
    const Listed listed("path,label\n../img/0.png," + first + "\n../img/1.png," + second + "\n../img/2.png,x\n");
    return listed.error();
  };
  CHECK(contains(error("cat", "Cat"), "\"Cat\" and \"cat\" look alike"));
  CHECK(contains(error("caf\xc3\xa9", "cafe\xcc\x81"), "\"cafe\\u0301\" and \"caf\\u00e9\" look alike"));
  CHECK(contains(error("a b", "a  b"), "look alike"));
  CHECK(contains(error("a b",
                       "a\xc2\xa0"
                       "b"),
                 "\"a b\" and \"a\\u00a0b\" look alike"));
  CHECK(contains(error("c\xe2\x80\x8b"
                       "at",
                       "cat"),
                 "look alike"));
  CHECK(error("cat", "cot").empty());
}

TEST_CASE("a picture that is listed again is one picture", "[data]") {
  Listed listed("path,label\n../img/0.png,a\n../img/./0.png,a\n../img/1.png,b\n");
  std::vector<Unused> unused;
  const auto dataset = open_split(listed.card, "train", {.on_unused = [&](const Unused& u) { unused.push_back(u); }});
  CHECK(dataset->size() == 2);
  REQUIRE(unused.size() == 2);
  CHECK(unused[0].why == Why::ListedTwice);
  CHECK(unused[1].why == Why::NotListed);
  CHECK(unused[1].count == 2);
  listed.folder.write("lists/train.csv", "path,label\n../img/0.png,a\n../img/1.png,b\n../img/0.png,b\n");
  CHECK(contains(listed.error(), "train.csv:4: ../img/0.png is b, and a in line 2"));
  listed.card.multi_label = true;
  std::vector<float> targets(2);
  listed.open()->targets(0, targets);
  CHECK(targets == std::vector<float>{1, 1});
}

TEST_CASE("a class of another list only is refused before the training", "[data]") {
  Listed listed("path,label\n../img/0.png,a\n../img/1.png,b\n");
  listed.folder.write("lists/test.csv", "path,label\n../img/2.png,a\n../img/3.png,B\n");
  listed.card.splits["test"] = {{"lists/test.csv", ""}};
  Card card = listed.card;
  CHECK(contains(error_of([&] { find_classes(card); }),
                 "test.csv: \"B\" is not one of the 2 classes; it looks like \"b\""));
}

TEST_CASE("CSV index errors name file, line and what was expected", "[data]") {
  const auto error = [](const std::string& index, std::vector<std::string> classes = {}) {
    Listed listed(index);
    listed.card.classes = std::move(classes);
    return listed.error();
  };
  CHECK(contains(error("path,label\n../img/0.png,re\n", {"red", "blue"}),
                 "train.csv:2: label re is not one of the 2 classes; did you mean red?"));
  CHECK(contains(error("path,label\na,\"x\ny\"\n", {"red"}), "train.csv:2: label x\\ny is not one"));
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
