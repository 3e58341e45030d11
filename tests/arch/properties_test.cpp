// What must hold of every network, on random ones. A failure prints its seed: random_network(seed) makes it again.

#include <algorithm>
#include <cmath>
#include <map>
#include <span>

#include "condenser/arch/design.hpp"
#include "condenser/arch/diagram.hpp"
#include "condenser/arch/kernels.hpp"
#include "condenser/arch/memory.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/arch/rules.hpp"
#include "condenser/arch/spec_io.hpp"
#include "condenser/runtime/float_executor.hpp"
#include "support/catch.hpp"
#include "support/lively.hpp"
#include "support/random_spec.hpp"

namespace {

using namespace condenser;
using namespace condenser::arch;

constexpr int kMostNodes = 40;

Spec random_network(uint64_t seed) {
  core::Rng rng(seed, 0, 0);
  return testing::random_spec(rng, 1 + static_cast<int>(rng.below(kMostNodes)), testing::Operators::All);
}

// The node that first wrote the buffer of i.
size_t owner(const MemoryPlan& plan, size_t i) {
  while (plan.alias_of[i] >= 0) i = static_cast<size_t>(plan.alias_of[i]);
  return i;
}

// Last step at which a live node reads i; the output is needed to the end.
std::vector<size_t> last_reads(const Spec& spec, const Liveness& live) {
  std::vector<size_t> last(spec.nodes.size());
  for (size_t i = 0; i < last.size(); ++i) {
    last[i] = i;
    if (!live[i]) continue;
    for (int input : spec.nodes[i].inputs) last[static_cast<size_t>(input)] = i;
  }
  for (size_t k = 0; k < spec.output_count(); ++k) last[static_cast<size_t>(spec.output(k))] = last.size() - 1;
  return last;
}

// What the kernel of a node takes while it runs.
int64_t scratch_bytes(const Spec& spec, const Analysis& cost, size_t i) {
  std::vector<Shape> in;
  for (const int input : spec.nodes[i].inputs) in.push_back(cost.node(input).shape);
  const Kernel* kernel = choose_kernel(spec.nodes[i].op, in);
  if (kernel == nullptr || kernel->scratch == nullptr) return 0;
  return kernel->scratch(spec.nodes[i].op, in[0], cost.nodes[i].shape);
}

// Two values that are needed at one step lie apart. A buffer that is handed on in place is one until its last reader.
// Outputs that begin inside of a larger input, and scratch, are simulated byte by byte in memory_test.cpp.
void check_plan(const Spec& spec, const Analysis& cost) {
  const MemoryPlan plan = plan_memory(spec, cost, {.nesting = false});
  REQUIRE(plan_memory(spec, cost).peak_bytes <= plan.peak_bytes);
  const Liveness live = live_nodes(spec);
  const std::vector<size_t> last = last_reads(spec, live);
  int64_t largest = 0;
  for (size_t step = 0; step < spec.nodes.size(); ++step) {
    std::map<size_t, size_t> now;  // owner and one of its values
    for (size_t i = 0; i <= step; ++i)
      if (live[i] && last[i] >= step) now[owner(plan, i)] = i;
    int64_t bytes = live[step] ? scratch_bytes(spec, cost, step) : 0;
    for (const auto& [a, i] : now) {
      bytes += plan.bytes[i];
      REQUIRE(plan.offset[i] + plan.bytes[i] <= plan.peak_bytes);
      for (const auto& [b, j] : now) {
        const bool apart =
            plan.offset[i] + plan.bytes[i] <= plan.offset[j] || plan.offset[j] + plan.bytes[j] <= plan.offset[i];
        if (a < b && !apart) FAIL(spec.nodes[i].name << " and " << spec.nodes[j].name << " overlap");
      }
    }
    largest = std::max(largest, bytes);
  }
  REQUIRE(plan.peak_live_bytes == largest);
  REQUIRE(plan.peak_bytes >= largest);
}

void check_identity(const Spec& spec) {
  const core::Hash128 expected = hash(spec);
  Spec other = spec;
  other.name = "other";
  for (size_t i = 0; i < other.nodes.size(); ++i) other.nodes[i].name = "x" + std::to_string(other.nodes.size() - i);
  REQUIRE(hash(other) == expected);
  const Spec yaml = parse_spec(to_yaml(spec), "yaml"), json = parse_spec(to_json(spec), "json");
  REQUIRE(yaml == spec);
  REQUIRE(json == spec);
  REQUIRE(hash(yaml) == expected);
  REQUIRE(hash(json) == expected);
}

void check_lowering(const Spec& spec, const Analysis& given) {
  const Design d = design_of(spec);
  REQUIRE(d.spec == spec);
  REQUIRE(d.cost == given);
  REQUIRE(d.lowered == lower(spec, nullptr));
  REQUIRE(d.lowered_cost == analyze(d.lowered));
  REQUIRE(d.lowered.output_count() == spec.output_count());
  for (size_t k = 0; k < spec.output_count(); ++k) REQUIRE(output_shape(d.lowered, d.lowered_cost, k) == d.output(k));
  REQUIRE(d.plan.offset == plan_memory(d.lowered, d.lowered_cost).offset);
  REQUIRE(lower(d.lowered, nullptr) == d.lowered);
  check_plan(d.lowered, d.lowered_cost);
  const Spec fused = fuse_branches(spec, nullptr);
  REQUIRE(fuse_branches(fused, nullptr) == fused);
  REQUIRE(lower(fused, nullptr) == d.lowered);
}

void check_readers(const Spec& spec) {
  for (const Rule& rule : rules()) {
    for (const Violation& violation : rule.check(spec)) REQUIRE_NOTHROW(find_node(spec, violation.node));
    REQUIRE_NOTHROW(rule.evidence(spec));
  }
  REQUIRE(layer_table(spec).rows.size() >= spec.nodes.size());
  REQUIRE_FALSE(to_mermaid(spec).empty());
  REQUIRE_FALSE(to_dot(spec).empty());
}

void check_all(const Spec& spec) {
  validate(spec);
  const Analysis cost = analyze(spec);
  check_plan(spec, cost);
  check_identity(spec);
  check_lowering(spec, cost);
  check_readers(spec);
  check_readers(lower(spec, nullptr));
}

void check_seeds(uint64_t begin, uint64_t end) {
  for (uint64_t seed = begin; seed < end; ++seed) {
    INFO("seed " << seed);
    check_all(random_network(seed));
  }
}

double largest_of(std::span<const float> values) {
  double largest = 0;
  for (const float v : values) largest = std::max(largest, std::abs(double{v}));
  return largest;
}

// Deep products grow beyond what float can compare: such networks are left out, and counted.
bool check_values(const Spec& spec, uint64_t seed) {
  const std::vector<float> input = testing::random_floats(spec.input.elements(), seed);
  const Weights weights = testing::lively_weights(spec, seed);
  double largest = 1;
  const auto tap = [&](int, std::span<const float> values) { largest = std::max(largest, largest_of(values)); };
  const std::vector<float> expected = runtime::FloatExecutor(spec, weights).run(input, 1, tap);
  if (!(largest < 100)) return false;
  for (const auto pass : {lower, fuse_branches}) {
    Weights rewritten = weights;
    const Spec other = pass(spec, &rewritten);
    CHECK(testing::difference(runtime::FloatExecutor(other, rewritten).run(input, 1), expected).largest <
          1e-4 * largest);
  }
  return true;
}

}  // namespace

TEST_CASE("random networks compute the same after lowering and fusing", "[arch]") {
  int compared = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    INFO("seed " << seed);
    compared += check_values(random_network(seed), seed);
  }
  CHECK(compared > 120);
}

TEST_CASE("properties of random networks", "[arch]") { check_seeds(0, 300); }

TEST_CASE("properties of ten thousand random networks", "[arch][slow]") { check_seeds(1'000, 11'000); }

TEST_CASE("random networks have every operator, dead nodes and branches to fuse", "[arch]") {
  std::map<size_t, int> operators;
  int dead = 0, fused = 0, lone = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    const Spec spec = random_network(seed);
    for (const Node& node : spec.nodes) ++operators[node.op.index()];
    const Liveness live = live_nodes(spec);
    dead += std::count(live.begin(), live.end(), false) > 0;
    lone += std::count(live.begin(), live.end(), true) == 2;
    fused += hash(fuse_branches(spec, nullptr)) != hash(spec);
  }
  CHECK(operators.size() == std::variant_size_v<Op>);
  CHECK(dead > 150);
  CHECK(fused > 10);
  CHECK(lone < 100);
}
