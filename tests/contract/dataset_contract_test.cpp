// What holds for every file format of data/ that gives 8-bit images: the same small set, written in each format, reads
// the same, and the same damage is refused. A new row in formats() fails here until it has a writer below. Formats that
// make data sets of their own kind (sounds) have tests of their own.
#include <algorithm>
#include <fstream>
#include <map>
#include <thread>

#include "condenser/core/error.hpp"
#include "condenser/core/files.hpp"
#include "condenser/data/card.hpp"
#include "condenser/data/loader.hpp"
#include "data/fixtures.hpp"
#include "data/formats/formats.hpp"
#include "support/catch.hpp"

using namespace condenser::data;
using namespace condenser::data::testing;
namespace fs = std::filesystem;

namespace {

constexpr ItemShape kShape{3, 2, 4};
const std::vector<std::string> kClasses = {"ant", "bee", "cat"};
const std::vector<int> kLabels = {0, 0, 1, 1, 1, 2, 2};  // sorted: a folder per class cannot keep another order

// Pixel of item i at [c, y, x].
uint8_t pixel(int64_t i, int64_t c, int64_t y, int64_t x) {
  return static_cast<uint8_t>(31 * i + 70 * c + 11 * y + 3 * x);
}

std::string planes(int64_t i) {
  std::string bytes;
  for (int64_t c = 0; c < kShape.c; ++c) {
    for (int64_t y = 0; y < kShape.h; ++y) {
      for (int64_t x = 0; x < kShape.w; ++x) bytes += static_cast<char>(pixel(i, c, y, x));
    }
  }
  return bytes;
}

std::vector<uint8_t> interleaved(int64_t i) {
  std::vector<uint8_t> bytes;
  for (int64_t y = 0; y < kShape.h; ++y) {
    for (int64_t x = 0; x < kShape.w; ++x) {
      for (int64_t c = 0; c < kShape.c; ++c) bytes.push_back(pixel(i, c, y, x));
    }
  }
  return bytes;
}

// Writes kLabels' items as one split; returns its paths.
using Writer = std::vector<std::string> (*)(const TempFolder&);

std::vector<std::string> write_idx(const TempFolder& folder) {
  std::string pixels, labels;
  for (size_t i = 0; i < kLabels.size(); ++i) {
    pixels += planes(i);
    labels += static_cast<char>(kLabels[i]);
  }
  folder.write("images.gz", gzip(idx_bytes({7, 3, 2, 4}, pixels)));
  folder.write("labels", idx_bytes({7}, labels));
  return {"images.gz", "labels"};
}

// `before` each record: CIFAR-100 has a coarse label there.
std::vector<std::string> write_records(const TempFolder& folder, const std::string& before) {
  std::map<std::string, std::string> files;
  for (size_t i = 0; i < kLabels.size(); ++i) {
    files[i < 4 ? "1.bin" : "2.bin"] += before + static_cast<char>(kLabels[i]) + planes(i);
  }
  for (const auto& [name, bytes] : files) folder.write(name, bytes);
  return {"1.bin", "2.bin"};
}

std::vector<std::string> write_cifar(const TempFolder& folder) { return write_records(folder, ""); }
std::vector<std::string> write_cifar100(const TempFolder& folder) { return write_records(folder, "\x13"); }

std::vector<std::string> write_csv(const TempFolder& folder) {
  std::string index = "label,path\n";
  for (size_t i = 0; i < kLabels.size(); ++i) {
    const std::string name = "pictures/" + std::to_string(i) + ".png";
    folder.write(name, png_bytes(3, kShape.h, kShape.w, interleaved(i)));
    index += "\"" + kClasses[kLabels[i]] + "\",\"" + name + "\"\n";
  }
  folder.write("index.csv", index);
  return {"index.csv"};
}

std::vector<std::string> write_folders(const TempFolder& folder) {
  for (size_t i = 0; i < kLabels.size(); ++i) {
    folder.write("all/" + kClasses[kLabels[i]] + "/" + std::to_string(i) + ".png",
                 png_bytes(3, kShape.h, kShape.w, interleaved(i)));
  }
  return {"all"};
}

const std::map<std::string, Writer, std::less<>> kWriters = {{"idx", write_idx},
                                                             {"cifar_binary", write_cifar},
                                                             {"cifar100_binary", write_cifar100},
                                                             {"csv", write_csv},
                                                             {"image_folder", write_folders}};

// Sounds have suites of their own: tests/data/formats/wav_folder_test.cpp, features_int8_test.cpp.
std::vector<Format> image_formats() {
  std::vector<Format> rows;
  std::ranges::copy_if(formats(), std::back_inserter(rows), [](const Format& format) {
    return format.name != "wav_folder" && format.name != "features_int8";
  });
  return rows;
}

// A set on disk with its card; the card is written again by write_card().
struct Example {
  explicit Example(const Format& format) : name(format.name) {
    const auto writer = kWriters.find(format.name);
    if (writer == kWriters.end()) FAIL("format " << name << " has no writer in this test");
    paths = writer->second(folder);
    write_card({});
  }

