// What was expected of a candidate when it was proposed, against what was measured.

#include <algorithm>
#include <cmath>

#include "condenser/core/correlation.hpp"
#include "condenser/core/table.hpp"
#include "report/study/plots.hpp"
#include "report/study/study.hpp"

namespace condenser::report {
namespace {

constexpr size_t kMostBars = 1000;  // of uncertainty, the latest

struct Told {
  size_t trial = 0;
  search::Forecast forecast;
  double measured = 0;
  double half() const { return (forecast.high - forecast.low) / 2; }
  bool within(double times) const {
    const double middle = (forecast.high + forecast.low) / 2;
    return std::abs(measured - middle) <= times * std::abs(half());
  }
};

std::vector<Told> told_of(const Study& s) {
  std::vector<Told> list;
  for (size_t k = 0; k < s.trials.size(); ++k) {
    const auto& forecast = s.trials[k].forecast;
    if (!forecast || !s.counts(s.trials[k])) continue;
    if (std::isfinite(forecast->value) && std::isfinite(forecast->low) && std::isfinite(forecast->high))
      list.push_back({k, *forecast, s.value[k]});
  }
  return list;
}

struct Quality {
  double within_one = 0, within_two = 0, error = 0, bias = 0, half = 0;
};
Quality quality_of(const std::vector<Told>& told) {
  Quality q;
  for (const Told& t : told) {
    q.within_one += t.within(1);
    q.within_two += t.within(2);
    q.error += std::abs(t.measured - t.forecast.value);
    q.bias += t.measured - t.forecast.value;
    q.half += std::abs(t.half());
  }
  const auto n = static_cast<double>(told.size());
  return {q.within_one / n, q.within_two / n, q.error / n, q.bias / n, q.half / n};
}

std::string percent(double share) { return core::fixed(100 * share, 0) + " %"; }

Scatter forecast_plot(const Study& s, const std::vector<Told>& told) {
  std::vector<Point> points;
  std::vector<double> values;
  for (const Told& t : told) {
    points.push_back({t.forecast.value, t.measured});
    values.push_back(t.forecast.value);
    values.push_back(t.measured);
  }
  const bool higher = s.goal.higher_is_better;
  const Axis axis = quality_axis(values, higher);
  Panel panel("Measured against foretold", "foretold " + s.objective_title, axis, axis,
              {dot_sign("trial", kBlues[3]), line_sign("one deviation", kBlues[1]), line_sign("equal", kMuted)});
  std::string bars;
  for (size_t k = told.size() - std::min(told.size(), kMostBars); k < told.size(); ++k) {
    const Point left = panel.at(told[k].forecast.low, told[k].measured),
                right = panel.at(told[k].forecast.high, told[k].measured);
    bars += "M" + number(left.x) + " " + number(left.y) + "H" + number(right.x);
  }
  panel.add("<path" + attribute("d", bars) + attribute("fill", "none") + stroke(kBlues[1], 1) + "/>");
  panel.line({{axis.low, axis.low}, {axis.high, axis.high}}, kMuted, 1.2, true);
  panel.points(points, kBlues[3], 5);
  return {{"Measured against foretold " + s.objective_title, "pictures/study_forecasts.svg", panel.svg(), {}},
          "forecast",
          "objective",
          panel.x_scale(),
          panel.y_scale(),
          {}};
}

core::Table period_table(const Study& s, const std::vector<Told>& told) {
  core::Table t{{{"part", "part of the study"},
                 {"trials", "trials"},
                 {"within_one_percent", "within one deviation %"},
                 {"mean_error", "mean error"},
                 {"mean_deviation", "mean deviation told"},
                 {"bias", "measured minus foretold"}},
                {}};
  std::vector<std::vector<Told>> parts(s.periods());
  for (const Told& one : told) parts[s.period(one.trial)].push_back(one);
  const int digits = s.objective != nullptr ? s.objective->digits : 4;
  for (size_t p = 0; p < parts.size(); ++p) {
    if (parts[p].empty()) continue;
    const Quality q = quality_of(parts[p]);
    t.rows.push_back({core::cell(static_cast<int64_t>(p + 1)), core::cell(static_cast<int64_t>(parts[p].size())),
                      core::cell(100 * q.within_one, 0), core::cell(q.error, digits), core::cell(q.half, digits),
                      core::cell(q.bias, digits)});
  }
  return t;
}

}  // namespace

std::optional<Section> forecasts_section(const Study& s) {
  const std::vector<Told> told = told_of(s);
  if (told.empty()) return std::nullopt;
  const Quality q = quality_of(told);
  std::vector<double> foretold, measured;
  for (const Told& t : told) {
    foretold.push_back(t.forecast.value);
    measured.push_back(t.measured);
  }
  Section section{"forecasts", "Foretold and measured", {}};
  std::vector<std::string> lines{
      "Of " + std::to_string(told.size()) + " forecasts " + percent(q.within_one) +
          " lie within one stated deviation of what was measured (68 % if the deviations are right) and " +
          percent(q.within_two) + " within two (95 %).",
      "Mean error " + s.value_text(q.error) + ", mean stated deviation " + s.value_text(q.half) +
          ", measured minus foretold " + s.value_text(q.bias) + " on average."};
  if (const auto c = core::correlate(foretold, measured))
    lines.push_back("Rank correlation (Spearman) " + core::fixed(c->spearman, 2) + ", 95 % interval " +
                    core::fixed(c->low, 2) + " to " + core::fixed(c->high, 2) +
                    ". Only candidates that were believed good are measured, which makes it smaller.");
  section.blocks.push_back({Bullets{lines}});
  section.blocks.push_back({Scatters{{forecast_plot(s, told)}}});
  const core::Table parts = period_table(s, told);
  if (parts.rows.size() > 1) section.blocks.push_back({parts});
  return section;
}

}  // namespace condenser::report
