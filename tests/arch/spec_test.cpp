// What validate() accepts and refuses; consumers, liveness, look-up.

#include "condenser/arch/spec.hpp"

#include <functional>
#include <limits>
#include <set>

#include "support/catch.hpp"
#include "support/exemplars.hpp"

using namespace condenser;
using namespace condenser::arch;

namespace {

Spec small() {
  return {"small",
          {3, 8, 8},
          {{"input", Input{}, {}},
           {"c1", Conv2d{4, square(3), square(1), pad_all(1)}, {0}},
           {"dead", Activation{}, {1}},
           {"c2", Conv2d{4, square(1), square(1), Pad{}}, {1}},
           {"sum", Add{}, {1, 3}}}};
}

std::string refusal(const Spec& spec) {
  try {
    validate(spec);
  } catch (const SpecError& e) {
    CHECK(e.code() == core::ExitCode::Usage);
    return e.what();
  }
  return "";
}

std::string refusal_of(const std::function<void(Spec&)>& change) {
  Spec spec = small();
  change(spec);
  return refusal(spec);
}

Conv2d& conv(Spec& s) { return std::get<Conv2d>(s.nodes[1].op); }

}  // namespace

TEST_CASE("Exemplars are valid and stay small", "[arch]") {
  std::set<std::string> names;
  for (const testing::Exemplar& e : testing::exemplars()) {
    INFO(e.name);
    CHECK(refusal(e.spec).empty());
    CHECK(names.insert(e.name).second);
    CHECK(e.spec.name == e.name);
  }
}

TEST_CASE("validate refuses broken structure and names the node", "[arch]") {
  CHECK(refusal(small()).empty());
  using Case = std::pair<std::function<void(Spec&)>, std::string>;
  const Case cases[] = {
      {[](Spec& s) { s.nodes.clear(); }, "has 0 nodes"},
      {[](Spec& s) { s.nodes.resize(1); }, "has 1 nodes"},
      {[](Spec& s) { s.nodes[1].name = "C1"; }, "node C1: name of node 1"},
      {[](Spec& s) { s.nodes[1].name = ""; }, "name of node 1"},
      {[](Spec& s) { s.nodes[1].name = "1c"; }, "lower-case letter"},
      {[](Spec& s) { s.nodes[1].name = "a.b"; }, "lower-case letter"},
      {[](Spec& s) { s.nodes[1].name = std::string(kMaxNameLength + 1, 'a'); }, "at most 128"},
      {[](Spec& s) { s.nodes[1].name = "a\nb"; }, "node a?b"},
      {[](Spec& s) { s.nodes[3].name = "c1"; }, "node c1: two nodes"},
      {[](Spec& s) { s.nodes[0].op = Softmax{}; }, "expected the input node first"},
      {[](Spec& s) {
         s.nodes[2] = {"again", Input{}, {}};
       },
       "second input node"},
      {[](Spec& s) { s.nodes[4].inputs = {1}; }, "node sum: 1 inputs for add; expected 2"},
      {[](Spec& s) {
         s.nodes[3].inputs = {1, 1};
       },
       "2 inputs for conv2d; expected 1"},
      {[](Spec& s) { s.nodes[3].inputs = {3}; }, "reads node 3 but is node 3"},
      {[](Spec& s) { s.nodes[3].inputs = {4}; }, "reads node 4"},
      {[](Spec& s) { s.nodes[3].inputs = {-1}; }, "reads node -1"},
      {[](Spec& s) { s.input.c = 0; }, "input shape 0x8x8"},
      {[](Spec& s) { s.input.h = -1; }, "input shape"},
      {[](Spec& s) { s.input.w = int64_t{1} << 40; }, "input shape"},
      {[](Spec& s) {
         s.input = {65'536, 65'536, 2};
       },
       "at most 268435456 values"},
  };
  for (const Case& c : cases) {
    const std::string message = refusal_of(c.first);
    INFO(c.second);
    CHECK_THAT(message, Catch::Contains(c.second));
    CHECK(message.find('\n') == std::string::npos);
  }
}

