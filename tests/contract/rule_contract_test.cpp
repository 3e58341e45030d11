// What every structural rule promises: it can be kept and broken, it names the node, it looks at the graph and not at
// the order of a file, and no network makes it throw. A new rule needs an example of each kind here.

#include <map>
#include <set>

#include "condenser/arch/blocks.hpp"
#include "condenser/arch/builder.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/arch/rules.hpp"
#include "condenser/search/gate.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"
#include "support/random_spec.hpp"

using namespace condenser;
using namespace condenser::arch;

namespace {

struct Example {
  const char* rule;
  void (*keeps)(Builder&);
  void (*breaks)(Builder&);
  const char* node;   // that breaks it
  const char* value;  // what the violation says of it
};

int conv(Builder& b, int x, const char* name, int kernel, int stride, int groups) {
  return b.add(name, Conv2d{8, square(kernel), square(stride), pad_all(kernel / 2), groups}, {x});
}
int stem(Builder& b) { return conv(b, b.input(), "stem", 3, 1, 1); }

const std::vector<Example>& examples() {
  static const std::vector<Example> list = {
      {"column_layout", [](Builder& b) { conv(b, stem(b), "c1", 3, 1, 4); },
       [](Builder& b) { conv(b, stem(b), "c1", 3, 1, 1); }, "c1", "has groups 1"},
      {"no_strided_pointwise", [](Builder& b) { conv(b, stem(b), "c1", 1, 1, 1); },
       [](Builder& b) { conv(b, stem(b), "c1", 1, 2, 1); }, "c1", "strided 1x1 convolution, stride 2x2"},
      {"antialiased_downsampling", [](Builder& b) { antialias_pool(b, stem(b), "pool"); },
       [](Builder& b) { conv(b, stem(b), "c1", 3, 2, 1); }, "c1", "strided 3x3 convolution, stride 2x2"},
  };
  return list;
}

Spec build(void (*make)(Builder&)) {
  Builder b("example", {3, 16, 16});
  make(b);
  return b.finish();
}

const Example& example_of(const Rule& rule) {
  for (const Example& e : examples())
    if (rule.name == e.rule) return e;
  FAIL("rule " << rule.name << " has no examples in rule_contract_test.cpp");
  return examples().front();
}

// Violations without regard to their order, which follows the order of nodes.
std::multiset<std::string> broken(const Rule& rule, const Spec& spec) {
  std::multiset<std::string> list;
  for (const Violation& v : rule.check(spec)) list.insert(v.node + ": " + v.what);
  return list;
}

// The same graph, each node as late as its readers allow.
Spec latest_first(const Spec& spec) {
  const size_t count = spec.nodes.size();
  std::vector<int> readers(count, 0), place(count, -1);
  for (const Node& node : spec.nodes)
    for (int input : node.inputs) ++readers[static_cast<size_t>(input)];
  std::vector<size_t> order;  // from the end; the output stays last, the input first
  std::set<size_t> ready;
  for (size_t i = 1; i < count; ++i)
    if (readers[i] == 0) ready.insert(i);
  for (size_t next = count - 1; order.size() + 1 < count;) {
    ready.erase(next);
    order.push_back(next);
    for (int input : spec.nodes[next].inputs)
      if (--readers[static_cast<size_t>(input)] == 0 && input > 0) ready.insert(static_cast<size_t>(input));
    if (!ready.empty()) next = *ready.begin();  // the earliest of the file comes last
  }
  order.push_back(0);
  Spec result{spec.name, spec.input, {}};
  for (size_t k = count; k-- > 0;) {
    place[order[k]] = static_cast<int>(result.nodes.size());
    Node node = spec.nodes[order[k]];
    for (int& input : node.inputs) input = place[static_cast<size_t>(input)];
    result.nodes.push_back(std::move(node));
  }
  for (const int output : spec.outputs) result.outputs.push_back(place[static_cast<size_t>(output)]);
  validate(result);
  return result;
}

void check_never_throws(const Spec& spec) {
  for (const Rule& rule : rules()) {
    INFO(rule.name << " on " << spec.name);
    for (const Violation& v : rule.check(spec)) {
      CHECK_NOTHROW(find_node(spec, v.node));
      CHECK_FALSE(v.what.empty());
    }
    CHECK_FALSE(rule.evidence(spec).empty());
  }
}

}  // namespace

