// Stratified splits: disjoint, complete, balanced, and the same for the same seed.
#include "condenser/data/split.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "data/fixtures.hpp"
#include "support/catch.hpp"

using namespace condenser::data;
using condenser::data::testing::contains;
using condenser::data::testing::counting_dataset;
using condenser::data::testing::error_of;
namespace testing = condenser::data::testing;

namespace {

// Classes of very different sizes: 1, 2, 10, 87.
std::shared_ptr<const Dataset> uneven() {
  std::vector<int> labels(100, 3);
  labels[50] = 0;
  labels[3] = labels[99] = 1;
  for (int i = 0; i < 10; ++i) labels[10 + 4 * i] = 2;
  labels[50] = 0;  // 10 + 4 * 10 is past the class's last item
  return make_image_dataset({1, 1, 1}, {"one", "two", "ten", "many"}, {}, std::vector<uint8_t>(100), labels);
}

std::map<int, int64_t> counts(const Dataset& dataset, const std::vector<int64_t>& indices) {
  std::map<int, int64_t> result;
  for (int64_t i : indices) ++result[dataset.label(i)];
  return result;
}

std::vector<int64_t> all(int64_t n) {
  std::vector<int64_t> indices(n);
  for (int64_t i = 0; i < n; ++i) indices[i] = i;
  return indices;
}

void check_partition(const Dataset& dataset, const TwoWay& parts) {
  CHECK(std::ranges::is_sorted(parts.first));
  CHECK(std::ranges::is_sorted(parts.second));
  std::vector<int64_t> together = parts.first;
  together.insert(together.end(), parts.second.begin(), parts.second.end());
  std::ranges::sort(together);
  CHECK(together == all(dataset.size()));
}

}  // namespace

namespace {

// Items of one byte: equal values are copies.
std::shared_ptr<const Dataset> of_pixels(const std::vector<uint8_t>& pixels, const std::vector<int>& labels) {
  return make_image_dataset({1, 1, 1}, {"a", "b"}, {{0.5}, {0.5}}, pixels, labels);
}

bool share_a_value(const std::vector<uint8_t>& pixels, const TwoWay& parts) {
  std::set<uint8_t> first;
  for (const int64_t i : parts.first) first.insert(pixels[static_cast<size_t>(i)]);
  return std::ranges::any_of(parts.second, [&](int64_t i) { return first.contains(pixels[static_cast<size_t>(i)]); });
}

}  // namespace

TEST_CASE("copies stay together whatever the seed, and no part or class loses all", "[data]") {
  const auto check = [](const std::vector<uint8_t>& pixels, const std::vector<int>& labels) {
    const auto dataset = of_pixels(pixels, labels);
    bool moved = false;
    for (uint64_t seed = 1; seed <= 40; ++seed) {
      TwoWay parts = stratified_split(*dataset, 0.25, seed);
      const auto before = parts.second;
      const auto classes = counts(*dataset, before).size();
      keep_copies_together(*dataset, parts);
      check_partition(*dataset, parts);
      CHECK_FALSE(share_a_value(pixels, parts));
      CHECK_FALSE(parts.first.empty());
      CHECK(counts(*dataset, parts.second).size() == classes);
      moved = moved || parts.second != before;
    }
    return moved;
  };
  CHECK(check({1, 1, 2, 3, 4, 5, 6, 6, 7, 8, 9, 9}, {0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1}));
  CHECK(check({1, 1, 1, 2, 2, 3, 4, 4, 4, 5, 5, 6}, {0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1}));
  CHECK(check({1, 1, 1, 1, 2, 2, 3, 3, 3, 3, 4, 4}, {0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1}));
  CHECK_FALSE(check({1, 2, 3, 4, 5, 6, 7, 8}, {0, 0, 0, 0, 1, 1, 1, 1}));
  // All the same: both parts stay as they were cut.
  const auto same = of_pixels({1, 1, 1, 1}, {0, 0, 1, 1});
  TwoWay parts = stratified_split(*same, 0.5, 1);
  keep_copies_together(*same, parts);
  CHECK(parts.first.size() == 2);
}

