// Sets of picture files: crops, damage, and the cache, whose items must be those decoded each time.
#include "data/pictures.hpp"

#include <algorithm>
#include <fstream>
#include <thread>

#include "condenser/core/error.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/rng.hpp"
#include "condenser/data/loader.hpp"
#include "data/fixtures.hpp"
#include "data/picture_cache.hpp"
#include "support/catch.hpp"

using namespace condenser::data;
using namespace condenser::data::testing;
namespace fs = std::filesystem;

namespace {

constexpr ItemShape kShape{3, 8, 10};

std::vector<uint8_t> smooth(int h, int w, int seed) {
  std::vector<uint8_t> pixels;
  for (int y = 0; y < h; ++y) {
    for (int x = 0; x < w; ++x) {
      for (int k = 0; k < 3; ++k) pixels.push_back(static_cast<uint8_t>(20 + 7 * seed + 4 * x + 3 * y + 30 * k));
    }
  }
  return pixels;
}

struct Set {
  explicit Set(int count = 6) {
    for (int i = 0; i < count; ++i) {
      const std::string name = "train/" + std::string(i % 2 ? "b/" : "a/") + std::to_string(i);
      i % 3 ? folder.write(name + ".png", png_bytes(3, 16, 20, smooth(16, 20, i)))
            : folder.write(name + ".jpg", jpeg_bytes(3, 33, 40, smooth(33, 40, i)));
    }
    card.file = folder.path() / "card.yaml";
    card.root = folder.path();
    card.format = "image_folder";
    card.shape = kShape;
    card.normalization = {{0.5, 0.4, 0.3}, {0.25, 0.2, 0.3}};
    card.splits["train"] = {{"train", ""}};
  }
  fs::path cache() const { return folder.path() / "cache"; }
  std::shared_ptr<const Dataset> open(Cache cache_mode, OnDamaged on_damaged = OnDamaged::Stop, double crop = 1) const {
    return open_split(card, "train",
                      {.on_damaged = on_damaged, .cache = cache_mode, .cache_folder = cache(), .crop_area = crop});
  }
  std::vector<fs::path> cache_files() const {
    std::vector<fs::path> files;
    if (!fs::exists(cache())) return files;
    for (const auto& entry : fs::directory_iterator(cache())) files.push_back(entry.path());
    return files;
  }
  TempFolder folder;
  Card card;
};

std::vector<float> item(const Dataset& dataset, int64_t i) {
  std::vector<float> out(dataset.shape().elements());
  dataset.get(i, out);
  return out;
}

std::vector<float> crop(const Dataset& dataset, int64_t i, const SampleAugment& augment) {
  std::vector<float> out(dataset.shape().elements());
  condenser::core::Rng rng(5, 0, static_cast<uint64_t>(i));
  dataset.draw(i, augment, rng, out);
  return out;
}

struct Quiet {
  Quiet() { condenser::core::log::set_level(condenser::core::log::Level::Error); }
  ~Quiet() { condenser::core::log::set_level(condenser::core::log::Level::Info); }
};

}  // namespace

TEST_CASE("cached pictures are the decoded ones", "[data][cache]") {
  Quiet quiet;
  const Set set;
  const auto plain = set.open(Cache::None);
  CHECK(set.cache_files().empty());
  for (Cache mode : {Cache::Memory, Cache::Disk, Cache::Disk, Cache::Auto}) {
    const auto cached = set.open(mode);
    REQUIRE(cached->size() == plain->size());
    CHECK(cached->classes() == plain->classes());
    for (int64_t i = 0; i < plain->size(); ++i) {
      CHECK(item(*cached, i) == item(*plain, i));
      CHECK(cached->label(i) == plain->label(i));
      CHECK(cached->name(i) == plain->name(i));
    }
  }
  REQUIRE(set.cache_files().size() == 1);  // one file, nothing temporary
}

TEST_CASE("crops from the cache are close to crops of the pictures", "[data][cache]") {
  Quiet quiet;
  const Set set;
  const SampleAugment augment{.crop_area = 0.3, .crop_ratio = 1.5};
  const auto plain = set.open(Cache::None), memory = set.open(Cache::Memory, OnDamaged::Stop, 0.3),
             disk = set.open(Cache::Disk, OnDamaged::Stop, 0.3);
  for (int64_t i = 0; i < plain->size(); ++i) {
    const auto a = crop(*plain, i, augment), b = crop(*memory, i, augment);
    CHECK(b == crop(*disk, i, augment));
    double total = 0;
    for (size_t k = 0; k < a.size(); ++k) total += std::abs(a[k] - b[k]) * 0.25 * 255;
    CHECK(total / static_cast<double>(a.size()) < 6);
    CHECK(a != item(*plain, i));
  }
}

TEST_CASE("crops keep cached pictures larger than the item", "[data][cache]") {
  CHECK(stored_shape({3, 224, 224}, 1.0) == ItemShape{3, 224, 224});
  CHECK(stored_shape({3, 224, 224}, 0.25) == ItemShape{3, 448, 448});
  CHECK(stored_shape({3, 224, 224}, 0.08) == ItemShape{3, 448, 448});
  CHECK(stored_shape({1, 10, 20}, 0.5) == ItemShape{1, 15, 29});
}

