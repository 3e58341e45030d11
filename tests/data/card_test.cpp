// Cards: keys, refusals, where the data are looked for, checksums; and the bundled cards.
#include "condenser/data/card.hpp"

#include <set>

#include "condenser/core/error.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/hash.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/rng.hpp"
#include "data/fixtures.hpp"
#include "support/absent.hpp"
#include "support/catch.hpp"

using namespace condenser::data;
using namespace condenser::data::testing;
namespace fs = std::filesystem;

namespace {

const std::string kImages = idx_bytes({3, 1, 2}, "abcdef");
const std::string kLabels = idx_bytes({3}, std::string("\1\0\1", 3));

std::string card_text(const std::string& root = "") {
  return "condenser_card: 1\n"
         "name: tiny\n"
         "about: three items\n"
         "source: made up\n"
         "license: none\n"
         "format: idx\n" +
         (root.empty() ? "" : "root: " + root + "\n") +
         "shape: [1, 1, 2]\n"
         "classes: [no, yes]\n"
         "mean: [0.5]\n"
         "std: [0.25]\n"
         "splits:\n"
         "  train:\n"
         "    - {path: images, sha256: " +
         condenser::core::sha256_hex(kImages) +
         "}\n"
         "    - {path: labels}\n";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

void write_data(const TempFolder& folder, const std::string& below = "") {
  folder.write(below + "images", kImages);
  folder.write(below + "labels", kLabels);
}

fs::path bundled(const std::string& name) { return fs::path(CONDENSER_SOURCE_DIR) / "datasets" / name; }

}  // namespace

TEST_CASE("a card says everything about its data", "[data]") {
  TempFolder folder;
  folder.write("card.yaml", card_text());
  write_data(folder);
  const Card card = read_card(folder.path());
  CHECK(card.file == folder.path() / "card.yaml");
  CHECK(card.name == "tiny");
  CHECK(card.about == "three items");
  CHECK(card.source == "made up");
  CHECK(card.license == "none");
  CHECK(card.root == folder.path());
  CHECK(card.shape == ItemShape{1, 1, 2});
  CHECK(card.classes == std::vector<std::string>{"no", "yes"});
  CHECK(card.splits.size() == 1);
  CHECK(read_card(folder.path() / "card.yaml").name == "tiny");
  const auto dataset = open_split(card, "train");
  CHECK(dataset->size() == 3);
  CHECK(dataset->label(0) == 1);
  CHECK(dataset->normalization().std == std::vector<double>{0.25});
  std::vector<float> out(2);
  dataset->get(2, out);
  CHECK(out[1] == static_cast<float>(('f' / 255.0 - 0.5) / 0.25));
  CHECK(contains(error_of([&] { open_split(card, "test"); }), "no split test; expected one of train"));
}

TEST_CASE("a card needs no data to be read", "[data]") {
  TempFolder folder;
  folder.write("card.yaml", card_text());
  const Card card = read_card(folder.path());
  const std::string message = error_of([&] { open_split(card, "train"); });
  CHECK(contains(message, (folder.path() / "images").string() + ": no such file; looked in"));
  fs::create_directory(folder.path() / "images");
  CHECK(contains(error_of([&] { open_split(card, "train"); }), "images: not a file; expected two files"));
}

TEST_CASE("wrong cards are refused with their line", "[data]") {
  TempFolder folder;
  const auto error_with = [&](const std::string& from, const std::string& to) {
    folder.write("card.yaml", replaced(card_text(), from, to));
    return error_of([&] { read_card(folder.path()); }, true);
  };
  CHECK(error_with("name: tiny", "name: other").empty());
  const auto refused = [&](const std::string& from, const std::string& to, const std::string& expected) {
    const std::string message = error_with(from, to);
    INFO(from << " -> " << to << ": " << message);
    CHECK(contains(message, "card.yaml"));
    CHECK(contains(message, expected));
  };
  refused("condenser_card: 1\n", "", "condenser_card");
  refused("condenser_card: 1", "condenser_card: 2", "condenser_card");
  refused("name: tiny\n", "", "name");
  refused("format: idx", "format: idxx", "format");
  refused("format: idx\n", "", "format");
  refused("shape: [1, 1, 2]", "shape: [1, 2]", "shape");
  refused("shape: [1, 1, 2]", "shape: [0, 1, 2]", "shape");
  refused("shape: [1, 1, 2]\n", "", "shape");
  refused("classes: [no, yes]", "classes: [no, no]", "classes");
  refused("classes: [no, yes]", "classes: []", "classes");
  refused("mean: [0.5]", "mean: [0.5, 0.5]", "mean");
  refused("mean: [0.5]", "mean: [.nan]", "mean");
  refused("std: [0.25]", "std: [0]", "std");
  refused("mean: [0.5]", "mean: [127.5]", "found mean [127.5] and std [0.25]; of bytes 0..255 that is mean [0.5] and");
  refused("std: [0.25]", "std: [63.75]", "std [63.75]; of bytes 0..255 that is mean [0.5] and std [0.25]");
  refused("mean: [0.5]", "mean: [-1.5]", "values of 0..1");
  refused("classes: [no, yes]", "classes: [yes, \"yes \"]", "look alike");
  refused("splits:", "split:", "split");
  refused("  train:", "  training:", "train");
  refused("    - {path: labels}\n", "", "two: images, then labels");
  refused("path: labels", "path: /etc/labels", "path");
  refused("path: labels", "path: ../labels", "path");
  refused("{path: labels}", "{file: labels}", "path");
  refused("path: labels", "path: labels, sha256: 12ab", "64 hexadecimal digits");
  refused("license: none", "licence: none", "licence");
  refused("format: idx", "format: idx\nlabels: coarse", "only with format: cifar100_binary");
  refused("format: idx", "format: idx\nmulti_label: true", "only with format: csv");
  refused("format: idx", "format: cifar100_binary\nlabels: middle", "one of fine, coarse");
  refused("about: three items", "root: $HOME/data", "$CONDENSER_DATA");
  CHECK(contains(error_of([&] { read_card(folder.path() / "nothing"); }, true), "nothing"));
}

TEST_CASE("root is relative to the card, absolute, or under CONDENSER_DATA", "[data]") {
  TempFolder folder;
  write_data(folder, "elsewhere/tiny/");
  folder.write("cards/card.yaml", card_text("../elsewhere/tiny"));
  CHECK(read_card(folder.path() / "cards").root == folder.path() / "elsewhere/tiny");
  CHECK(open_split(read_card(folder.path() / "cards"), "train")->size() == 3);

  folder.write("cards/card.yaml", card_text((folder.path() / "elsewhere/tiny").string()));
  CHECK(open_split(read_card(folder.path() / "cards"), "train")->size() == 3);

  folder.write("cards/card.yaml", card_text("$CONDENSER_DATA/tiny"));
  ScopedVariable set("CONDENSER_DATA", (folder.path() / "elsewhere").c_str());
  CHECK(open_split(read_card(folder.path() / "cards"), "train")->size() == 3);
}

TEST_CASE("without CONDENSER_DATA the data lie beside the checkout", "[data]") {
  TempFolder folder;
  ScopedVariable unset("CONDENSER_DATA", nullptr);
  write_data(folder, "shared/data/tiny/");
  folder.write("checkout/datasets/tiny/card.yaml", card_text("$CONDENSER_DATA/tiny"));
  CHECK(open_split(read_card(folder.path() / "checkout/datasets/tiny"), "train")->size() == 3);
}

TEST_CASE("missing data say where they were looked for and what to set", "[data]") {
  TempFolder folder;
  folder.write("card.yaml", card_text("$CONDENSER_DATA/tiny"));
  const auto message = [&] {
    const Card card = read_card(folder.path());
    return error_of([&] { open_split(card, "train"); });
  };
  {
    ScopedVariable unset("CONDENSER_DATA", nullptr);
    CHECK(contains(message(), "CONDENSER_DATA is not set; looked for ../shared/data"));
    CHECK(contains(message(), "set CONDENSER_DATA to the folder that holds tiny"));
  }
  ScopedVariable set("CONDENSER_DATA", "/nowhere/at/all");
  CHECK(contains(message(), "/nowhere/at/all/tiny/images: no such file"));
  CHECK(contains(message(), "CONDENSER_DATA = /nowhere/at/all"));
}

TEST_CASE("a wrong checksum shows both", "[data]") {
  TempFolder folder;
  folder.write("card.yaml", card_text());
  write_data(folder);
  std::string changed = kImages;
  changed.back() ^= 1;
  folder.write("images", changed);
  const Card card = read_card(folder.path());
  const std::string message = error_of([&] { open_split(card, "train"); });
  CHECK(contains(message, "/images: sha256 " + condenser::core::sha256_hex(changed)));
  CHECK(contains(message, "expected " + condenser::core::sha256_hex(kImages)));
  CHECK(open_split(card, "train", {.verify = Verify::No})->size() == 3);
  // Digits in capitals are the same checksum.
  std::string capitals = condenser::core::sha256_hex(kImages);
  for (char& c : capitals) c = static_cast<char>(std::toupper(c));
  folder.write("card.yaml", replaced(card_text(), condenser::core::sha256_hex(kImages), capitals));
  folder.write("images", kImages);
  CHECK(open_split(read_card(folder.path()), "train")->size() == 3);
}

TEST_CASE("the checksum of a folder is that of the list of its pictures", "[data]") {
  TempFolder folder;
  const std::string a = png_bytes(1, 1, 1, {1}), b = png_bytes(1, 1, 1, {2});
  folder.write("train/x/2.png", b);
  folder.write("train/x-y/1.jpg", a);
  const std::string listing = condenser::core::sha256_hex(a) + "  x-y/1.jpg\n" + condenser::core::sha256_hex(b) +
                              "  x/2.png\n";  // byte order: '-' before '/'
  CHECK(checksum(folder.path() / "train") == condenser::core::sha256_hex(listing));
  folder.write("train/x/3.png", a);
  CHECK(checksum(folder.path() / "train") != condenser::core::sha256_hex(listing));
}

TEST_CASE("changed bytes of cards and files only give errors", "[data]") {
  TempFolder folder;
  condenser::core::Rng rng(7);
  const std::vector<std::pair<std::string, std::string>> originals = {
      {"card.yaml", replaced(card_text(), ", sha256: " + condenser::core::sha256_hex(kImages), "")},
      {"images", kImages},
      {"labels", kLabels},
      {"images", gzip(kImages)}};
  for (const auto& [name, bytes] : originals) folder.write(name, bytes);
  for (int round = 0; round < 400; ++round) {
    auto [name, bytes] = originals[round % originals.size()];
    for (int changes = 1 + static_cast<int>(rng.below(3)); changes > 0 && !bytes.empty(); --changes) {
      const size_t at = rng.below(bytes.size());
      switch (rng.below(3)) {
        case 0: bytes[at] = static_cast<char>(rng.below(256)); break;
        case 1: bytes.erase(at, 1 + rng.below(4)); break;
        default: bytes.insert(at, 1, static_cast<char>(rng.below(256)));
      }
    }
    folder.write(name, bytes);
    try {
      const auto dataset = open_split(read_card(folder.path()), "train");
      for (int64_t i = 0; i < dataset->size(); ++i) {
        CHECK(dataset->label(i) >= 0);
        CHECK(dataset->label(i) < std::ssize(dataset->classes()));
      }
    } catch (const condenser::core::Error&) {
    }
    for (const auto& [whole_name, whole] : originals) {
      if (whole_name == name) folder.write(name, whole);
    }
  }
}

TEST_CASE("the bundled digits are complete and balanced", "[data]") {
  const Card card = read_card(bundled("digits"));
  for (auto [split, per_class] : {std::pair{"train", 800}, {"test", 200}}) {
    const auto dataset = open_split(card, split);
    CHECK(dataset->shape() == ItemShape{1, 28, 28});
    std::vector<int> counts(10);
    for (int64_t i = 0; i < dataset->size(); ++i) ++counts[dataset->label(i)];
    CHECK(counts == std::vector<int>(10, per_class));
  }
  // The first labels of MNIST's training and test sets, as everyone knows them.
  const auto train = open_split(card, "train", {.verify = Verify::No}),
             test = open_split(card, "test", {.verify = Verify::No});
  for (auto [i, label] : {std::pair{0, 5}, {1, 0}, {2, 4}, {3, 1}, {4, 9}}) CHECK(train->label(i) == label);
  for (auto [i, label] : {std::pair{0, 7}, {1, 2}, {2, 1}, {3, 0}, {4, 4}}) CHECK(test->label(i) == label);
}

TEST_CASE("the bundled digits take at most 2 MB", "[data]") {
  uintmax_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(bundled("digits"))) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  CHECK(bytes > 1'000'000);
  CHECK(bytes <= 2'000'000);
}

