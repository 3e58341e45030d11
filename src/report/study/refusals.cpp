// What the gate refused: by rule, when, and one example each.

#include <algorithm>
#include <cmath>

#include "condenser/core/table.hpp"
#include "report/charts.hpp"
#include "report/study/plots.hpp"
#include "report/study/study.hpp"

namespace condenser::report {
namespace {

struct Rule {
  std::string name;
  int64_t before = 0, after = 0;  // examination
  std::vector<double> share;      // of the proposals of a period
  const Trial* example = nullptr;
  const search::Verdict* verdict = nullptr;
};

std::vector<Rule> rules_of(const Study& s) {
  std::vector<Rule> rules;
  std::vector<double> proposals(s.periods(), 0);
  for (size_t k = 0; k < s.trials.size(); ++k) {
    const Trial& trial = s.trials[k];
    proposals[s.period(k)] += 1;
    std::set<std::string> broken;
    for (const search::Verdict& v : trial.verdicts) {
      if (v.passed || !broken.insert(v.rule).second || trial.same_as >= 0) continue;
      auto rule = std::find_if(rules.begin(), rules.end(), [&](const Rule& r) { return r.name == v.rule; });
      if (rule == rules.end())
        rule = rules.insert(rules.end(), {v.rule, 0, 0, std::vector<double>(s.periods(), 0), &trial, &v});
      ++(trial.state == TrialState::Refused ? rule->before : rule->after);
      rule->share[s.period(k)] += 1;
    }
  }
  for (Rule& rule : rules)
    for (size_t p = 0; p < proposals.size(); ++p) rule.share[p] = proposals[p] > 0 ? rule.share[p] / proposals[p] : 0;
  std::stable_sort(rules.begin(), rules.end(),
                   [](const Rule& a, const Rule& b) { return a.before + a.after > b.before + b.after; });
  return rules;
}

std::string heat_of(const Study& s, const std::vector<Rule>& rules) {
  std::vector<std::string> names;
  std::vector<std::vector<double>> shares;
  std::vector<std::vector<std::string>> words;
  for (const Rule& rule : rules) {
    names.push_back(rule.name);
    shares.push_back(rule.share);
    words.emplace_back();
    for (size_t p = 0; p < s.periods(); ++p)
      words.back().push_back(rule.name + ", part " + std::to_string(p + 1) + " of " + std::to_string(s.periods()) +
                             ": broken by " + core::fixed(100 * rule.share[p], 0) + " % of the proposals");
  }
  return heat_svg("Share of proposals that break a rule, over the study", "", names, shares, words);
}

}  // namespace

std::optional<Section> refusals_section(const Study& s) {
  const std::vector<Rule> rules = rules_of(s);
  if (rules.empty()) return std::nullopt;
  Section section{"refusals", "Refusals", {}};
  section.blocks.push_back(
      {Paragraph{"A candidate counts once for each rule that it breaks. What is refused before its "
                 "examination costs nothing."}});
  std::vector<std::pair<std::string, int64_t>> bars;
  core::Table t{
      {{"rule", "rule", false}, {"before", "before examination"}, {"after", "after"}, {"example", "example", false}},
      {}};
  for (const Rule& rule : rules) {
    bars.emplace_back(rule.name, rule.before + rule.after);
    const search::Verdict& v = *rule.verdict;
    t.rows.push_back({core::cell(rule.name), core::cell(rule.before), core::cell(rule.after),
                      core::cell("trial " + std::to_string(rule.example->index) +
                                 (v.node.empty() ? "" : ", node " + v.node) + ": " + v.value + "; limit " + v.limit)});
  }
  section.blocks.push_back({Figure{
      "Refusals by rule", "pictures/study_refusals.svg", bars_svg(bars, "Candidates refused, by rule"), {}, 420}});
  if (s.periods() > 1) {
    Figure figure{"Refusals over the study, from the first proposals at the left to the last: darker is more",
                  "pictures/study_refusals_over_time.svg",
                  "",
                  {heat_of(s, rules)}};
    figure.bytes = figure.panels.front();
    section.blocks.push_back({std::move(figure)});
  }
  section.blocks.push_back({t});
  return section;
}

}  // namespace condenser::report
