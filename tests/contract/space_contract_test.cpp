// What every space promises: whatever is sampled, mutated or crossed expands to a sound network, always the same one.

#include <cmath>
#include <set>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/arch/rules.hpp"
#include "condenser/search/gate.hpp"
#include "support/catch.hpp"

using namespace condenser;

namespace {

void check_genotype(const search::Space& space, const search::Genotype& genotype) {
  INFO(search::to_text(space, genotype));
  REQUIRE_NOTHROW(search::check(space, genotype));
  const search::Candidate candidate = space.expand(genotype);
  REQUIRE_NOTHROW(arch::validate(candidate.spec));
  const arch::Analysis analysis = arch::analyze(candidate.spec);
  CHECK(analysis.params > 0);
  CHECK(analysis.macs > 0);
  CHECK(analysis.nodes.back().shape == arch::Shape{10, 1, 1});
  CHECK(arch::hash(space.expand(genotype).spec) == arch::hash(candidate.spec));
  CHECK(space.expand(genotype).spec == candidate.spec);
  CHECK(candidate.cost == arch::analyze(candidate.spec));
  for (const arch::Rule& rule : arch::rules()) {
    for (const arch::Violation& violation : rule.check(candidate.spec)) {
      CHECK_NOTHROW(arch::find_node(candidate.spec, violation.node));
      CHECK_FALSE(violation.what.empty());
    }
  }
  CHECK(candidate.lowered == arch::lower(candidate.spec, nullptr));
  CHECK(candidate.lowered_cost == arch::analyze(candidate.lowered));
  CHECK(candidate.plan.peak_bytes >= candidate.spec.input.elements());
  CHECK(candidate.lowered_cost.constant_bytes > 0);
  const std::vector<double> code = search::one_hot(space, genotype);
  CHECK(std::count(code.begin(), code.end(), 1.0) == static_cast<long>(space.decisions().size()));
}

int differences(const search::Genotype& a, const search::Genotype& b) {
  int count = 0;
  for (size_t i = 0; i < a.choice.size(); ++i) count += a.choice[i] != b.choice[i];
  return count;
}

}  // namespace

TEST_CASE("every space keeps the space contract", "[search][contract]") {
  for (const search::SpaceRow& row : search::spaces()) {
    for (const arch::Shape input : {arch::Shape{1, 28, 28}, arch::Shape{3, 32, 32}}) {
      INFO(row.name << " " << arch::to_string(input));
      auto reader = core::config::Reader::from_text("space: " + row.name, "test");
      const auto space = search::make_space(reader, {input, 10});
      REQUIRE_NOTHROW(reader.finish());

      std::set<std::string> names;
      for (const search::Decision& d : space->decisions()) {
        CHECK(names.insert(d.name).second);
        REQUIRE_FALSE(d.options.empty());
        CHECK(std::adjacent_find(d.options.begin(), d.options.end(), std::greater_equal<int>()) == d.options.end());
      }
      CHECK(std::isfinite(search::log10_size(*space)));

      core::Rng rng(7);
      search::Genotype last = search::sample(*space, rng);
      for (int i = 0; i < 25; ++i) {
        const search::Genotype drawn = search::sample(*space, rng);
        const search::Genotype mutated = search::mutate(*space, drawn, rng);
        const search::Genotype crossed = search::crossover(*space, last, mutated, rng);
        check_genotype(*space, drawn);
        check_genotype(*space, mutated);
        check_genotype(*space, crossed);
        CHECK(differences(drawn, mutated) == 1);
        for (size_t k = 0; k < crossed.choice.size(); ++k) {
          CHECK((crossed.choice[k] == last.choice[k] || crossed.choice[k] == mutated.choice[k]));
        }
        last = drawn;
      }

      search::Genotype bad = last;
      bad.choice[0] = static_cast<int>(space->decisions()[0].options.size());
      CHECK_THROWS_AS(space->expand(bad), core::Error);
      bad.choice[0] = -1;
      CHECK_THROWS_AS(space->expand(bad), core::Error);
      bad.choice.pop_back();
      CHECK_THROWS_AS(space->expand(bad), core::Error);
    }
  }
}
