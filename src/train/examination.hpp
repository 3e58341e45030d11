#pragma once
// From logits to an Evaluation, batch after batch. No LibTorch here: every device hands its logits in.

#include <span>

#include "condenser/train/backend.hpp"
#include "train/loss.hpp"
#include "train/scores.hpp"

namespace condenser::train {

class Examination {
 public:
  Examination(const data::Dataset&, LossKind);
  void add(int64_t begin, std::span<const float> logits);  // [n, classes], of items begin, begin + 1, ...
  Evaluation finish();                                     // after all items

 private:
  void count_decisions(std::span<const float> logits, std::span<const float> marks);
  std::vector<float> probabilities(std::span<const float> logits) const;  // softmax, or sigmoid of each

  const data::Dataset& dataset_;
  const Objective objective_;
  const int64_t classes_;
  Evaluation out_;
  std::vector<Counts> decisions_;  // [classes]
  std::vector<float> outputs_;     // [items, classes], probabilities
  std::vector<uint8_t> marks_;     // the same
};

}  // namespace condenser::train
