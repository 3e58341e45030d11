#pragma once
// Items of data sets as tiles of a picture sheet.

#include "condenser/data/loader.hpp"
#include "condenser/report/sheet.hpp"

namespace condenser::cli {

// One item [c, h, w] as its data set normalizes it, enlarged to be seen: RGB, grey, or a heat map with time to the
// right and frequency upwards for audio features [1, frames, coefficients].
report::Tile tile_of(std::span<const float> item, const data::Dataset&, bool audio);

// The classes of row i: "cat", "0.70 cat / 0.30 dog", "none".
std::vector<std::string> label_lines(const data::Batch&, int64_t i, const std::vector<std::string>& classes);

}  // namespace condenser::cli
