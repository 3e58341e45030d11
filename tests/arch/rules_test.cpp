// Each rule with networks that keep it and networks that break it; what all rules promise is in
// contract/rule_contract_test.cpp.

#include "condenser/arch/rules.hpp"

#include <functional>

#include "condenser/arch/blocks.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/arch/zoo.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"

using namespace condenser;
using namespace condenser::arch;

namespace {

struct Example {
  std::string rule, about;
  std::vector<std::string> breaking;  // nodes named by violations, in order
  std::function<void(Builder&)> build;
};

int conv(Builder& b, int x, const std::string& name, int kernel, int stride, int groups) {
  const int out = static_cast<int>(b.shape(x).c) == 3 ? 8 : static_cast<int>(b.shape(x).c);
  return b.add(name, Conv2d{out, square(kernel), square(stride), pad_all((kernel - 1) / 2), groups}, {x});
}

// stem, then spatial convolutions with these groups.
std::function<void(Builder&)> chain(std::vector<int> groups) {
  return [groups](Builder& b) {
    int x = conv(b, 0, "stem", 3, 2, 1);
    for (size_t i = 0; i < groups.size(); ++i) x = conv(b, x, "c" + std::to_string(i + 1), 3, 1, groups[i]);
  };
}

const std::vector<Example>& examples() {
  static const std::vector<Example> list = {
      {"column_layout", "all in columns", {}, chain({4, 4, 2})},
      {"column_layout", "dense in the later half", {}, chain({4, 2, 1, 1})},
      {"column_layout", "early half rounds up", {"c2"}, chain({4, 1, 1})},
      {"column_layout", "one dense convolution", {"c1"}, chain({1})},
      {"column_layout", "columns too late", {"c1", "c2"}, chain({1, 1, 4, 4})},
      {"column_layout", "depthwise is the limit of columns", {}, chain({8, 8})},
      {"column_layout",
       "only the stem is spatial",
       {"p"},
       [](Builder& b) { conv(b, conv(b, 0, "stem", 3, 2, 1), "p", 1, 1, 1); }},
      {"column_layout", "no convolution at all", {"gap"}, [](Builder& b) { b.add("gap", GlobalAvgPool{}, {0}); }},
      {"column_layout",
       "1x1 convolutions may mix",
       {},
       [](Builder& b) { conv(b, conv(b, conv(b, 0, "stem", 3, 2, 1), "mix", 1, 1, 1), "c1", 3, 1, 4); }},
      {"column_layout",
       "1xk and kx1 are spatial",
       {"row"},
       [](Builder& b) {
         const int x = conv(b, 0, "stem", 3, 1, 1);
         b.add("row", Conv2d{8, Size{1, 3}, square(1), Pad{0, 0, 1, 1}}, {x});
       }},
      {"column_layout",
       "a 1x1 on the input does not spend the stem's exemption",
       {},
       [](Builder& b) { conv(b, conv(b, conv(b, 0, "color", 1, 1, 1), "stem", 3, 1, 1), "c1", 3, 1, 4); }},
      {"column_layout",
       "a batch norm on the input, a 1x1 once lowered, does not either",
       {},
       [](Builder& b) { conv(b, conv(b, b.add("bn", BatchNorm{}, {0}), "stem", 3, 2, 1), "c1", 3, 1, 4); }},
      {"column_layout",
       "dead convolutions do not count",
       {},
       [](Builder& b) {
         const int x = conv(b, 0, "stem", 3, 1, 1);
         conv(b, x, "dead", 3, 1, 1);
         conv(b, x, "c1", 3, 1, 4);
       }},
      {"no_strided_pointwise",
       "stride in a pool",
       {},
       [](Builder& b) { conv(b, antialias_pool(b, conv(b, 0, "stem", 3, 2, 1), "pool"), "p", 1, 1, 1); }},
      {"no_strided_pointwise",
       "strided 1x1",
       {"p"},
       [](Builder& b) { conv(b, conv(b, 0, "stem", 3, 2, 1), "p", 1, 2, 1); }},
      {"no_strided_pointwise",
       "stride along one axis",
       {"p"},
       [](Builder& b) {
         b.add("p", Conv2d{8, square(1), Size{1, 2}, Pad{}}, {0});
       }},
      {"no_strided_pointwise",
       "a strided 1x1 nobody reads",
       {},
       [](Builder& b) {
         conv(b, 0, "p", 1, 2, 1);
         conv(b, 0, "c", 3, 1, 1);
       }},
      {"antialiased_downsampling",
       "stem stride, then average pools",
       {},
       [](Builder& b) { conv(b, antialias_pool(b, conv(b, 0, "stem", 3, 2, 1), "pool"), "c1", 3, 1, 4); }},
      {"antialiased_downsampling",
       "strided convolution after the stem",
       {"c1"},
       [](Builder& b) { conv(b, conv(b, 0, "stem", 3, 2, 1), "c1", 3, 2, 4); }},
      {"antialiased_downsampling",
       "a strided 1x1 belongs to the other rule",
       {},
       [](Builder& b) { conv(b, conv(b, 0, "stem", 3, 1, 1), "p", 1, 2, 1); }},
      {"antialiased_downsampling",
       "strided max-pool",
       {"pool"},
       [](Builder& b) {
         b.add("pool", MaxPool{square(3), square(2), pad_all(1)}, {conv(b, 0, "stem", 3, 2, 1)});
       }},
      {"antialiased_downsampling",
       "max-pool without stride",
       {},
       [](Builder& b) {
         b.add("pool", MaxPool{square(3), square(1), pad_all(1)}, {conv(b, 0, "stem", 3, 2, 1)});
       }},
      {"antialiased_downsampling",
       "an average pool that skips pixels",
       {"pool"},
       [](Builder& b) {
         b.add("pool", AvgPool{square(1), square(2), Pad{}}, {conv(b, 0, "stem", 3, 2, 1)});
       }},
      {"antialiased_downsampling",
       "a padded and overlapping average pool",
       {},
       [](Builder& b) {
         b.add("pool", AvgPool{square(3), square(2), pad_all(1), true}, {conv(b, 0, "stem", 3, 2, 1)});
       }},
  };
  return list;
}

}  // namespace

