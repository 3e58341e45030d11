#pragma once
// Items with several classes each, in memory.

#include <algorithm>
#include <vector>

#include "condenser/data/dataset.hpp"

namespace condenser::testing {

class MarkedDataset : public data::Dataset {
 public:
  MarkedDataset(data::ItemShape shape, int classes, std::vector<std::vector<int>> marks, std::vector<float> values)
      : shape_(shape), marks_(std::move(marks)), values_(std::move(values)) {
    for (int k = 0; k < classes; ++k) classes_.push_back("class" + std::to_string(k));
    normalization_.mean.assign(static_cast<size_t>(shape.c), 0.0);
    normalization_.std.assign(static_cast<size_t>(shape.c), 1.0);
  }

  int64_t size() const override { return static_cast<int64_t>(marks_.size()); }
  data::ItemShape shape() const override { return shape_; }
  const std::vector<std::string>& classes() const override { return classes_; }
  const data::Normalization& normalization() const override { return normalization_; }
  bool multi_label() const override { return true; }
  int label(int64_t i) const override {
    const auto& marks = marks_[static_cast<size_t>(i)];
    const auto first = std::find(marks.begin(), marks.end(), 1);
    return first == marks.end() ? -1 : static_cast<int>(first - marks.begin());
  }
  void targets(int64_t i, std::span<float> out) const override {
    std::copy(marks_[static_cast<size_t>(i)].begin(), marks_[static_cast<size_t>(i)].end(), out.begin());
  }
  void get(int64_t i, std::span<float> out) const override {
    std::copy_n(values_.begin() + i * shape_.elements(), shape_.elements(), out.begin());
  }

 private:
  data::ItemShape shape_;
  std::vector<std::string> classes_;
  data::Normalization normalization_;
  std::vector<std::vector<int>> marks_;  // [n][classes]
  std::vector<float> values_;            // [n, c, h, w]
};

}  // namespace condenser::testing
