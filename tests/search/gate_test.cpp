#include "condenser/search/gate.hpp"

#include <cmath>

#include "condenser/arch/blocks.hpp"
#include "condenser/arch/int16.hpp"
#include "condenser/arch/machine_model.hpp"
#include "condenser/core/table.hpp"
#include "support/catch.hpp"
#include "support/fakes.hpp"

using namespace condenser;
using core::config::Reader;

namespace {

arch::Design chain(int width, bool strided) {
  const fakes::ChainSpace space(2, 8);
  return space.expand({{width - 1, width - 1, strided ? 1 : 0, 0}});
}

const search::Verdict& find(const std::vector<search::Verdict>& verdicts, const std::string& rule) {
  for (const search::Verdict& v : verdicts) {
    if (v.rule == rule) return v;
  }
  FAIL("no verdict of rule " << rule);
  return verdicts.front();
}

}  // namespace

TEST_CASE("costs are of the exported network", "[search]") {
  const arch::Design design = chain(8, false);
  // By hand: two 1x1 convolutions without bias, two batch norms, a linear of 3.
  CHECK(design.cost.params == 8 + 8 * 8 + 2 * (8 + 8) + (8 * 3 + 3));
  CHECK(design.cost.macs == 16 * 8 + 16 * 64 + 24);
  // Lowered: weights, and bias 4, multiplier 4, shift 1 per channel; relu is a clamp and costs nothing.
  CHECK(design.lowered_cost.constant_bytes == 8 + 64 + 24 + 9 * (8 + 8 + 3));
  // The second convolution reads and writes 8x4x4, and lays out 4 pairs of pixels and one of rows of weights, 16 bits
  // each.
  CHECK(design.plan.peak_bytes == 2 * 8 * 16 + 4 * 8 * (4 + 1));
  CHECK(design.peak_node() == "c1");
}

TEST_CASE("a gate without bounds lets everything pass", "[search]") {
  const search::Gate gate({});
  CHECK(gate.before_training(chain(8, true)).empty());
  CHECK(gate.after_probe({}).empty());
  CHECK(gate.after_training(0).empty());
}

TEST_CASE("a refusal lists everything that is wrong, with numbers", "[search]") {
  search::GateOptions options;
  options.rules = {"no_strided_pointwise", "antialiased_downsampling"};
  options.max_params = 10;
  options.max_macs = 1'000'000;
  options.max_constant_bytes = 100;
  options.max_arena_bytes = 32;
  options.comparator = search::Comparator{.name = "net-9", .max_params = 1000, .max_macs = 100};
  int asked = 0;
  const search::ExtraRule extra = [&](const arch::Design&) {
    ++asked;
    return search::Verdict{"exportable_to_c99", false, "c0", "tanh", "supported operators"};
  };
  const std::vector<search::Verdict> verdicts = search::Gate(options, {extra}).before_training(chain(8, true));
  CHECK_FALSE(search::passed(verdicts));
  CHECK(asked == 1);

  const search::Verdict& strided = find(verdicts, "no_strided_pointwise");
  CHECK_FALSE(strided.passed);
  CHECK(strided.node == "c0");
  CHECK_FALSE(strided.value.empty());
  CHECK(find(verdicts, "max_macs").passed);
  const search::Verdict& params = find(verdicts, "max_params");
  CHECK(params == search::Verdict{"max_params", false, "", "131 parameters", "at most 10 parameters"});
  CHECK_THAT(find(verdicts, "max_constant_bytes").value, Catch::Contains("267 bytes"));
  const search::Verdict& arena = find(verdicts, "max_arena_bytes");
  CHECK_FALSE(arena.passed);
  CHECK_FALSE(arena.node.empty());
  CHECK_THAT(arena.limit, Catch::Contains("32 bytes"));
  CHECK(find(verdicts, "exportable_to_c99").node == "c0");

  std::vector<search::Verdict> comparator;
  for (const search::Verdict& v : verdicts) {
    if (v.rule == "beats_comparator") comparator.push_back(v);
  }
  REQUIRE(comparator.size() == 2);
  CHECK(comparator[0].passed);
  CHECK_FALSE(comparator[1].passed);
  CHECK_THAT(comparator[1].limit, Catch::Contains("100 MACs") && Catch::Contains("net-9"));
}

