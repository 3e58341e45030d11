// The ladder: how many candidates reached each rung, what that took, and how well a rung foretells the next.

#include <algorithm>
#include <cmath>

#include "condenser/core/correlation.hpp"
#include "condenser/core/table.hpp"
#include "report/study/study.hpp"

namespace condenser::report {
namespace {

struct Rung {
  double fidelity = 1;
  int64_t begun = 0, done = 0, failed = 0, went_on = 0;
  double seconds = 0;
  std::map<search::Genotype, double> rank = {};  // of the objective, higher is better
};

std::vector<Rung> rungs_of(const Study& s) {
  std::vector<Rung> rungs;
  for (const double fidelity : s.rungs) rungs.push_back({.fidelity = fidelity});
  for (size_t k = 0; k < s.trials.size(); ++k) {
    const Trial& trial = s.trials[k];
    if (!trial.examined() || trial.rung < 0 || static_cast<size_t>(trial.rung) >= rungs.size()) continue;
    Rung& rung = rungs[static_cast<size_t>(trial.rung)];
    ++rung.begun;
    rung.done += trial.state == TrialState::Done;
    rung.failed += trial.state == TrialState::Failed;
    rung.went_on += s.next[k] >= 0;
    if (trial.finished()) rung.seconds += trial.seconds;
    const auto value = trial.state == TrialState::Done ? s.goal.value(trial.findings) : std::nullopt;
    if (value) rung.rank[trial.genotype] = *value;
  }
  return rungs;
}

std::optional<core::Correlation> between(const Rung& a, const Rung& b) {
  std::vector<double> x, y;
  for (const auto& [genotype, value] : a.rank) {
    const auto found = b.rank.find(genotype);
    if (found == b.rank.end()) continue;
    x.push_back(value);
    y.push_back(found->second);
  }
  return core::correlate(x, y);
}

}  // namespace

std::optional<Section> rungs_section(const Study& s) {
  if (s.rungs.size() < 2) return std::nullopt;
  const std::vector<Rung> rungs = rungs_of(s);
  const Clock clock = clock_of(s);
  Section section{"rungs", "Rungs", {}};
  section.blocks.push_back({Paragraph{
      "A candidate is examined in steps; only the better ones go on to the next rung. The last column is the rank "
      "correlation (Spearman) of the objective at a rung with that at the last one, over candidates that were measured "
      "at both."}});
  core::Table t{{{"rung", "rung"},
                 {"share_percent", "share of the full cost %"},
                 {"examined", "candidates"},
                 {"done", "done"},
                 {"failed", "failed"},
                 {"went_on", "went on"},
                 {"time", clock.unit + " of examination"},
                 {"spearman", "with the last"},
                 {"interval", "95 % interval", false}},
                {}};
  for (size_t r = 0; r < rungs.size(); ++r) {
    const auto c = r + 1 < rungs.size() ? between(rungs[r], rungs.back()) : std::nullopt;
    t.rows.push_back({core::cell(static_cast<int64_t>(r)), core::cell(100 * rungs[r].fidelity, 1),
                      core::cell(rungs[r].begun), core::cell(rungs[r].done), core::cell(rungs[r].failed),
                      core::cell(rungs[r].went_on), core::cell(rungs[r].seconds / clock.seconds, 1),
                      c ? core::cell(c->spearman, 2) : core::empty_cell(),
                      c ? core::cell(core::fixed(c->low, 2) + " to " + core::fixed(c->high, 2)) : core::empty_cell()});
  }
  section.blocks.push_back({t});
  return section;
}

}  // namespace condenser::report
