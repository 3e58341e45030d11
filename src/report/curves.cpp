// Learning curves: columns of metrics.csv grouped into charts, charts laid out in rows.

#include "condenser/report/curves.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <sstream>
#include <vector>

#include "condenser/core/error.hpp"
#include "report/picture_parts.hpp"
#include "report/svg.hpp"

namespace condenser::report {
namespace {

constexpr double kChartWidth = 420, kChartHeight = 280, kGap = 12, kMargin = 20, kHead = 60;
constexpr const char* kTrainColour = "#216c9f";
constexpr const char* kValidationColour = "#c2571a";

// ---- metrics.csv

struct Curve {
  std::string name;                   // of the column
  std::vector<double> steps, values;  // finite only
};

// Fields of a line; quotes hold commas, a doubled quote is one.
std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      if (!quoted && !fields.back().empty()) fields.back() += c;
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  return fields;
}

double value_of(const std::string& field, size_t line) {
  if (field.empty()) return std::numeric_limits<double>::quiet_NaN();
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc() || end != field.data() + field.size())
    throw core::Error("metrics.csv:" + std::to_string(line) + ": '" + field + "'; expected a number");
  return value;
}

std::vector<Curve> curves_of(const std::string& csv) {
  std::istringstream in(csv);
  std::string line;
  std::vector<Curve> curves;
  for (size_t number = 1; std::getline(in, line); ++number) {
    const std::vector<std::string> fields = fields_of(line);
    if (number == 1) {
      for (const std::string& name : fields) curves.push_back({name, {}, {}});
      continue;
    }
    if (fields.size() != curves.size())
      throw core::Error("metrics.csv:" + std::to_string(number) + ": " + std::to_string(fields.size()) +
                        " fields; expected " + std::to_string(curves.size()));
    const double step = value_of(fields[0], number);
    for (size_t k = 1; k < fields.size(); ++k) {
      const double value = value_of(fields[k], number);
      if (!std::isfinite(value) || !std::isfinite(step)) continue;
      curves[k].steps.push_back(step);
      curves[k].values.push_back(value);
    }
  }
  return curves;
}

// ---- charts

struct Chart {
  std::string title;
  std::vector<Curve> curves;
};

// "val/acc1" and "train/acc" belong together. Empty: not to be drawn.
std::string measure_of_column(const std::string& column) {
  if (column == "lr") return "learning rate";
  const size_t slash = column.find('/');
  if (slash == std::string::npos) return "";
  const std::string part = column.substr(0, slash), measure = column.substr(slash + 1);
  if (part != "train" && part != "val") return "";
  return measure == "acc" || measure == "acc1" ? "accuracy, %" : measure;
}

std::vector<Chart> charts_of(const std::vector<Curve>& curves) {
  std::vector<Chart> charts;
  for (const Curve& curve : curves) {
    const std::string title = measure_of_column(curve.name);
    if (title.empty() || curve.values.empty()) continue;
    auto chart = std::find_if(charts.begin(), charts.end(), [&](const Chart& c) { return c.title == title; });
    if (chart == charts.end()) chart = charts.insert(charts.end(), {title, {}});
    chart->curves.push_back(curve);
  }
  std::stable_partition(charts.begin(), charts.end(), [](const Chart& c) { return c.title != "learning rate"; });
  return charts;
}

size_t charts_in_a_row(size_t charts) { return charts == 4 ? 2 : std::min<size_t>(charts, 3); }

// ---- axes

struct Axis {
  double low = 0, high = 1, step = 1;
  double place(double value) const { return (value - low) / (high - low); }
};

// From a round number to a round number in about five round steps (1, 2 or 5 times a power of ten).
Axis axis_of(double low, double high, bool whole) {
  if (high - low <= 1e-12 * std::max(std::abs(low), std::abs(high))) {  // a flat line stands in the middle
    const double room = low == 0 ? 1 : std::abs(low) / 2;
    low -= room, high += room;
  }
  const double rough = (high - low) / 5, power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= rough * 0.999) {
      step = factor * power;
      break;
    }
  if (whole) return {low, high, std::max(1.0, step)};
  return {std::floor(low / step + 1e-9) * step, std::ceil(high / step - 1e-9) * step, step};
}

std::string tick_text(double value, double step) {
  char text[48];
  const double size = std::max(std::abs(value), step);
  if (std::abs(value) < step * 1e-6) return "0";
  if (size < 1e-4 || size >= 1e6)
    std::snprintf(text, sizeof text, "%.3g", value);
  else
    std::snprintf(text, sizeof text, "%.*f", std::max(0, -static_cast<int>(std::floor(std::log10(step) + 1e-9))),
                  value);
  return text;
}