TEST_CASE("a bound itself is allowed", "[search]") {
  const arch::Design design = chain(4, false);
  search::GateOptions options;
  options.max_params = design.cost.params;
  options.max_macs = design.cost.macs;
  options.max_constant_bytes = design.lowered_cost.constant_bytes;
  options.max_arena_bytes = design.plan.peak_bytes;
  CHECK(search::passed(search::Gate(options).before_training(design)));
  for (int64_t* bound :
       {&options.max_params, &options.max_macs, &options.max_constant_bytes, &options.max_arena_bytes}) {
    --*bound;
    const std::vector<search::Verdict> verdicts = search::Gate(options).before_training(design);
    CHECK(std::count_if(verdicts.begin(), verdicts.end(), [](const auto& v) { return !v.passed; }) == 1);
    ++*bound;
  }
}

TEST_CASE("the accuracy half of the comparator refuses what is absent or not a number", "[search]") {
  search::GateOptions options;
  options.comparator = search::Comparator{.name = "net", .min_accuracy = 98, .min_probe_accuracy = 95};
  const search::Gate gate(options);
  const auto probe = [&](double accuracy) {
    return search::passed(gate.after_probe({{{"val_accuracy", accuracy}}, {}}));
  };
  CHECK(probe(95));
  CHECK_FALSE(probe(94.999));
  CHECK_FALSE(probe(std::nan("")));
  CHECK_FALSE(search::passed(gate.after_probe({})));
  CHECK(search::passed(gate.after_training(98)));
  CHECK_FALSE(search::passed(gate.after_training(97.9)));
  CHECK(gate.after_training(97.9).front() ==
        search::Verdict{"beats_comparator", false, "", "97.9 %", "at least 98 % (net)"});
}

TEST_CASE("a comparator of other data is not applied, and larger inputs get a larger arena, both with a word",
          "[search]") {
  search::GateOptions options;
  options.max_arena_bytes = 24000;
  options.arena_inputs = 3;
  options.comparator = search::Comparator{.name = "net", .dataset = "digits", .max_params = 5};
  search::GateOptions same = options, other = options;
  search::fit_to_data(same, "digits", {1, 28, 28});
  CHECK(same.comparator);
  CHECK(same.max_arena_bytes == 24000);
  CHECK(same.notes.empty());
  search::fit_to_data(other, "my pictures", {3, 64, 64});
  CHECK_FALSE(other.comparator);
  CHECK(other.max_arena_bytes == 3 * 3 * 64 * 64);
  REQUIRE(other.notes.size() == 2);
  CHECK_THAT(other.notes[0], Catch::Contains("36,864 bytes") && Catch::Contains("24,000 bytes"));
  CHECK_THAT(other.notes[1], Catch::Contains("net") && Catch::Contains("digits") && Catch::Contains("my pictures"));
  options.comparator->dataset.clear();
  options.max_arena_bytes = 0;  // no bound stays no bound
  search::fit_to_data(options, "my pictures", {3, 64, 64});
  CHECK(options.comparator);
  CHECK(options.max_arena_bytes == 0);
  CHECK(options.notes.empty());
}

TEST_CASE("instructions, code and stack of a machine are bounded before anything is trained", "[search]") {
  const search::Candidate design = chain(8, false);
  const arch::MachineCosts costs =
      arch::machine_costs(*arch::find_machine_model("cortex-m4"), design.lowered, design.lowered_cost);
  REQUIRE(costs.instructions > 1000);
  const auto gate = [&](const char* machine, int64_t instructions) {
    return search::Gate({.machine = machine,
                         .max_instructions = instructions,
                         .max_code_bytes = costs.code_bytes,
                         .max_stack_bytes = costs.stack_bytes});
  };
  CHECK(search::passed(gate("cortex-m4", costs.instructions).before_training(design)));
  const auto verdicts = gate("cortex-m4", costs.instructions - 1).before_training(design);
  CHECK_FALSE(search::passed(verdicts));
  const search::Verdict& refused = find(verdicts, "max_instructions");
  CHECK_THAT(refused.value, Catch::Contains(core::thousands(costs.instructions) + " instructions"));
  CHECK_THAT(refused.limit, Catch::Contains("at most") && Catch::Contains("cortex-m4, estimated"));
  CHECK(find(verdicts, "max_stack_bytes").passed);
  CHECK_FALSE(search::passed(gate("cortex-m0", costs.instructions).before_training(design)));  // takes more there
  CHECK_THROWS_AS(gate("cortex-m5", 1), core::ConfigError);
  CHECK_THROWS_AS(gate("", 1), core::ConfigError);

  // What is known of a candidate: instructions too where a machine is named.
  search::Findings known, without;
  search::Gate({.machine = "cortex-m4"}).add_costs(design, known);
  search::Gate({}).add_costs(design, without);
  CHECK(known.metrics.at("instructions") == static_cast<double>(costs.instructions));
  CHECK(known.metrics.at("code_bytes") == static_cast<double>(costs.code_bytes));
  CHECK(known.metrics.at("params") == without.metrics.at("params"));
  CHECK_FALSE(without.metrics.contains("instructions"));
}

