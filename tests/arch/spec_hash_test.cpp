// The identity of a Spec: what must not change it, what must. The fingerprint has to agree everywhere.

#include <cmath>
#include <map>

#include "condenser/arch/zoo.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"
#include "support/random_spec.hpp"

using namespace condenser;
using namespace condenser::arch;

namespace {

// The same graph in another legal order: repeatedly takes a random node whose inputs are placed; the output stays last.
Spec reordered(const Spec& spec, core::Rng& rng) {
  const int count = static_cast<int>(spec.nodes.size());
  std::vector<int> place(spec.nodes.size(), -1);
  Spec result{spec.name, spec.input, {}};
  while (static_cast<int>(result.nodes.size()) < count) {
    std::vector<int> ready;
    for (int i = 0; i < count; ++i) {
      const bool last = i == count - 1 && static_cast<int>(result.nodes.size()) < count - 1;
      bool ok = place[static_cast<size_t>(i)] < 0 && !last;
      for (int input : spec.node(i).inputs) ok = ok && place[static_cast<size_t>(input)] >= 0;
      if (ok) ready.push_back(i);
    }
    const int next = ready[rng.below(ready.size())];
    place[static_cast<size_t>(next)] = static_cast<int>(result.nodes.size());
    Node node = spec.node(next);
    for (int& input : node.inputs) input = place[static_cast<size_t>(input)];
    result.nodes.push_back(std::move(node));
  }
  return result;
}

Spec two_convolutions(bool shared) {
  const Conv2d conv{4, square(3), square(1), pad_all(1)};
  Spec spec{"two", {3, 8, 8}, {{"input", Input{}, {}}, {"a", conv, {0}}, {"b", conv, {0}}, {"sum", Add{}, {1, 2}}}};
  if (shared) spec.nodes[3].inputs = {1, 1};
  return spec;
}

// Two equal convolutions and four readers, which read (a,a),(b,b) or (a,b),(a,b): the same trees, another graph.
Spec crossed(bool cross) {
  const Conv2d conv{4, square(3), square(1), pad_all(1)};
  Spec spec{"crossed",
            {3, 8, 8},
            {{"input", Input{}, {}},
             {"a", conv, {0}},
             {"b", conv, {0}},
             {"p", Mul{}, {1, 1}},
             {"q", Mul{}, {2, 2}},
             {"sum", Add{}, {3, 4}}}};
  if (cross) spec.nodes[3].inputs = spec.nodes[4].inputs = {1, 2};
  return spec;
}

// Two equal convolutions and two pairs of equal readers: each pair reads one of them, or each pair reads both. Told
// apart only by who reads whom.
Spec paired(bool apart) {
  const Conv2d conv{4, square(3), square(1), pad_all(1)};
  const Activation relu{ActivationKind::Relu}, tanh{ActivationKind::Tanh};
  const int a = 1, b = 2;
  return {"paired",
          {3, 8, 8},
          {{"input", Input{}, {}},
           {"a", conv, {0}},
           {"b", conv, {0}},
           {"p", relu, {a}},
           {"q", relu, {apart ? a : b}},
           {"r", tanh, {apart ? b : a}},
           {"s", tanh, {b}},
           {"all", Concat{}, {3, 4, 5, 6}}}};
}

// Two equal convolutions, both readers take them in one order, or each in its own. Told apart only by the place.
Spec placed(bool alike) {
  const Conv2d conv{4, square(3), square(1), pad_all(1)};
  Spec spec{"placed",
            {3, 8, 8},
            {{"input", Input{}, {}},
             {"a", conv, {0}},
             {"b", conv, {0}},
             {"p", SoftmaxMul{}, {1, 2}},
             {"q", SoftmaxMul{}, {1, 2}},
             {"sum", Add{}, {3, 4}}}};
  if (!alike) spec.nodes[4].inputs = {2, 1};
  return spec;
}

// Both identities of a network. Comparing two demands that they agree.
struct Identity {
  core::Hash128 hash;
  core::Fingerprint fingerprint;
};
Identity identity(const Spec& spec) { return {hash(spec), fingerprint(spec)}; }
bool operator==(const Identity& a, const Identity& b) {
  REQUIRE((a.hash == b.hash) == (a.fingerprint == b.fingerprint));
  return a.hash == b.hash;
}

// No two alike, by either identity.
void check_all_differ(const std::vector<Spec>& specs) {
  std::map<core::Hash128, size_t> hashes;
  std::map<core::Fingerprint, size_t> fingerprints;
  for (size_t i = 0; i < specs.size(); ++i) {
    const auto [by_hash, fresh] = hashes.emplace(hash(specs[i]), i);
    INFO(i << " " << specs[i].name << " and " << by_hash->second);
    CHECK(fresh);
    CHECK(fingerprints.emplace(fingerprint(specs[i]), i).second);
  }
}

const Conv2d kConv{8, square(3), square(1), pad_all(1), 2};
const AvgPool kAvg{square(3), square(2), pad_all(1), false};
const MaxPool kMax{square(3), square(2), pad_all(1)};

template <class T>
T changed(T value, void (*change)(T&)) {
  change(value);
  return value;
}

Spec one(const Op& op, Shape input = {4, 8, 8}) {
  Spec spec{"one", input, {{"input", Input{}, {}}, {"op", op, {}}}};
  const int count = input_count(op) == kManyInputs ? 3 : input_count(op);
  for (int k = 0; k < count; ++k) spec.nodes[1].inputs.push_back(0);
  return spec;
}

}  // namespace

