// Changes of colours. Values are shares of full scale; grey is luma as ITU-R BT.601 has it, of 1 channel the channel.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "train/augment/image.hpp"

namespace condenser::train {
namespace {

using Matrix = std::array<std::array<double, 3>, 3>;
constexpr std::array<double, 3> kLuma{0.299, 0.587, 0.114};

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c{};
  for (size_t i = 0; i < 3; ++i)
    for (size_t j = 0; j < 3; ++j)
      for (size_t k = 0; k < 3; ++k) c[i][j] += a[i][k] * b[k][j];
  return c;
}

Matrix saturation_matrix(double factor) {
  Matrix m{};
  for (size_t i = 0; i < 3; ++i)
    for (size_t j = 0; j < 3; ++j) m[i][j] = (1 - factor) * kLuma[j] + (i == j ? factor : 0);
  return m;
}

// Rodrigues' rotation about (1, 1, 1) / sqrt 3: grey stays, red goes to green after a third of a turn.
Matrix hue_matrix(double turns) {
  const double angle = 2 * std::numbers::pi * turns;
  const double cosine = std::cos(angle), same = (1 - cosine) / 3, sine = std::sin(angle) / std::numbers::sqrt3;
  return {{{same + cosine, same - sine, same + sine},
           {same + sine, same + cosine, same - sine},
           {same - sine, same + sine, same + cosine}}};
}

double mean(const float* values, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(values[i]);
  return sum / static_cast<double>(count);
}

float clamped(float value) { return std::min(1.0f, std::max(0.0f, value)); }

void colour_rgb(Image& image, const Colour& change) {
  const int64_t size = image.plane_size();
  float *red = image.plane(0), *green = image.plane(1), *blue = image.plane(2);
  Matrix m = product(hue_matrix(change.hue), saturation_matrix(change.saturation));
  double offset = 0;  // grey, which saturation and hue leave as it is
  if (change.contrast != 1) {
    const double grey = kLuma[0] * mean(red, size) + kLuma[1] * mean(green, size) + kLuma[2] * mean(blue, size);
    offset = (1 - change.contrast) * change.brightness * grey;
  }
  float f[3][3];
  for (size_t i = 0; i < 3; ++i)
    for (size_t j = 0; j < 3; ++j) f[i][j] = static_cast<float>(change.brightness * change.contrast * m[i][j]);
  const auto o = static_cast<float>(offset);
  for (int64_t i = 0; i < size; ++i) {
    const float r = red[i], g = green[i], b = blue[i];
    red[i] = clamped(f[0][0] * r + f[0][1] * g + f[0][2] * b + o);
    green[i] = clamped(f[1][0] * r + f[1][1] * g + f[1][2] * b + o);
    blue[i] = clamped(f[2][0] * r + f[2][1] * g + f[2][2] * b + o);
  }
}

int level(float value) { return static_cast<int>(clamped(value) * 255.0f + 0.5f); }

// Replaces each value by the entry of its level of 0..255.
void look_up(float* values, int64_t count, const std::array<float, 256>& table) {
  for (int64_t i = 0; i < count; ++i) values[i] = table[static_cast<size_t>(level(values[i]))];
}

}  // namespace

void colour(Image& image, const Colour& change) {
  if (image.shape.c == 3) return colour_rgb(image, change);
  const int64_t count = image.shape.elements();
  const double grey = change.contrast != 1 ? mean(image.values, count) : 0;
  const auto gain = static_cast<float>(change.brightness * change.contrast);
  const auto offset = static_cast<float>((1 - change.contrast) * change.brightness * grey);
  for (int64_t i = 0; i < count; ++i) image.values[i] = clamped(gain * image.values[i] + offset);
}

// Away from, or towards, the image smoothed with weights 1 1 1 / 1 5 1 / 1 1 1 (Pillow's filter of that name); the
// border stays.
void sharpness(Image& image, double factor) {
  const auto [channels, h, w] = image.shape;
  const auto away = static_cast<float>(factor);
  image.scratch.resize(static_cast<size_t>(h * w));
  for (int64_t c = 0; c < channels; ++c) {
    float* plane = image.plane(c);
    std::copy_n(plane, h * w, image.scratch.data());
    for (int64_t y = 1; y + 1 < h; ++y) {
      const float* above = image.scratch.data() + (y - 1) * w;
      const float *row = above + w, *below = row + w;
      float* to = plane + y * w;
      for (int64_t x = 1; x + 1 < w; ++x) {
        const float around =
            above[x - 1] + above[x] + above[x + 1] + row[x - 1] + row[x + 1] + below[x - 1] + below[x] + below[x + 1];
        const float smooth = (around + 5.0f * row[x]) * (1.0f / 13.0f);
        to[x] = clamped(smooth + away * (row[x] - smooth));
      }
    }
  }
}

void posterize(Image& image, int bits) {
  std::array<float, 256> table;
  for (int k = 0; k < 256; ++k)
    table[static_cast<size_t>(k)] = static_cast<float>(k >> (8 - bits) << (8 - bits)) / 255.0f;
  look_up(image.values, image.shape.elements(), table);
}

void solarize(Image& image, double threshold) {
  const auto above = static_cast<float>(threshold);
  for (int64_t i = 0; i < image.shape.elements(); ++i) {
    const float value = image.values[i];
    image.values[i] = value > above ? clamped(1.0f - value) : value;
  }
}

void auto_contrast(Image& image) {
  for (int64_t c = 0; c < image.shape.c; ++c) {
    float* plane = image.plane(c);
    const auto [low, high] = std::minmax_element(plane, plane + image.plane_size());
    const float from = *low, range = *high - *low;
    if (range < 1.0f / 255.0f) continue;  // one level
    for (int64_t i = 0; i < image.plane_size(); ++i) plane[i] = (plane[i] - from) / range;
  }
}

// Level k goes to the share of pixels below it, counted without the brightest level that occurs.
void equalize(Image& image) {
  for (int64_t c = 0; c < image.shape.c; ++c) {
    float* plane = image.plane(c);
    std::array<int64_t, 256> counts{};
    for (int64_t i = 0; i < image.plane_size(); ++i) ++counts[static_cast<size_t>(level(plane[i]))];
    const auto last = std::find_if(counts.rbegin(), counts.rend(), [](int64_t n) { return n > 0; });
    const int64_t others = image.plane_size() - *last;
    if (others == 0) continue;
    std::array<float, 256> table{};
    int64_t below = 0;
    for (size_t k = 0; k < 256; ++k) {
      table[k] = std::min(1.0f, static_cast<float>(below) / static_cast<float>(others));
      below += counts[k];
    }
    look_up(plane, image.plane_size(), table);
  }
}

}  // namespace condenser::train
