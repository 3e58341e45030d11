#pragma once
// What the steps of a picture hand to each other: boxes and who reads whom, then blocks around their spines.

#include <map>

#include "condenser/report/picture.hpp"

namespace condenser::report {

// Above and below the spine of every box; the glyph is 22 high around it.
inline constexpr double kAbove = 47, kBelow = 31, kGlyph = 22, kRadius = 12;
// Between two boxes, and between a fork or join and the nearest box.
inline constexpr double kLink = 26, kShortLink = 12;

// Cuts `text` with an ellipsis so that it takes at most `width`.
std::string shorten(const std::string& text, double width, double size, bool bold);
std::string plain(const std::string& text);  // names of networks may hold anything: printable ASCII, the rest as _
std::string shape_text(const arch::Shape&);  // "40 × 56 × 56", "10"
std::string percent_text(double share);      // "12.3 %"

// Boxes in topological order; every live node is in exactly one.
struct Boxes {
  std::vector<PictureBox> boxes;         // rect.w and lines (relative to the spine) are set, places are not
  std::vector<std::vector<int>> inputs;  // per box: boxes it reads, without repetition
  std::vector<std::string> scopes;       // per box
  std::vector<arch::Shape> shapes;       // of the outputs
  std::vector<int> attention;            // per box: the input that holds weights, or -1
  std::vector<bool> condenses;           // global pools and up-samplings
};
Boxes boxes_of(const arch::Spec&, Measure, int64_t arena_bytes);

// A run of boxes that is laid out as one. Coordinates are relative to the spine's left end.
struct PictureBlock {
  std::string label;  // "" without a frame
  std::vector<int> boxes;
  std::vector<int> sources;   // boxes of earlier blocks that it reads, one port each on the left
  std::vector<int> outgoing;  // its boxes that later blocks read, one port each on the right
  double width = 0, above = 0, below = 0;
  std::map<int, double> in_port, out_port;  // height by source
  std::map<int, Point> places;              // per box: left end of its spine
  std::vector<PictureEdge> edges;
  std::vector<Text> notes;
};
std::vector<PictureBlock> blocks_of(const Boxes&);
void lay_out(const Boxes&, PictureBlock&);

}  // namespace condenser::report