TEST_CASE("a fingerprint knows contents, of the pictures of a CSV file too", "[data]") {
  const TempFolder folder;
  const auto picture = [](uint8_t value) { return png_bytes(1, 1, 2, {value, 9}); };
  folder.write("a.png", picture(1));
  folder.write("b.png", picture(2));
  folder.write("train.csv", "path,label\na.png,x\nb.png,y\n");
  folder.write("set/x/a.png", picture(1));
  folder.write("set/y/b.png", picture(2));
  Card csv, pictures;
  csv.root = pictures.root = folder.path();
  csv.format = "csv";
  csv.splits["train"] = {{"train.csv", ""}};
  pictures.format = "image_folder";
  pictures.splits["train"] = {{"set", ""}};
  REQUIRE(picture(3).size() == picture(1).size());
  for (const Card* card : {&csv, &pictures}) {
    const std::string file = card->format == "csv" ? "a.png" : "set/x/a.png", before = fingerprint(*card, "train");
    CHECK(before.starts_with(card->format == "csv" ? "3 files " : "2 files "));
    CHECK(fingerprint(*card, "train") == before);
    folder.write(file, picture(3));  // of the same size
    CHECK(fingerprint(*card, "train") != before);
    folder.write(file, picture(1));
    CHECK(fingerprint(*card, "train") == before);
    CHECK(fingerprint(*card, "test").empty());
  }
  // A checksum stands for the file that it verifies, not for what the file names.
  csv.splits["train"][0].sha256 = std::string(64, 'a');
  const std::string before = fingerprint(csv, "train");
  folder.write("b.png", picture(3));
  CHECK(fingerprint(csv, "train") != before);
  pictures.splits["train"][0].sha256 = std::string(64, 'a');
  const std::string verified = fingerprint(pictures, "train");
  folder.write("set/y/b.png", picture(3));
  CHECK(fingerprint(pictures, "train") == verified);
}

TEST_CASE("every card of the repository is read, and opened where its data are here", "[data][slow]") {
  int cards = 0;
  for (const auto& entry : fs::directory_iterator(CONDENSER_SOURCE_DIR "/datasets")) {
    if (!entry.is_directory()) continue;
    INFO(entry.path());
    const Card card = read_card(entry.path());
    ++cards;
    CHECK(card.name == entry.path().filename().string());
    CHECK(fs::exists(entry.path() / "README.md"));
    CHECK_FALSE(card.about.empty());
    CHECK_FALSE(card.source.empty());
    CHECK_FALSE(card.license.empty());
    CHECK(card.splits.contains("test"));
    if (!fs::exists(card.root)) {
      condenser::tests::skip_without("data: " + card.name, "its data are not here");
      continue;
    }
    for (const auto& [split, files] : card.splits) {
      for (const CardFile& file : files) CHECK_FALSE(file.sha256.empty());
      const auto dataset = open_split(card, split);
      std::set<int> labels;
      for (int64_t i = 0; i < dataset->size(); ++i) labels.insert(dataset->label(i));
      CHECK(std::ssize(labels) == std::ssize(dataset->classes()));
    }
  }
  CHECK(cards >= 4);
}
