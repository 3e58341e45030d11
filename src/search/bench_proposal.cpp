#include "condenser/search/bench_proposal.hpp"

#include <chrono>
#include <cmath>
#include <ctime>
#include <unordered_set>

#include "condenser/core/stop.hpp"
#include "condenser/search/generator.hpp"
#include "search/features/catalogue.hpp"

namespace condenser::search {
namespace {

using Clock = std::chrono::steady_clock;

// What a network would have been worth: every option and every pair of neighbouring options adds its own share.
double value_of(const Genotype& genotype) {
  double sum = 0;
  const auto share = [](uint64_t a, uint64_t b) { return core::Rng(1, a, b).normal(); };
  for (size_t d = 0; d < genotype.choice.size(); ++d) {
    const auto option = static_cast<uint64_t>(genotype.choice[d]);
    sum += share(d, option);
    if (d > 0) sum += 0.5 * share(1000 + d, 64 * option + static_cast<uint64_t>(genotype.choice[d - 1]));
  }
  return 95 - 20 / (1 + std::exp(sum / std::sqrt(static_cast<double>(genotype.choice.size()))));
}

Trial examined(int64_t index, Proposal proposal, const core::Hash128& hash) {
  Trial trial;
  trial.index = index;
  trial.hash = hash;
  trial.findings.metrics["val_accuracy"] = value_of(proposal.genotype);
  trial.genotype = std::move(proposal.genotype);
  trial.by = std::move(proposal.by);
  trial.reason = std::move(proposal.reason);
  trial.forecast = proposal.forecast;
  return trial;
}

std::vector<Trial> history_of(const Space& space, const Gate& gate, int64_t size) {
  core::Rng rng(1);
  std::vector<Trial> trials;
  std::unordered_set<core::Fingerprint, core::FingerprintHash> seen;
  for (int64_t tries = 0; std::ssize(trials) < size; ++tries) {
    if (core::stop_requested()) throw core::Stopped("bench proposal: stopped");
    if (tries > 100 * size)
      throw core::Error("bench proposal: " + std::to_string(trials.size()) + " networks passed the gate of " +
                        std::to_string(tries) + "; expected " + std::to_string(size) + " for the history");
    Genotype genotype = sample(space, rng);
    const Candidate candidate = space.expand(genotype);
    if (!seen.insert(fingerprint(candidate)).second || !passed(gate.before_training(candidate))) continue;
    trials.push_back(examined(std::ssize(trials), std::move(genotype), identity(candidate)));
  }
  return trials;
}

}  // namespace

ProposalBenchResult bench_proposal(const Space& space, const Gate& gate, const ProposalBenchOptions& o) {
  auto reader = core::config::Reader::empty();
  const auto generator = make_generator(o.generator, reader);
  const Catalogue catalogue(space, gate);
  std::vector<Trial> trials = history_of(space, gate, o.history);
  trials.reserve(trials.size() + static_cast<size_t>(o.warming + o.proposals));
  std::vector<double> clock, processor;
  for (int i = 0; i < o.warming + o.proposals; ++i) {
    if (core::stop_requested()) throw core::Stopped("bench proposal: stopped");
    const int64_t index = std::ssize(trials);
    core::Rng rng(1, 1, static_cast<uint64_t>(index));
    const StudyView past{&trials, index, {}, {}, {1}};
    const auto begin = Clock::now();
    const std::clock_t processor_begin = std::clock();
    Proposal proposal = generator->propose({space, catalogue, past, rng});
    const double used = 1000 * static_cast<double>(std::clock() - processor_begin) / CLOCKS_PER_SEC;
    const std::chrono::duration<double, std::milli> passed = Clock::now() - begin;
    if (i >= o.warming) {
      clock.push_back(passed.count());
      processor.push_back(used);
    }
    const core::Hash128 hash = catalogue.identity(proposal.genotype);
    trials.push_back(examined(index, std::move(proposal), hash));
  }
  return {core::quartiles(std::move(clock)), core::quartiles(std::move(processor))};
}

}  // namespace condenser::search
