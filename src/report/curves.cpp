// Learning curves: columns of metrics.csv grouped into charts, charts laid out in rows.

#include "condenser/report/curves.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "condenser/core/text.hpp"
#include "report/axes.hpp"
#include "report/metrics_rows.hpp"
#include "report/picture_parts.hpp"

namespace condenser::report {
namespace {

constexpr double kChartWidth = 420, kChartHeight = 280, kGap = 12, kMargin = 20, kHead = 60;

struct Curve {
  std::string name;                   // of the column
  std::vector<double> steps, values;  // finite only
};

std::vector<Curve> curves_of(const std::string& csv) {
  const MetricsRows metrics = read_metrics(csv);
  std::vector<Curve> curves;
  for (const std::string& name : metrics.names) curves.push_back({name, {}, {}});
  for (const auto& row : metrics.rows)
    for (size_t k = 1; k < row.size(); ++k) {
      if (!std::isfinite(row[k]) || !std::isfinite(row[0])) continue;
      curves[k].steps.push_back(row[0]);
      curves[k].values.push_back(row[k]);
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

// ---- one chart

// What the validation curves are of.
enum class Validation { Unseen, TrainedOn };

bool is_validation(const Curve& curve) { return curve.name.starts_with("val/"); }
const char* colour_of(const Curve& curve) { return is_validation(curve) ? kAccent : kTrainColour; }
const char* word_of(const Curve& curve, Validation validation) {
  if (is_validation(curve)) return validation == Validation::Unseen ? "validation" : "validation (trained on)";
  return curve.name.starts_with("train/") ? "training" : "";
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

// Names of the curves at the right of the head; the best validation value is said and ringed, unless the items were
// trained on: then the best says nothing.
std::string legend_text(const Chart& chart, const Plot& plot, double right, Validation validation) {
  std::string text;
  double x = right;
  for (auto curve = chart.curves.rbegin(); curve != chart.curves.rend(); ++curve) {
    std::string label = word_of(*curve, validation);
    const Better direction = better(chart.title);
    if (is_validation(*curve) && direction != Better::None && validation == Validation::Unseen) {
      const size_t k = best_of(*curve, direction);
      const Point p = plot.at(curve->steps[k], curve->values[k]);
      label += ", best " + core::significant(curve->values[k], 6) + " at " + core::number(curve->steps[k]);
      text += "<circle" + attribute("cx", p.x) + attribute("cy", p.y) + attribute("r", 4.5) +
              attribute("fill", "none") + stroke(kAccent, 1.6) + "/>\n";
    }
    if (label.empty()) continue;
    text += written(label, {x, plot.area.y - 14}, 10.5, "end", colour_of(*curve), true);
    x -= text_width(label, 10.5, true) + 14;
  }
  return text + "\n";
}

std::string chart_text(const Chart& chart, double left, double top, Validation validation) {
  double low = std::numeric_limits<double>::infinity(), high = -low, first = low, last = high;
  for (const Curve& curve : chart.curves) {
    for (const double v : curve.values) {
      low = std::min(low, v);
      high = std::max(high, v);
    }
    first = std::min(first, curve.steps.front());
    last = std::max(last, curve.steps.back());
  }
  if (chart.title == "learning rate") low = 0;
  const Plot plot{{left + 58, top + 46, kChartWidth - 58 - 18, kChartHeight - 46 - 44},
                  axis_of(first, last, true),
                  axis_of(low, high, false)};
  std::string text = rectangle({left, top, kChartWidth, kChartHeight}, 8, fill(kPanel)) +
                     written(chart.title, {left + 14, top + 32}, 13, "start", kInk, true) + "\n" + grid_text(plot) +
                     written("epoch", {plot.area.right(), plot.area.bottom() + 32}, 10, "end", kMuted, false);
  for (const Curve& curve : chart.curves) text += curve_text(plot, curve);
  return text + legend_text(chart, plot, plot.area.right(), validation);
}

}  // namespace

std::string curves_svg(const std::string& metrics_csv, const std::string& title, bool trained_on_validation) {
  const std::vector<Chart> charts = charts_of(curves_of(metrics_csv));
  if (charts.empty()) return "";
  const Validation validation = trained_on_validation ? Validation::TrainedOn : Validation::Unseen;
  const size_t across = charts_in_a_row(charts.size()), down = (charts.size() + across - 1) / across;
  const auto place = [](size_t k, double size) { return static_cast<double>(k) * (size + kGap); };
  const double width = 2 * kMargin + place(across, kChartWidth) - kGap;
  const double height = kHead + place(down, kChartHeight) - kGap + kMargin;
  std::string text =
      written(shorten(title, width - 2 * kMargin, 18, true), {kMargin, 38}, 18, "start", kInk, true) + "\n";
  for (size_t k = 0; k < charts.size(); ++k)
    text += chart_text(charts[k], kMargin + place(k % across, kChartWidth), kHead + place(k / across, kChartHeight),
                       validation);
  return svg_document(width, height, title, text);
}

std::vector<std::string> curve_panels(const std::string& metrics_csv, bool trained_on_validation) {
  const Validation validation = trained_on_validation ? Validation::TrainedOn : Validation::Unseen;
  std::vector<std::string> panels;
  for (const Chart& chart : charts_of(curves_of(metrics_csv)))
    panels.push_back(svg_document(kChartWidth, kChartHeight, chart.title, chart_text(chart, 0, 0, validation)));
  return panels;
}

}  // namespace condenser::report
