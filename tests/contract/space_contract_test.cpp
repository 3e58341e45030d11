// What every space promises: whatever is sampled, mutated or crossed expands to a sound network, always the same one.

#include <cmath>
#include <set>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/arch/rules.hpp"
#include "condenser/exporters/target.hpp"
#include "condenser/search/survey.hpp"
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

namespace condenser::search {
std::unique_ptr<Space> make_own_space(core::config::Reader&, const SpaceContext&);  // tests/search/own_space.cpp
}

namespace {

// A table has no networks; tests/search/table_space_test.cpp is about it.
std::vector<search::SpaceRow> rows() {
  std::vector<search::SpaceRow> rows = search::spaces();
  std::erase_if(rows, [](const search::SpaceRow& row) { return row.name == "table"; });
  rows.push_back({"squeeze", "a space of a user", search::make_own_space});
  return rows;
}

std::unique_ptr<search::Space> make(const search::SpaceRow& row, const arch::Shape& input,
                                    const std::string& yaml = "{}") {
  auto reader = core::config::Reader::from_text(yaml, "test");
  auto space = search::make_space(row, reader, {input, 10});
  REQUIRE_NOTHROW(reader.finish());
  return space;
}

const std::vector<arch::Shape> kInputs = {{1, 28, 28}, {3, 32, 32}, {1, 49, 10}, {3, 96, 96}};

bool fits(const search::SpaceRow& row, const arch::Shape& input) {
  return row.name != "attendnext" || input.w > 10;  // its four stages would halve a map of one pixel
}

}  // namespace

TEST_CASE("every space keeps the space contract", "[search][contract]") {
  for (const search::SpaceRow& row : rows()) {
    for (const arch::Shape& input : kInputs) {
      if (!fits(row, input)) continue;
      INFO(row.name << " " << arch::to_string(input));
      const auto space = make(row, input);

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

TEST_CASE("every space keeps its promises when the input is chosen too", "[search][contract]") {
  const auto prepare = [](const search::InputChoice& c) {
    return search::PreparedInput{{c.colour == "grey" ? 1 : 3, c.size, c.size}, 0, 0};
  };
  for (const search::SpaceRow& row : rows()) {
    INFO(row.name);
    auto reader = core::config::Reader::from_text("input: {size: [24, 28], colour: [grey, rgb]}", "test");
    const auto space = search::make_space(row, reader, {{3, 32, 32}, 10, prepare});
    REQUIRE_NOTHROW(reader.finish());
    CHECK(space->chooses_input());
    core::Rng rng(3);
    std::set<std::string> seen;
    for (int i = 0; i < 40; ++i) {
      const search::Genotype genotype = search::sample(*space, rng);
      check_genotype(*space, genotype);
      const search::Candidate candidate = space->expand(genotype);
      CHECK(candidate.spec.input == prepare(candidate.input).shape);
      CHECK(candidate.input.size == search::value(*space, genotype, "input_size"));
      seen.insert(search::to_text(candidate.input));
    }
    CHECK(seen.size() == 4);
  }
}

// What a search asks of thousands: sound networks, most of which the gate lets through for one device or another, and
// which the C99 export takes.
TEST_CASE("thousands of networks of every space are sound, and can be exported", "[search][contract]") {
  const exporters::Target& target = exporters::find_target("c99");
  for (const search::SpaceRow& row : rows()) {
    INFO(row.name);
    const auto space = make(row, {1, 28, 28});
    core::Rng rng(11);
    std::set<std::string> refused;
    const search::Gate gate({}, {[&](const arch::Design& d) {
                              const auto problems = target.unsupported(d);
                              for (const auto& problem : problems) refused.insert(problem.why);
                              return search::Verdict{"exportable", problems.empty(), "", "", ""};
                            }});
    const search::Survey s = search::survey(*space, gate, 3000, rng);
    CHECK_FALSE(s.refused.contains("expand"));
    INFO((refused.empty() ? std::string() : *refused.begin()));
    CHECK(s.share() == 1);
    REQUIRE(s.costs.size() == 4);
    for (const search::Survey::Costs& costs : s.costs) {
      CHECK(costs.drawn.front() > 0);
      CHECK(costs.drawn.front() < costs.drawn.back());
    }
    // Room for a search: a budget at the median of what is drawn leaves half.
    search::GateOptions half;
    half.max_params = static_cast<int64_t>(search::quantile(s.costs[0].drawn, 0.5));
    const search::Survey bounded = search::survey(*space, search::Gate(half), 1000, rng);
    CHECK(std::abs(bounded.share() - 0.5) < 0.1);
  }
}

TEST_CASE("any space takes forbidden combinations and beliefs", "[search][contract]") {
  for (const search::SpaceRow& row : rows()) {
    INFO(row.name);
    const auto whole = make(row, {1, 28, 28});
    std::vector<size_t> open;
    for (size_t i = 0; i < whole->decisions().size(); ++i)
      if (whole->decisions()[i].options.size() > 1) open.push_back(i);
    REQUIRE(open.size() >= 2);
    const search::Decision &a = whole->decisions()[open[0]], &b = whole->decisions()[open[1]];
    const auto space =
        make(row, {1, 28, 28},
             "forbid: [{" + a.name + ": " + search::option_text(a, 0) + ", " + b.name + ": " +
                 search::option_text(b, 1) + "}]\nbeliefs: {" + a.name + ": {" + search::option_text(a, 0) + ": 8}}\n");
    const double share = 1.0 / static_cast<double>(a.options.size() * b.options.size());
    const search::SpaceSize size = search::size_of(*space);
    CHECK(size.legal == Approx(size.genotypes * (1 - share)));
    core::Rng rng(4);
    int first = 0;
    for (int i = 0; i < 500; ++i) {
      const search::Genotype g = search::sample(*space, rng);
      CHECK_FALSE((g.choice[open[0]] == 0 && g.choice[open[1]] == 1));
      first += g.choice[open[0]] == 0;
      CHECK(search::parse_genotype(*space, search::to_text(*space, g)) == g);
    }
    CHECK(first > 250);
  }
}