TEST_CASE("hash ignores names, order, dead nodes and the order of summands", "[arch]") {
  core::Rng rng(7);
  for (int round = 0; round < 30; ++round) {
    const Spec spec = testing::random_spec(rng, 25);
    const Identity expected = identity(spec);
    Spec other = reordered(spec, rng);
    CHECK(identity(other) == expected);

    for (size_t i = 0; i < other.nodes.size(); ++i) other.nodes[i].name = "x" + std::to_string(i);
    other.name = "renamed";
    CHECK(identity(other) == expected);

    for (Node& node : other.nodes) {
      if (commutative(node.op)) std::swap(node.inputs[0], node.inputs[1]);
    }
    CHECK(identity(other) == expected);

    Spec more = spec;  // a dead node before the output
    more.nodes.insert(more.nodes.end() - 1, Node{"dead", Activation{ActivationKind::Tanh}, {0}});
    CHECK(identity(more) == expected);
  }
}

TEST_CASE("hash tells every attribute apart", "[arch]") {
  const std::vector<Op> ops = {
      kConv,
      changed<Conv2d>(kConv, [](Conv2d& c) { c.out = 10; }),
      changed<Conv2d>(kConv, [](Conv2d& c) { c.kernel.h = 5; }),
      changed<Conv2d>(kConv, [](Conv2d& c) { c.kernel.w = 5; }),
      changed<Conv2d>(kConv, [](Conv2d& c) { c.stride.h = 2; }),
      changed<Conv2d>(kConv, [](Conv2d& c) { c.stride.w = 2; }),
      changed<Conv2d>(kConv, [](Conv2d& c) { c.pad.top = 0; }),
      changed<Conv2d>(kConv, [](Conv2d& c) { c.pad.bottom = 0; }),
      changed<Conv2d>(kConv, [](Conv2d& c) { c.pad.left = 0; }),
      changed<Conv2d>(kConv, [](Conv2d& c) { c.pad.right = 0; }),
      changed<Conv2d>(kConv, [](Conv2d& c) { c.groups = 4; }),
      changed<Conv2d>(kConv, [](Conv2d& c) { c.bias = true; }),
      changed<Conv2d>(kConv, [](Conv2d& c) { c.clamp = Clamp::Relu; }),
      changed<Conv2d>(kConv, [](Conv2d& c) { c.clamp = Clamp::Relu6; }),
      BatchNorm{},
      BatchNorm{std::nextafter(1e-5, 1.0), 0.1},
      BatchNorm{1e-5, 0.2},
      Activation{ActivationKind::Relu},
      Activation{ActivationKind::Silu},
      Softmax{},
      SoftmaxMul{},
      kAvg,
      changed<AvgPool>(kAvg, [](AvgPool& p) { p.count_include_pad = true; }),
      changed<AvgPool>(kAvg, [](AvgPool& p) { p.kernel.h = 2; }),
      changed<AvgPool>(kAvg, [](AvgPool& p) { p.stride.w = 1; }),
      changed<AvgPool>(kAvg, [](AvgPool& p) { p.pad.right = 0; }),
      kMax,
      changed<MaxPool>(kMax, [](MaxPool& p) { p.kernel.w = 2; }),
      changed<MaxPool>(kMax, [](MaxPool& p) { p.stride.h = 1; }),
      changed<MaxPool>(kMax, [](MaxPool& p) { p.pad.bottom = 0; }),
      GlobalAvgPool{},
      Linear{5, true},
      Linear{6, true},
      Linear{5, false},
      changed<Linear>(Linear{5, true}, [](Linear& l) { l.clamp = Clamp::Relu; }),
      Add{},
      Add{Clamp::Relu},
      Mul{},
      Softmax{SoftmaxAxis::Space},
      Softmax{SoftmaxAxis::Channels, true},
      SoftmaxMul{SoftmaxAxis::Space},
      PRelu{},
      Scale{},
      BlurPool{3, square(2)},
      BlurPool{5, square(2)},
      BlurPool{3, {2, 1}},
      Upsample{{8, 9}},
      Upsample{{9, 8}},
      Concat{},
      Slice{0, 2},
      Slice{1, 2},
      Slice{1, 3},
      ChannelShuffle{2},
      ChannelShuffle{4},
  };
  std::vector<Spec> specs;
  for (const Op& op : ops) specs.push_back(one(op));
  check_all_differ(specs);
  CHECK_FALSE(identity(one(kConv)) == identity(one(kConv, {4, 8, 9})));
  CHECK(identity(one(BatchNorm{1e-5, 0.0})) == identity(one(BatchNorm{1e-5, -0.0})));
}

