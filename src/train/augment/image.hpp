#pragma once
// One image on its way through augmentation, and everything that can be done to it. Private to src/train.

#include <cstdint>
#include <span>
#include <vector>

#include "condenser/data/dataset.hpp"

namespace condenser::train {

struct Image {
  data::ItemShape shape;
  float* values = nullptr;     // [c, h, w]
  std::vector<float> outside;  // per channel: what is shown beyond the borders, at the scale of `values`
  bool reflect = false;        // or the image itself, mirrored
  std::vector<float> scratch;

  int64_t plane_size() const { return shape.h * shape.w; }
  float* plane(int64_t c) { return values + c * plane_size(); }
};

// --- geometry: augment_geometry.cpp ---

// Whole pixels. Pixel (y, x) of the result is pixel (y - down, x - right) of the image flipped before.
struct Move {
  int64_t down = 0, right = 0;
  bool flip = false, vertical_flip = false;
};
void move(Image&, const Move&);

// Where a pixel of the result comes from, both measured from the centre of the image: x right, y down.
//   from_x = xx x + xy y + x0,   from_y = yx x + yy y + y0
struct Affine {
  double xx = 1, xy = 0, yx = 0, yy = 1, x0 = 0, y0 = 0;
};
Affine rotation(double degrees);                  // counter-clockwise
Affine scaling(double factor);                    // above 1: larger
Affine shearing(double along_x, double along_y);  // pixel (x, y) goes to (x + along_x y, y), then along y likewise
Affine translation(double right, double down);
Affine mirror(bool flip, bool vertical_flip);
Affine then(const Affine& first, const Affine& second);  // as changes of the picture
void warp(Image&, const Affine&);                        // bilinear

// --- colour: augment_colour.cpp; values are shares of full scale, 0..1, and stay so ---

// Factors in this order, then one clamp: v' = brightness v; about the mean grey; about each pixel's grey; a turn of the
// colours about the grey axis. The last two need 3 channels and have no effect otherwise.
struct Colour {
  double brightness = 1, contrast = 1, saturation = 1, hue = 0;
};
void colour(Image&, const Colour&);
void sharpness(Image&, double factor);    // 0: smoothed, 1: as it is
void posterize(Image&, int bits);         // keeps the highest bits of 8
void solarize(Image&, double threshold);  // inverts what is brighter
void auto_contrast(Image&);               // stretches each channel to 0..1
void equalize(Image&);                    // each channel to a flat histogram of its 256 levels

// --- policy: augment_policy.cpp ---

// A row of RandAugment's table. `strength` in -1..1: magnitude / 10 with a random sign; some take it as an amount.
struct Operation {
  const char* name;
  void (*apply)(Image&, double strength);
};
std::span<const Operation> operations();

}  // namespace condenser::train
