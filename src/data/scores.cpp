// Macro averages of decisions and ranks.
#include "data/scores.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace condenser::data {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// Mean of the values that exist.
class Mean {
 public:
  void add(double numerator, double denominator) {
    if (denominator <= 0) return;
    sum_ += numerator / denominator;
    ++count_;
  }
  double value() const { return count_ > 0 ? sum_ / static_cast<double>(count_) : kNone; }

 private:
  double sum_ = 0;
  int64_t count_ = 0;
};

double as_double(int64_t n) { return static_cast<double>(n); }

}  // namespace

std::vector<Counts> counts_of(const std::vector<std::vector<int64_t>>& confusion) {
  std::vector<Counts> counts(confusion.size());
  int64_t total = 0;
  for (size_t label = 0; label < confusion.size(); ++label)
    for (size_t prediction = 0; prediction < confusion.size(); ++prediction) {
      const int64_t n = confusion[label][prediction];
      total += n;
      if (label == prediction) {
        counts[label].true_positive += n;
      } else {
        counts[label].false_negative += n;
        counts[prediction].false_positive += n;
      }
    }
  for (Counts& c : counts) c.true_negative = total - c.true_positive - c.false_positive - c.false_negative;
  return counts;
}

double macro_f1(std::span<const Counts> classes) {
  Mean mean;
  for (const Counts& c : classes)
    mean.add(2 * as_double(c.true_positive), as_double(2 * c.true_positive + c.false_positive + c.false_negative));
  return mean.value();
}

double balanced_accuracy(std::span<const Counts> classes) {
  Mean mean;
  for (const Counts& c : classes) mean.add(as_double(c.true_positive), as_double(c.true_positive + c.false_negative));
  return mean.value();
}

double balanced_decisions(std::span<const Counts> classes) {
  Mean mean;
  for (const Counts& c : classes) {
    const double yes = as_double(c.true_positive + c.false_negative),
                 no = as_double(c.true_negative + c.false_positive);
    if (yes > 0 && no > 0) mean.add(as_double(c.true_positive) / yes + as_double(c.true_negative) / no, 2);
  }
  return mean.value();
}

// By the sum of ranks (Mann and Whitney): ties share the mean of their ranks.
double macro_auc(std::span<const float> outputs, std::span<const uint8_t> marks, int64_t classes) {
  if (std::any_of(outputs.begin(), outputs.end(), [](float v) { return std::isnan(v); })) return kNone;
  const int64_t n = static_cast<int64_t>(outputs.size()) / classes;
  std::vector<int64_t> order(static_cast<size_t>(n));
  Mean mean;
  for (int64_t k = 0; k < classes; ++k) {
    const auto output = [&](int64_t i) { return outputs[static_cast<size_t>(i * classes + k)]; };
    std::iota(order.begin(), order.end(), int64_t{0});
    std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return output(a) < output(b); });
    double positives = 0, ranks = 0;
    for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
      while (end < order.size() && output(order[end]) == output(order[begin])) ++end;
      const double rank = 0.5 * static_cast<double>(begin + 1 + end);
      for (size_t i = begin; i < end; ++i)
        if (marks[static_cast<size_t>(order[i] * classes + k)] != 0) {
          ++positives;
          ranks += rank;
        }
    }
    mean.add(ranks - positives * (positives + 1) / 2, positives * (static_cast<double>(n) - positives));
  }
  return mean.value();
}

}  // namespace condenser::data
