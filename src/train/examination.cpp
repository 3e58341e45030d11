// Sums, confusion matrix and decisions over the items of a data set.
#include "train/examination.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace condenser::train {
namespace {

constexpr int64_t kMostForAuc = 100;  // classes: the outputs of all items are kept, and sorted for each

}  // namespace

Examination::Examination(const data::Dataset& dataset, LossKind kind)
    : dataset_(dataset),
      objective_{.kind = kind, .multi_label = dataset.multi_label()},
      classes_(static_cast<int64_t>(dataset.classes().size())),
      decisions_(dataset.classes().size()) {
  out_.total = dataset.size();
  if (!objective_.multi_label) out_.confusion.assign(decisions_.size(), std::vector<int64_t>(decisions_.size(), 0));
}

void Examination::add(int64_t begin, std::span<const float> logits) {
  const int64_t n = static_cast<int64_t>(logits.size()) / classes_;
  std::vector<int64_t> labels(static_cast<size_t>(n)), predictions(labels.size());
  std::vector<float> marks(logits.size());
  for (int64_t i = 0; i < n; ++i) {
    labels[static_cast<size_t>(i)] = dataset_.label(begin + i);
    dataset_.targets(begin + i, std::span(marks).subspan(static_cast<size_t>(i * classes_), decisions_.size()));
  }
  const LossSum sum =
      loss(objective_, classes_, logits, {.labels = labels, .marks = marks, .teacher = {}}, n, {}, predictions);
  out_.loss += sum.loss;
  out_.correct += sum.correct;
  if (objective_.multi_label) {
    count_decisions(logits, marks);
  } else {
    for (size_t i = 0; i < labels.size(); ++i)
      ++out_.confusion[static_cast<size_t>(labels[i])][static_cast<size_t>(predictions[i])];
  }
  const std::vector<float> shares = probabilities(logits);
  for (int64_t i = 0; i < n; ++i) {
    const auto class_ = static_cast<int>(predictions[static_cast<size_t>(i)]);
    out_.predictions.push_back({class_, shares[static_cast<size_t>(i * classes_ + class_)]});
  }
  if (classes_ > kMostForAuc) return;
  outputs_.insert(outputs_.end(), shares.begin(), shares.end());
  for (const float m : marks) marks_.push_back(m > 0.5f ? 1 : 0);
}

Evaluation Examination::finish() {
  out_.loss /= static_cast<double>(out_.total);
  if (!objective_.multi_label) decisions_ = counts_of(out_.confusion);
  out_.macro_f1 = 100 * macro_f1(decisions_);
  out_.balanced_accuracy =
      100 * (objective_.multi_label ? balanced_decisions(decisions_) : balanced_accuracy(decisions_));
  out_.auc =
      classes_ <= kMostForAuc ? 100 * macro_auc(outputs_, marks_, classes_) : std::numeric_limits<double>::quiet_NaN();
  return std::move(out_);
}

void Examination::count_decisions(std::span<const float> logits, std::span<const float> marks) {
  for (size_t i = 0; i < logits.size(); ++i) {
    Counts& c = decisions_[i % decisions_.size()];
    const bool said = logits[i] > 0, so = marks[i] > 0.5f;
    ++(said ? (so ? c.true_positive : c.false_positive) : (so ? c.false_negative : c.true_negative));
  }
}

std::vector<float> Examination::probabilities(std::span<const float> logits) const {
  std::vector<float> out;
  for (size_t begin = 0; begin < logits.size(); begin += decisions_.size()) {
    const auto row = logits.subspan(begin, decisions_.size());
    const double top = *std::max_element(row.begin(), row.end());
    double total = 0;
    for (const float v : row) total += std::exp(v - top);
    for (const float v : row)
      out.push_back(static_cast<float>(objective_.kind == LossKind::CrossEntropy ? std::exp(v - top) / total
                                                                                 : 1 / (1 + std::exp(-double(v)))));
  }
  return out;
}

}  // namespace condenser::train
