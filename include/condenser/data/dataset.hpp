#pragma once
// A Dataset answers size() and get(i); everything else (subset, cache, batch) wraps one. No LibTorch, no Spec.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "condenser/core/rng.hpp"
#include "condenser/core/shape.hpp"

namespace condenser::data {

using ItemShape = core::Shape;

// Per channel, on values scaled to 0..1: x' = (x - mean) / std.
struct Normalization {
  std::vector<double> mean, std;
};

// Random changes of one item that must happen before it becomes a row of a batch: crops of the original picture,
// changes of a waveform before its features. Ones that do not apply to the kind of data have no effect.
struct SampleAugment {
  double crop_area = 1.0;          // random-resized crop: smallest share of the picture's area that is kept; 1: off
  double crop_ratio = 1.0;         // and largest change of its aspect ratio, 4/3 is customary; 1: as the picture
  int time_shift_ms = 0;           // audio: largest shift to either side, filled with silence
  double noise_probability = 0.0;  // audio: share of clips that get a piece of background noise
  double noise_volume = 0.1;       // and its largest volume, relative to full scale
  bool operator==(const SampleAugment&) const = default;
};

class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual int64_t size() const = 0;
  virtual ItemShape shape() const = 0;
  virtual const std::vector<std::string>& classes() const = 0;
  virtual const Normalization& normalization() const = 0;
  // Several classes at once per item, or none: targets() counts then, and label() is the first class, -1 for none.
  virtual bool multi_label() const { return false; }
  virtual int label(int64_t i) const = 0;
  // Writes classes().size() values, 1 for the item's classes and 0 for the others.
  virtual void targets(int64_t i, std::span<float> out) const;
  // The item for people: its file, or "item 12".
  virtual std::string name(int64_t i) const;
  // Of sounds, the clip of item i before its front-end, on the scale of 16-bit PCM; empty where it is not known.
  virtual std::vector<float> clip(int64_t i) const;
  // Writes shape().elements() normalized float32 values, planes [c, h, w]. Safe to call from several threads.
  virtual void get(int64_t i, std::span<float> out) const = 0;
  // Like get(), with random changes: a pure function of the arguments.
  virtual void draw(int64_t i, const SampleAugment&, core::Rng&, std::span<float> out) const { get(i, out); }
};

// 8-bit images in memory: the result of every format reader. pixels: [n, c, h, w].
std::unique_ptr<Dataset> make_image_dataset(ItemShape, std::vector<std::string> classes, Normalization,
                                            std::vector<uint8_t> pixels, std::vector<int> labels);

// JPEG and PNG files, each decoded when it is asked for and brought to the shape (1 channel: grey, 3: RGB); one class
// without a name. For predictions and measurements.
std::shared_ptr<const Dataset> make_picture_dataset(std::vector<std::filesystem::path> files, ItemShape, Normalization);

// The items of `base` at `indices`, in that order. Shares ownership.
std::shared_ptr<const Dataset> subset(std::shared_ptr<const Dataset> base, std::vector<int64_t> indices);

// The items of `base` moved `right` and `down` by whole pixels (negative: the other way); the border repeats what lay
// there. Shares ownership. Throws core::Error for a move as large as the item.
std::shared_ptr<const Dataset> shifted(std::shared_ptr<const Dataset> base, int right, int down);

}  // namespace condenser::data
