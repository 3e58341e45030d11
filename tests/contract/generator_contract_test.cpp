// What every generator promises: legal proposals, a pure function of its arguments, blind to trials beyond the limit.

#include "condenser/search/generator.hpp"

#include <set>

#include "search/features/catalogue.hpp"
#include "support/catch.hpp"
#include "support/fakes.hpp"

using namespace condenser;

namespace {

std::vector<search::Trial> a_past() {
  fakes::Bench bench;
  bench.options.generator = "random";
  bench.options.trials = 60;
  bench.gate_options.rules = {"no_strided_pointwise"};
  return bench.run();
}

// Trials that break whoever reads them.
void poison(std::vector<search::Trial>& trials, size_t from) {
  for (size_t i = from; i < trials.size(); ++i) {
    trials[i].genotype.choice = {1000000};
    trials[i].state = search::TrialState::Done;
    trials[i].same_as = -1;
    trials[i].verdicts.clear();
    trials[i].findings.metrics["val_accuracy"] = 1e9;
  }
}

}  // namespace

TEST_CASE("every generator keeps the generator contract", "[search][contract]") {
  const fakes::ChainSpace space;
  search::GateOptions options;
  options.rules = {"no_strided_pointwise"};
  const search::Gate gate(options);
  const search::Catalogue catalogue(space, gate);
  const std::vector<search::Trial> past = a_past();
  REQUIRE(past.size() >= 60);
  for (const search::GeneratorRow& row : search::generators()) {
    INFO(row.name);
    auto reader = core::config::Reader::empty();
    const auto generator = row.make(reader);
    const auto again = row.make(reader);
    std::set<search::Genotype> seen;
    for (int64_t limit : {int64_t{0}, int64_t{1}, int64_t{5}, int64_t{30}, static_cast<int64_t>(past.size())}) {
      std::vector<search::Trial> poisoned = past;
      poison(poisoned, static_cast<size_t>(limit));
      const search::StudyView view{&past, limit, "val_accuracy", {}}, dark{&poisoned, limit, "val_accuracy", {}};
      for (uint64_t k = 0; k < 20; ++k) {
        core::Rng a(3, 1, k), b(3, 1, k), c(3, 1, k), d(3, 1, k);
        const search::Catalogue fresh(space, gate);  // what it keeps must not matter
        const search::Proposal proposal = generator->propose({space, catalogue, view, a});
        REQUIRE_NOTHROW(search::check(space, proposal.genotype));
        seen.insert(proposal.genotype);
        CHECK(generator->propose({space, catalogue, view, b}) == proposal);
        CHECK(again->propose({space, fresh, view, c}) == proposal);
        CHECK(generator->propose({space, catalogue, dark, d}) == proposal);
      }
    }
    CHECK(seen.size() > 10);

    // No past at all, and a past without a single feasible trial.
    core::Rng rng(1);
    REQUIRE_NOTHROW(search::check(space, generator->propose({space, catalogue, {}, rng}).genotype));
    std::vector<search::Trial> hopeless = past;
    for (search::Trial& trial : hopeless) trial.verdicts = {{"max_params", false, "", "9", "1"}};
    const search::StudyView view{&hopeless, static_cast<int64_t>(hopeless.size()), "val_accuracy", {}};
    REQUIRE_NOTHROW(search::check(space, generator->propose({space, catalogue, view, rng}).genotype));
  }
}

TEST_CASE("an unknown generator is refused with the nearest name", "[search]") {
  auto reader = core::config::Reader::empty();
  CHECK_THROWS_WITH(search::make_generator("evolutoin", reader), Catch::Contains("did you mean evolution"));
}
