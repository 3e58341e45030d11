#pragma once
// A list of picture files as a data set: decoded when asked for, or kept decoded. Private to src/data.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "condenser/data/card.hpp"
#include "data/pixels.hpp"

namespace condenser::data {

struct PictureList {
  std::vector<std::string> files;             // [n]
  std::vector<int> labels;                    // [n], the first class; -1: none
  std::vector<std::vector<int>> all_classes;  // [n] of sets with several classes per item; else empty
};

class Pictures : public Dataset {
 public:
  Pictures(PictureList, ItemShape, std::vector<std::string> classes, Normalization);

  int64_t size() const override { return std::ssize(list_.files); }
  ItemShape shape() const override { return shape_; }
  const std::vector<std::string>& classes() const override { return classes_; }
  const Normalization& normalization() const override { return normalizer_.normalization(); }
  bool multi_label() const override { return !list_.all_classes.empty(); }
  int label(int64_t i) const override;
  void targets(int64_t i, std::span<float> out) const override;
  std::string name(int64_t i) const override;
  void get(int64_t i, std::span<float> out) const override;
  void draw(int64_t i, const SampleAugment&, core::Rng&, std::span<float> out) const override;

  // Decodes a picture into planes [shape.c, h, w].
  void decode(int64_t i, const Window&, int64_t h, int64_t w, std::span<uint8_t> planes) const;
  const Normalizer& normalizer() const { return normalizer_; }

 private:
  void write(int64_t i, const Window&, std::span<float> out) const;

  PictureList list_;
  ItemShape shape_;
  std::vector<std::string> classes_;
  Normalizer normalizer_;
};

// Does what the options say about damage and caching.
std::shared_ptr<const Dataset> open_pictures(std::shared_ptr<const Pictures>, const OpenOptions&);

}  // namespace condenser::data