  void write_card(const std::vector<std::string>& checksums) {
    std::string text = "condenser_card: 1\nname: example\nformat: " + name +
                       "\nshape: [3, 2, 4]\nclasses: [ant, bee, cat]\nmean: [0.1, 0.2, 0.3]\nstd: [0.5, 1, 0.25]\n"
                       "splits:\n  train:\n";
    for (size_t i = 0; i < paths.size(); ++i) {
      text += "    - {path: " + paths[i] + (i < checksums.size() ? ", sha256: " + checksums[i] : "") + "}\n";
    }
    folder.write("card.yaml", text);
  }

  std::shared_ptr<const Dataset> open() const { return open_split(read_card(folder.path()), "train"); }
  // Of opening and reading all: formats of single pictures decode when asked.
  std::string error() const {
    return error_of([this] {
      const auto dataset = open();
      std::vector<float> item(kShape.elements());
      for (int64_t i = 0; i < dataset->size(); ++i) dataset->get(i, item);
    });
  }

  // Every data file, pictures of folders too.
  std::vector<fs::path> files() const {
    std::vector<fs::path> result;
    for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
      if (entry.is_regular_file() && entry.path().filename() != "card.yaml") result.push_back(entry.path());
    }
    std::ranges::sort(result);
    return result;
  }

  TempFolder folder;
  std::string name;
  std::vector<std::string> paths;
};

}  // namespace

TEST_CASE("every format reads the same set", "[data][contract]") {
  for (const Format& format : image_formats()) {
    DYNAMIC_SECTION(format.name) {
      const Example example(format);
      const auto dataset = example.open();
      REQUIRE(dataset->size() == std::ssize(kLabels));
      CHECK(dataset->shape() == kShape);
      CHECK(dataset->classes() == kClasses);
      CHECK(dataset->normalization().mean == std::vector<double>{0.1, 0.2, 0.3});
      std::vector<float> item(kShape.elements());
      for (int64_t i = 0; i < dataset->size(); ++i) {
        CHECK(dataset->label(i) == kLabels[i]);
        dataset->get(i, item);
        const std::string expected = planes(i);
        for (int64_t k = 0; k < kShape.elements(); ++k) {
          const Normalization& n = dataset->normalization();
          const int64_t c = k / (kShape.h * kShape.w);
          CHECK(item[k] == static_cast<float>((static_cast<uint8_t>(expected[k]) / 255.0 - n.mean[c]) / n.std[c]));
        }
      }
      CHECK(contains(error_of([&] { dataset->get(dataset->size(), item); }), "holds 7"));
      CHECK(contains(error_of([&] { dataset->get(-1, item); }), "item -1"));
      item.pop_back();
      CHECK(contains(error_of([&] { dataset->get(0, item); }), "23 values for one item; expected 24"));
    }
  }
}

TEST_CASE("items of every format can be read from several threads", "[data][contract]") {
  for (const Format& format : image_formats()) {
    DYNAMIC_SECTION(format.name) {
      const Example example(format);
      const auto dataset = example.open();
      LoaderOptions one, many;
      one.batch_size = many.batch_size = 2;
      many.threads = 4;
      Loader a(dataset, one), b(dataset, many);
      for (int i = 0; i < 20; ++i) {
        Batch x, y;
        a.next(x);
        b.next(y);
        CHECK(x.x == y.x);
        CHECK(x.y == y.y);
      }
    }
  }
}

