#include "condenser/search/ladder.hpp"

#include <algorithm>
#include <unordered_set>

#include "condenser/core/text.hpp"

namespace condenser::search {
namespace {

struct Ranked {
  const Trial* trial;
  double value;
};

// Of the finished examinations of a rung, those with a value, best first; ties: the earlier one.
std::vector<Ranked> ranking(std::span<const Trial> trials, const Objective& objective, int rung, size_t& finished) {
  std::vector<Ranked> ranked;
  finished = 0;
  for (const Trial& trial : trials) {
    if (trial.rung != rung || !trial.examined() || !trial.finished()) continue;
    ++finished;
    const auto value = rank_value(trial, objective);
    if (trial.feasible() && value) ranked.push_back({&trial, *value});
  }
  std::ranges::stable_sort(ranked, std::ranges::greater(), &Ranked::value);
  return ranked;
}

struct HashOf {
  size_t operator()(const core::Hash128& hash) const {
    size_t value = 0;
    for (size_t i = 0; i < sizeof value; ++i) value = value << 8 | static_cast<size_t>(hash.bytes[i]);
    return value;
  }
};

// What a generator of full examinations needs to know of one of the lowest rung.
Trial as_full(const Trial& trial, const Objective& objective, int64_t index) {
  Trial full;
  full.index = index;
  full.genotype = trial.genotype;
  full.hash = trial.hash;
  full.state = trial.state;
  full.same_as = trial.same_as;  // that it has one counts, not which
  full.verdicts = trial.verdicts;
  const auto copy = [&](const std::string& name) {
    const auto found = trial.findings.metrics.find(name);
    if (found != trial.findings.metrics.end()) full.findings.metrics.insert(*found);
  };
  for (const Metric* metric : objective.metrics()) copy(metric->name);
  copy("params");  // decides between equals
  return full;
}

class Ladder final : public Generator {
 public:
  explicit Ladder(std::unique_ptr<Generator> inner) : inner_(std::move(inner)) {}

  Proposal propose(const Question& q) const override {
    if (q.past.rungs.size() < 2) return inner_->propose(q);
    if (const auto up = promotion(q.past)) return proposal_of(*up, q.past);
    std::vector<Trial> lowest;
    for (const Trial& trial : q.past.seen())
      if (trial.rung == 0) lowest.push_back(as_full(trial, q.past.objective, std::ssize(lowest)));
    const StudyView past{&lowest, std::ssize(lowest), q.past.objective, q.past.running};
    return inner_->propose({q.space, q.catalogue, past, q.rng});
  }

  int64_t recommend(const Question& q) const override {
    return q.past.rungs.size() < 2 ? inner_->recommend(q) : Generator::recommend(q);
  }

 private:
  static Proposal proposal_of(const Promotion& up, const StudyView& past) {
    Proposal proposal(up.trial->genotype);
    proposal.rung = up.rung;
    proposal.by = "ladder";
    proposal.reason = "number " + std::to_string(up.place) + " of " + std::to_string(up.of) + " on rung " +
                      std::to_string(up.rung) + " of " + std::to_string(past.rungs.size()) + " (trial " +
                      std::to_string(up.trial->index) + "): the best third goes on";
    return proposal;
  }

  std::unique_ptr<Generator> inner_;
};

}  // namespace

std::optional<Promotion> promotion(const StudyView& past) {
  std::unordered_set<core::Hash128, HashOf> above;  // networks of the rungs from `rung` on
  for (int rung = static_cast<int>(past.rungs.size()) - 1; rung > 0; --rung) {
    for (const Trial& trial : past.seen())
      if (trial.rung == rung) above.insert(trial.hash);
    size_t finished = 0;
    const std::vector<Ranked> ranked = ranking(past.seen(), past.objective, rung - 1, finished);
    const size_t best = std::min(ranked.size(), finished / kPromotedOneIn);
    for (size_t i = 0; i < best; ++i) {
      const Trial& trial = *ranked[i].trial;
      const bool runs = std::ranges::find(past.running, trial.genotype) != past.running.end();
      if (!runs && !above.contains(trial.hash)) return Promotion{&trial, rung, i + 1, finished};
    }
  }
  return std::nullopt;
}

std::vector<double> candidates_on_rungs(const std::vector<double>& rungs, double budget) {
  std::vector<double> share(rungs.size(), 1);  // per candidate of the last rung
  double cost = 0;
  for (size_t i = rungs.size(); i-- > 0;) {
    if (i + 1 < rungs.size()) share[i] = share[i + 1] * kPromotedOneIn;
    cost += share[i] * (rungs[i] - (i > 0 ? rungs[i - 1] : 0));
  }
  for (double& s : share) s *= budget / cost;
  return share;
}

std::vector<core::Hash128> may_go_on(std::span<const Trial> trials, const Objective& objective, int rungs) {
  std::vector<core::Hash128> keep;
  for (const Trial& trial : trials)
    if (!trial.finished()) keep.push_back(trial.hash);
  for (int rung = 0; rung + 1 < rungs; ++rung) {
    size_t finished = 0;
    const std::vector<Ranked> ranked = ranking(trials, objective, rung, finished);
    for (size_t i = 0; i < (ranked.size() + 1) / 2; ++i) keep.push_back(ranked[i].trial->hash);
  }
  return keep;
}

std::unique_ptr<Generator> with_ladder(std::unique_ptr<Generator> inner) {
  return std::make_unique<Ladder>(std::move(inner));
}

}  // namespace condenser::search
