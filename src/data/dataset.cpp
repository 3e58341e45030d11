// 8-bit images in memory, normalized on the way out through one 256-entry table per channel; subsets by index.
// Reading files is left to formats/, choosing indices to split.cpp.
#include "condenser/data/dataset.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "condenser/core/error.hpp"

namespace condenser::data {
namespace {

void check_shape(const ItemShape& shape) {
  constexpr int64_t kLargest = 1 << 15;
  for (int64_t extent : {shape.c, shape.h, shape.w}) {
    if (extent < 1 || extent > kLargest) {
      throw core::Error("data set: item shape " + std::to_string(shape.c) + "x" + std::to_string(shape.h) + "x" +
                        std::to_string(shape.w) + "; expected three extents in 1.." + std::to_string(kLargest));
    }
  }
}

// No normalization given means values in 0..1.
Normalization checked(Normalization given, int64_t channels) {
  if (given.mean.empty()) given.mean.assign(channels, 0.0);
  if (given.std.empty()) given.std.assign(channels, 1.0);
  if (std::ssize(given.mean) != channels || std::ssize(given.std) != channels) {
    throw core::Error("data set: normalization has " + std::to_string(given.mean.size()) + " means and " +
                      std::to_string(given.std.size()) + " deviations; expected " + std::to_string(channels) +
                      " of each, one per channel");
  }
  for (int64_t c = 0; c < channels; ++c) {
    if (!std::isfinite(given.mean[c]) || !std::isfinite(given.std[c]) || given.std[c] <= 0) {
      throw core::Error("data set: mean " + std::to_string(given.mean[c]) + " and std " + std::to_string(given.std[c]) +
                        " of channel " + std::to_string(c) + "; expected finite numbers, std above 0");
    }
  }
  return given;
}

class ImageDataset : public Dataset {
 public:
  ImageDataset(ItemShape shape, std::vector<std::string> classes, Normalization normalization,
               std::vector<uint8_t> pixels, std::vector<int> labels)
      : shape_(shape), classes_(std::move(classes)), pixels_(std::move(pixels)), labels_(std::move(labels)) {
    check_shape(shape_);
    normalization_ = checked(std::move(normalization), shape_.c);
    if (std::ssize(pixels_) != std::ssize(labels_) * shape_.elements()) {
      throw core::Error("data set: " + std::to_string(pixels_.size()) + " bytes of pixels for " +
                        std::to_string(labels_.size()) + " labels; expected " + std::to_string(shape_.elements()) +
                        " bytes per item");
    }
    for (size_t i = 0; i < labels_.size(); ++i) {
      if (labels_[i] < 0 || labels_[i] >= std::ssize(classes_)) {
        throw core::Error("data set: item " + std::to_string(i) + " has label " + std::to_string(labels_[i]) +
                          "; expected 0.." + std::to_string(std::ssize(classes_) - 1));
      }
    }
    fill_tables();
  }

  int64_t size() const override { return std::ssize(labels_); }
  ItemShape shape() const override { return shape_; }
  const std::vector<std::string>& classes() const override { return classes_; }
  const Normalization& normalization() const override { return normalization_; }

  int label(int64_t i) const override {
    check_index(i);
    return labels_[i];
  }

  void get(int64_t i, std::span<float> out) const override {
    check_index(i);
    if (std::ssize(out) != shape_.elements()) {
      throw core::Error("data set: a buffer of " + std::to_string(out.size()) + " values for one item; expected " +
                        std::to_string(shape_.elements()));
    }
    const int64_t plane = shape_.h * shape_.w;
    const uint8_t* from = pixels_.data() + i * shape_.elements();
    float* to = out.data();
    for (int64_t c = 0; c < shape_.c; ++c) {
      const float* table = tables_.data() + c * 256;
      for (int64_t k = 0; k < plane; ++k) *to++ = table[*from++];
    }
  }

 private:
  void fill_tables() {
    tables_.resize(shape_.c * 256);
    for (int64_t c = 0; c < shape_.c; ++c) {
      for (int value = 0; value < 256; ++value) {
        tables_[c * 256 + value] = static_cast<float>((value / 255.0 - normalization_.mean[c]) / normalization_.std[c]);
      }
    }
  }

  void check_index(int64_t i) const {
    if (i < 0 || i >= size()) {
      throw core::Error("data set: item " + std::to_string(i) + " asked for; it holds " + std::to_string(size()));
    }
  }

  ItemShape shape_;
  std::vector<std::string> classes_;
  Normalization normalization_;
  std::vector<uint8_t> pixels_;  // [n, c, h, w]
  std::vector<int> labels_;      // [n]
  std::vector<float> tables_;    // [c, 256]
};

class Subset : public Dataset {
 public:
  Subset(std::shared_ptr<const Dataset> base, std::vector<int64_t> indices)
      : base_(std::move(base)), indices_(std::move(indices)) {
    for (int64_t index : indices_) {
      if (index < 0 || index >= base_->size()) {
        throw core::Error("subset: index " + std::to_string(index) + " of a data set of " +
                          std::to_string(base_->size()));
      }
    }
  }

  int64_t size() const override { return std::ssize(indices_); }
  ItemShape shape() const override { return base_->shape(); }
  const std::vector<std::string>& classes() const override { return base_->classes(); }
  const Normalization& normalization() const override { return base_->normalization(); }
  bool multi_label() const override { return base_->multi_label(); }
  int label(int64_t i) const override { return base_->label(at(i)); }
  void targets(int64_t i, std::span<float> out) const override { base_->targets(at(i), out); }
  std::string name(int64_t i) const override { return base_->name(at(i)); }
  void get(int64_t i, std::span<float> out) const override { base_->get(at(i), out); }
  void draw(int64_t i, const SampleAugment& augment, core::Rng& rng, std::span<float> out) const override {
    base_->draw(at(i), augment, rng, out);
  }

 private:
  int64_t at(int64_t i) const {
    if (i < 0 || i >= size()) {
      throw core::Error("subset: item " + std::to_string(i) + " asked for; it holds " + std::to_string(size()));
    }
    return indices_[i];
  }

  std::shared_ptr<const Dataset> base_;
  std::vector<int64_t> indices_;
};

}  // namespace

void Dataset::targets(int64_t i, std::span<float> out) const {
  std::fill(out.begin(), out.end(), 0.0f);
  out[static_cast<size_t>(label(i))] = 1.0f;
}

std::string Dataset::name(int64_t i) const { return "item " + std::to_string(i); }

std::unique_ptr<Dataset> make_image_dataset(ItemShape shape, std::vector<std::string> classes,
                                            Normalization normalization, std::vector<uint8_t> pixels,
                                            std::vector<int> labels) {
  return std::make_unique<ImageDataset>(shape, std::move(classes), std::move(normalization), std::move(pixels),
                                        std::move(labels));
}

std::shared_ptr<const Dataset> subset(std::shared_ptr<const Dataset> base, std::vector<int64_t> indices) {
  if (!base) throw core::Error("subset: no data set given");
  return std::make_shared<Subset>(std::move(base), std::move(indices));
}

}  // namespace condenser::data
