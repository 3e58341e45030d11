#pragma once
// Items of data sets as tiles of a picture sheet.

#include "condenser/data/card.hpp"
#include "condenser/data/loader.hpp"
#include "condenser/report/sheet.hpp"

namespace condenser::cli {

// How the values of an item lie: a picture, or features of a sound whose frames are rows or columns.
enum class Layout { Picture, TimeDown, TimeAcross };
Layout layout_of(const data::Card&);

// One item [c, h, w] as its data set normalizes it, enlarged to be seen: RGB, grey, or, whatever their layout, a heat
// map with time to the right and frequency upwards for features of sounds.
report::Tile tile_of(std::span<const float> item, const data::Dataset&, Layout);

// The classes of row i: "cat", "0.70 cat / 0.30 dog", "none".
std::vector<std::string> label_lines(const data::Batch&, int64_t i, const std::vector<std::string>& classes);

}  // namespace condenser::cli
