// Execution in strips gives the integers of execution whole, in an arena that is smaller.

#include "condenser/arch/strips.hpp"

#include <algorithm>

#include "condenser/arch/passes.hpp"
#include "condenser/arch/zoo.hpp"
#include "condenser/runtime/int8_executor.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"
#include "support/random_int8.hpp"
#include "support/random_spec.hpp"

using namespace condenser;
using arch::Rows;
using arch::Strips;
using testing::random_int8;
using testing::RandomInt8;

namespace {

arch::Spec zoo_network(const std::string& name) {
  const arch::ZooCard& card = arch::find_zoo(name);
  return card.make(card.input, card.classes);
}

std::vector<int8_t> run(const runtime::Int8Program& program, std::span<const int8_t> input) {
  runtime::Int8Executor executor(program);
  const auto output = executor.run(input);
  return {output.begin(), output.end()};
}

// Every cut in so many strips; how many there were.
int check_all_cuts(const std::string& name, const arch::Spec& spec, std::initializer_list<int> counts, uint64_t seed) {
  const RandomInt8 package = random_int8(spec, seed);
  const arch::Analysis analysis = arch::analyze(spec);
  const std::vector<int8_t> input = testing::random_input(spec, seed);
  const std::vector<int8_t> whole = run(runtime::build_program(spec, package.weights, package.quant), input);
  int found = 0;
  for (int cut = 1; cut < static_cast<int>(spec.nodes.size()); ++cut)
    for (const int count : counts) {
      const auto strips = arch::strips_of(spec, analysis, cut, count);
      if (!strips) continue;
      INFO(name << ": " << count << " strips of " << spec.node(cut).name);
      const runtime::Int8Program program =
          runtime::build_program(spec, package.weights, package.quant,
                                 [&](const auto& s, const auto& a) { return arch::plan_memory(s, a, {}, *strips); });
      CHECK(run(program, input) == whole);
      ++found;
    }
  return found;
}

}  // namespace

TEST_CASE("strips change no integer, wherever a network is cut", "[runtime]") {
  int found = 0;
  for (const testing::Exemplar& item : testing::exemplars()) {
    const arch::Spec spec = arch::lower(item.spec, nullptr);
    if (testing::runs_in_int8(spec)) found += check_all_cuts(item.name, spec, {2, 3, 5}, 3);
  }
  CHECK(found > 400);
}

TEST_CASE("strips change no integer of a random graph", "[runtime]") {
  core::Rng rng(5);
  int found = 0;
  for (int round = 0; round < 150; ++round) {
    const arch::Spec spec =
        arch::lower(testing::random_spec(rng, 3 + static_cast<int>(rng.below(10)), testing::Operators::All), nullptr);
    if (testing::runs_in_int8(spec))
      found += check_all_cuts("round " + std::to_string(round), spec, {2, 4}, rng.next());
  }
  CHECK(found > 200);
}

TEST_CASE("strips make the arena of a network of visual wake words smaller", "[runtime]") {
  const arch::Spec spec = arch::lower(zoo_network("mobilenet_v1_025_96"), nullptr);
  const arch::Analysis analysis = arch::analyze(spec);
  const arch::MemoryPlan whole = arch::plan_memory(spec, analysis), plan = arch::plan_strips(spec, analysis);
  REQUIRE(!plan.strips.empty());
  CHECK(plan.peak_bytes < 0.7 * static_cast<double>(whole.peak_bytes));
  CHECK(static_cast<double>(arch::macs_of(analysis, plan.strips)) <= 1.15 * static_cast<double>(analysis.macs));
  CHECK(plan.peak_bytes >= plan.peak_live_bytes);
  const RandomInt8 package = random_int8(spec, 1);
  const std::vector<int8_t> input = testing::random_input(spec, 2);
  const runtime::Int8Program program =
      runtime::build_program(spec, package.weights, package.quant,
                             [&](const arch::Spec& s, const arch::Analysis& a) { return arch::plan_strips(s, a); });
  CHECK(run(program, input) == run(runtime::build_program(spec, package.weights, package.quant), input));
  WARN("arena " << whole.peak_bytes << " -> " << plan.peak_bytes << ", " << plan.strips.rows.size() << " strips of "
                << spec.node(plan.strips.cut).name << ", MACs " << analysis.macs << " -> "
                << arch::macs_of(analysis, plan.strips));
}

TEST_CASE("rows of strips: what a window needs, and no more", "[runtime]") {
  // Two 3x3 convolutions of stride 2 with padding 1, 16 rows: 8, then 4.
  arch::Spec spec{.name = "two", .input = {1, 16, 16}, .nodes = {{"input", arch::Input{}, {}}}};
  const arch::Conv2d conv{.out = 2, .kernel = arch::square(3), .stride = arch::square(2), .pad = arch::pad_all(1)};
  spec.nodes.push_back({"a", conv, {0}});
  spec.nodes.push_back({"b", conv, {1}});
  spec.nodes.push_back({"gap", arch::GlobalAvgPool{}, {2}});
  const arch::Analysis analysis = arch::analyze(spec);
  const auto strips = arch::strips_of(spec, analysis, 2, 2);
  REQUIRE(strips);
  CHECK(strips->rows[0] == std::vector<Rows>{{0, 8}, {0, 4}, {0, 2}});
  CHECK(strips->rows[1] == std::vector<Rows>{{5, 11}, {3, 5}, {2, 2}});
  CHECK(arch::macs_of(analysis, *strips) == analysis.macs + 1 * 8 * 2 * 9);  // one row of `a` twice
  const arch::Piece piece = arch::piece_of(spec, analysis, *strips, 1, 1);
  CHECK(std::get<arch::Conv2d>(piece.op).pad.top == 0);
  CHECK(piece.in_skip.front() == 5);
  CHECK(piece.out.h == 5);
  CHECK_FALSE(arch::strips_of(spec, analysis, 3, 2));  // a mean needs all
  CHECK_FALSE(arch::strips_of(spec, analysis, 2, 5));  // more than there are rows
}
