// Graphs and features of candidates.

#include "search/features/features.hpp"

#include "condenser/arch/builder.hpp"
#include "condenser/arch/passes.hpp"
#include "search/features/catalogue.hpp"
#include "support/catch.hpp"
#include "support/fakes.hpp"

using namespace condenser;
using search::Graph;

namespace {

Graph::Node op(const char* name, std::vector<int> inputs, bool parametric = true, bool spatial = false) {
  return {.op = name, .parametric = parametric, .spatial = spatial, .inputs = std::move(inputs)};
}

// input -> a -> b -> output, beside it input -> output.
Graph residual(const char* a = "conv", const char* b = "pool") {
  return {{op("input", {}, false), op(a, {0}), op(b, {1}, false, true), op("output", {2, 0}, false)}};
}

search::Features features(const Graph& graph) { return search::features_of({{0, 1}}, graph, {99, 999, 0, 0}); }

}  // namespace

TEST_CASE("a graph contracts sums and leaves out what no output reads", "[search]") {
  arch::Builder b("net", {4, 8, 8});
  const int x = b.input();
  const int left = b.add("left", arch::Conv2d{.out = 4, .kernel = {3, 3}, .stride = {1, 1}, .pad = {1, 1, 1, 1}}, {x});
  const int sum = b.add("sum", arch::Add{}, {left, x});
  const int more = b.add("more", arch::Add{}, {sum, x});
  const int pool = b.add("pool", arch::GlobalAvgPool{}, {more});
  b.add("fc", arch::Linear{.out = 3}, {pool});
  const Graph g = search::graph_of(b.finish());
  REQUIRE(g.nodes.size() == 5);
  CHECK(g.nodes[1].op == "conv2d 3x3");
  CHECK(g.nodes[1].parametric);
  CHECK(g.nodes[1].spatial);
  CHECK(g.nodes[2].inputs == std::vector<int>{1, 0, 0});  // the input is added twice
  CHECK(g.nodes[3].op == "linear");
  CHECK(g.nodes[4].op == "output");

  Graph dead = residual();
  dead.nodes.insert(dead.nodes.begin() + 3, op("unread", {1}));
  CHECK(search::live(dead).nodes.size() == 4);
  CHECK(search::live(dead).nodes.back().inputs == std::vector<int>{2, 0});
}

TEST_CASE("ways through a graph are counted with what lies on them", "[search]") {
  const search::Features f = features(residual());
  using namespace search;
  CHECK(f.linear[kLogPaths] == Approx(std::log(3)));
  CHECK(f.linear[kDirect] == Approx(std::log(2)));
  CHECK(f.linear[kLongest] == 2);
  CHECK(f.linear[kShortest] == 0);
  CHECK(f.linear[kMeanDepth] == 1);
  CHECK(f.linear[kLongestParametric] == 1);
  CHECK(f.linear[kMeanParametric] == 0.5);
  CHECK(f.linear[kMostSpatial] == 1);
  CHECK(f.linear[kOperatorCount] == 2);
  CHECK(f.linear[kLogParams] == Approx(std::log(100)));
}

TEST_CASE("features tell operators, neighbours and order apart", "[search]") {
  const search::Features one = features(residual()), same = features(residual()),
                         other = features(residual("conv", "max")), turned = features(residual("pool", "conv"));
  for (size_t block = 0; block < search::kBlocks; ++block) CHECK(one.blocks[block] == same.blocks[block]);
  CHECK(one.blocks[search::kOperators] != other.blocks[search::kOperators]);
  CHECK(one.blocks[search::kOperators] == turned.blocks[search::kOperators]);
  CHECK(one.blocks[search::kNeighbourhoods] != turned.blocks[search::kNeighbourhoods]);
  CHECK(one.blocks[search::kSequences] != turned.blocks[search::kSequences]);
}

TEST_CASE("a catalogue answers the same whoever asks, and knows copies and refusals", "[search]") {
  const fakes::ChainSpace space;
  search::GateOptions options;
  options.rules = {"no_strided_pointwise"};
  const search::Gate gate(options);
  const search::Catalogue catalogue(space, gate);
  const auto entry = catalogue.of({{1, 2, 3, 0, 0}});
  CHECK(entry->passed);
  CHECK(entry.get() == catalogue.of({{1, 2, 3, 0, 0}}).get());
  CHECK(entry->fingerprint == catalogue.of({{1, 2, 3, 0, 1}})->fingerprint);
  CHECK_FALSE(entry->fingerprint == catalogue.of({{2, 2, 3, 0, 1}})->fingerprint);
  CHECK_FALSE(catalogue.of({{1, 2, 3, 1, 0}})->passed);  // strided
  CHECK(catalogue.identity({{1, 2, 3, 0, 0}}) == arch::hash(space.expand({{1, 2, 3, 0, 0}}).spec));
}