TEST_CASE("outputs are nodes behind the input, each named once", "[arch]") {
  const auto with = [](std::vector<int> outputs) { return refusal_of([&](Spec& s) { s.outputs = outputs; }); };
  CHECK(with({4}).empty());
  CHECK(with({3, 1}).empty());
  CHECK_THAT(with({0}), Catch::Contains("output 0") && Catch::Contains("behind the input"));
  CHECK_THAT(with({4, 5}), Catch::Contains("output 1") && Catch::Contains("expected 1..4"));
  CHECK_THAT(with({3, 4, 3}), Catch::Contains("node c2: is named twice"));
  Spec spec = small();
  set_outputs(spec, {4});
  CHECK(spec == small());  // the last node alone is the default
  set_outputs(spec, {3, 1});
  CHECK(spec.output_count() == 2);
  CHECK(spec.is_output(3));
  CHECK_FALSE(spec.is_output(4));
  CHECK(live_nodes(spec) == Liveness{true, true, false, true, false});
  CHECK_THROWS_WITH(sole_output(spec, "training"),
                    Catch::Contains("2 outputs (c2, c1)") && Catch::Contains("training") && Catch::Contains("outputs"));
  set_outputs(spec, {3});
  CHECK(sole_output(spec, "training") == 3);
}

TEST_CASE("validate refuses attributes out of range", "[arch]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  using Case = std::pair<std::function<void(Spec&)>, std::string>;
  const Case cases[] = {
      {[](Spec& s) { conv(s).out = 0; }, "node c1: out = 0; expected 1..65536"},
      {[](Spec& s) { conv(s).out = 65'537; }, "out = 65537"},
      {[](Spec& s) { conv(s).groups = 0; }, "groups = 0"},
      {[](Spec& s) { conv(s).groups = 3; }, "multiple of groups"},
      {[](Spec& s) { conv(s).kernel.h = 0; }, "kernel height = 0"},
      {[](Spec& s) { conv(s).kernel.w = 256; }, "kernel width = 256; expected 1..255"},
      {[](Spec& s) { conv(s).stride.h = 0; }, "stride height = 0"},
      {[](Spec& s) { conv(s).stride.w = -2; }, "stride width = -2"},
      {[](Spec& s) { conv(s).pad.left = -1; }, "padding left = -1"},
      {[](Spec& s) { conv(s).pad.bottom = 3; }, "padding bottom = 3; expected 0..2"},
      {[](Spec& s) {
         s.nodes[3].op = AvgPool{square(3), square(1), pad_all(2)};
       },
       "pool padding top = 2"},
      {[](Spec& s) {
         s.nodes[3].op = MaxPool{square(2), square(0), Pad{}};
       },
       "stride height = 0"},
      {[](Spec& s) {
         s.nodes[3].op = BatchNorm{0.0, 0.1};
       },
       "eps"},
      {[&](Spec& s) {
         s.nodes[3].op = BatchNorm{nan, 0.1};
       },
       "eps"},
      {[&](Spec& s) {
         s.nodes[3].op = BatchNorm{1e-5, nan};
       },
       "momentum"},
      {[](Spec& s) {
         s.nodes[3].op = BatchNorm{1e-5, 1.5};
       },
       "momentum = 1.5"},
      {[](Spec& s) {
         s.nodes[3].op = Linear{0, true};
       },
       "out = 0"},
  };
  for (const Case& c : cases) {
    INFO(c.second);
    CHECK_THAT(refusal_of(c.first), Catch::Contains(c.second));
  }
}

TEST_CASE("validate bounds the number of nodes", "[arch]") {
  Spec spec{"long", {1, 1, 1}, {{"input", Input{}, {}}}};
  for (int i = 1; i < kMaxNodes; ++i) spec.nodes.push_back({"n" + std::to_string(i), Activation{}, {i - 1}});
  CHECK(refusal(spec).empty());
  spec.nodes.push_back({"one_more", Activation{}, {0}});
  CHECK_THAT(refusal(spec), Catch::Contains("10001 nodes"));
}

TEST_CASE("consumers lists each reader once", "[arch]") {
  Spec spec = small();
  CHECK(consumers(spec) == std::vector<std::vector<int>>{{1}, {2, 3, 4}, {}, {4}, {}});
  spec.nodes[4].inputs = {3, 3};
  CHECK(consumers(spec)[3] == std::vector<int>{4});
}

TEST_CASE("live_nodes are those the output depends on", "[arch]") {
  CHECK(live_nodes(small()) == Liveness{true, true, false, true, true});
}

TEST_CASE("find_node names the nearest", "[arch]") {
  CHECK(find_node(small(), "c2") == 3);
  CHECK_THROWS_WITH(find_node(small(), "sun"), Catch::Contains("nearest is 'sum'"));
  CHECK_THROWS_AS(find_node(small(), "nothing_like_it"), SpecError);
}
