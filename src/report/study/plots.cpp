// Panels, their axes and legends.

#include "report/study/plots.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "condenser/core/text.hpp"
#include "report/picture_parts.hpp"

namespace condenser::report {
namespace {

constexpr double kLeft = 56, kRight = 24, kHead = 62, kFoot = 40;

std::string circle(Point at, double radius, const std::string& style) {
  return "<circle" + attribute("cx", at.x) + attribute("cy", at.y) + attribute("r", radius) + style + "/>";
}

std::string legend_text(const std::vector<Sign>& legend) {
  std::string text;
  double x = 18;
  for (const Sign& sign : legend) {
    text += "<g" + attribute("transform", "translate(" + number(x) + " 43)") + ">" + sign.mark + "</g>" +
            written(sign.word, {x + 10, 46.5}, 10.5, "start", kMuted, false);
    x += 10 + text_width(sign.word, 10.5, false) + 16;
  }
  return text + "\n";
}

std::string path(const std::string& d, const std::string& style) {
  return "<path" + attribute("d", d) + attribute("fill", "none") + style + "/>";
}

}  // namespace

Panel::Panel(const std::string& title, const std::string& x_title, Axis x, Axis y, const std::vector<Sign>& legend)
    : title_(title), plot_{{kLeft, kHead, kPanelWidth - kLeft - kRight, kPanelHeight - kHead - kFoot}, x, y} {
  text_ = written(shorten(title, kPanelWidth - 32, 13, true), {14, 25}, 13, "start", kInk, true) + legend_text(legend) +
          grid_text(plot_, kPanelFont) +
          written(x_title, {plot_.area.right(), plot_.area.bottom() + 33}, kPanelFont, "end", kMuted, false) + "\n";
}

Point Panel::at(double x, double y) const {
  const Point p = plot_.at(x, y);
  return {std::clamp(p.x, plot_.area.x, plot_.area.right()), std::clamp(p.y, plot_.area.y, plot_.area.bottom())};
}

void Panel::points(const std::vector<Point>& values, const char* colour, double diameter) {
  std::set<std::pair<long, long>> pixels;
  for (const Point& v : values) {
    const Point p = at(v.x, v.y);
    pixels.emplace(std::lround(p.x), std::lround(p.y));
  }
  if (pixels.empty()) return;
  std::string d;
  for (const auto& pixel : pixels) d += "M" + std::to_string(pixel.first) + " " + std::to_string(pixel.second) + "h0";
  add(path(d, stroke(colour, diameter) + attribute("stroke-linecap", "round")));
}

void Panel::line(const std::vector<Point>& values, const char* colour, double width, bool dashed) {
  std::string d;
  for (const Point& v : values) {
    const Point p = at(v.x, v.y);
    d += (d.empty() ? "M" : "L") + number(p.x) + " " + number(p.y);
  }
  if (!d.empty()) add(path(d, stroke(colour, width) + (dashed ? attribute("stroke-dasharray", "5 4") : "")));
}

void Panel::steps(const std::vector<Point>& values, const char* colour, double width) {
  std::string d;
  for (const Point& v : values) {
    const Point p = at(v.x, v.y);
    d += d.empty() ? "M" + number(p.x) + " " + number(p.y) : "H" + number(p.x) + "V" + number(p.y);
  }
  if (!d.empty()) add(path(d, stroke(colour, width)));
}

void Panel::dot(Point value, double radius, const std::string& style, const std::string& words) {
  add("<g><title>" + escaped(words) + "</title>" + circle(at(value.x, value.y), radius, style) + "</g>");
}

std::string Panel::svg() const { return svg_document(kPanelWidth, kPanelHeight, title_, text_); }

Sign dot_sign(const std::string& word, const char* colour) { return {word, circle({0, 0}, 4, fill(colour))}; }
Sign ring_sign(const std::string& word, const char* colour) {
  return {word, circle({0, 0}, 5, attribute("fill", "none") + stroke(colour, 2))};
}
Sign line_sign(const std::string& word, const char* colour) { return {word, path("M-6 0H6", stroke(colour, 2))}; }
Sign diamond_sign(const std::string& word, const char* colour) { return {word, diamond({0, 0}, 6, colour)}; }

std::string diamond(Point at, double radius, const char* colour) {
  return "<path" +
         attribute("d", "M" + number(at.x - radius) + " " + number(at.y) + "L" + number(at.x) + " " +
                            number(at.y - radius) + "L" + number(at.x + radius) + " " + number(at.y) + "L" +
                            number(at.x) + " " + number(at.y + radius) + "Z") +
         fill(colour) + stroke(kSheet, 1) + "/>";
}

Axis quality_axis(std::vector<double> values, bool higher_is_better) {
  constexpr double kFar = 3;  // times the span of the better nine tenths
  if (values.empty()) return axis_of(0, 1, false);
  std::sort(values.begin(), values.end());
  if (!higher_is_better) std::reverse(values.begin(), values.end());
  const double best = values.back(), worst = values.front(), most = values[values.size() / 10];
  const double span = std::abs(best - most);
  const bool far = span > 0 && std::abs(best - worst) > kFar * span;
  const double end = far ? most : worst;
  return axis_of(std::min(end, best), std::max(end, best), false);
}

std::string heat_svg(const std::string& title, const std::string& note, const std::vector<std::string>& names,
                     const std::vector<std::vector<double>>& shares,
                     const std::vector<std::vector<std::string>>& words) {
  constexpr double kTop = 46, kSide = 14;
  const double row = names.size() > 16 ? 11 : 18, font = names.size() > 16 ? 9 : kPanelFont;
  double widest = 40;
  for (const std::string& name : names) widest = std::max(widest, text_width(name, font, false));
  const double names_width = std::min(widest, 170.0) + kSide + 10;
  const size_t periods = shares.empty() ? 0 : shares.front().size();
  const double cell = (kPanelWidth - names_width - kSide) / static_cast<double>(std::max<size_t>(1, periods));
  const std::string head = shorten(title, kPanelWidth - 28 - text_width(note, 10.5, false) - 14, 13, true);
  std::string text = written(head, {kSide, 26}, 13, "start", kInk, true) +
                     written(note, {kPanelWidth - kSide, 26}, 10.5, "end", kMuted, false) + "\n";
  for (size_t r = 0; r < names.size(); ++r) {
    const double y = kTop + row * static_cast<double>(r);
    text += written(shorten(names[r], names_width - kSide - 8, font, false),
                    {names_width - 8, y + row / 2 + font * 0.35}, font, "end", kInk, false);
    for (size_t p = 0; p < periods; ++p) {
      const Rect place{names_width + cell * static_cast<double>(p), y, cell - 1.5, row - 1.5};
      const double share = shares[r][p];
      text += "<g><title>" + escaped(words[r][p]) + "</title>" + rectangle(place, 2, fill(kPanel));
      if (share > 0) text += rectangle(place, 2, fill(kBlues[4]) + attribute("fill-opacity", core::fixed(share, 2)));
      text += "</g>";
    }
    text += "\n";
  }
  const double bottom = kTop + row * static_cast<double>(names.size());
  text += written("first", {names_width, bottom + 14}, 10, "start", kMuted, false) +
          written("last", {kPanelWidth - kSide, bottom + 14}, 10, "end", kMuted, false);
  return svg_document(kPanelWidth, bottom + 24, title, text + "\n");
}

}  // namespace condenser::report
