// Stratified splits and subsets: each class is shuffled on its own by (seed, class), so what happens in one class does
// not depend on the others.
#include "condenser/data/split.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>
#include <set>
#include <string>

#include "condenser/core/error.hpp"
#include "condenser/core/hash.hpp"
#include "condenser/core/rng.hpp"
#include "condenser/core/text.hpp"
#include "data/parallel.hpp"

namespace condenser::data {
namespace {

// Streams of core::Rng; the letters keep them apart from those of other modules.
constexpr uint64_t kSplitStream = 0x73706c6974;       // "split"
constexpr uint64_t kSubsetStream = 0x737562736574;    // "subset"
constexpr uint64_t kClassOrderStream = 0x6f72646572;  // "order"

// Indices of every class, shuffled; those of items without a class come last.
std::vector<std::vector<int64_t>> shuffled_classes(const Dataset& dataset, uint64_t seed, uint64_t stream) {
  const size_t classes = dataset.classes().size();
  std::vector<std::vector<int64_t>> members(classes);
  for (int64_t i = 0; i < dataset.size(); ++i) {
    const int label = dataset.label(i);
    if (label < 0) members.resize(classes + 1);
    members.at(label < 0 ? classes : static_cast<size_t>(label)).push_back(i);
  }
  for (size_t c = 0; c < members.size(); ++c) core::Rng(seed, stream, c).shuffle(std::span<int64_t>(members[c]));
  return members;
}

// How many of n items go to the second part; both parts keep one when there are two.
int64_t share(int64_t n, double fraction) {
  const int64_t wanted = std::llround(fraction * static_cast<double>(n));
  return n < 2 ? wanted : std::clamp<int64_t>(wanted, 1, n - 1);
}

// Size and last bytes tell files apart well enough: who is taken for a copy by mistake only changes sides. "":
// unreadable, which reading the item will say.
std::string end_of(const std::string& file) {
  constexpr std::streamoff kBytes = 4096;
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  const auto size = static_cast<std::streamoff>(in.tellg());
  if (size < 0) return "";
  std::string bytes(static_cast<size_t>(std::min(size, kBytes)), '\0');
  in.seekg(size - std::ssize(bytes));
  in.read(bytes.data(), std::ssize(bytes));
  return in ? std::to_string(size) + " " + core::hash128(bytes).hex() : "";
}

}  // namespace

TwoWay stratified_split(const Dataset& dataset, double fraction, uint64_t seed) {
  if (!(fraction > 0 && fraction < 1)) {
    throw core::Error("split: fraction " + core::number(fraction) + "; expected a number between 0 and 1");
  }
  TwoWay parts;
  for (const std::vector<int64_t>& items : shuffled_classes(dataset, seed, kSplitStream)) {
    const auto cut = items.begin() + share(std::ssize(items), fraction);
    parts.second.insert(parts.second.end(), items.begin(), cut);
    parts.first.insert(parts.first.end(), cut, items.end());
  }
  std::ranges::sort(parts.first);
  std::ranges::sort(parts.second);
  return parts;
}

void keep_copies_together(const Dataset& dataset, TwoWay& parts) {
  std::map<uintmax_t, std::vector<int64_t>> of_size;
  for (const auto* part : {&parts.first, &parts.second}) {
    for (const int64_t i : *part) {
      std::error_code failed;
      const uintmax_t size = std::filesystem::file_size(dataset.name(i), failed);
      if (!failed) of_size[size].push_back(i);
    }
  }
  std::vector<int64_t> candidates;
  for (const auto& [size, items] : of_size)
    if (items.size() > 1) candidates.insert(candidates.end(), items.begin(), items.end());
  std::vector<std::string> content(candidates.size());
  for_each(std::ssize(candidates), [&](int64_t k) {
    content[static_cast<size_t>(k)] = end_of(dataset.name(candidates[static_cast<size_t>(k)]));
  });
  std::set<std::string> in_first;
  for (size_t k = 0; k < candidates.size(); ++k)
    if (std::ranges::binary_search(parts.first, candidates[k])) in_first.insert(content[k]);
  in_first.erase("");
  std::set<int64_t> moved;
  for (size_t k = 0; k < candidates.size(); ++k)
    if (in_first.contains(content[k]) && std::ranges::binary_search(parts.second, candidates[k]))
      moved.insert(candidates[k]);
  std::erase_if(parts.second, [&](int64_t i) { return moved.contains(i); });
  parts.first.insert(parts.first.end(), moved.begin(), moved.end());
  std::ranges::sort(parts.first);
}

// Deals one item of each class in turn until `count` are out; classes that run dry are passed over. The class order is
// drawn too, so that a remainder does not always go to the first classes. A smaller subset lies within a larger one.
std::vector<int64_t> stratified_subset(const Dataset& dataset, int64_t count, uint64_t seed) {
  if (count < 0) throw core::Error("subset: count " + std::to_string(count) + "; expected 0 or more");
  count = std::min(count, dataset.size());
  const auto members = shuffled_classes(dataset, seed, kSubsetStream);
  std::vector<size_t> turns(members.size());
  std::iota(turns.begin(), turns.end(), size_t{0});
  core::Rng(seed, kClassOrderStream).shuffle(std::span<size_t>(turns));

  std::vector<int64_t> chosen;
  chosen.reserve(count);
  for (size_t round = 0; std::ssize(chosen) < count; ++round) {
    for (size_t c : turns) {
      if (round < members[c].size() && std::ssize(chosen) < count) chosen.push_back(members[c][round]);
    }
  }
  std::ranges::sort(chosen);
  return chosen;
}

std::vector<int64_t> items_per_class(const Dataset& dataset) {
  std::vector<int64_t> counts(dataset.classes().size());
  std::vector<float> targets(counts.size());
  for (int64_t i = 0; i < dataset.size(); ++i) {
    if (!dataset.multi_label()) {
      ++counts[static_cast<size_t>(dataset.label(i))];
      continue;
    }
    dataset.targets(i, targets);
    for (size_t c = 0; c < targets.size(); ++c) counts[c] += targets[c] > 0;
  }
  return counts;
}

}  // namespace condenser::data
