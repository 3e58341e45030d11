#pragma once
// Axes of charts: round steps, places, and texts of ticks that tell any two of them apart.

#include <string>
#include <vector>

#include "report/svg.hpp"

namespace condenser::report {

struct Axis {
  double low = 0, high = 1, step = 1;
  bool logarithmic = false;
  double place(double value) const;   // 0 at low, 1 at high
  std::vector<double> ticks() const;  // ascending
  std::string text(double tick) const;
};

// From a round number to a round number in about five round steps (1, 2 or 5 times a power of ten). `whole`: for
// counts; ends where the values end. A range too small to be seen becomes a flat line in the middle.
Axis axis_of(double low, double high, bool whole);
// Of positive values that differ by factors. Of a small range it is axis_of().
Axis log_axis(double low, double high);

struct Plot {
  Rect area;
  Axis x, y;
  Point at(double x_value, double y_value) const {
    return {area.x + x.place(x_value) * area.w, area.bottom() - y.place(y_value) * area.h};
  }
};

// Lines at the ticks of y with their texts at the left, texts of x below; `size` is the font's.
std::string grid_text(const Plot&, double size = 10);

}  // namespace condenser::report