TEST_CASE("every rule is kept by one example and broken by another", "[arch][contract]") {
  CHECK(examples().size() == rules().size());
  for (const Rule& rule : rules()) {
    INFO(rule.name);
    const Example& e = example_of(rule);
    CHECK(find_rule(rule.name) == &rule);
    CHECK_FALSE(rule.why.empty());
    for (const bool lowered : {false, true}) {
      const auto form = [&](void (*make)(Builder&)) { return lowered ? lower(build(make), nullptr) : build(make); };
      CHECK(rule.check(form(e.keeps)).empty());
      const std::vector<Violation> violations = rule.check(form(e.breaks));
      REQUIRE(violations.size() == 1);
      CHECK(violations[0].node == e.node);
      CHECK_THAT(violations[0].what, Catch::Contains(e.value));
    }
  }
}

TEST_CASE("the gate's verdict names rule, node, value and limit", "[arch][contract]") {
  for (const Rule& rule : rules()) {
    INFO(rule.name);
    const Example& e = example_of(rule);
    search::GateOptions options;
    options.rules = {rule.name};
    const search::Gate gate(options);
    CHECK(search::passed(gate.before_training(design_of(build(e.keeps)))));
    const std::vector<search::Verdict> verdicts = gate.before_training(design_of(build(e.breaks)));
    REQUIRE(verdicts.size() == 1);
    CHECK_FALSE(verdicts[0].passed);
    CHECK(verdicts[0].rule == rule.name);
    CHECK(verdicts[0].node == e.node);
    CHECK_THAT(verdicts[0].value, Catch::Contains(e.value));
    CHECK_FALSE(verdicts[0].limit.empty());
  }
}

TEST_CASE("no rule looks at the others: any order of rules gives each the same verdicts", "[arch][contract]") {
  std::vector<std::string> names;
  for (const Rule& rule : rules()) names.push_back(rule.name);
  const auto verdicts_of = [](const std::vector<std::string>& order, const Design& design) {
    search::GateOptions options;
    options.rules = order;
    std::map<std::string, std::vector<search::Verdict>> by_rule;
    for (const search::Verdict& v : search::Gate(options).before_training(design)) by_rule[v.rule].push_back(v);
    return by_rule;
  };
  for (const Example& e : examples()) {
    const Design design = design_of(build(e.breaks));
    const auto expected = verdicts_of(names, design);
    std::vector<std::string> order = names;
    std::sort(order.begin(), order.end());
    do CHECK(verdicts_of(order, design) == expected);
    while (std::next_permutation(order.begin(), order.end()));
  }
}

// column_layout speaks of the early half, which is a matter of node order; its own definition says so.
TEST_CASE("rules look at the graph, not at the order of the file", "[arch][contract]") {
  core::Rng rng(3);
  int reordered = 0;
  for (int round = 0; round < 300; ++round) {
    const Spec spec = testing::random_spec(rng, 12, testing::Operators::All);
    const Spec other = latest_first(spec);
    REQUIRE(hash(spec) == hash(other));
    reordered += !(spec == other);
    for (const Rule& rule : rules()) {
      if (rule.name == "column_layout") continue;
      INFO(rule.name << ", round " << round);
      CHECK(broken(rule, spec) == broken(rule, other));
    }
  }
  CHECK(reordered > 100);
}

TEST_CASE("no network makes a rule throw", "[arch][contract]") {
  for (const testing::Exemplar& e : testing::exemplars()) {
    check_never_throws(e.spec);
    check_never_throws(lower(e.spec, nullptr));
  }
  core::Rng rng(5);
  for (int round = 0; round < 500; ++round)
    check_never_throws(testing::random_spec(rng, 1 + round % 30, testing::Operators::All));
}
