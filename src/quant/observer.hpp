#pragma once
// Observers: watch values go by in batches, then say which range [low, high] int8 should cover. What a range becomes
// (scale, zero point) is affine(); which tensors are observed is calibrate.hpp.

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "condenser/quant/quantize.hpp"

namespace condenser::quant {

struct Range {
  double low = 0, high = 0;  // low <= 0 <= high: zero padding and ReLU need an exact zero
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void observe(std::span<const float> values) = 0;  // throws core::Error on NaN or infinity
  virtual Range range() const = 0;
};

std::unique_ptr<Observer> make_observer(const QuantOptions&);  // throws core::Error on an unknown name

// Counts of |x| for each sign in equal bins whose width is a power of two. When a value does not fit, neighbouring bins
// are joined and the width doubles. Every edge is a multiple of the width, so joining is exact and the result depends
// on the values alone, not on their order or batches. Exact zeros are counted apart: int8 represents them exactly.
class Histogram {
 public:
  static constexpr size_t kBins = 1024;  // per sign: at least two per int8 step of the whole range

  void add(std::span<const float> values);  // throws core::Error on NaN or infinity

  double width() const { return width_; }
  int64_t total() const { return total_; }
  int64_t zeros() const { return zeros_; }
  Range extremes() const { return extremes_; }
  const std::vector<int64_t>& positive() const { return positive_; }  // [i]: x in [i, i + 1) * width
  const std::vector<int64_t>& negative() const { return negative_; }  // [i]: -x in [i, i + 1) * width

 private:
  void grow_to(double magnitude);

  std::vector<int64_t> positive_ = std::vector<int64_t>(kBins), negative_ = std::vector<int64_t>(kBins);
  double width_ = 0;  // 0: only zeros so far
  int64_t total_ = 0, zeros_ = 0;
  Range extremes_;
};

// scale = (high - low) / 255 and the integer zero point nearest to -128 - low / scale. A range of nothing (a dead
// activation) gets the smallest scale that kernels can still divide by.
runtime::TensorQuant affine(const Range&);
// Of 16 bits: zero point 0, scale = the larger end / 32767.
runtime::TensorQuant symmetric_16(const Range&);

// The nearest number of single precision, or the next above. Scales are such numbers, since files of other programs
// hold them so: multipliers that are computed from those are then ours to the last bit.
double single_precision(double scale);
double single_precision_above(double least);

// Sum over the histogram of (x - dequantized(x))^2, values spread evenly inside their bin.
double quantization_error(const Histogram&, const runtime::TensorQuant&);

}  // namespace condenser::quant