TEST_CASE("draws of every format are crops, and functions of their arguments", "[data][contract]") {
  for (const Format& format : image_formats()) {
    DYNAMIC_SECTION(format.name) {
      const Example example(format);
      const auto dataset = example.open();
      const SampleAugment off, crops{.crop_area = 0.2, .crop_ratio = 2};
      std::vector<float> a(kShape.elements()), b(a.size()), whole(a.size());
      int changed = 0;
      for (int64_t i = 0; i < dataset->size(); ++i) {
        condenser::core::Rng none(1), first(1, 2, i), second(1, 2, i);
        dataset->get(i, whole);
        dataset->draw(i, off, none, a);
        CHECK(a == whole);
        CHECK(none.counter() == 0);
        dataset->draw(i, crops, first, a);
        dataset->draw(i, crops, second, b);
        CHECK(a == b);
        changed += a != whole;
        // A crop shows nothing that was not there.
        for (int c = 0; c < 3; ++c) {
          const auto [low, high] = std::minmax_element(whole.begin() + 8 * c, whole.begin() + 8 * c + 8);
          for (int k = 8 * c; k < 8 * c + 8; ++k) CHECK((a[k] >= *low && a[k] <= *high));
        }
      }
      CHECK(changed > 3);
    }
  }
}

TEST_CASE("every format verifies checksums", "[data][contract]") {
  for (const Format& format : image_formats()) {
    DYNAMIC_SECTION(format.name) {
      Example example(format);
      std::vector<std::string> checksums;
      for (const std::string& path : example.paths) checksums.push_back(checksum(example.folder.path() / path));
      example.write_card(checksums);
      CHECK(example.open()->size() == 7);
      checksums.back() = std::string(64, '0');
      example.write_card(checksums);
      const std::string message = example.error();
      CHECK(contains(message, example.paths.back()));
      CHECK(contains(message, checksum(example.folder.path() / example.paths.back())));
      CHECK(contains(message, std::string(64, '0')));
    }
  }
}

TEST_CASE("every format refuses what is missing, empty or cut, by name", "[data][contract]") {
  for (const Format& format : image_formats()) {
    DYNAMIC_SECTION(format.name) {
      const Example example(format);
      const fs::path victim = example.files().front();
      const std::string bytes = condenser::core::read_file(victim);
      const auto write = [&](const std::string& content) { std::ofstream(victim, std::ios::binary) << content; };
      for (const std::string& damaged : {std::string(), bytes.substr(0, bytes.size() / 2 + 1)}) {
        write(damaged);
        CHECK(contains(example.error(), victim.string()));
      }
      write(bytes);
      CHECK(example.open()->size() == 7);
      const fs::path path = example.folder.path() / example.paths.front();
      fs::remove_all(path);
      CHECK(contains(example.error(), path.string() + ": no such"));
    }
  }
}

TEST_CASE("every format refuses an item of a class that the card lacks", "[data][contract]") {
  for (const Format& format : image_formats()) {
    DYNAMIC_SECTION(format.name) {
      const Example example(format);
      const std::string text = condenser::core::read_file(example.folder.path() / "card.yaml");
      const size_t at = text.find(", cat]");
      REQUIRE(at != std::string::npos);
      example.folder.write("card.yaml", text.substr(0, at) + text.substr(at + 5));
      CHECK_FALSE(example.error().empty());
    }
  }
}

TEST_CASE("every format refuses a wrong number of paths in the card", "[data][contract]") {
  for (const Format& format : image_formats()) {
    DYNAMIC_SECTION(format.name) {
      Example example(format);
      if (format.name.starts_with("cifar")) continue;  // takes any number
      example.paths.push_back("more");
      example.paths.push_back("yet_more");
      example.write_card({});
      CHECK(contains(error_of([&] { example.open(); }, true), "split train lists"));
    }
  }
}
