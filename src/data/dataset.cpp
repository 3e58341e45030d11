// 8-bit images in memory; subsets by index.
// Reading files is left to formats/, choosing indices to split.cpp.
#include "condenser/data/dataset.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "condenser/core/error.hpp"
#include "data/pixels.hpp"

namespace condenser::data {
namespace {

class ImageDataset : public Dataset {
 public:
  ImageDataset(ItemShape shape, std::vector<std::string> classes, Normalization normalization,
               std::vector<uint8_t> pixels, std::vector<int> labels)
      : shape_(checked(shape)),
        classes_(std::move(classes)),
        normalizer_(std::move(normalization), shape.c),
        pixels_(std::move(pixels)),
        labels_(std::move(labels)) {
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
  }

  int64_t size() const override { return std::ssize(labels_); }
  ItemShape shape() const override { return shape_; }
  const std::vector<std::string>& classes() const override { return classes_; }
  const Normalization& normalization() const override { return normalizer_.normalization(); }
  int label(int64_t i) const override {
    check_item(i, size());
    return labels_[i];
  }
  void get(int64_t i, std::span<float> out) const override { write(i, {}, out); }
  void draw(int64_t i, const SampleAugment& augment, core::Rng& rng, std::span<float> out) const override {
    write(i, random_window(augment, rng), out);
  }

 private:
  void write(int64_t i, const Window& window, std::span<float> out) const {
    check_item(i, size(), shape_, out);
    write_item(pixels_.data() + i * shape_.elements(), shape_, window, shape_, normalizer_, out);
  }

  ItemShape shape_;
  std::vector<std::string> classes_;
  Normalizer normalizer_;
  std::vector<uint8_t> pixels_;  // [n, c, h, w]
  std::vector<int> labels_;      // [n]
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
  std::vector<float> clip(int64_t i) const override { return base_->clip(at(i)); }
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

class Shifted : public Dataset {
 public:
  Shifted(std::shared_ptr<const Dataset> base, int right, int down)
      : base_(std::move(base)), right_(right), down_(down) {
    const ItemShape shape = base_->shape();
    if (std::abs(right_) >= shape.w || std::abs(down_) >= shape.h)
      throw core::Error("a shift by " + std::to_string(right_) + " and " + std::to_string(down_) + " pixels of items " +
                        std::to_string(shape.h) + "x" + std::to_string(shape.w) + "; expected less than their size");
  }

  int64_t size() const override { return base_->size(); }
  ItemShape shape() const override { return base_->shape(); }
  const std::vector<std::string>& classes() const override { return base_->classes(); }
  const Normalization& normalization() const override { return base_->normalization(); }
  bool multi_label() const override { return base_->multi_label(); }
  int label(int64_t i) const override { return base_->label(i); }
  void targets(int64_t i, std::span<float> out) const override { base_->targets(i, out); }
  std::string name(int64_t i) const override { return base_->name(i); }
  void get(int64_t i, std::span<float> out) const override {
    std::vector<float> item(out.size());
    base_->get(i, item);
    const ItemShape shape = base_->shape();
    auto to = out.begin();
    for (int64_t c = 0; c < shape.c; ++c)
      for (int64_t y = 0; y < shape.h; ++y)
        for (int64_t x = 0; x < shape.w; ++x)
          *to++ = item[static_cast<size_t>((c * shape.h + std::clamp<int64_t>(y - down_, 0, shape.h - 1)) * shape.w +
                                           std::clamp<int64_t>(x - right_, 0, shape.w - 1))];
  }

 private:
  std::shared_ptr<const Dataset> base_;
  int right_, down_;
};

}  // namespace

void Dataset::targets(int64_t i, std::span<float> out) const {
  std::fill(out.begin(), out.end(), 0.0f);
  out[static_cast<size_t>(label(i))] = 1.0f;
}

std::string Dataset::name(int64_t i) const { return "item " + std::to_string(i); }

std::vector<float> Dataset::clip(int64_t) const { return {}; }

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

std::shared_ptr<const Dataset> shifted(std::shared_ptr<const Dataset> base, int right, int down) {
  return std::make_shared<Shifted>(std::move(base), right, down);
}

}  // namespace condenser::data
