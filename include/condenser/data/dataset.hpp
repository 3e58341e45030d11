#pragma once
// A Dataset answers size() and get(i); everything else (subset, cache, batch) wraps one. No LibTorch, no Spec.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace condenser::data {

struct ItemShape {
  int64_t c = 0, h = 1, w = 1;
  int64_t elements() const { return c * h * w; }
  bool operator==(const ItemShape&) const = default;
};

// Per channel, on values scaled to 0..1: x' = (x - mean) / std.
struct Normalization {
  std::vector<double> mean, std;
};

class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual int64_t size() const = 0;
  virtual ItemShape shape() const = 0;
  virtual const std::vector<std::string>& classes() const = 0;
  virtual const Normalization& normalization() const = 0;
  virtual int label(int64_t i) const = 0;
  // Writes shape().elements() normalized float32 values, planes [c, h, w]. Safe to call from several threads.
  virtual void get(int64_t i, std::span<float> out) const = 0;
};

// 8-bit images in memory: the result of every format reader. pixels: [n, c, h, w].
std::unique_ptr<Dataset> make_image_dataset(ItemShape, std::vector<std::string> classes, Normalization,
                                            std::vector<uint8_t> pixels, std::vector<int> labels);

// The items of `base` at `indices`, in that order. Shares ownership.
std::shared_ptr<const Dataset> subset(std::shared_ptr<const Dataset> base, std::vector<int64_t> indices);

}  // namespace condenser::data