std::string value_text(double value) {
  char text[48];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

bool is_validation(const Curve& curve) { return curve.name.starts_with("val/"); }
const char* colour_of(const Curve& curve) { return is_validation(curve) ? kValidationColour : kTrainColour; }
const char* word_of(const Curve& curve) {
  return is_validation(curve) ? "validation" : curve.name.starts_with("train/") ? "training" : "";
}

struct Plot {
  Rect area;
  Axis x, y;
  Point at(double step, double value) const {
    return {area.x + x.place(step) * area.w, area.bottom() - y.place(value) * area.h};
  }
};

std::string grid_text(const Plot& plot) {
  std::string text;
  for (double v = plot.y.low; v <= plot.y.high + plot.y.step / 2; v += plot.y.step) {
    const double y = plot.at(plot.x.low, v).y;
    text += "<path" + attribute("d", "M" + number(plot.area.x) + " " + number(y) + "H" + number(plot.area.right())) +
            stroke(kFaint, 1) + "/>" +
            written(tick_text(v, plot.y.step), {plot.area.x - 6, y + 3.5}, 10, "end", kMuted, false) + "\n";
  }
  for (double v = std::ceil(plot.x.low / plot.x.step - 1e-9) * plot.x.step; v <= plot.x.high + 1e-9; v += plot.x.step)
    text += written(tick_text(v, plot.x.step), {plot.at(v, plot.y.low).x, plot.area.bottom() + 16}, 10, "middle",
                    kMuted, false);
  return text + "\n";
}

// Lower is better for losses and errors, the learning rate has no best.
enum class Better { Lower, Higher, None };
Better better(const std::string& title) {
  if (title == "learning rate") return Better::None;
  return title.find("loss") != std::string::npos || title.find("err") != std::string::npos ? Better::Lower
                                                                                           : Better::Higher;
}

std::string curve_text(const Plot& plot, const Curve& curve) {
  std::string d;
  for (size_t k = 0; k < curve.values.size(); ++k) {
    const Point p = plot.at(curve.steps[k], curve.values[k]);
    d += (k ? "L" : "M") + number(p.x) + " " + number(p.y);
  }
  std::string text = "<path" + attribute("d", d) + attribute("fill", "none") + stroke(colour_of(curve), 1.8) +
                     attribute("stroke-linejoin", "round") + "/>\n";
  if (curve.values.size() == 1) {
    const Point p = plot.at(curve.steps[0], curve.values[0]);
    text +=
        "<circle" + attribute("cx", p.x) + attribute("cy", p.y) + attribute("r", 3) + fill(colour_of(curve)) + "/>\n";
  }
  return text;
}

// The first of equals, as training keeps it.
size_t best_of(const Curve& curve, Better direction) {
  const auto& v = curve.values;
  const auto it =
      direction == Better::Lower ? std::min_element(v.begin(), v.end()) : std::max_element(v.begin(), v.end());
  return static_cast<size_t>(it - v.begin());
}

// Names of the curves at the right of the head; the best validation value is said and ringed.
std::string legend_text(const Chart& chart, const Plot& plot, double right) {
  std::string text;
  double x = right;
  for (auto curve = chart.curves.rbegin(); curve != chart.curves.rend(); ++curve) {
    std::string label = word_of(*curve);
    const Better direction = better(chart.title);
    if (is_validation(*curve) && direction != Better::None) {
      const size_t k = best_of(*curve, direction);
      const Point p = plot.at(curve->steps[k], curve->values[k]);
      label += ", best " + value_text(curve->values[k]) + " at " + value_text(curve->steps[k]);
      text += "<circle" + attribute("cx", p.x) + attribute("cy", p.y) + attribute("r", 4.5) +
              attribute("fill", "none") + stroke(kValidationColour, 1.6) + "/>\n";
    }
    if (label.empty()) continue;
    text += written(label, {x, plot.area.y - 14}, 10.5, "end", colour_of(*curve), true);
    x -= text_width(label, 10.5, true) + 14;
  }
  return text + "\n";
}

std::string chart_text(const Chart& chart, double left, double top) {
  double low = std::numeric_limits<double>::infinity(), high = -low, first = low, last = high;
  for (const Curve& curve : chart.curves) {
    for (const double v : curve.values) low = std::min(low, v), high = std::max(high, v);
    first = std::min(first, curve.steps.front()), last = std::max(last, curve.steps.back());
  }
  if (chart.title == "learning rate") low = 0;
  const Plot plot{{left + 58, top + 46, kChartWidth - 58 - 18, kChartHeight - 46 - 44},
                  axis_of(first, last, true),
                  axis_of(low, high, false)};
  std::string text = rectangle({left, top, kChartWidth, kChartHeight}, 8, fill("#f7f9fa")) +
                     written(chart.title, {left + 14, top + 32}, 13, "start", kInk, true) + "\n" + grid_text(plot) +
                     written("epoch", {plot.area.right(), plot.area.bottom() + 32}, 10, "end", kMuted, false);
  for (const Curve& curve : chart.curves) text += curve_text(plot, curve);
  return text + legend_text(chart, plot, plot.area.right());
}

}  // namespace

std::string curves_svg(const std::string& metrics_csv, const std::string& title) {
  const std::vector<Chart> charts = charts_of(curves_of(metrics_csv));
  if (charts.empty()) return "";
  const size_t across = charts_in_a_row(charts.size()), down = (charts.size() + across - 1) / across;
  const auto place = [](size_t k, double size) { return static_cast<double>(k) * (size + kGap); };
  const double width = 2 * kMargin + place(across, kChartWidth) - kGap;
  const double height = kHead + place(down, kChartHeight) - kGap + kMargin;
  std::string text =
      written(shorten(title, width - 2 * kMargin, 18, true), {kMargin, 38}, 18, "start", kInk, true) + "\n";
  for (size_t k = 0; k < charts.size(); ++k)
    text += chart_text(charts[k], kMargin + place(k % across, kChartWidth), kHead + place(k / across, kChartHeight));
  return svg_document(width, height, title, text);
}

}  // namespace condenser::report
