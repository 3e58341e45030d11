// What was proposed, decision by decision, over the study: the generator's distribution as it showed itself.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "report/study/plots.hpp"
#include "report/study/study.hpp"

namespace condenser::report {
namespace {

constexpr size_t kMostDecisions = 60, kMostOptions = 40;

struct Shares {
  size_t decision = 0;
  std::string name;
  std::vector<std::string> options;
  std::vector<std::vector<double>> share;  // [option][period]
  double moved = 0;                        // between the first and the last period: half the sum of the differences
};

std::string label_of(const search::Decision& d, size_t option) {
  return option < d.labels.size() ? d.labels[option] : std::to_string(d.options[option]);
}

// Without a space decisions are numbers, and their options what was seen.
std::vector<search::Decision> decisions_of(const Study& s) {
  if (s.m.space != nullptr) return s.m.space->decisions();
  std::vector<search::Decision> list;
  for (const Trial& trial : s.trials)
    for (size_t d = 0; d < trial.genotype.choice.size(); ++d) {
      if (d == list.size()) list.push_back({"decision_" + std::to_string(d), {}, {}});
      for (int option = static_cast<int>(list[d].options.size()); option <= trial.genotype.choice[d]; ++option)
        list[d].options.push_back(option);
    }
  return list;
}

Shares shares_of(const Study& s, const search::Decision& decision, size_t index) {
  const size_t periods = s.periods();
  Shares shares{index, decision.name, {}, {}, 0};
  for (size_t o = 0; o < decision.options.size(); ++o) shares.options.push_back(label_of(decision, o));
  shares.share.assign(decision.options.size(), std::vector<double>(periods, 0));
  std::vector<double> count(periods, 0);
  for (size_t k = 0; k < s.trials.size(); ++k) {
    const auto& choice = s.trials[k].genotype.choice;
    if (index >= choice.size() || s.trials[k].rung > 0) continue;  // a promotion is no new proposal of a network
    shares.share[static_cast<size_t>(choice[index])][s.period(k)] += 1;
    count[s.period(k)] += 1;
  }
  for (auto& row : shares.share)
    for (size_t p = 0; p < periods; ++p) row[p] = count[p] > 0 ? row[p] / count[p] : 0;
  for (const auto& row : shares.share) shares.moved += std::abs(row.back() - row.front()) / 2;
  return shares;
}

std::string heat_of(const Study& s, const Shares& shares) {
  std::vector<std::vector<std::string>> words;
  for (size_t o = 0; o < shares.options.size(); ++o) {
    words.emplace_back();
    for (size_t p = 0; p < s.periods(); ++p)
      words.back().push_back(shares.name + "=" + shares.options[o] + ", part " + std::to_string(p + 1) + " of " +
                             std::to_string(s.periods()) + ": " + core::fixed(100 * shares.share[o][p], 0) + " %");
  }
  return heat_svg(shares.name, core::fixed(100 * shares.moved, 0) + " % moved", shares.options, shares.share, words);
}

}  // namespace

std::vector<RowColumn::Field> fields_of(const Study& s) {
  std::vector<RowColumn::Field> fields;
  for (const search::Decision& d : decisions_of(s)) {
    fields.push_back({d.name, {}});
    for (size_t o = 0; o < d.options.size(); ++o) fields.back().labels.push_back(label_of(d, o));
  }
  return fields;
}

std::optional<Section> distribution_section(const Study& s) {
  std::vector<Shares> all;
  const auto decisions = decisions_of(s);
  for (size_t d = 0; d < decisions.size(); ++d)
    if (decisions[d].options.size() > 1 && decisions[d].options.size() <= kMostOptions)
      all.push_back(shares_of(s, decisions[d], d));
  if (all.empty() || s.periods() < 2) return std::nullopt;
  Section section{"distribution", "What was proposed", {}};
  std::string note;
  if (all.size() > kMostDecisions) {
    std::stable_sort(all.begin(), all.end(), [](const Shares& a, const Shares& b) { return a.moved > b.moved; });
    note = " Of " + std::to_string(all.size()) + " decisions the " + std::to_string(kMostDecisions) +
           " that moved most are shown.";
    all.resize(kMostDecisions);
    std::stable_sort(all.begin(), all.end(), [](const Shares& a, const Shares& b) { return a.decision < b.decision; });
  }
  section.blocks.push_back({Paragraph{
      "A picture for every decision: its options from top to bottom, " + std::to_string(s.periods()) +
      " equal parts of the study from left to right, first to last. The darker a cell, the larger the share of "
      "proposals of that time with that option." +
      note}});
  Figure figure{"Share of every option among the proposals, over the study", "pictures/study_distribution.svg", "", {}};
  for (const Shares& shares : all) figure.panels.push_back(heat_of(s, shares));
  figure.bytes = figure.panels.front();
  section.blocks.push_back({std::move(figure)});
  return section;
}

}  // namespace condenser::report
