// RandAugment's table of operations, with the ranges of its paper (arXiv 1909.13719, those of AutoAugment, 1805.09501).
#include <algorithm>
#include <cmath>

#include "train/augment/image.hpp"

namespace condenser::train {

std::span<const Operation> operations() {
  static const Operation table[] = {
      {"identity", [](Image&, double) {}},
      {"shear_x", [](Image& i, double s) { warp(i, shearing(0.3 * s, 0)); }},
      {"shear_y", [](Image& i, double s) { warp(i, shearing(0, 0.3 * s)); }},
      {"translate_x", [](Image& i, double s) { warp(i, translation(0.45 * s * static_cast<double>(i.shape.w), 0)); }},
      {"translate_y", [](Image& i, double s) { warp(i, translation(0, 0.45 * s * static_cast<double>(i.shape.h))); }},
      {"rotate", [](Image& i, double s) { warp(i, rotation(30 * s)); }},
      {"brightness", [](Image& i, double s) { colour(i, {.brightness = 1 + 0.9 * s}); }},
      {"contrast", [](Image& i, double s) { colour(i, {.contrast = 1 + 0.9 * s}); }},
      {"saturation", [](Image& i, double s) { colour(i, {.saturation = 1 + 0.9 * s}); }},  // grey: stays as it is
      {"sharpness", [](Image& i, double s) { sharpness(i, 1 + 0.9 * s); }},
      {"posterize", [](Image& i, double s) { posterize(i, 8 - static_cast<int>(std::lround(4 * std::abs(s)))); }},
      {"solarize", [](Image& i, double s) { solarize(i, 1 - std::abs(s)); }},
      {"auto_contrast", [](Image& i, double) { auto_contrast(i); }},
      {"equalize", [](Image& i, double) { equalize(i); }},
  };
  return table;
}

}  // namespace condenser::train