TEST_CASE("auto chooses by size", "[data][cache]") {
  constexpr int64_t kGib = int64_t{1} << 30;
  CHECK(choose_cache(Cache::Auto, kGib, 16 * kGib) == Cache::Memory);
  CHECK(choose_cache(Cache::Auto, kGib, 3 * kGib) == Cache::Disk);
  CHECK(choose_cache(Cache::Auto, kGib + 1, 16 * kGib) == Cache::Disk);
  CHECK(choose_cache(Cache::Auto, 33 * kGib, 999 * kGib) == Cache::None);
  CHECK(choose_cache(Cache::None, 1, kGib) == Cache::None);
  CHECK(choose_cache(Cache::Memory, 99 * kGib, 0) == Cache::Memory);
}

TEST_CASE("a cache file serves only the pictures that it was made of", "[data][cache]") {
  Quiet quiet;
  const Set set;
  set.open(Cache::Disk);
  const fs::path file = set.cache_files().at(0);
  const auto made = fs::last_write_time(file);
  set.open(Cache::Disk);
  CHECK(fs::last_write_time(file) == made);

  SECTION("another picture, another file") {
    set.folder.write("train/a/0.jpg", jpeg_bytes(3, 33, 41, smooth(33, 41, 3)));
    CHECK(item(*set.open(Cache::Disk), 0) == item(*set.open(Cache::None), 0));
    CHECK(set.cache_files().size() == 2);
  }
  SECTION("another size, another file") {
    set.open(Cache::Disk, OnDamaged::Stop, 0.5);
    CHECK(set.cache_files().size() == 2);
  }
  SECTION("a cut file is made again") {
    fs::resize_file(file, fs::file_size(file) - 1);
    CHECK(item(*set.open(Cache::Disk), 5) == item(*set.open(Cache::None), 5));
    CHECK(set.cache_files().size() == 1);
  }
  SECTION("a file with another header is made again") {
    std::string bytes = condenser::core::read_file(file);
    bytes[20] ^= 1;
    bytes.back() ^= 1;  // of a pixel, to see that the file is not used
    condenser::core::write_atomic(file, bytes);
    CHECK(item(*set.open(Cache::Disk), 5) == item(*set.open(Cache::None), 5));
  }
}

TEST_CASE("two openings at once make one cache file", "[data][cache]") {
  Quiet quiet;
  const Set set(40);
  std::vector<std::shared_ptr<const Dataset>> opened(4);
  {
    std::vector<std::jthread> threads;
    for (auto& slot : opened) threads.emplace_back([&] { slot = set.open(Cache::Disk); });
  }
  CHECK(set.cache_files().size() == 1);
  const auto plain = set.open(Cache::None);
  for (const auto& dataset : opened) {
    for (int64_t i = 0; i < plain->size(); ++i) CHECK(item(*dataset, i) == item(*plain, i));
  }
}

TEST_CASE("a cache that cannot be written says where and what to try", "[data][cache]") {
  const Set set;
  set.folder.write("cache", "a file where a folder should be");
  const std::string message = error_of([&] { set.open(Cache::Disk); });
  CHECK(contains(message, set.cache().string()));
  CHECK(contains(message, "dataset.cache"));
}

TEST_CASE("a damaged picture stops, or is left out", "[data][cache]") {
  Quiet quiet;
  const Set set;
  const fs::path victim = set.folder.path() / "train/b/1.png";
  const std::string whole = condenser::core::read_file(victim);
  set.folder.write("train/b/1.png", whole.substr(0, whole.size() / 2));

  // Opened without looking: the item fails, by name, also through a loader.
  const auto lazy = set.open(Cache::None);
  CHECK(lazy->size() == 6);
  CHECK(contains(error_of([&] { item(*lazy, 3); }), victim.string() + ": damaged PNG"));
  Loader loader(lazy, {.batch_size = 6});
  Batch batch;
  CHECK(contains(error_of([&] { loader.next(batch); }), victim.string()));

  for (Cache mode : {Cache::Memory, Cache::Disk}) {
    CHECK(contains(error_of([&] { set.open(mode); }), victim.string() + ": damaged PNG"));
  }
  for (Cache mode : {Cache::None, Cache::Memory, Cache::Disk, Cache::Disk}) {
    const auto dataset = set.open(mode, OnDamaged::Skip);
    REQUIRE(dataset->size() == 5);
    for (int64_t i = 0; i < 5; ++i) {
      CHECK(dataset->name(i) != victim.string());
      CHECK(item(*dataset, i) == item(*lazy, i + (i >= 3)));
    }
  }
  // A cache made while skipping does not hide the damage from one who wants to stop.
  CHECK(contains(error_of([&] { set.open(Cache::Disk); }), victim.string() + ": damaged PNG"));
}

TEST_CASE("a set without a readable picture is refused", "[data][cache]") {
  Quiet quiet;
  const Set set(2);
  set.folder.write("train/a/0.jpg", "x");
  set.folder.write("train/b/1.png", "y");
  for (Cache mode : {Cache::None, Cache::Memory}) {
    CHECK(contains(error_of([&] { set.open(mode, OnDamaged::Skip); }), "2 of 2 pictures cannot be decoded"));
  }
}

TEST_CASE("a list of files is a data set", "[data]") {
  const TempFolder folder;
  const auto file = folder.write("x.jpg", jpeg_bytes(3, 33, 40, smooth(33, 40, 0)));
  const auto dataset = make_picture_dataset({file, file}, {1, 4, 5}, {{0.0}, {1.0}});
  CHECK(dataset->size() == 2);
  CHECK(dataset->label(1) == 0);
  CHECK(item(*dataset, 0) == item(*dataset, 1));
  CHECK(contains(error_of([&] { make_picture_dataset({file}, {2, 4, 5}, {}); }), "expected 1 (grey) or 3 (RGB)"));
}
