#pragma once
// Mixing of images within a batch. Private to src/train.

#include "condenser/core/rng.hpp"
#include "condenser/data/loader.hpp"

namespace condenser::train {

// Beta(alpha, alpha).
double beta(double alpha, core::Rng&);

// x_i' = share x_i + (1 - share) x_j with j = size - 1 - i, and the targets likewise.
void mixup(data::Batch&, int64_t classes, float share);

// x_i' has [top, bottom) x [left, right) of every channel from x_j; targets by area.
struct Box {
  int64_t top = 0, left = 0, bottom = 0, right = 0;
};
Box random_box(const data::ItemShape&, double area, core::Rng&);  // centre anywhere, cut off at the borders
void cutmix(data::Batch&, const data::ItemShape&, int64_t classes, const Box&);

}  // namespace condenser::train