TEST_CASE("files are copies when all of their bytes are the same", "[data]") {
  const testing::TempFolder folder;
  const std::string quiet(10000, '\0');  // looks alike at the end
  std::vector<std::filesystem::path> files;
  for (int i = 0; i < 12; ++i)
    files.push_back(folder.write(std::to_string(i) + ".png", std::string(1, static_cast<char>('a' + i / 2 * (i < 6))) +
                                                                 (i < 6 ? "" : std::to_string(i + 10)) + quiet));
  const auto dataset = make_picture_dataset(files, {1, 1, 1}, {{0.5}, {0.5}});
  TwoWay parts{{0, 2, 4, 6, 7, 8}, {1, 3, 5, 9, 10, 11}};
  keep_copies_together(*dataset, parts);
  CHECK(parts.first == std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(copies_in(*subset(dataset, {0, 2, 6}), *subset(dataset, {9, 3, 1})) == std::vector<int64_t>{1, 2});
}

TEST_CASE("a stratified split is disjoint, complete and balanced", "[data]") {
  const auto dataset = uneven();
  const auto total = counts(*dataset, all(100));
  REQUIRE(total == std::map<int, int64_t>{{0, 1}, {1, 2}, {2, 10}, {3, 87}});
  for (double fraction : {0.001, 0.1, 0.25, 0.5, 0.9, 0.999}) {
    const TwoWay parts = stratified_split(*dataset, fraction, 5);
    check_partition(*dataset, parts);
    auto second = counts(*dataset, parts.second);
    for (const auto& [label, n] : total) {
      const int64_t rounded = std::llround(fraction * n);
      CHECK(second[label] == (n < 2 ? rounded : std::clamp<int64_t>(rounded, 1, n - 1)));
    }
  }
}

TEST_CASE("a split depends on the seed alone", "[data]") {
  const auto dataset = counting_dataset(1000, 7);
  const TwoWay a = stratified_split(*dataset, 0.2, 1), b = stratified_split(*dataset, 0.2, 1);
  CHECK(a.first == b.first);
  CHECK(a.second == b.second);
  CHECK(stratified_split(*dataset, 0.2, 2).second != a.second);
}

TEST_CASE("a split picks from all over a class", "[data]") {
  const auto dataset = counting_dataset(1000, 2);
  const TwoWay parts = stratified_split(*dataset, 0.5, 3);
  int64_t early = 0;
  for (int64_t i : parts.second) early += i < 500;
  CHECK(early > 200);
  CHECK(early < 300);
}

TEST_CASE("classes are drawn independently of each other", "[data]") {
  // Class 1 has the same items in both sets; class 0 loses half of its own.
  const auto full = counting_dataset(100, 2);
  std::vector<int64_t> some;
  for (int64_t i = 0; i < 100; ++i) {
    if (i % 2 == 1 || i % 4 == 0) some.push_back(i);
  }
  const auto fewer = subset(full, some);
  std::set<int64_t> of_full, of_fewer;
  for (int64_t i : stratified_split(*full, 0.3, 9).second) {
    if (full->label(i) == 1) of_full.insert(i);
  }
  for (int64_t i : stratified_split(*fewer, 0.3, 9).second) {
    if (fewer->label(i) == 1) of_fewer.insert(some[i]);
  }
  CHECK(of_full == of_fewer);
}

TEST_CASE("a split refuses a fraction that leaves a side empty", "[data]") {
  const auto dataset = counting_dataset(10, 2);
  for (double fraction : {0.0, 1.0, -0.1, 1.5, std::nan("")}) {
    CHECK(contains(error_of([&] { stratified_split(*dataset, fraction, 0); }), "expected a number between 0 and 1"));
  }
}

TEST_CASE("a stratified subset is as equal per class as it can be", "[data]") {
  const auto dataset = uneven();
  CHECK(stratified_subset(*dataset, 0, 1).empty());
  CHECK(stratified_subset(*dataset, 100, 1) == all(100));
  CHECK(stratified_subset(*dataset, 1000, 1) == all(100));
  CHECK(counts(*dataset, stratified_subset(*dataset, 4, 1)) == std::map<int, int64_t>{{0, 1}, {1, 1}, {2, 1}, {3, 1}});
  // 1 + 2 + 10 + 27: the small classes are used up, the large one gives the rest.
  CHECK(counts(*dataset, stratified_subset(*dataset, 40, 1)) ==
        std::map<int, int64_t>{{0, 1}, {1, 2}, {2, 10}, {3, 27}});
  const auto even = counting_dataset(100, 3);
  for (const auto& [label, n] : counts(*even, stratified_subset(*even, 20, 4))) {
    CHECK(n >= 6);
    CHECK(n <= 7);
  }
  CHECK(contains(error_of([&] { stratified_subset(*even, -1, 0); }), "count -1"));
}

TEST_CASE("subsets are ascending, repeatable and nested", "[data]") {
  const auto dataset = counting_dataset(300, 10);
  std::vector<int64_t> before;
  for (int64_t count : {7, 20, 64, 299}) {
    const auto chosen = stratified_subset(*dataset, count, 11);
    CHECK(std::ssize(chosen) == count);
    CHECK(std::ranges::is_sorted(chosen));
    CHECK(std::ranges::adjacent_find(chosen) == chosen.end());
    CHECK(chosen == stratified_subset(*dataset, count, 11));
    CHECK(std::ranges::includes(chosen, before));
    before = chosen;
  }
  CHECK(stratified_subset(*dataset, 20, 11) != stratified_subset(*dataset, 20, 12));
}