TEST_CASE("hash tells a shared node from two equal ones", "[arch]") {
  CHECK_FALSE(identity(two_convolutions(true)) == identity(two_convolutions(false)));
  CHECK_FALSE(identity(crossed(true)) == identity(crossed(false)));
  CHECK_FALSE(identity(paired(true)) == identity(paired(false)));
  CHECK_FALSE(identity(placed(true)) == identity(placed(false)));
}

TEST_CASE("hash keeps the order of attention and value", "[arch]") {
  Spec spec = testing::exemplar("softmax_mul");
  const Identity before = identity(spec);
  std::swap(spec.nodes.back().inputs[0], spec.nodes.back().inputs[1]);
  CHECK_FALSE(identity(spec) == before);
}

TEST_CASE("hash sees which nodes are the outputs, and in which order", "[arch]") {
  Spec heads = testing::exemplar("output_two_heads");
  const std::vector<int> both = heads.outputs;
  const core::Hash128 two = hash(heads);
  set_outputs(heads, {both[1], both[0]});
  CHECK(hash(heads) != two);
  heads.outputs.clear();
  CHECK(hash(heads) != two);
  // One output is the network without what lies behind it.
  Spec early = testing::exemplar("output_before_the_end"), cut = early;
  cut.outputs.clear();
  cut.nodes.pop_back();
  CHECK(hash(early) == hash(cut));
  Spec alike = testing::exemplar("add_itself");  // which of two equal nodes is read from outside
  alike.nodes = {{"input", Input{}, {}}, {"a", Activation{}, {0}}, {"b", Activation{}, {0}}, {"c", PRelu{}, {1}}};
  set_outputs(alike, {3, 1});
  Spec other = alike;
  set_outputs(other, {3, 2});
  CHECK(hash(alike) != hash(other));
}

TEST_CASE("Exemplars have different hashes", "[arch]") {
  std::vector<Spec> specs;
  for (const testing::Exemplar& e : testing::exemplars()) specs.push_back(e.spec);
  check_all_differ(specs);
}

TEST_CASE("hash and fingerprint agree about random networks", "[arch]") {
  core::Rng rng(11);
  std::map<core::Hash128, core::Fingerprint> by_hash;
  std::map<core::Fingerprint, core::Hash128> by_fingerprint;
  int copies = 0;
  for (int round = 0; round < 4000; ++round) {  // few nodes, so that some come twice
    const Identity id = identity(testing::random_spec(rng, 1 + round % 4, testing::Operators::All));
    copies += !by_hash.emplace(id.hash, id.fingerprint).second;
    by_fingerprint.emplace(id.fingerprint, id.hash);
    REQUIRE(by_hash.at(id.hash) == id.fingerprint);
    REQUIRE(by_fingerprint.at(id.fingerprint) == id.hash);
  }
  CHECK(copies > 10);
}

// Stored studies are keyed by these values: a change here orphans every finished search.
TEST_CASE("hash is stable across versions", "[arch]") {
  CHECK(hash(one(kConv)).hex() == "0ceb98c2bca38f255f62cf7fcba0cf2c");
  CHECK(hash(testing::exemplar("network_tiny")).hex() == "73ef482b9ef41ed4e5bc8d69061738df");
  CHECK(hash(find_zoo("dcac_sca_325mf").make({3, 224, 224}, 1)).hex() == "a423aea753be7eb615e507987b3fec03");
}
