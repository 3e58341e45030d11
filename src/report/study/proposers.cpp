// Who proposed, and how that fared.

#include <algorithm>
#include <cmath>

#include "condenser/core/statistics.hpp"
#include "condenser/core/table.hpp"
#include "condenser/search/fate.hpp"
#include "report/study/study.hpp"

namespace condenser::report {
namespace {

struct Proposer {
  std::string name;
  int64_t proposals = 0, refused = 0, copies = 0, failed = 0, examined = 0, passed = 0, improved = 0, on_front = 0;
  std::vector<double> values = {};
  double best_rank = -INFINITY, best_value = NAN;
};

std::vector<Proposer> proposers_of(const Study& s) {
  std::vector<Proposer> list;
  double best = -INFINITY;
  for (size_t k = 0; k < s.trials.size(); ++k) {
    const Trial& trial = s.trials[k];
    const std::string name = search::proposer_of(trial);
    auto p = std::find_if(list.begin(), list.end(), [&](const Proposer& q) { return q.name == name; });
    if (p == list.end()) p = list.insert(list.end(), {.name = name});
    ++p->proposals;
    p->refused += trial.state == TrialState::Refused;
    p->copies += trial.same_as >= 0;
    p->failed += trial.state == TrialState::Failed && trial.same_as < 0;
    p->examined += trial.examined() && trial.finished();
    p->on_front += s.on_front.contains(trial.index);
    if (!s.counts(trial)) continue;
    p->values.push_back(s.value[k]);
    if (!trial.feasible()) continue;
    ++p->passed;
    p->improved += s.rank[k] > best;
    best = std::max(best, s.rank[k]);
    if (s.rank[k] > p->best_rank) {
      p->best_rank = s.rank[k];
      p->best_value = s.value[k];
    }
  }
  std::stable_sort(list.begin(), list.end(),
                   [](const Proposer& a, const Proposer& b) { return a.proposals > b.proposals; });
  return list;
}

core::Cell value_cell(const Study& s, double value) {
  if (!std::isfinite(value)) return core::empty_cell();
  return {core::number(value), number_text(value, s.objective)};
}

}  // namespace

std::optional<Section> proposers_section(const Study& s) {
  constexpr size_t kMostRows = 30;
  std::vector<Proposer> list = proposers_of(s);
  if (list.empty()) return std::nullopt;
  Section section{"proposers", "Who proposed", {}};
  core::Table t{{{"by", "by", false},
                 {"proposals", "proposals"},
                 {"refused", "refused"},
                 {"copies", "copies"},
                 {"failed", "failed"},
                 {"examined", "examined"},
                 {"passed", "passed"},
                 {"improved", "improved the best"},
                 {"on_front", "on a front"},
                 {"median", "median " + s.objective_title},
                 {"best", "best"}},
                {}};
  const size_t all = list.size();
  list.resize(std::min(all, kMostRows));
  for (const Proposer& p : list)
    t.rows.push_back({core::cell(p.name), core::cell(p.proposals), core::cell(p.refused), core::cell(p.copies),
                      core::cell(p.failed), core::cell(p.examined), core::cell(p.passed), core::cell(p.improved),
                      core::cell(p.on_front), value_cell(s, p.values.empty() ? NAN : core::median(p.values)),
                      value_cell(s, p.best_value)});
  section.blocks.push_back({t});
  if (all > kMostRows)
    section.blocks.push_back(
        {Paragraph{"The " + std::to_string(kMostRows) + " with most proposals of " + std::to_string(all) + "."}});
  return section;
}

}  // namespace condenser::report