TEST_CASE("Rules hold and break where expected", "[arch]") {
  for (const Example& e : examples()) {
    INFO(e.rule << ": " << e.about);
    const Rule* rule = find_rule(e.rule);
    REQUIRE(rule != nullptr);
    Builder b("example", {3, 16, 16});
    e.build(b);
    const Spec spec = b.finish();
    for (const Spec& form : {spec, lower(spec, nullptr)}) {
      std::vector<std::string> nodes;
      for (const Violation& v : rule->check(form)) {
        nodes.push_back(v.node);
        CHECK_FALSE(v.what.empty());
      }
      CHECK(nodes == e.breaking);
    }
  }
  CHECK(find_rule("no_such_rule") == nullptr);
}

TEST_CASE("Violations carry the numbers", "[arch]") {
  Builder b("bad", {3, 16, 16});
  conv(b, conv(b, conv(b, 0, "stem", 3, 2, 1), "c1", 5, 2, 1), "p", 1, 2, 1);
  const Spec spec = b.finish();
  CHECK_THAT(find_rule("no_strided_pointwise")->check(spec).at(0).what,
             Catch::Contains("strided 1x1 convolution, stride 2x2"));
  CHECK_THAT(find_rule("antialiased_downsampling")->check(spec).at(0).what,
             Catch::Contains("strided 5x5 convolution, stride 2x2"));
  CHECK_THAT(find_rule("column_layout")->check(spec).at(0).what,
             Catch::Contains("1 of 1") && Catch::Contains("5x5") && Catch::Contains("groups 1"));
}

// The rules are those of this line; its peers were designed without them.
TEST_CASE("Reference networks of the column line keep all rules", "[arch]") {
  for (const ZooCard& card : zoo()) {
    if (card.family != "DC-AC") continue;
    const Spec spec = card.make(card.input, card.classes);
    for (const Rule& rule : rules()) {
      INFO(card.name << " " << rule.name);
      CHECK(rule.check(spec).empty());
      CHECK(rule.check(lower(spec, nullptr)).empty());
    }
  }
}
