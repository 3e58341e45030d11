// The page of a study: which sections there are.

#include "condenser/report/study_page.hpp"

#include <algorithm>

#include "condenser/core/table.hpp"
#include "report/study/study.hpp"

namespace condenser::report {
namespace {

// In the order of the page. A new section: a file here and a row.
constexpr std::optional<Section> (*kSections[])(const Study&) = {
    fronts_section,   progress_section,  trials_section,  networks_section,  distribution_section,
    refusals_section, proposers_section, proxies_section, forecasts_section, rungs_section,
};

std::vector<Fact> facts_of(const Study& s) {
  int64_t refused = 0, copies = 0, failed = 0, examined = 0, open = 0;
  for (const Trial& trial : s.trials) {
    refused += trial.state == TrialState::Refused;
    copies += trial.same_as >= 0;
    failed += trial.state == TrialState::Failed && trial.same_as < 0;
    examined += trial.examined() && trial.finished();
    open += !trial.finished() && trial.same_as < 0;
  }
  std::vector<Fact> facts;
  if (const Trial* best = s.best) {
    std::string detail = "trial " + std::to_string(best->index);
    for (const search::Metric* cost : s.costs)
      if (cost->name == "params" || cost->name == "macs")
        detail += ", " + number_text(metric_of(*best, cost->name), cost) + " " + cost->title;
    std::string title = s.objective != nullptr ? s.objective->title : s.goal.text;
    if (s.objective != nullptr && !s.objective->unit.empty() && title.ends_with(" " + s.objective->unit))
      title.resize(title.size() - 1 - s.objective->unit.size());  // the value has it
    facts.push_back({"best " + title, s.value_text(s.value[s.at(*best)]), detail});
  }
  const auto count = [](int64_t n) { return core::thousands(n); };
  facts.push_back({"examined", count(examined),
                   "of " + count(static_cast<int64_t>(s.trials.size())) + " proposals" +
                       (open > 0 ? "; " + count(open) + " under way" : "")});
  facts.push_back(
      {"refused before examination", count(refused), count(copies) + " copies, " + count(failed) + " failed"});
  facts.push_back({"on a front", count(static_cast<int64_t>(s.on_front.size())),
                   count(static_cast<int64_t>(s.ranked.size())) + " pass every rule"});
  const Clock clock = clock_of(s);
  if (!s.seconds.empty() && s.seconds.back() > 0)
    facts.push_back({"examination", core::significant(s.seconds.back() / clock.seconds, 3) + " " + clock.unit,
                     core::significant(s.seconds.back() / static_cast<double>(std::max<int64_t>(1, examined)), 3) +
                         " s a candidate"});
  return facts;
}

}  // namespace

Page study_page(const StudyMaterial& material) {
  const Study s(material);
  Page page{material.title, material.subtitle, {}, {}, {}};
  if (s.trials.empty()) {
    page.sections.push_back({"trials", "Trials", {{Paragraph{"Nothing has been proposed yet."}}}});
    return page;
  }
  page.facts = facts_of(s);
  for (const auto& section : kSections)
    if (std::optional<Section> made = section(s)) page.sections.push_back(std::move(*made));
  if (!material.report_file.empty())
    page.sections.front().blocks.insert(
        page.sections.front().blocks.begin(),
        {Link{"The report of the run that this study belongs to", material.report_file}});
  page.rows = rows_of(s);
  return page;
}

}  // namespace condenser::report
