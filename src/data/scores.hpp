#pragma once
// Figures of a classifier, from its decisions and from the order of its outputs.

#include <cstdint>
#include <span>
#include <vector>

namespace condenser::data {

// Decisions about one class.
struct Counts {
  int64_t true_positive = 0, false_positive = 0, false_negative = 0, true_negative = 0;
};
std::vector<Counts> counts_of(const std::vector<std::vector<int64_t>>& confusion);  // [label][prediction]

// 2 TP / (2 TP + FP + FN), mean over the classes that occur as label or as prediction.
double macro_f1(std::span<const Counts>);
// One class per item: mean recall of the classes with items.
double balanced_accuracy(std::span<const Counts>);
// A yes or no for each class: mean over the classes of half the sum of both recalls, classes with one kind of item only
// left out.
double balanced_decisions(std::span<const Counts>);

// Area under the ROC curve: the probability that an item of the class gets a larger output than one of another, ties
// count half. Mean over the classes with both kinds of items, NaN when there is none. Both [n, classes].
double macro_auc(std::span<const float> outputs, std::span<const uint8_t> marks, int64_t classes);

}  // namespace condenser::data
