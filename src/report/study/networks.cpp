// The best and those on a front, each folded: drawing, costs, learning curves, reactions of its nodes, and why it is
// there.

#include <algorithm>
#include <cmath>

#include "condenser/core/table.hpp"
#include "condenser/search/fate.hpp"
#include "report/picture_parts.hpp"
#include "report/study/drawing.hpp"
#include "report/study/plots.hpp"
#include "report/study/study.hpp"

namespace condenser::report {
namespace {

constexpr size_t kBest = 50, kMostFront = 30, kMostReactions = 24;
constexpr size_t kOpen = 12;  // the rest is folded together

std::vector<const Trial*> chosen(const Study& s) {
  std::vector<const Trial*> list;
  size_t front = 0;
  for (size_t k = 0; k < s.ranked.size(); ++k) {
    const bool on_front = s.on_front.contains(s.ranked[k]->index);
    if (k < kBest || (on_front && front < kMostFront)) list.push_back(s.ranked[k]);
    front += k >= kBest && on_front;
  }
  return list;
}

core::Table costs_table(const Study& s, const Trial& trial) {
  core::Table t{{{"what", "what", false}, {"value", "value", false}}, {}};
  const auto add = [&](const std::string& what, const std::string& value) {
    t.rows.push_back({core::cell(what), core::cell(value)});
  };
  for (const auto& [name, value] : trial.findings.metrics) {
    if (!std::isfinite(value)) continue;
    const search::Metric* metric = search::find_metric(name);
    const std::string number = number_text(value, metric);
    add(metric != nullptr ? metric->title : name,
        metric == nullptr || metric->unit.empty() ? number : number + " " + metric->unit);
  }
  if (trial.forecast)
    add("foretold", s.value_text(trial.forecast->value) + " (" + number_text(trial.forecast->low, s.objective) +
                        " to " + number_text(trial.forecast->high, s.objective) + ")");
  if (s.rungs.size() > 1) add("rung", std::to_string(trial.rung));
  if (trial.seconds > 0) add("examination", core::significant(trial.seconds, 3) + " s");
  if (!trial.worker.empty()) add("worker", trial.worker);
  add("network", trial.hash.hex());
  return t;
}

core::Table verdicts_table(const Trial& trial) {
  core::Table t{
      {{"rule", "rule", false}, {"passed", "passed", false}, {"value", "value", false}, {"limit", "limit", false}}, {}};
  for (const search::Verdict& v : trial.verdicts)
    t.rows.push_back({core::cell(v.rule), core::Cell{v.passed ? "true" : "false", v.passed ? "yes" : "NO"},
                      core::cell(v.value + (v.node.empty() ? "" : " at node " + v.node)), core::cell(v.limit)});
  return t;
}

// One value per epoch; of all rungs of a network the last one's.
std::string curve_svg(const std::string& name, const std::vector<double>& values) {
  std::vector<Point> points;
  double low = INFINITY, high = -INFINITY;
  for (size_t k = 0; k < values.size(); ++k) {
    if (!std::isfinite(values[k])) continue;
    points.push_back({static_cast<double>(k + 1), values[k]});
    low = std::min(low, values[k]);
    high = std::max(high, values[k]);
  }
  if (points.size() < 2) return "";
  const search::Metric* metric = search::find_metric(name);
  constexpr double kWidth = 300, kHeight = 150;
  const Plot plot{{52, 34, kWidth - 66, kHeight - 66},
                  axis_of(1, static_cast<double>(values.size()), true),
                  axis_of(low, high, false)};
  std::string d;
  for (const Point& v : points) {
    const Point p = plot.at(v.x, v.y);
    d += (d.empty() ? "M" : "L") + number(p.x) + " " + number(p.y);
  }
  const std::string title = (metric != nullptr ? title_of(*metric) : name) + " over epochs";
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\"" + attribute("width", kWidth) +
         attribute("height", kHeight) + attribute("viewBox", "0 0 " + number(kWidth) + " " + number(kHeight)) +
         "><title>" + escaped(title) + "</title>" +
         written(shorten(core::printable(title), kWidth - 20, 12, true), {8, 20}, 12, "start", kInk, true) +
         grid_text(plot) + "<path" + attribute("d", d) + attribute("fill", "none") + stroke(kTrainColour, 1.8) +
         "/></svg>";
}

void add_curves(const Trial& trial, std::vector<Block>& blocks) {
  Figure figure{"Learning curves of its examination", "", "", {}};
  for (const auto& [name, values] : trial.findings.curves)
    if (std::string svg = curve_svg(name, values); !svg.empty()) figure.panels.push_back(std::move(svg));
  if (figure.panels.empty()) return;
  figure.file = "pictures/study_curves_" + std::to_string(trial.index) + ".svg";
  figure.bytes = figure.panels.front();
  blocks.push_back({std::move(figure)});
}

// The strongest and the weakest.
void add_reactions(const Trial& trial, std::vector<Block>& blocks) {
  std::vector<std::pair<std::string, double>> nodes(trial.findings.node_scores.begin(),
                                                    trial.findings.node_scores.end());
  if (nodes.empty()) return;
  std::stable_sort(nodes.begin(), nodes.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  const size_t all = nodes.size();
  if (all > kMostReactions) nodes.erase(nodes.begin() + kMostReactions / 2, nodes.end() - kMostReactions / 2);
  core::Table t{{{"node", "node", false}, {"reaction", "reaction"}}, {}};
  for (const auto& [node, score] : nodes) t.rows.push_back({core::cell(node), core::significant_cell(score, 4)});
  blocks.push_back(
      {Heading{all > kMostReactions ? "Reactions of its nodes: the strongest and the weakest of " + std::to_string(all)
                                    : "Reactions of its nodes"}});
  blocks.push_back({t});
}

std::optional<Figure> drawing(const Study& s, const Trial& trial) {
  if (s.m.space == nullptr) return std::nullopt;
  const search::Candidate candidate = s.m.space->expand(trial.genotype);
  if (candidate.spec.nodes.empty()) return std::nullopt;  // a table has no networks
  const Picture picture = picture_of(candidate.spec);
  return Figure{"The network; darker is a larger share of the MACs",
                "pictures/study_network_" + std::to_string(trial.index) + ".svg",
                small_svg(picture),
                {},
                0.5 * picture.width};
}

Details details_of(const Study& s, const Trial& trial) {
  const size_t at = s.at(trial);
  std::string title = "trial " + std::to_string(trial.index) + ": " + s.value_text(s.value[at]);
  for (const char* name : {"params", "macs"})
    if (const double v = metric_of(trial, name); std::isfinite(v)) {
      const search::Metric* metric = search::find_metric(name);
      title += ", " + number_text(v, metric) + " " + metric->title;
    }
  Details details{title, {}, "trial_" + std::to_string(trial.index)};
  auto& blocks = details.blocks;
  blocks.push_back(
      {Bullets{{"proposed by " + search::proposer_of(trial) + (trial.reason.empty() ? "" : ": " + trial.reason),
                fate_text(s, trial)}}});
  if (auto figure = drawing(s, trial)) blocks.push_back({std::move(*figure)});
  if (s.m.space != nullptr) blocks.push_back({Paragraph{search::to_text(*s.m.space, trial.genotype)}});
  blocks.push_back({costs_table(s, trial)});
  if (!trial.verdicts.empty()) blocks.push_back({verdicts_table(trial)});
  add_curves(trial, blocks);
  add_reactions(trial, blocks);
  return details;
}

}  // namespace

std::optional<Section> networks_section(const Study& s) {
  const std::vector<const Trial*> list = chosen(s);
  if (list.empty()) return std::nullopt;
  Section section{"networks", "Networks", {}};
  section.blocks.push_back(
      {Paragraph{"The best " + std::to_string(std::min(kBest, s.ranked.size())) +
                 " and those on a front, the best first: drawing, costs, verdicts, learning curves, "
                 "reactions of nodes, and why each is here."}});
  Details more{std::to_string(list.size() - std::min(kOpen, list.size())) + " more", {}};
  for (size_t k = 0; k < list.size(); ++k)
    (k < kOpen ? section.blocks : more.blocks).push_back({details_of(s, *list[k])});
  if (!more.blocks.empty()) section.blocks.push_back({std::move(more)});
  return section;
}

}  // namespace condenser::report
