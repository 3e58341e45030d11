// One pass over every split. Values are compared by their hash.
#include "condenser/data/check.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>
#include <utility>

#include "condenser/core/error.hpp"
#include "condenser/core/hash.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/core/text.hpp"
#include "condenser/data/split.hpp"
#include "data/names.hpp"
#include "data/parallel.hpp"

namespace condenser::data {
namespace {

// What is kept of an item.
struct Seen {
  std::optional<core::Hash128> hash;  // none: unreadable
  std::string error;
  bool constant = false;             // all values are equal
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
  seen.constant = true;
  for (int64_t c = 0; c < shape.c; ++c) {
    const auto channel = std::span<const float>(values).subspan(c * plane, plane);
    seen.constant &= std::ranges::all_of(channel, [&](float x) { return x == channel.front(); });
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

void measure(const std::vector<Seen>& seen, const Dataset& dataset, SplitCheck& check) {
  const ItemShape shape = dataset.shape();
  for (int64_t i = 0; i < dataset.size(); ++i)
    if (seen[i].constant && shape.h * shape.w > 1) check.constant.push_back(dataset.name(i));
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

CheckReport look_at_all(const Card& card) {
  CheckReport report;
  std::map<core::Hash128, Place> known;
  for (const char* split : {"train", "validation", "test"}) {
    if (!card.has_split(split)) continue;
    SplitCheck& check = report.splits.emplace_back();
    check.split = split;
    OpenOptions options;
    const bool again = split == std::string("test") && !card.splits.contains("test");  // a part of train: said there
    options.on_unused = [&](const Unused& unused) {
      if (!again) check.unused.push_back(unused);
    };
    options.on_finding = [&](const Finding& finding) {
      if (!again) check.noticed.push_back(finding);
    };
    std::shared_ptr<const Dataset> dataset;
    try {
      dataset = open_split(card, split, options);
    } catch (const core::Stopped&) {
      throw;
    } catch (const core::Error& error) {
      check.error = error.what();
      continue;
    }
    report.classes = dataset->classes();
    check.items = dataset->size();
    check.per_class = items_per_class(*dataset);
    for (int64_t i = 0; i < dataset->size(); ++i) check.without_class += dataset->label(i) < 0;
    std::vector<Seen> seen(dataset->size());
    for_each(dataset->size(), [&](int64_t i) { seen[i] = look_at(*dataset, i); });
    measure(seen, *dataset, check);
    find_duplicates(*dataset, split, seen, known, report);
  }
  return report;
}

// ---- findings

constexpr int64_t kUnequal = 10;                                // so many times the smallest class
constexpr double kFarMean = 1.0;                                // of normalized values, in deviations
constexpr double kSmallDeviation = 0.1, kLargeDeviation = 3.0;  // of normalized values

std::string list_text(const std::vector<double>& values) {
  std::vector<std::string> texts;
  for (const double value : values) texts.push_back(core::fixed(value, 4));
  return "[" + core::join(texts) + "]";
}

std::string plural(int64_t n, const std::string& one) { return std::to_string(n) + " " + one + (n == 1 ? "" : "s"); }

using Findings = std::vector<Finding>;

void find_in_split(const SplitCheck& s, Findings& out) {
  if (!s.error.empty()) out.push_back({true, "not_opened", s.split, 1, "cannot be opened: " + s.error, {}});
  if (!s.unreadable.empty()) {
    out.push_back({true, "unreadable", s.split, std::ssize(s.unreadable),
                   plural(std::ssize(s.unreadable), "unreadable item"), s.unreadable});
  }
  for (const Unused& unused : s.unused)
    out.push_back({is_problem(unused.why), "unused", s.split, unused.count, "not used: " + text_of(unused), {}});
  out.insert(out.end(), s.noticed.begin(), s.noticed.end());
  if (!s.constant.empty()) {
    out.push_back({false, "constant", s.split, std::ssize(s.constant),
                   plural(std::ssize(s.constant), "item") + " of one value all over", s.constant});
  }
}

void find_in_classes(const std::vector<std::string>& classes, const SplitCheck& s, bool may_be_empty, Findings& out) {
  std::vector<std::string> empty;
  int64_t least = INT64_MAX, most = 0;
  std::string small, large;
  for (size_t c = 0; c < s.per_class.size(); ++c) {
    const int64_t n = s.per_class[c];
    if (n == 0) empty.push_back(classes[c]);
    if (n == 0) continue;
    if (n < least) small = classes[c];
    if (n > most) large = classes[c];
    least = std::min(least, n);
    most = std::max(most, n);
  }
  if (!empty.empty()) {
    const bool problem = s.split != "validation" && !may_be_empty;
    const char* why = s.split == "test" ? ": no figure of the test part says how well it is known" : "";
    out.push_back(
        {problem, "class_without_items", s.split, std::ssize(empty), "no item of class " + some_of(empty) + why, {}});
  }
  if (most > 0 && most / kUnequal >= least) {
    out.push_back({false,
                   "class_sizes",
                   s.split,
                   2,
                   "classes of very different size: " + large + " has " + std::to_string(most) + " items, " + small +
                       " " + std::to_string(least),
                   {}});
  }
}

// Statistics of a folder or a table of one's own are assumed, and no mistake of anybody's.
bool are_assumed(const Card& card) { return card.file == card.root || is_table(card.file); }

void find_in_statistics(const SplitCheck& s, const Card& whole, Findings& out) {
  const Normalization& card = whole.normalization;
  const bool assumed = are_assumed(whole);
  std::vector<double> means, deviations;
  bool far = false;
  for (size_t c = 0; c < s.found.mean.size(); ++c) {
    means.push_back((s.found.mean[c] - card.mean[c]) / card.std[c]);
    deviations.push_back(s.found.std[c] / card.std[c]);
    far |= std::abs(means[c]) > kFarMean || deviations[c] > kLargeDeviation ||
           (deviations[c] < kSmallDeviation && s.found.std[c] > 0);
  }
  if (!far || s.split != "train") return;
  out.push_back({!assumed,
                 "normalization",
                 s.split,
                 1,
                 (assumed ? "without a card, mean " : "the card's mean ") + list_text(card.mean) + " and std " +
                     list_text(card.std) + " leave values of mean " + list_text(means) + " and deviation " +
                     list_text(deviations) + "; expected about 0 and 1: the data have mean " + list_text(s.found.mean) +
                     ", std " + list_text(s.found.std) + (assumed ? ", which a card can say" : ""),
                 {}});
}

std::string line(const Duplicate& d) {
  return d.first_split + " " + d.first + " = " + d.second_split + " " + d.second +
         (d.same_label ? "" : " (with another label)");
}

// Those across splits make a test result worthless; other labels for the same picture cannot both be right.
void find_copies(const CheckReport& report, Findings& out) {
  Finding between{true, "duplicate_between", "", 0, "", {}}, labels{true, "contradicting_labels", "", 0, "", {}},
      within{false, "duplicate_within", "", 0, "", {}};
  for (const Duplicate& d : report.duplicates) {
    const bool across = d.first_split != d.second_split;
    (across ? between : d.same_label ? within : labels).items.push_back(line(d));
    if (across && !d.same_label) labels.items.push_back(line(d));
  }
  between.text = "duplicates between splits";
  labels.text = "same content under different labels";
  within.text = "duplicates within a split";
  for (Finding* finding : {&between, &labels, &within}) {
    finding->count = std::ssize(finding->items);
    finding->text += ": " + std::to_string(finding->count);
    if (finding->count > 0) out.push_back(std::move(*finding));
  }
}

Findings find_all(const CheckReport& report, const Card& card) {
  Findings findings;
  for (const SplitCheck& s : report.splits) {
    find_in_split(s, findings);
    find_in_classes(report.classes, s, card.allow_empty_classes, findings);
    find_in_statistics(s, card, findings);
  }
  find_copies(report, findings);
  if (!card.has_split("test"))
    findings.push_back(
        {false, "no_test_split", "", 1, "the card has no split test: nothing to measure a network on", {}});
  std::stable_partition(findings.begin(), findings.end(), [](const Finding& f) { return f.problem; });
  return findings;
}

}  // namespace

std::vector<Finding> check_classes(const Dataset& dataset, const std::string& split) {
  SplitCheck counted;
  counted.split = split;
  counted.per_class = items_per_class(dataset);
  Findings findings;
  find_in_classes(dataset.classes(), counted, true, findings);
  return findings;
}

std::vector<Finding> check_copies(const Dataset& train, const Dataset& test) {
  const std::vector<int64_t> items = copies_in(train, test);
  if (items.empty()) return {};
  std::vector<std::string> names;
  for (const int64_t i : items) names.push_back(test.name(i));
  const std::string text = plural(std::ssize(items), "item") + " of the test part lie" +
                           (items.size() == 1 ? "s" : "") + " in the training part too (" + some_of(names) +
                           "): results on them are those of training";
  return {{true, "duplicate_between", "train and test", std::ssize(items), text, names}};
}

bool CheckReport::clean() const { return std::ranges::none_of(findings, &Finding::problem); }

CheckReport check_data(const Card& card) {
  Card tolerant = card;
  tolerant.allow_empty_classes = true;  // a finding here, not an error
  CheckReport report = look_at_all(tolerant);
  report.findings = find_all(report, card);
  return report;
}

}  // namespace condenser::data
