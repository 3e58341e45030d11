// One pass over every split. Values are compared by their hash.
#include "condenser/data/check.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "condenser/core/error.hpp"
#include "condenser/core/hash.hpp"
#include "condenser/core/stop.hpp"
#include "data/parallel.hpp"

namespace condenser::data {
namespace {

// What is kept of an item.
struct Seen {
  std::optional<core::Hash128> hash;  // none: unreadable
  std::string error;
  std::vector<double> sum, squares;  // per channel, of values scaled to 0..1
};

Seen look_at(const Dataset& dataset, int64_t i) {
  const ItemShape shape = dataset.shape();
  const Normalization& n = dataset.normalization();
  thread_local std::vector<float> values;
  values.resize(shape.elements());
  Seen seen;
  try {
    dataset.get(i, values);
  } catch (const core::Error& error) {
    seen.error = error.what();
    return seen;
  }
  seen.hash = core::hash128({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
  const int64_t plane = shape.h * shape.w;
  for (int64_t c = 0; c < shape.c; ++c) {
    double sum = 0, squares = 0;
    for (int64_t k = 0; k < plane; ++k) {
      const double x = values[c * plane + k] * n.std[c] + n.mean[c];
      sum += x;
      squares += x * x;
    }
    seen.sum.push_back(sum);
    seen.squares.push_back(squares);
  }
  return seen;
}

void count_classes(const Dataset& dataset, SplitCheck& check) {
  check.per_class.assign(dataset.classes().size(), 0);
  std::vector<float> targets(dataset.classes().size());
  for (int64_t i = 0; i < dataset.size(); ++i) {
    check.without_class += dataset.label(i) < 0;
    if (!dataset.multi_label()) {
      ++check.per_class[dataset.label(i)];
      continue;
    }
    dataset.targets(i, targets);
    for (size_t c = 0; c < targets.size(); ++c) check.per_class[c] += targets[c] > 0;
  }
}

void measure(const std::vector<Seen>& seen, const ItemShape& shape, SplitCheck& check) {
  int64_t readable = 0;
  std::vector<double> sum(shape.c), squares(shape.c);
  for (const Seen& item : seen) {
    if (!item.hash) {
      check.unreadable.push_back(item.error);
      continue;
    }
    ++readable;
    for (int64_t c = 0; c < shape.c; ++c) {
      sum[c] += item.sum[c];
      squares[c] += item.squares[c];
    }
  }
  if (readable == 0) return;
  const double values = static_cast<double>(readable * shape.h * shape.w);
  for (int64_t c = 0; c < shape.c; ++c) {
    const double mean = sum[c] / values;
    check.found.mean.push_back(mean);
    check.found.std.push_back(std::sqrt(std::max(0.0, squares[c] / values - mean * mean)));
  }
}

struct Place {
  std::string split, name;
  int label = 0;
};

void find_duplicates(const Dataset& dataset, const std::string& split, const std::vector<Seen>& seen,
                     std::map<core::Hash128, Place>& known, CheckReport& report) {
  for (int64_t i = 0; i < dataset.size(); ++i) {
    if (!seen[i].hash) continue;
    const auto [at, fresh] = known.try_emplace(*seen[i].hash, Place{split, dataset.name(i), dataset.label(i)});
    if (fresh) continue;
    const Place& first = at->second;
    ++(first.split == split ? report.within : report.between);
    report.duplicates.push_back({first.split, first.name, split, dataset.name(i), first.label == dataset.label(i)});
  }
}

}  // namespace

bool CheckReport::clean() const {
  return between == 0 &&
         std::ranges::all_of(splits, [](const SplitCheck& s) { return s.error.empty() && s.unreadable.empty(); });
}

CheckReport check_data(const Card& card) {
  CheckReport report;
  std::map<core::Hash128, Place> known;
  for (const char* split : {"train", "validation", "test"}) {
    if (!card.splits.contains(split)) continue;
    SplitCheck& check = report.splits.emplace_back();
    check.split = split;
    std::shared_ptr<const Dataset> dataset;
    try {
      dataset = open_split(card, split);
    } catch (const core::Stopped&) {
      throw;
    } catch (const core::Error& error) {
      check.error = error.what();
      continue;
    }
    report.classes = dataset->classes();
    check.items = dataset->size();
    count_classes(*dataset, check);
    std::vector<Seen> seen(dataset->size());
    for_each(dataset->size(), [&](int64_t i) { seen[i] = look_at(*dataset, i); });
    measure(seen, dataset->shape(), check);
    find_duplicates(*dataset, split, seen, known, report);
  }
  return report;
}

}  // namespace condenser::data
