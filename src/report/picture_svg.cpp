// Writes a picture as SVG.

#include <algorithm>
#include <array>
#include <cmath>

#include "report/picture_parts.hpp"
#include "report/svg.hpp"

namespace condenser::report {
namespace {

constexpr const char* kLine = "#7b8794";
constexpr const char* kAttentionLine = kAccent;

constexpr const char* kNothing = "#eceff2";

std::array<double, 5> limits(Measure measure) {
  if (measure == Measure::Memory) return {0.05, 0.1, 0.2, 0.4, 0.6};
  return {0.01, 0.02, 0.05, 0.1, 0.2};
}

const char* shade(Measure measure, double share) {
  if (share <= 0) return kNothing;
  const auto bounds = limits(measure);
  const auto k = std::lower_bound(bounds.begin(), bounds.end(), share) - bounds.begin();
  return kBlues[static_cast<size_t>(k)];
}

// ---- lines

std::string at(const Point& p) { return number(p.x) + " " + number(p.y); }

Point towards(const Point& from, const Point& to, double distance) {
  const double length = std::hypot(to.x - from.x, to.y - from.y);
  if (length <= 0) return from;
  return {from.x + (to.x - from.x) / length * distance, from.y + (to.y - from.y) / length * distance};
}

bool straight(const Point& a, const Point& b) { return a.x == b.x || a.y == b.y; }

double length(const Point& a, const Point& b) { return std::hypot(a.x - b.x, a.y - b.y); }

// Right angles are rounded; a step to another height without a corner is a curve that leaves and arrives level.
std::string path_of(const std::vector<Point>& points) {
  std::string d = "M" + at(points[0]);
  for (size_t k = 1; k < points.size(); ++k) {
    const Point &a = points[k - 1], &b = points[k];
    if (!straight(a, b)) {
      const double middle = (a.x + b.x) / 2;
      d += "C" + at({middle, a.y}) + " " + at({middle, b.y}) + " " + at(b);
      continue;
    }
    const bool corner = k + 1 < points.size() && straight(b, points[k + 1]) && (a.x == b.x) != (b.x == points[k + 1].x);
    if (!corner) {
      d += "L" + at(b);
      continue;
    }
    const double radius = std::min({9.0, length(a, b) / 2, length(b, points[k + 1]) / 2});
    d += "L" + at(towards(b, a, radius)) + "Q" + at(b) + " " + at(towards(b, points[k + 1], radius));
  }
  return d;
}

// The y of lane k of n in a glyph of the usual height, and how thick it is.
double lane_height(int n) { return (kGlyph - (n - 1) * (n > 5 ? 1.2 : 2.0)) / n; }
double lane_top(int n, int k) { return -kGlyph / 2 + k * (lane_height(n) + (n > 5 ? 1.2 : 2.0)); }

std::string line_of(const PictureEdge& edge) {
  const char* colour = edge.attention ? kAttentionLine : kLine;
  if (edge.strands > 1) {
    std::string d;
    for (int k = 0; k < edge.strands; ++k) {
      const double dy = lane_top(edge.strands, k) + lane_height(edge.strands) / 2;
      d += "M" + at({edge.points[0].x, edge.points[0].y + dy}) + "L" + at({edge.points[1].x, edge.points[1].y + dy});
    }
    return "<path" + attribute("d", d) + stroke(colour, 1) + "/>\n";
  }
  std::vector<Point> points = edge.points;
  if (edge.arrow) points.back() = towards(points.back(), points[points.size() - 2], 3);  // the head's tip is at the end
  return "<path" + attribute("d", path_of(points)) + stroke(colour, 1.4) +
         (edge.arrow ? attribute("marker-end", edge.attention ? "url(#b)" : "url(#a)") : "") + "/>\n";
}

// ---- glyphs

std::string polygon(const std::vector<Point>& points, const std::string& style) {
  std::string d;
  for (const Point& p : points) d += (d.empty() ? "M" : "L") + at(p);
  return "<path" + attribute("d", d + "Z") + style + "/>";
}

std::string lanes_of(const PictureBox& box, int n, const std::string& style) {
  std::string text;
  for (int k = 0; k < n; ++k)
    text += rectangle({box.rect.x, box.spine + lane_top(n, k), box.rect.w, lane_height(n)}, 0, style);
  return text;
}

std::string circle_of(Point centre, double radius, bool times, const char* colour) {
  const double arm = times ? radius * 0.36 : radius * 0.5;
  const std::string d = times ? "M" + at({centre.x - arm, centre.y - arm}) + "L" +
                                    at({centre.x + arm, centre.y + arm}) + "M" + at({centre.x - arm, centre.y + arm}) +
                                    "L" + at({centre.x + arm, centre.y - arm})
                              : "M" + at({centre.x - arm, centre.y}) + "L" + at({centre.x + arm, centre.y}) + "M" +
                                    at({centre.x, centre.y - arm}) + "L" + at({centre.x, centre.y + arm});
  return "<circle" + attribute("cx", centre.x) + attribute("cy", centre.y) + attribute("r", radius) + fill(kSheet) +
         stroke(colour, 1.4) + "/><path" + attribute("d", d) + stroke(colour, 1.8) + attribute("fill", "none") + "/>";
}

// Channels that change places: column k of the input to place k * groups + ....
std::string crossing(const PictureBox& box, const char* colour) {
  const int n = 6, groups = box.lanes == 3 ? 3 : 2;
  std::string d;
  for (int k = 0; k < n; ++k) {
    const int to = (k % (n / groups)) * groups + k / (n / groups);
    const auto y = [&](int lane) { return box.spine - kGlyph / 2 + 2 + lane * (kGlyph - 4) / (n - 1); };
    const double left = box.rect.x, right = box.rect.right(), middle = (left + right) / 2;
    d += "M" + at({left, y(k)}) + "C" + at({middle, y(k)}) + " " + at({middle, y(to)}) + " " + at({right, y(to)});
  }
  return "<path" + attribute("d", d) + stroke(colour, 1.3) + attribute("fill", "none") + "/>";
}

// As many channels as there are, each alone.
std::string texture(const PictureBox& box) {
  std::string d;
  for (double y = box.spine - kGlyph / 2 + 3.5; y < box.spine + kGlyph / 2 - 1; y += 3.75)
    d += "M" + at({box.rect.x, y}) + "H" + number(box.rect.right());
  return "<path" + attribute("d", d) + stroke(kSheet, 1.2) + "/>";
}

std::string trapezoid(const PictureBox& box, double left, double right, const std::string& style) {
  const Rect& r = box.rect;
  return polygon({{r.x, box.spine - left},
                  {r.right(), box.spine - right},
                  {r.right(), box.spine + right},
                  {r.x, box.spine + left}},
                 style);
}

// Operators without work of their own are seen all the same.
const char* share_colour(const char* colour) { return colour == kNothing ? "#cfd7df" : colour; }

std::string glyph_of(const PictureBox& box, Measure measure) {
  const char* colour = shade(measure, box.share);
  const Rect& r = box.rect;
  const Rect band{r.x, box.spine - kGlyph / 2, r.w, kGlyph};
  const Point centre{r.x + r.w / 2, box.spine};
  switch (box.glyph) {
    case Glyph::Band: return rectangle(band, 0, fill(colour));
    case Glyph::Lanes: return lanes_of(box, box.lanes, fill(colour));
    case Glyph::Texture: return rectangle(band, 0, fill(colour)) + texture(box);
    case Glyph::Narrowing: return trapezoid(box, kGlyph / 2, kGlyph / 5, fill(share_colour(colour)));
    case Glyph::Widening: return trapezoid(box, kGlyph / 5, kGlyph / 2, fill(share_colour(colour)));
    case Glyph::Part:
      return rectangle(band, 0, fill("#f5f7f9")) +
             rectangle({r.x, band.y + box.part_begin * kGlyph, r.w, (box.part_end - box.part_begin) * kGlyph}, 0,
                       fill(share_colour(colour)));
    case Glyph::Stack: return lanes_of(box, std::max(1, box.lanes), fill(share_colour(colour)));
    case Glyph::Crossing: return crossing(box, kLine);
    case Glyph::Line: return rectangle({r.x, box.spine - 3, r.w, 6}, 0, fill(share_colour(colour)));
    case Glyph::Plus: return circle_of(centre, kRadius, false, kInk);
    case Glyph::Times: return circle_of(centre, kRadius, true, kInk);
    case Glyph::Attention: return circle_of(centre, kGlyph / 2, true, kAttentionLine);
  }
  return "";
}

std::string box_text(const PictureBox& box, Measure measure) {
  std::string text = "<g><title>" + escaped(box.tooltip) + "</title>";
  const bool attention = box.glyph == Glyph::Attention;
  if (!box.circle()) text += rectangle(box.rect, 5, fill(kSheet));
  text += glyph_of(box, measure);
  if (!box.circle())
    text += rectangle(box.rect, 5,
                      attribute("fill", "none") + stroke(attention ? kAttentionLine : "#b8c2cc", attention ? 1.6 : 1));
  for (const Text& line : box.lines)
    text += written(line.text, line.at, line.size, "middle", line.bold ? kInk : kMuted, line.bold);
  return text + "</g>\n";
}

std::string frame_text(const PictureFrame& frame) {
  const Rect& r = frame.rect;
  return rectangle(r, 8, fill("#f4f6f8")) + written(frame.label, {r.x + 10, r.y + 18}, 11.5, "start", kInk, true) +
         (frame.share.empty() ? "" : written(frame.share, {r.right() - 10, r.y + 18}, 10, "end", kMuted, false)) + "\n";
}

// ---- legend and stages

std::string shade_label(Measure measure, size_t k) {
  const auto bounds = limits(measure);
  const auto percent = [&](size_t i) { return number(bounds[i] * 100); };
  if (k == 0) return "up to " + percent(0) + " %";
  if (k == bounds.size()) return "over " + percent(k - 1) + " %";
  return percent(k - 1) + "–" + percent(k) + " %";
}

const char* measure_text(Measure measure) {
  switch (measure) {
    case Measure::Macs: return "share of MACs";
    case Measure::Memory: return "activation, share of RAM";
    case Measure::Params: return "share of parameters";
  }
  return "";
}

std::string legend(const Picture& picture, double x, double y) {
  std::string text = written(measure_text(picture.measure), {x, y}, 10, "start", kInk, true);
  x += text_width(measure_text(picture.measure), 10, true) + 14;
  const auto swatch = [&](const char* colour, const std::string& label) {
    text += rectangle({x, y - 9, 16, 11}, 2, fill(colour)) + written(label, {x + 21, y}, 10, "start", kMuted, false);
    x += 21 + text_width(label, 10, false) + 12;
  };
  swatch(kNothing, "none");
  for (size_t k = 0; k < kBlues.size(); ++k) swatch(kBlues[k], shade_label(picture.measure, k));
  const auto sample = [&](bool attention, const std::string& label) {
    text += line_of({{{x, y - 3.5}, {x + 24, y - 3.5}}, true, attention}) +
            written(label, {x + 30, y}, 10, "start", kMuted, false);
    x += 30 + text_width(label, 10, false) + 14;
  };
  x += 8;
  sample(false, "features");
  sample(true, "attention");
  return text + "\n";
}

std::string stage_text(const PictureStage& stage) {
  const Rect& r = stage.rect;
  std::string text = rectangle(r, 8, fill("#f4f6f8")) +
                     written(stage.name, {r.x + 10, r.y + 19}, 11.5, "start", kInk, true) +
                     written(stage.shape, {r.right() - 10, r.y + 19}, 10, "end", kMuted, false);
  double y = r.y + 31;
  for (const auto& [name, share] :
       {std::pair("MACs", stage.macs), std::pair("params", stage.params), std::pair("RAM", stage.memory)}) {
    const Rect track{r.x + 56, y, r.w - 112, 8};
    text += written(name, {r.x + 10, y + 8}, 10, "start", kMuted, false) + rectangle(track, 2, fill(kFaint)) +
            (share > 0 ? rectangle({track.x, track.y, std::max(1.0, track.w * std::min(1.0, share)), track.h}, 2,
                                   fill(kBlues[3]))
                       : "") +
            written(percent_text(share), {r.right() - 10, y + 8}, 10, "end", kInk, false);
    y += 19;
  }
  return text + "\n";
}

std::string definitions() {
  const auto head = [](const char* id, const char* colour) {
    return std::string("<marker id=\"") + id +
           "\" viewBox=\"0 0 8 8\" refX=\"4.5\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" "
           "markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0.6L8 4L0 7.4Z\"" +
           fill(colour) + "/></marker>\n";
  };
  return "<defs>\n" + head("a", kLine) + head("b", kAttentionLine) + "</defs>\n";
}

}  // namespace

std::string to_svg(const Picture& picture) {
  const double w = picture.width, h = picture.height;
  const std::string name = shorten(picture.name, w - 72, 24, true);
  std::string text = definitions() + written(name, {36, 50}, 24, "start", kInk, true) + "\n" +
                     written(shorten(picture.totals, w - 72, 12, false), {36, 74}, 12, "start", kMuted, false) + "\n" +
                     legend(picture, 36, 100);
  for (const PictureFrame& frame : picture.frames) text += frame_text(frame);
  text += "<g fill=\"none\">\n";
  for (bool attention : {true, false}) {  // where they share a way, features are seen
    for (const PictureEdge& edge : picture.edges) text += edge.attention == attention ? line_of(edge) : "";
  }
  text += "</g>\n";
  for (const PictureBox& box : picture.boxes) text += box_text(box, picture.measure);
  for (const Text& note : picture.notes)
    text +=
        written(note.text, note.at, note.size, "middle", note.text == "attention" ? kAttentionLine : kMuted, false) +
        "\n";
  if (!picture.stages.empty()) {
    const double y = picture.stages.front().rect.y - 14;
    text += written("Stages", {36, y}, 13, "start", kInk, true) +
            written("share of the network's MACs and parameters; largest activation as a share of RAM",
                    {36 + text_width("Stages", 13, true) + 10, y}, 10, "start", kMuted, false) +
            "\n";
  }
  for (const PictureStage& stage : picture.stages) text += stage_text(stage);
  return svg_document(w, h, picture.name, text);
}

}  // namespace condenser::report
