// Boxes of one colour are one path, all lines are one: the size of the text decides how many drawings fit a page.

#include "report/study/drawing.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "report/picture_parts.hpp"
#include "report/svg.hpp"

namespace condenser::report {
namespace {

constexpr double kFont = 11;

std::string whole(double v) { return std::to_string(std::lround(v)); }

size_t shade(double share) {
  constexpr double kBounds[] = {0.01, 0.02, 0.05, 0.1, 0.2};
  size_t k = 0;
  while (k < std::size(kBounds) && share > kBounds[k]) ++k;
  return k;
}

std::string path(const std::string& d, const std::string& style) {
  return d.empty() ? "" : "<path" + attribute("d", d) + style + "/>";
}

std::string box(const Rect& r) {
  return "M" + whole(r.x) + " " + whole(r.y) + "h" + whole(r.w) + "v" + whole(r.h) + "h" + whole(-r.w) + "z";
}

std::string word(const std::string& text, double x, double y) {
  return "<text" + attribute("x", whole(x)) + attribute("y", whole(y)) + ">" + escaped(text) + "</text>";
}

std::string lines_of(const Picture& p, bool attention) {
  std::string d;
  for (const PictureEdge& edge : p.edges) {
    if (edge.attention != attention) continue;
    for (size_t k = 0; k < edge.points.size(); ++k)
      d += (k ? "L" : "M") + whole(edge.points[k].x) + " " + whole(edge.points[k].y);
  }
  return d;
}

// Of what is drawn here; the picture has a head and bars of stages around it.
Rect extent(const Picture& p) {
  double left = INFINITY, top = INFINITY, right = -INFINITY, bottom = -INFINITY;
  const auto add = [&](double x0, double y0, double x1, double y1) {
    left = std::min(left, x0);
    top = std::min(top, y0);
    right = std::max(right, x1);
    bottom = std::max(bottom, y1);
  };
  for (const PictureBox& b : p.boxes) add(b.rect.x, b.spine - kAbove, b.rect.right(), b.spine + kBelow);
  for (const PictureFrame& f : p.frames) add(f.rect.x, f.rect.y - 2 * kFont, f.rect.right(), f.rect.bottom());
  for (const PictureEdge& e : p.edges)
    for (const Point& at : e.points) add(at.x, at.y, at.x, at.y);
  constexpr double kRoom = 6;
  return {left - kRoom, top - kRoom, right - left + 2 * kRoom, bottom - top + 2 * kRoom};
}

}  // namespace

std::string small_svg(const Picture& p) {
  std::string frames, labels;
  std::map<double, std::string> words;  // by size of the font
  std::array<std::string, kBlues.size()> boxes;
  for (const PictureFrame& frame : p.frames) {
    frames += box(frame.rect);
    if (!frame.label.empty())
      labels += word(shorten(frame.label, frame.rect.w, kFont, false), frame.rect.x + 3, frame.rect.y - 4);
  }
  for (const PictureBox& b : p.boxes) {
    boxes[shade(b.share)] += box({b.rect.x, b.spine - kGlyph / 2, b.rect.w, kGlyph});
    if (!b.lines.empty()) {
      const Text& line = b.lines.front();
      words[line.size] += word(line.text, line.at.x, line.at.y);
    }
  }
  std::string text = path(frames, attribute("fill", "none") + stroke(kFaint, 1)) +
                     path(lines_of(p, false), attribute("fill", "none") + stroke(kMuted, 1)) +
                     path(lines_of(p, true), attribute("fill", "none") + stroke(kAccent, 1));
  for (size_t k = 0; k < boxes.size(); ++k) text += path(boxes[k], fill(kBlues[k]));
  text += "<g" + attribute("font-size", kFont) + fill(kMuted) + ">" + labels + "</g>";
  for (const auto& [size, some] : words)
    text += "<g" + attribute("font-size", size) + fill(kInk) + attribute("text-anchor", "middle") + ">" + some + "</g>";
  const Rect all = extent(p);
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"net\" role=\"img\"" + attribute("width", whole(all.w)) +
         attribute("height", whole(all.h)) +
         attribute("viewBox", whole(all.x) + " " + whole(all.y) + " " + whole(all.w) + " " + whole(all.h)) +
         "><title>" + escaped(plain(p.name)) + "</title>" + text + "</svg>";
}

}  // namespace condenser::report
