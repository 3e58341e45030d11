// The objective against every cost: what is not dominated, what passed, what did not, and whom it is compared with.

#include <algorithm>
#include <cmath>

#include "condenser/core/table.hpp"
#include "report/picture_parts.hpp"
#include "report/study/plots.hpp"
#include "report/study/study.hpp"

namespace condenser::report {
namespace {

constexpr size_t kMostRows = 60;

struct Place {
  std::optional<double> cost, value;
};

Place place_of(const StudyComparator& c, const search::Metric& cost) {
  const auto found = c.costs.find(cost.name);
  return {found == c.costs.end() ? std::nullopt : std::optional(found->second), c.value};
}

std::string comparator_words(const Study& s, const StudyComparator& c, const search::Metric& cost) {
  const Place p = place_of(c, cost);
  std::string words = core::printable(c.name);
  if (p.value) words += ": " + s.value_text(*p.value);
  if (p.cost) words += (p.value ? " at " : ": ") + number_text(*p.cost, &cost) + " " + cost.unit;
  return words + (c.source.empty() ? "" : " (" + core::printable(c.source) + ")");
}

// A place where both figures are known, else a line.
void add_comparator(Panel& panel, const Study& s, const StudyComparator& c, const search::Metric& cost) {
  const Place p = place_of(c, cost);
  const Plot& plot = panel.plot();
  const std::string name = shorten(core::printable(c.name), 180, 10, false);
  std::string shape;
  Point label;
  if (p.cost && p.value) {
    const Point at = panel.at(*p.cost, *p.value);
    shape = diamond(at, 6, kAccent);
    label = {at.x, at.y - 9};
  } else if (p.cost) {
    const double x = panel.at(*p.cost, plot.y.low).x;
    shape = "<path" + attribute("d", "M" + number(x) + " " + number(plot.area.y) + "V" + number(plot.area.bottom())) +
            stroke(kAccent, 1.4) + attribute("stroke-dasharray", "5 4") + "/>";
    label = {x, plot.area.y - 3};
  } else if (p.value) {
    const double y = panel.at(plot.x.low, *p.value).y;
    shape = "<path" + attribute("d", "M" + number(plot.area.x) + " " + number(y) + "H" + number(plot.area.right())) +
            stroke(kAccent, 1.4) + attribute("stroke-dasharray", "5 4") + "/>";
    label = {plot.area.right(), y - 4};
  } else {
    return;
  }
  const double half = text_width(name, 10, false) / 2;
  label.x = std::clamp(label.x, plot.area.x + half, plot.area.right() - half);
  panel.add("<g><title>" + escaped(comparator_words(s, c, cost)) + "</title>" + shape +
            written(name, label, 10, "middle", kAccent, true) + "</g>");
}

// What was refused has costs and no value: strokes below.
void add_refused(Panel& panel, const Study& s, const search::Metric& cost) {
  std::set<long> pixels;
  const Plot& plot = panel.plot();
  for (const Trial& trial : s.trials) {
    const double value = metric_of(trial, cost.name);
    if (trial.state == TrialState::Refused && value >= plot.x.low && value <= plot.x.high)
      pixels.insert(std::lround(panel.at(value, plot.y.low).x));
  }
  if (pixels.empty()) return;
  std::string d;
  for (const long x : pixels) d += "M" + std::to_string(x) + " " + number(plot.area.bottom() - 5) + "v5";
  panel.add("<g><title>costs of what was refused before examination</title><path" + attribute("d", d) +
            stroke(kPale, 1) + "/></g>");
}

std::vector<Sign> legend_of(const Study& s, bool dropped) {
  std::vector<Sign> legend{dot_sign("front", kBlues[5]), dot_sign("passed", kBlues[3])};
  if (dropped) legend.push_back(dot_sign("did not pass", kPale));
  legend.push_back(ring_sign("best", kAccent));
  if (!s.m.comparators.empty()) legend.push_back(diamond_sign("compared", kAccent));
  return legend;
}

Scatter front_plot(const Study& s, const search::Metric& cost) {
  std::vector<Point> passed, dropped;
  std::vector<double> values, spent;
  for (const Trial& trial : s.trials) {
    const double x = metric_of(trial, cost.name), y = s.value[s.at(trial)];
    if (!s.counts(trial) || std::isnan(x)) continue;
    (trial.feasible() ? passed : dropped).push_back({x, y});
    spent.push_back(x);
    values.push_back(y);
  }
  for (const StudyComparator& c : s.m.comparators) {
    const Place p = place_of(c, cost);
    if (p.cost && *p.cost > 0) spent.push_back(*p.cost);
    if (p.value) values.push_back(*p.value);
  }
  const auto [least, most] = std::minmax_element(spent.begin(), spent.end());
  Panel panel(s.objective_title + " against " + cost.title, title_of(cost), log_axis(*least, *most),
              quality_axis(values, s.goal.higher_is_better), legend_of(s, !dropped.empty()));
  add_refused(panel, s, cost);
  panel.points(dropped, kPale, 5);
  panel.points(passed, kBlues[3], 5);
  Scatter scatter;
  std::vector<Point> line;
  const auto& front = s.fronts.at(cost.name);
  for (const Trial* trial : front) {
    line.push_back({metric_of(*trial, cost.name), s.value[s.at(*trial)]});
    scatter.path.push_back(s.at(*trial));
  }
  panel.steps(line, kTrainColour, 1.6);
  for (size_t k = 0; k < front.size(); ++k)
    panel.dot(line[k], 3.6, fill(kBlues[5]),
              "trial " + std::to_string(front[k]->index) + ": " + s.value_text(line[k].y) + ", " +
                  number_text(line[k].x, &cost) + " " + cost.unit);
  if (const Trial* best = s.best)
    panel.dot({metric_of(*best, cost.name), s.value[s.at(*best)]}, 7.5, attribute("fill", "none") + stroke(kAccent, 2),
              "trial " + std::to_string(best->index) + ", the best: " + s.value_text(s.value[s.at(*best)]));
  for (const StudyComparator& c : s.m.comparators) add_comparator(panel, s, c, cost);
  scatter.figure = {
      s.objective_title + " against " + cost.title, "pictures/study_front_" + cost.name + ".svg", panel.svg(), {}};
  scatter.x = cost.name;
  scatter.y = "objective";
  scatter.x_scale = panel.x_scale();
  scatter.y_scale = panel.y_scale();
  return scatter;
}

core::Table front_table(const Study& s) {
  core::Table t{{{"trial", "trial"}, {"objective", s.objective_title}}, {}};
  for (const search::Metric* cost : s.costs) t.columns.push_back({cost->key, cost->title});
  t.columns.push_back({"front_against", "on the front against", false});
  for (const Trial* trial : s.ranked) {
    if (!s.on_front.contains(trial->index) || t.rows.size() == kMostRows) continue;
    std::vector<core::Cell> row{core::cell(trial->index),
                                {core::number(s.value[s.at(*trial)]), number_text(s.value[s.at(*trial)], s.objective)}};
    std::vector<std::string> names;
    for (const search::Metric* cost : s.costs) {
      const double value = metric_of(*trial, cost->name);
      row.push_back(std::isnan(value) ? core::empty_cell() : core::cell(value, cost->digits));
      if (std::isfinite(value)) row.back().text = number_text(value, cost);
      const auto& front = s.fronts.at(cost->name);
      if (std::find(front.begin(), front.end(), trial) != front.end()) names.push_back(cost->title);
    }
    row.push_back(core::cell(core::join(names)));
    t.rows.push_back(std::move(row));
  }
  return t;
}

}  // namespace

std::optional<Section> fronts_section(const Study& s) {
  Scatters scatters;
  for (const search::Metric* cost : s.costs) {
    const auto has_place = [&](const Trial& t) { return s.counts(t) && std::isfinite(metric_of(t, cost->name)); };
    if (std::any_of(s.trials.begin(), s.trials.end(), has_place)) scatters.plots.push_back(front_plot(s, *cost));
  }
  if (scatters.plots.empty()) return std::nullopt;
  Section section{"fronts", "Fronts", {}};
  section.blocks.push_back({Paragraph{
      "Every candidate that was examined in full. A step of the line is what is to be had for at most that cost; "
      "what is far worse than the rest is drawn at the edge. Point at a dot to see its trial; a plot that has the "
      "keyboard's focus follows the arrow keys."}});
  section.blocks.push_back({std::move(scatters)});
  for (const StudyComparator& c : s.m.comparators) {
    if (!c.source.empty()) section.blocks.push_back({Paragraph{c.name + ": " + c.source}});
  }
  const core::Table table = front_table(s);
  if (!table.rows.empty())
    section.blocks.push_back({Details{"The " + std::to_string(table.rows.size()) + " on a front", {{table}}}});
  return section;
}

}  // namespace condenser::report
