#include "search/generators/past.hpp"

#include <algorithm>
#include <climits>
#include <map>

#include "search/pareto/front.hpp"

namespace condenser::search {

std::vector<const Trial*> examined_networks(const StudyView& past) {
  std::vector<const Trial*> networks;
  std::map<core::Hash128, size_t> place;
  for (const Trial& trial : past.seen()) {
    if (!trial.examined()) continue;
    const bool named = trial.hash != core::Hash128{};  // it gave a network
    if (past.rungs.size() > 1 && named) {              // else each network has one trial
      const auto [known, fresh] = place.emplace(trial.hash, networks.size());
      if (!fresh) {
        if (trial.rung > networks[known->second]->rung) networks[known->second] = &trial;
        continue;
      }
    }
    networks.push_back(&trial);
  }
  return networks;
}

std::optional<Proposal> promotion(const Question& q, const std::vector<const Trial*>& worthy) {
  const int last = static_cast<int>(q.past.rungs.size()) - 1;
  for (const Trial* trial : worthy) {
    const bool runs = std::ranges::find(q.past.running, trial->genotype) != q.past.running.end();
    if (trial->state != TrialState::Done || trial->rung >= last || runs) continue;
    Proposal proposal(trial->genotype);
    proposal.rung = trial->rung + 1;
    proposal.by = "promotion";
    proposal.reason = "trial " + std::to_string(trial->index) + " is among the best so far";
    return proposal;
  }
  return std::nullopt;
}

Proposal uniform_start(const Question& q, const Known& known) {
  return first_unknown(q, known, [&] {
    Proposal proposal(sample(q.space, q.rng));
    proposal.by = "start";
    proposal.reason = "drawn uniformly";
    return proposal;
  });
}

std::vector<const Trial*> best_first(std::vector<const Trial*> trials, const Objective& objective) {
  struct Group {
    std::vector<const Trial*> trials;
    std::vector<Point> points;
  };
  std::map<int64_t, Group> groups;  // by number of misses
  std::vector<const Trial*> ordered, without;
  for (const Trial* trial : trials) {
    auto values = trial->state == TrialState::Done ? objective.values(trial->findings) : std::nullopt;
    if (!values) {
      without.push_back(trial);
      continue;
    }
    Group& group = groups[std::ranges::count_if(trial->verdicts, [](const Verdict& v) { return !v.passed; })];
    group.trials.push_back(trial);
    group.points.push_back(std::move(*values));
  }
  for (const auto& entry : groups)
    for (const size_t i : best_first(entry.second.points)) ordered.push_back(entry.second.trials[i]);
  ordered.insert(ordered.end(), without.begin(), without.end());
  return ordered;
}

Known::Known(const Question& q) : q_(q) {
  for (const Trial& trial : q.past.seen())
    if (trial.examined()) examined_.push_back(trial.hash);
  std::sort(examined_.begin(), examined_.end());
  for (const Genotype& genotype : q.past.running) running_.push_back(q.catalogue.of(genotype)->fingerprint);
}

bool Known::has(const Genotype& genotype) const {
  const core::Fingerprint fingerprint = q_.catalogue.of(genotype)->fingerprint;
  return std::ranges::find(running_, fingerprint) != running_.end() ||
         std::binary_search(examined_.begin(), examined_.end(), q_.catalogue.identity(genotype));
}

}  // namespace condenser::search
