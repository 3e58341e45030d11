#pragma once
// Random changes of training items. Plain data; no LibTorch here.

#include "condenser/core/config.hpp"
#include "condenser/data/dataset.hpp"

namespace condenser::train {

struct AugmentOptions {
  data::SampleAugment sample;  // before an item becomes a row of a batch; its keys stand beside the others
  int shift = 2;               // random shift in pixels, both axes
  bool flip = false;           // random horizontal flip
  int cutout = 0;              // side of a random square set to the mean; 0: off
};
void read_options(core::config::Reader&, AugmentOptions&);

}  // namespace condenser::train
