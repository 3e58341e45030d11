// Tables of a confusion matrix. Its picture is in confusion_svg.cpp.

#include "condenser/report/confusion.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"

namespace condenser::report {
namespace {

double percent(int64_t part, int64_t whole) {
  if (whole == 0) return std::numeric_limits<double>::quiet_NaN();
  return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

core::Cell percent_cell(double value) { return std::isnan(value) ? core::empty_cell() : core::cell(value, 2); }

// Of the classes that occur: a class without items says nothing about the classifier.
double mean_of(const std::vector<ClassScores>& scores, double ClassScores::*value) {
  double sum = 0;
  int64_t classes = 0;
  for (const ClassScores& s : scores) {
    if (s.support == 0) continue;
    sum += std::isnan(s.*value) ? 0.0 : s.*value;  // never predicted: nothing was right
    ++classes;
  }
  return classes == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(classes);
}

}  // namespace

std::vector<ClassScores> class_scores(const Confusion& c) {
  const size_t n = c.classes.size();
  bool square = c.counts.size() == n;
  for (const auto& row : c.counts) square = square && row.size() == n;
  if (!square) throw core::Error("confusion matrix: expected " + std::to_string(n) + " rows and columns");
  std::vector<ClassScores> scores(n);
  for (size_t k = 0; k < n; ++k) {
    int64_t predicted = 0, support = 0;
    for (size_t j = 0; j < n; ++j) {
      predicted += c.counts[j][k];
      support += c.counts[k][j];
    }
    const int64_t right = c.counts[k][k];
    // F1 = 2 right / (support + predicted), the harmonic mean of precision and recall.
    scores[k] = {percent(right, predicted), percent(right, support), percent(2 * right, support + predicted), support};
  }
  return scores;
}

core::Table per_class_table(const Confusion& c) {
  core::Table t{{{"class", "class", false},
                 {"precision_percent", "precision %"},
                 {"recall_percent", "recall %"},
                 {"f1_percent", "F1 %"},
                 {"support", "support"}},
                {}};
  const std::vector<ClassScores> scores = class_scores(c);
  int64_t total = 0;
  for (size_t k = 0; k < scores.size(); ++k) {
    const ClassScores& s = scores[k];
    t.rows.push_back({core::cell(c.classes[k]), percent_cell(s.precision_percent), percent_cell(s.recall_percent),
                      percent_cell(s.f1_percent), core::cell(s.support)});
    total += s.support;
  }
  t.rows.push_back({core::cell("macro average"), percent_cell(mean_of(scores, &ClassScores::precision_percent)),
                    percent_cell(mean_of(scores, &ClassScores::recall_percent)),
                    percent_cell(mean_of(scores, &ClassScores::f1_percent)), core::cell(total)});
  return t;
}

core::Table confusion_table(const Confusion& c) {
  core::Table t{{{"class", "true class", false}}, {}};
  for (const std::string& name : c.classes) t.columns.push_back({"predicted_" + name, name});
  for (size_t k = 0; k < c.counts.size(); ++k) {
    t.rows.push_back({core::cell(c.classes.at(k))});
    for (const int64_t count : c.counts[k]) t.rows.back().push_back(core::cell(count));
  }
  return t;
}

std::vector<std::string> worst_mistakes(const Confusion& c, size_t count) {
  struct Pair {
    size_t from, to;
    int64_t times;
  };
  std::vector<Pair> pairs;
  const std::vector<ClassScores> scores = class_scores(c);
  for (size_t k = 0; k < c.counts.size(); ++k)
    for (size_t j = 0; j < c.counts.size(); ++j)
      if (k != j && c.counts[k][j] > 0) pairs.push_back({k, j, c.counts[k][j]});
  std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.times > b.times; });
  std::vector<std::string> lines;
  for (const Pair& p : pairs) {
    if (lines.size() == count) break;
    const std::string share = core::fixed(percent(p.times, scores[p.from].support), 1);
    lines.push_back(c.classes[p.from] + " taken for " + c.classes[p.to] + ": " + std::to_string(p.times) + " of " +
                    std::to_string(scores[p.from].support) + " (" + share + " %)");
  }
  return lines;
}

}  // namespace condenser::report
