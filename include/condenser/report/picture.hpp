#pragma once
// A picture of a network: boxes, edges and frames with their places, as plain data, and the SVG made of it.
//
// Data flow from left to right. The name parts before the first '_' are blocks; blocks stand side by side and wrap into
// rows like words of a text. Inside a block everything is laid out around a horizontal spine: what every path passes
// stands on it, parallel paths are lanes above and below it, a shortcut without operators is an arc over the others,
// and a path that condenses (a global pool, a pool with an up-sampling after it) hangs below as a side path. Graphs
// without this structure are laid out in layers.

#include <string>
#include <vector>

#include "condenser/arch/spec.hpp"

namespace condenser::report {

enum class Measure { Macs, Memory, Params };  // what the colour of a box says
const char* to_string(Measure);               // "macs", "memory", "params"
Measure measure_of(const std::string& name);  // throws ConfigError

struct Point {
  double x = 0, y = 0;
  bool operator==(const Point&) const = default;
};

struct Rect {
  double x = 0, y = 0, w = 0, h = 0;
  double right() const { return x + w; }
  double bottom() const { return y + h; }
};

// The drawing in the middle of a box.
enum class Glyph {
  Band,       // mixes all channels
  Lanes,      // `lanes` columns that know nothing of each other
  Texture,    // depthwise, or more columns than can be drawn
  Narrowing,  // pools
  Widening,   // up-sampling
  Part,       // a slice: the part of the channels it takes
  Stack,      // a concatenation of `lanes` inputs
  Crossing,   // channel shuffle
  Line,       // works on every value alone
  Plus,
  Times,
  Attention,  // softmax of one input, times the other
};

// A line of text, centred at its place.
struct Text {
  std::string text;
  double size = 10;  // of the font, in pixels
  bool bold = false;
  Point at;  // of the baseline
};

// What an operator and the batch norm and activation after it look like.
struct PictureBox {
  std::vector<int> nodes;  // of the Spec, in order
  Glyph glyph = Glyph::Line;
  int lanes = 1;
  double part_begin = 0, part_end = 1;  // of a slice
  std::vector<Text> lines;
  std::string tooltip;
  double share = 0;  // of the whole network's measure; of the arena when the measure is memory
  Rect rect;
  double spine = 0;                                                              // y at which the data pass
  bool circle() const { return glyph == Glyph::Plus || glyph == Glyph::Times; }  // else a card
};

struct PictureEdge {
  std::vector<Point> points;  // corners of right angles, or places that a curve passes
  bool arrow = true;
  bool attention = false;  // weights rather than features
  int strands = 1;         // columns that stay apart from box to box
};

struct PictureFrame {
  Rect rect;
  std::string label, share;  // "" when there is no room
};

struct PictureStage {
  std::string name, shape;
  double macs = 0, params = 0;  // share of the network's
  double memory = 0;            // largest activation, share of the arena
  Rect rect;
};

struct Picture {
  double width = 0, height = 0;
  std::string name, totals;
  Measure measure = Measure::Macs;
  std::vector<PictureBox> boxes;
  std::vector<PictureEdge> edges;
  std::vector<PictureFrame> frames;
  std::vector<PictureStage> stages;
  std::vector<Text> notes;  // "attention", "value" beside the paths of a double condenser
};

// Throws SpecError. The same picture for the same Spec.
Picture picture_of(const arch::Spec&, Measure = Measure::Macs);

// One file with nothing outside it: no scripts, no fonts, its own background.
std::string to_svg(const Picture&);

// Width in pixels that a text takes at most in the usual sans-serif fonts.
double text_width(const std::string& text, double size, bool bold);

}  // namespace condenser::report
