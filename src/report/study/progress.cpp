// The best so far, over trials and over the seconds of examination.

#include <algorithm>
#include <cmath>

#include "report/study/plots.hpp"
#include "report/study/study.hpp"

namespace condenser::report {
namespace {

Scatter progress_plot(const Study& s, const std::string& key, const std::string& title, const std::string& unit,
                      const std::vector<double>& x) {
  std::vector<Point> passed, dropped, best;
  std::vector<double> values;
  std::vector<size_t> path;
  double highest = 0;
  for (size_t k = 0; k < s.trials.size(); ++k) {
    if (!s.counts(s.trials[k])) continue;
    const Point p{x[k], s.value[k]};
    const bool feasible = s.trials[k].feasible();
    (feasible ? passed : dropped).push_back(p);
    values.push_back(p.y);
    if (!feasible || (!best.empty() && s.rank[k] <= highest)) continue;
    highest = s.rank[k];
    best.push_back(p);
    path.push_back(k);
  }
  std::vector<Point> line = best;
  if (!line.empty()) line.push_back({x.back(), line.back().y});
  std::vector<Sign> legend{line_sign("best so far", kTrainColour), dot_sign("passed", kBlues[3])};
  if (!dropped.empty()) legend.push_back(dot_sign("did not pass", kPale));
  Panel panel(title, unit, axis_of(0, std::max(x.back(), 1e-9), false), quality_axis(values, s.goal.higher_is_better),
              legend);
  panel.points(dropped, kPale, 4);
  panel.points(passed, kBlues[3], 4);
  panel.steps(line, kTrainColour, 2);
  for (size_t k = 0; k < best.size(); ++k)
    panel.dot(best[k], 3.4, fill(kBlues[5]),
              "trial " + std::to_string(s.trials[path[k]].index) + ": " + s.value_text(best[k].y));
  return {{title, "pictures/study_progress_" + key + ".svg", panel.svg(), {}},
          key,
          "objective",
          panel.x_scale(),
          panel.y_scale(),
          path};
}

}  // namespace

Clock clock_of(const Study& s) {
  const double all = s.seconds.empty() ? 0 : s.seconds.back();
  if (all >= 2 * 3600) return {"h", 3600};
  if (all >= 600) return {"min", 60};
  return {"s", 1};
}

std::optional<Section> progress_section(const Study& s) {
  if (std::none_of(s.trials.begin(), s.trials.end(), [&](const Trial& t) { return s.counts(t); })) return std::nullopt;
  Section section{"progress", "Progress", {}};
  std::vector<double> number, time;
  const Clock clock = clock_of(s);
  for (size_t k = 0; k < s.trials.size(); ++k) {
    number.push_back(static_cast<double>(s.trials[k].index));
    time.push_back(s.seconds[k] / clock.seconds);
  }
  Scatters plots;
  plots.plots.push_back(progress_plot(s, "trial", s.objective_title + " over trials", "trial", number));
  if (time.back() > 0)
    plots.plots.push_back(
        progress_plot(s, "passed", s.objective_title + " over time", clock.unit + " of examination", time));
  section.blocks.push_back({std::move(plots)});
  if (const Trial* best = s.best) {
    const size_t at = s.at(*best);
    std::vector<std::string> lines{"The best came at trial " + std::to_string(best->index) + " of " +
                                   std::to_string(s.trials.size()) + "."};
    if (s.seconds.back() > 0)
      lines.push_back("It was known after " + core::significant(s.seconds[at] / clock.seconds, 3) + " " + clock.unit +
                      " of " + core::significant(s.seconds.back() / clock.seconds, 3) + " " + clock.unit +
                      " of examination.");
    section.blocks.push_back({Bullets{lines}});
  }
  return section;
}

}  // namespace condenser::report