TEST_CASE("bounds that nobody can check refuse: instructions of values of 16 bits", "[search]") {
  search::Candidate design = chain(8, false);
  const arch::Analysis& cost = design.lowered_cost;
  const int64_t arena = design.plan.peak_bytes;
  design.plan = arch::plan_memory(design.lowered, cost, arch::int16_nodes(design.lowered, cost, {"all"}));
  REQUIRE(design.plan.peak_bytes > arena);
  const search::Gate gate({.max_arena_bytes = arena, .machine = "cortex-m4", .max_instructions = 1'000'000'000});
  const auto verdicts = gate.before_training(design);
  CHECK_FALSE(find(verdicts, "max_instructions").passed);
  CHECK_THAT(find(verdicts, "max_instructions").value, Catch::Contains("not known"));
  CHECK_FALSE(find(verdicts, "max_arena_bytes").passed);
  search::Findings known;
  gate.add_costs(design, known);
  CHECK_FALSE(known.metrics.contains("instructions"));
}

TEST_CASE("arena and stack are bounded together, with the stack of a machine", "[search]") {
  const search::Candidate design = chain(8, false);
  const arch::MachineCosts costs =
      arch::machine_costs(*arch::find_machine_model("cortex-m4"), design.lowered, design.lowered_cost);
  const int64_t ram = design.plan.peak_bytes + costs.stack_bytes;
  const auto gate = [](int64_t limit) { return search::Gate({.machine = "cortex-m4", .max_ram_bytes = limit}); };
  CHECK(search::passed(gate(ram).before_training(design)));
  const auto verdicts = gate(ram - 1).before_training(design);
  const search::Verdict& refused = find(verdicts, "max_ram_bytes");
  CHECK_FALSE(refused.passed);
  CHECK(refused.node == design.peak_node());
  CHECK(refused.value == core::bytes_text(ram));
  search::Findings known;
  search::Gate({.machine = "cortex-m4"}).add_costs(design, known);
  CHECK(known.metrics.at("ram_bytes") == known.metrics.at("arena_bytes") + known.metrics.at("stack_bytes"));
  CHECK_THROWS_AS(search::Gate({.max_ram_bytes = ram}), core::ConfigError);
}

TEST_CASE("cycles are bounded where what instructions take is known, and said to be estimated", "[search]") {
  const search::Candidate design = chain(8, false);
  const arch::MachineCosts costs =
      arch::machine_costs(*arch::find_machine_model("cortex-m4"), design.lowered, design.lowered_cost);
  REQUIRE(costs.cycles > costs.instructions);
  const auto gate = [](int64_t limit) { return search::Gate({.machine = "cortex-m4", .max_estimated_cycles = limit}); };
  CHECK(search::passed(gate(costs.cycles).before_training(design)));
  const auto verdicts = gate(costs.cycles - 1).before_training(design);
  CHECK_FALSE(search::passed(verdicts));
  CHECK_THAT(find(verdicts, "max_estimated_cycles").value, Catch::Contains("estimated"));
  search::Findings known, unknown;
  gate(0).add_costs(design, known);
  CHECK(known.metrics.at("estimated_cycles") == static_cast<double>(costs.cycles));
  search::Gate({.machine = "cortex-m7"}).add_costs(design, unknown);  // Arm publishes nothing of it
  CHECK_FALSE(unknown.metrics.contains("estimated_cycles"));
}

TEST_CASE("in strips the gate judges the arena, the instructions and the stack of strips", "[search]") {
  const auto make = [] {
    Reader reader = Reader::from_text("space: columns\n", "space.yaml");
    return search::make_space(reader, {{3, 32, 32}, 10});
  };
  const auto in_strips = [](arch::Design& d) { d.plan = arch::plan_strips(d.lowered, d.lowered_cost); };
  const auto whole = make(), strips = search::planned_by(in_strips, make());
  CHECK(strips->decisions() == whole->decisions());
  core::Rng rng(3, 0);
  int smaller = 0;
  for (int i = 0; i < 10; ++i) {
    const search::Genotype genotype = search::sample(*whole, rng);
    const search::Candidate a = whole->expand(genotype), b = strips->expand(genotype);
    CHECK(search::identity(a) == search::identity(b));
    CHECK(b.plan.peak_bytes == arch::plan_strips(a.lowered, a.lowered_cost).peak_bytes);
    if (b.plan.peak_bytes == a.plan.peak_bytes) continue;
    ++smaller;
    // A budget that only strips keep.
    const search::Gate gate({.max_arena_bytes = b.plan.peak_bytes, .machine = "cortex-m4"});
    CHECK_FALSE(search::passed(gate.before_training(a)));
    const auto verdicts = gate.before_training(b);
    CHECK(search::passed(verdicts));
    CHECK_THAT(find(verdicts, "max_arena_bytes").value,
               Catch::Contains(" in " + std::to_string(b.plan.strips.rows.size()) + " strips of " +
                               b.lowered.node(b.plan.strips.cut).name));
    search::Findings of_whole, of_strips;
    gate.add_costs(a, of_whole);
    gate.add_costs(b, of_strips);
    CHECK(of_strips.metrics.at("arena_bytes") == static_cast<double>(b.plan.peak_bytes));
    CHECK(of_strips.metrics.at("instructions") > of_whole.metrics.at("instructions"));
    CHECK(of_strips.metrics.at("code_bytes") > of_whole.metrics.at("code_bytes"));
  }
  CHECK(smaller > 5);
}

TEST_CASE("gate options come from YAML and refuse nonsense", "[search]") {
  const auto read = [](const std::string& yaml) {
    Reader reader = Reader::from_text(yaml, "budget.yaml");
    search::GateOptions options;
    search::read_options(reader, options);
    reader.finish();
    return options;
  };
  const search::GateOptions o = read(
      "device: tiny\nrules: [column_layout]\nmax_arena_bytes: 24000\ncomparator: {name: net, max_params: 5, "
      "min_accuracy: "
      "97.5}\n");
  CHECK(o.device == "tiny");
  CHECK(o.rules == std::vector<std::string>{"column_layout"});
  CHECK(o.max_arena_bytes == 24000);
  REQUIRE(o.comparator);
  CHECK(o.comparator->min_accuracy == 97.5);
  CHECK_FALSE(read("{}").comparator);
  CHECK_THROWS_AS(read("rules: [colum_layout]"), core::ConfigError);
  CHECK_THROWS_AS(read("max_params: -1"), core::ConfigError);
  CHECK_THROWS_AS(read("max_ram: 5"), core::ConfigError);
  CHECK_THROWS_AS(read("comparator: {max_params: 5}"), core::ConfigError);
  CHECK_THROWS_AS(read("comparator: {name: net}"), core::ConfigError);
  CHECK(read("machine: cortex-m4\nmax_instructions: 20000000\n").max_instructions == 20'000'000);
  CHECK_THROWS_WITH(read("machine: cortex-m5"), Catch::Contains("cortex-m5") && Catch::Contains("cortex-m4"));
  CHECK_THROWS_WITH(read("max_instructions: 5"), Catch::Contains("machine") && Catch::Contains("cortex-m4"));
  for (const arch::MachineModel& model : arch::machine_models())  // a bound on what is not known
    for (const std::string key : {"max_stack_bytes", "max_ram_bytes"})
      if (!arch::knows_stack(model))
        CHECK_THROWS_WITH(read("{machine: " + model.name + ", " + key + ": 500}"), Catch::Contains("is not known"));
  CHECK_THROWS_WITH(read("{machine: cortex-m7, max_estimated_cycles: 500}"), Catch::Contains("is not known"));
  CHECK(read("{machine: cortex-m4, max_estimated_cycles: 500}").max_estimated_cycles == 500);
  Reader empty = Reader::empty();
  search::GateOptions defaults;
  CHECK_NOTHROW(search::read_options(empty, defaults));
  CHECK_THROWS_AS(search::Gate({.rules = {"nonsense"}}).before_training(chain(2, false)), core::ConfigError);
}
