#pragma once
// The part of a picture that is wanted, as shares of its sides: the same part of a picture of any size.

#include "condenser/data/dataset.hpp"

namespace condenser::data {

struct Window {
  double y = 0, x = 0, h = 1, w = 1;
  bool operator==(const Window&) const = default;
};

// In pixels; never empty, within the picture.
struct Rect {
  int y = 0, x = 0, h = 0, w = 0;
};
Rect rect_of(const Window&, int height, int width);

// Random-resized crop (C. Szegedy et al., "Going Deeper with Convolutions", 2015): area uniform in
// [augment.crop_area, 1], change of the aspect ratio log-uniform in [1/crop_ratio, crop_ratio], place uniform; a pair
// that does not fit is drawn again, at most 10 times, then the whole picture counts. Draws nothing when crops are off.
Window random_window(const SampleAugment&, core::Rng&);

}  // namespace condenser::data
