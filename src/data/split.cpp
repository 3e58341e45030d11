// Stratified splits and subsets: each class is shuffled on its own by (seed, class), so what happens in one class does
// not depend on the others.
#include "condenser/data/split.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <utility>

#include "condenser/core/error.hpp"
#include "condenser/core/files.hpp"
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

// The bytes of an item's values; "": unreadable.
std::string values_of(const Dataset& dataset, int64_t i) {
  thread_local std::vector<float> values;
  values.resize(static_cast<size_t>(dataset.shape().elements()));
  try {
    dataset.get(i, values);
  } catch (const core::Error&) {
    return "";
  }
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

// What tells most items apart at little cost: size and last bytes of a file; of an item in memory a plain hash of its
// values. "": unreadable, which reading the item for its own sake will say.
std::string likeness_of(const Dataset& dataset, int64_t i) {
  constexpr std::streamoff kBytes = 4096;
  std::error_code failed;
  if (!std::filesystem::is_regular_file(dataset.name(i), failed)) {
    const std::string values = values_of(dataset, i);
    return values.empty() ? "" : std::to_string(std::hash<std::string>()(values));
  }
  std::ifstream in(dataset.name(i), std::ios::binary | std::ios::ate);
  const auto size = static_cast<std::streamoff>(in.tellg());
  if (size < 0) return "";
  std::string bytes(static_cast<size_t>(std::min(size, kBytes)), '\0');
  in.seekg(size - std::ssize(bytes));
  in.read(bytes.data(), std::ssize(bytes));
  return in ? std::to_string(size) + " " + core::hash128(bytes).hex() : "";
}

// Silence at the end of sounds makes many look alike that are not.
std::string content_of(const Dataset& dataset, int64_t i) {
  try {
    std::error_code failed;
    const std::string name = dataset.name(i);
    const bool is_file = std::filesystem::is_regular_file(name, failed);
    return core::hash128(is_file ? core::read_file(name) : values_of(dataset, i)).hex();
  } catch (const core::Error&) {
    return "";
  }
}

using Groups = std::vector<std::vector<int64_t>>;  // of two items or more

// Divides each group by a text about its items; those without one are left out.
Groups divided(const Dataset& dataset, const Groups& groups, std::string (*text_of)(const Dataset&, int64_t)) {
  std::vector<std::pair<size_t, int64_t>> items;
  for (size_t g = 0; g < groups.size(); ++g)
    for (const int64_t i : groups[g]) items.emplace_back(g, i);
  std::vector<std::string> texts(items.size());
  for_each(std::ssize(items),
           [&](int64_t k) { texts[static_cast<size_t>(k)] = text_of(dataset, items[static_cast<size_t>(k)].second); });
  std::map<std::pair<size_t, std::string>, std::vector<int64_t>> alike;
  for (size_t k = 0; k < items.size(); ++k)
    if (!texts[k].empty()) alike[{items[k].first, texts[k]}].push_back(items[k].second);
  Groups result;
  for (auto& [key, members] : alike)
    if (members.size() > 1) result.push_back(std::move(members));
  return result;
}

// Items that are the same.
Groups copies(const Dataset& dataset) {
  std::map<uintmax_t, std::vector<int64_t>> of_size;  // 0: in memory
  for (int64_t i = 0; i < dataset.size(); ++i) {
    std::error_code failed;
    const uintmax_t size = std::filesystem::file_size(dataset.name(i), failed);
    of_size[failed ? 0 : size].push_back(i);
  }
  Groups groups;
  for (auto& [size, items] : of_size)
    if (items.size() > 1) groups.push_back(std::move(items));
  return divided(dataset, divided(dataset, groups, likeness_of), content_of);
}

// Where the items of groups that lie on both sides go: to the first part, but for the smallest group of a class that
// would lose its last item of the second.
class Sides {
 public:
  Sides(const Dataset& dataset, const TwoWay& parts) : dataset_(dataset), second_(dataset.size(), false) {
    for (const int64_t i : parts.second) second_[static_cast<size_t>(i)] = true;
    for (std::vector<int64_t>& group : copies(dataset)) {
      const auto there = std::ranges::count_if(group, [&](int64_t i) { return is_second(i); });
      if (there > 0 && there < std::ssize(group)) mixed_.push_back(std::move(group));
    }
    std::ranges::stable_sort(mixed_, {}, [](const auto& group) { return group.size(); });
  }

  // False: the only parts are copies of one item, which stay as they are.
  bool decide() {
    if (mixed_.empty()) return true;
    const std::set<int> had = labels_of_second();
    for (const auto& group : mixed_) move(group, false);
    const std::set<int> left = labels_of_second();
    for (const int label : had)
      if (!left.contains(label)) give_back([&](int64_t i) { return dataset_.label(i) == label; });
    if (labels_of_second().empty()) give_back([](int64_t) { return true; });
    return !labels_of_second().empty();
  }

  bool is_second(int64_t i) const { return second_[static_cast<size_t>(i)]; }

 private:
  void move(const std::vector<int64_t>& group, bool second) {
    for (const int64_t i : group) second_[static_cast<size_t>(i)] = second;
  }
  std::set<int> labels_of_second() const {
    std::set<int> labels;
    for (int64_t i = 0; i < dataset_.size(); ++i)
      if (is_second(i)) labels.insert(dataset_.label(i));
    return labels;
  }
  // The smallest group of such items without which the first part still has some.
  template <class Such>
  void give_back(const Such& such) {
    const auto in_first = [&](int64_t i) { return !is_second(i) && such(i); };
    int64_t all = 0;
    for (int64_t i = 0; i < dataset_.size(); ++i) all += in_first(i);
    for (const auto& group : mixed_) {
      const auto members = std::ranges::count_if(group, in_first);
      if (members == 0 || members == all) continue;
      move(group, true);
      return;
    }
  }

  const Dataset& dataset_;
  std::vector<bool> second_;
  Groups mixed_;
};

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
  Sides sides(dataset, parts);
  if (!sides.decide()) return;
  parts = {};
  for (int64_t i = 0; i < dataset.size(); ++i) (sides.is_second(i) ? parts.second : parts.first).push_back(i);
}

namespace {

// Two sets, one behind the other.
class Joined : public Dataset {
 public:
  Joined(const Dataset& a, const Dataset& b) : a_(a), b_(b) {}
  int64_t size() const override { return a_.size() + b_.size(); }
  ItemShape shape() const override { return a_.shape(); }
  const std::vector<std::string>& classes() const override { return a_.classes(); }
  const Normalization& normalization() const override { return a_.normalization(); }
  int label(int64_t i) const override { return of(i).label(at(i)); }
  std::string name(int64_t i) const override { return of(i).name(at(i)); }
  void get(int64_t i, std::span<float> out) const override { of(i).get(at(i), out); }

 private:
  const Dataset& of(int64_t i) const { return i < a_.size() ? a_ : b_; }
  int64_t at(int64_t i) const { return i < a_.size() ? i : i - a_.size(); }
  const Dataset &a_, &b_;
};

}  // namespace

std::vector<int64_t> copies_in(const Dataset& dataset, const Dataset& others) {
  std::vector<int64_t> found;
  const int64_t first = dataset.size();
  for (const std::vector<int64_t>& group : copies(Joined(dataset, others))) {
    if (std::ranges::none_of(group, [&](int64_t i) { return i < first; })) continue;
    for (const int64_t i : group)
      if (i >= first) found.push_back(i - first);
  }
  std::ranges::sort(found);
  return found;
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
