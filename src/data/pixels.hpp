#pragma once
// From 8-bit planes to the normalized values of an item: the last step of every data set of images.

#include <cstdint>
#include <span>
#include <vector>

#include "condenser/data/dataset.hpp"
#include "data/window.hpp"

namespace condenser::data {

// One table of 256 values per channel: exact, and no slower than arithmetic.
class Normalizer {
 public:
  // No normalization given means values in 0..1. Throws core::Error when it does not fit the channels.
  Normalizer(Normalization, int64_t channels);
  const Normalization& normalization() const { return normalization_; }
  // planes: [c, plane]
  void apply(const uint8_t* planes, int64_t plane, float* out) const;

 private:
  Normalization normalization_;
  std::vector<float> tables_;  // [c, 256]
};

// The same shape. Throws core::Error unless every extent is in 1..32768.
ItemShape checked(const ItemShape&);

// Throws core::Error unless 0 <= i < size, or unless `out` holds an item.
void check_item(int64_t i, int64_t size, const ItemShape&, std::span<const float> out);
void check_item(int64_t i, int64_t size);

// Planes of many pictures, [n, from.c, from.h, from.w], at another size, in colour or grey: [n, to.c, to.h, to.w].
std::vector<uint8_t> brought_to(const ItemShape& to, const std::vector<uint8_t>& planes, const ItemShape& from);

// Writes the part `window` of a picture kept as planes [stored.c, stored.h, stored.w], resized to `shape`.
void write_item(const uint8_t* planes, const ItemShape& stored, const Window&, const ItemShape& shape,
                const Normalizer&, std::span<float> out);

}  // namespace condenser::data
