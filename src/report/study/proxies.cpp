// What is known of a candidate, against the objective: does it rank candidates better than their size does?

#include <algorithm>
#include <cmath>

#include "condenser/core/correlation.hpp"
#include "condenser/core/table.hpp"
#include "report/picture_parts.hpp"
#include "report/study/plots.hpp"
#include "report/study/study.hpp"

namespace condenser::report {
namespace {

constexpr const char* kSizes[] = {"params", "macs"};

struct Proxy {
  std::string name, title;
  bool of_size = false;  // parameters and MACs, which others have to beat
  core::Correlation all;
  double size = 0;  // strength of the better of parameters and MACs, over the same trials
  bool beats() const { return std::abs(all.spearman) > size; }
};

// Over the trials that have both, oriented so that a positive value says: more of it, the better.
std::optional<core::Correlation> correlation(const Study& s, const std::string& name, const std::string& also) {
  std::vector<double> x, y;
  for (size_t k = 0; k < s.trials.size(); ++k) {
    if (!s.counts(s.trials[k])) continue;
    const double v = metric_of(s.trials[k], name);
    if (std::isnan(v) || std::isnan(metric_of(s.trials[k], also))) continue;
    x.push_back(v);
    y.push_back(s.rank[k]);
  }
  return core::correlate(x, y);
}

std::vector<Proxy> proxies_of(const Study& s) {
  std::set<std::string> names;
  for (const Trial& trial : s.trials)
    if (s.counts(trial))
      for (const auto& [name, value] : trial.findings.metrics) names.insert(name);
  if (s.objective != nullptr) names.erase(s.objective->name);
  std::vector<Proxy> list;
  for (const std::string& name : names) {
    const auto found = correlation(s, name, name);
    if (!found) continue;
    const search::Metric* metric = search::find_metric(name);
    Proxy p{name, metric != nullptr ? metric->title : name,
            std::find(std::begin(kSizes), std::end(kSizes), name) != std::end(kSizes), *found};
    for (const char* size : kSizes)
      if (const auto of_size = correlation(s, size, name)) p.size = std::max(p.size, std::abs(of_size->spearman));
    list.push_back(p);
  }
  std::stable_sort(list.begin(), list.end(),
                   [](const Proxy& a, const Proxy& b) { return std::abs(a.all.spearman) > std::abs(b.all.spearman); });
  return list;
}

// A row each: the value, its interval, and a line at nothing.
std::string intervals_svg(const std::vector<Proxy>& list) {
  constexpr double kNames = 120, kTop = 50, kRow = 24, kSide = 16;
  const double width = kPanelWidth - kNames - kSide;
  const auto x = [&](double r) { return kNames + (r + 1) / 2 * width; };
  const std::string title = "Spearman correlation with the objective";
  std::string text = written(title, {14, 25}, 13, "start", kInk, true);
  const double bottom = kTop + kRow * static_cast<double>(list.size());
  for (const double r : {-1.0, -0.5, 0.0, 0.5, 1.0})
    text += "<path" + attribute("d", "M" + number(x(r)) + " " + number(kTop - 6) + "V" + number(bottom)) +
            stroke(r == 0 ? kMuted : kFaint, 1) + "/>" +
            written(core::number(r), {x(r), bottom + 15}, kPanelFont, r == 1 ? "end" : "middle", kMuted, false);
  double y = kTop + kRow / 2 - 3;
  for (const Proxy& p : list) {
    const char* colour = p.of_size ? kMuted : p.beats() ? kBlues[4] : kAccent;
    text += "<g><title>" +
            escaped(p.title + ": " + core::fixed(p.all.spearman, 2) + ", 95 % interval " + core::fixed(p.all.low, 2) +
                    " to " + core::fixed(p.all.high, 2)) +
            "</title>" +
            written(shorten(core::printable(p.title), kNames - 22, kPanelFont, false), {kNames - 10, y + 4}, kPanelFont,
                    "end", kInk, false) +
            "<path" + attribute("d", "M" + number(x(p.all.low)) + " " + number(y) + "H" + number(x(p.all.high))) +
            stroke(colour, 2) + "/>" +
            (p.of_size || p.beats() ? "<circle" + attribute("cx", x(p.all.spearman)) + attribute("cy", y) +
                                          attribute("r", 4.5) + fill(colour) + "/>"
                                    : diamond({x(p.all.spearman), y}, 6, colour)) +
            "</g>\n";
    y += kRow;
  }
  return svg_document(kPanelWidth, bottom + 28, title, text);
}

}  // namespace

std::optional<Section> proxies_section(const Study& s) {
  const std::vector<Proxy> list = proxies_of(s);
  if (list.empty()) return std::nullopt;
  Section section{"proxies", "What foretells the objective", {}};
  section.blocks.push_back({Paragraph{
      "Rank correlations with " + s.objective_title +
      " over the trials that have both. Positive: more of it goes with a better "
      "objective. A score that does not rank candidates better than the number of their parameters or MACs, over the "
      "same trials, tells nothing that was not known; it is marked with a diamond. Values of the same training as the "
      "objective are no foretelling. The intervals are of 95 %."}});
  core::Table t{{{"name", "value", false},
                 {"trials", "trials"},
                 {"spearman", "Spearman"},
                 {"low", "from"},
                 {"high", "to"},
                 {"kendall", "Kendall"},
                 {"size", "size alone"},
                 {"beats_size", "beats size", false}},
                {}};
  for (const Proxy& p : list)
    t.rows.push_back(
        {core::cell(p.title), core::cell(static_cast<int64_t>(p.all.count)), core::cell(p.all.spearman, 2),
         core::cell(p.all.low, 2), core::cell(p.all.high, 2), core::cell(p.all.kendall, 2),
         p.of_size ? core::empty_cell() : core::cell(p.size, 2),
         p.of_size ? core::empty_cell() : core::Cell{p.beats() ? "true" : "false", p.beats() ? "yes" : "NO"}});
  Figure figure{
      "Spearman correlation of every value with the objective, with its 95 % interval; grey: parameters and MACs",
      "pictures/study_proxies.svg",
      "",
      {intervals_svg(list)}};
  figure.bytes = figure.panels.front();
  section.blocks.push_back({std::move(figure)});
  section.blocks.push_back({t});
  return section;
}

}  // namespace condenser::report
