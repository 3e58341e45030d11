// AugmentOptions from a run file: one line per key with range and help.
#include "condenser/train/augment_options.hpp"

namespace condenser::train {

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
  reader.integer("cutout", o.cutout, 0, 1024, "side of a random square set to the mean; 0: off");
}

}  // namespace condenser::train
