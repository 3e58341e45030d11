#pragma once
// Panels of a study's page: as wide as a phone, two beside each other on a desk.

#include <string>
#include <vector>

#include "condenser/report/page.hpp"
#include "report/axes.hpp"

namespace condenser::report {

inline constexpr double kPanelWidth = 380, kPanelHeight = 300, kPanelFont = 11;
inline constexpr const char* kPale = "#b8c2cc";  // what did not pass

// What a legend tells.
struct Sign {
  std::string word;
  std::string mark;  // SVG around 0, 0
};

class Panel {
 public:
  // Axes around the values; values below `y.low` are drawn at the edge.
  Panel(const std::string& title, const std::string& x_title, Axis x, Axis y, const std::vector<Sign>& legend);
  const Plot& plot() const { return plot_; }
  Point at(double x, double y) const;  // inside the area
  void add(const std::string& svg) { text_ += svg + "\n"; }
  // All in one path, each pixel once: thousands of points are a few kilobytes.
  void points(const std::vector<Point>& values, const char* colour, double diameter);
  void line(const std::vector<Point>& values, const char* colour, double width, bool dashed = false);
  void steps(const std::vector<Point>& values, const char* colour, double width);  // level until the next
  void dot(Point value, double radius, const std::string& style, const std::string& words);
  std::string svg() const;
  Scale x_scale() const { return {plot_.x.low, plot_.x.high, plot_.x.logarithmic, plot_.area.x, plot_.area.right()}; }
  Scale y_scale() const { return {plot_.y.low, plot_.y.high, plot_.y.logarithmic, plot_.area.bottom(), plot_.area.y}; }

 private:
  std::string title_, text_;
  Plot plot_;
};

Sign dot_sign(const std::string& word, const char* colour);
Sign ring_sign(const std::string& word, const char* colour);
Sign line_sign(const std::string& word, const char* colour);
Sign diamond_sign(const std::string& word, const char* colour);
std::string diamond(Point at, double radius, const char* colour);

// An axis of values of which a few may be far below the rest: these do not press the others together.
Axis quality_axis(std::vector<double> values, bool higher_is_better);

// Shares as a table of cells, darker is more: a row for each name, a column for each period of the study.
std::string heat_svg(const std::string& title, const std::string& note, const std::vector<std::string>& names,
                     const std::vector<std::vector<double>>& shares,  // [name][period], NaN: nothing there
                     const std::vector<std::vector<std::string>>& words);

}  // namespace condenser::report
