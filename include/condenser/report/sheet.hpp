#pragma once
// Picture sheets: a grid of small pictures with captions as one PNG. Plain pixels and texts; what they mean is the
// caller's business.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace condenser::report {

struct Tile {
  int width = 0, height = 0;
  std::vector<uint8_t> rgb;          // [height, width, 3]
  std::vector<std::string> caption;  // lines below the picture, ASCII; what is too long ends in ".."
  std::array<uint8_t, 3> ink{};      // colour of the caption; black
};

// Each pixel `across` wide and `down` high.
Tile enlarged(const Tile&, int across, int down);

// values: [height, width], first row on top; `low` and below is dark, `high` and above is bright.
Tile heat_map(std::span<const float> values, int height, int width, float low, float high);

// Row by row. All cells are as large as the largest picture, wide enough for most captions. The bytes of a PNG file.
// Throws core::Error without tiles or when one has the wrong number of pixels.
std::string sheet_png(const std::vector<Tile>&, int columns, const std::string& title = "");

}  // namespace condenser::report
