// AugmentOptions from a run file: one line per key with range and help.
#include "condenser/train/augment_options.hpp"

namespace condenser::train {
namespace {

void check_range(const core::config::Reader& reader, const std::string& key, const std::vector<double>& range) {
  if (range.size() != 2 || range[0] > range[1]) throw reader.error(key, "two numbers, the lower first");
}

}  // namespace

void read_options(core::config::Reader& reader, AugmentOptions& o) {
  reader.number("crop_area", o.sample.crop_area, 0.01, 1.0,
                "random-resized crop: smallest share of the picture that is kept; 1: off");
  reader.number("crop_ratio", o.sample.crop_ratio, 1.0, 4.0, "and largest change of its aspect ratio");
  reader.integer("time_shift_ms", o.sample.time_shift_ms, 0, 10000, "audio: largest shift to either side");
  reader.number("noise_probability", o.sample.noise_probability, 0.0, 1.0,
                "audio: share of clips that get background noise");
  reader.number("noise_volume", o.sample.noise_volume, 0.0, 1.0, "audio: its largest volume, relative to full scale");

  reader.integer("shift", o.shift, 0, 64, "largest random shift in pixels, both axes");
  reader.boolean("flip", o.flip, "random horizontal flip");
  reader.boolean("vertical_flip", o.vertical_flip, "random vertical flip");
  reader.number("degrees", o.degrees, 0.0, 180.0, "largest random rotation to either side");
  reader.number("translate", o.translate, 0.0, 1.0, "largest random shift as a share of width and height");
  reader.numbers("scale", o.scale, 0.1, 10.0, "lowest and highest random scale; above 1: larger");
  check_range(reader, "scale", o.scale);
  reader.number("shear", o.shear, 0.0, 60.0, "largest random shear in degrees, both axes");
  reader.choice("fill", o.fill, {"zero", "mean", "reflect"},
                "what moved pictures show outside: zero (black), the mean, or themselves mirrored");

  auto policy = reader.section("randaugment", "random operations from a table (RandAugment)");
  policy.integer("operations", o.randaugment.operations, 0, 16, "per image; 0: off");
  policy.number("magnitude", o.randaugment.magnitude, 0.0, 10.0, "strength of each");

  reader.number("brightness", o.brightness, 0.0, 1.0, "random factor within 1 - x .. 1 + x");
  reader.number("contrast", o.contrast, 0.0, 1.0, "random factor within 1 - x .. 1 + x, about the mean brightness");
  reader.number("saturation", o.saturation, 0.0, 1.0, "random factor within 1 - x .. 1 + x; RGB");
  reader.number("hue", o.hue, 0.0, 0.5, "largest random turn of the colours to either side; 0.5: half a turn; RGB");
  reader.number("erasing", o.erasing, 0.0, 1.0, "share of images in which a random rectangle is set to the mean");
  reader.numbers("erasing_area", o.erasing_area, 0.0, 1.0, "its lowest and highest share of the image");
  check_range(reader, "erasing_area", o.erasing_area);
  reader.integer("cutout", o.cutout, 0, 1024, "side of a random square set to the mean; 0: off");

  auto masks = reader.section("specaugment", "audio features: random masks set to the mean (SpecAugment)");
  masks.integer("time_masks", o.specaugment.time_masks, 0, 16, "number of masks over frames; 0: none");
  masks.integer("time_width", o.specaugment.time_width, 1, 4096, "largest width of one in frames");
  masks.integer("frequency_masks", o.specaugment.frequency_masks, 0, 16, "number over coefficients; 0: none");
  masks.integer("frequency_width", o.specaugment.frequency_width, 1, 4096, "largest width of one in coefficients");

  reader.number("mixup", o.mixup, 0.0, 10.0, "mix pairs of images; alpha of the Beta distribution; 0: off");
  reader.number("cutmix", o.cutmix, 0.0, 10.0,
                "exchange a rectangle between pairs of images; alpha; 0: off; with mixup: one of the two per batch");
  reader.number("mix_probability", o.mix_probability, 0.0, 1.0, "share of the batches that are mixed");
}

std::optional<Misfit> misfit(const AugmentOptions& o, const data::ItemShape& shape) {
  const std::string found =
      "items of shape " + std::to_string(shape.c) + "x" + std::to_string(shape.h) + "x" + std::to_string(shape.w);
  const std::string rgb = "0 for " + found + "; it needs 3 channels (RGB)";
  if (o.saturation > 0 && shape.c != 3) return Misfit{"saturation", rgb};
  if (o.hue > 0 && shape.c != 3) return Misfit{"hue", rgb};
  if (o.specaugment.time_masks + o.specaugment.frequency_masks > 0 && shape.c != 1)
    return Misfit{"specaugment", "no masks for " + found + "; they need audio features (1 x frames x coefficients)"};
  return std::nullopt;
}

}  // namespace condenser::train
