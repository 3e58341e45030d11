#include "search/engine/proposer.hpp"

#include "search/engine/judge.hpp"

namespace condenser::search {

Proposer::Proposer(const SearchContext& context, const SearchOptions& options, const Catalogue& catalogue)
    : c_(context), o_(options), catalogue_(catalogue) {
  if (const auto kept = c_.store.kept(kLesson)) lesson_ = lesson_from_text(*kept);
}

int64_t Proposer::first_hidden(int64_t index) const {
  if (o_.batch > 1) return index - index % o_.batch;
  return std::max<int64_t>(0, index - o_.window);
}

bool Proposer::is_prototype(int64_t index) const { return index < std::ssize(o_.prototypes); }

Proposal Proposer::prototype(int64_t index) const {
  Proposal proposal = o_.prototypes[static_cast<size_t>(index)];
  proposal.by = "prototype";
  proposal.reason = "a prototype of the run file";
  return proposal;
}

Trial Proposer::propose(int64_t index, const std::vector<Trial>& trials) const {
  StudyView past{&trials, first_hidden(index), o_.objective, {}, c_.rungs, lesson_ ? &*lesson_ : nullptr};
  for (int64_t i = past.limit; i < index; ++i) past.running.push_back(trials[static_cast<size_t>(i)].genotype);
  core::Rng rng(o_.seed, kProposeStream, static_cast<uint64_t>(index));
  if (is_prototype(index)) return trial_of(prototype(index), index, c_);
  return trial_of(c_.generator.propose({c_.space, catalogue_, past, rng}), index, c_);
}

Trial trial_of(Proposal proposal, int64_t index, const SearchContext& context) {
  check(context.space, proposal.genotype);
  if (proposal.rung < 0 || proposal.rung >= std::ssize(context.rungs))
    throw core::Error("search: proposal of rung " + std::to_string(proposal.rung) + "; the search has " +
                      std::to_string(context.rungs.size()));
  Trial trial;
  trial.index = index;
  trial.genotype = std::move(proposal.genotype);
  trial.rung = proposal.rung;
  trial.fidelity = context.rungs[static_cast<size_t>(proposal.rung)];
  trial.by = std::move(proposal.by);
  trial.reason = std::move(proposal.reason);
  trial.forecast = proposal.forecast;
  return trial;
}

}  // namespace condenser::search
