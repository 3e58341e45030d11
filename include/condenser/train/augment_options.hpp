#pragma once
// Random changes of training items. Plain data; no LibTorch here.

#include <optional>
#include <string>
#include <vector>

#include "condenser/core/config.hpp"
#include "condenser/data/dataset.hpp"

namespace condenser::train {

// Operations drawn from a fixed table (Cubuk et al., RandAugment, arXiv 1909.13719).
struct RandAugment {
  int operations = 0;  // per image; 0: off
  double magnitude = 9;
};

// Masks on audio features [1, frames, coefficients] (Park et al., SpecAugment, arXiv 1904.08779), without time warping.
struct SpecAugment {
  int time_masks = 0, time_width = 8;            // frames
  int frequency_masks = 0, frequency_width = 2;  // coefficients
  bool time_in_columns = false;                  // how the items lie: no option, the data set's card says it
};

// In the order in which they are applied. Each change of an image has its own draw.
struct AugmentOptions {
  data::SampleAugment sample;  // before an item becomes a row of a batch; its keys stand beside the others
  int shift = 2;               // pixels, both axes
  bool flip = false, vertical_flip = false;
  double degrees = 0;                   // rotation
  double translate = 0;                 // share of width and height
  std::vector<double> scale{1.0, 1.0};  // lowest and highest
  double shear = 0;                     // degrees, both axes
  std::string fill = "zero";            // what comes in from outside: zero (black), mean, reflect
  RandAugment randaugment;
  double brightness = 0, contrast = 0, saturation = 0;  // factor 1 - x .. 1 + x
  double hue = 0;                                       // turns
  double erasing = 0;                                   // probability of a random rectangle set to the mean
  std::vector<double> erasing_area{0.02, 0.33};         // its lowest and highest share of the image
  int cutout = 0;                                       // side of a random square set to the mean; 0: off
  SpecAugment specaugment;
  double mixup = 0, cutmix = 0;  // alpha of the Beta distribution; 0: off; both: one of them at random per batch
  double mix_probability = 1;    // share of the batches that are mixed
};
void read_options(core::config::Reader&, AugmentOptions&);

// An option that cannot apply to items of this shape, and what it expects; none: all can.
struct Misfit {
  std::string key, expected;  // "hue", "0 for pictures of 1 channel; hue needs 3 (RGB)"
};
std::optional<Misfit> misfit(const AugmentOptions&, const data::ItemShape&);

}  // namespace condenser::train
