// Which layers have weights of 4 bits, and what that changes of a design.
#include "condenser/arch/int4.hpp"

#include "condenser/arch/builder.hpp"
#include "condenser/arch/spec_io.hpp"
#include "support/catch.hpp"

using namespace condenser::arch;

namespace {

Design network() {
  Builder b("net", {3, 8, 8});
  int x = b.add("stem", Conv2d{5, square(3), square(1), pad_all(1), 1, true}, {b.input()});
  x = b.add("s1_dw", Conv2d{5, square(3), square(1), pad_all(1), 5, true}, {x});
  x = b.add("s1_pw", Conv2d{9, square(1), square(1), {}, 1, true}, {x});
  x = b.add("gap", GlobalAvgPool{}, {x});
  b.add("fc", Linear{3}, {x});
  return design_of(b);
}

std::vector<std::string> chosen(const Int4Words& words) {
  Design d = network();
  choose_int4(d, words);
  std::vector<std::string> names;
  for (const Node& node : d.lowered.nodes)
    if (weight_bits(node.op) == 4) names.push_back(node.name);
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("words choose layers by name, one after the other", "[arch]") {
  CHECK(chosen({}).empty());
  CHECK(chosen({"all"}) == Names{"stem", "s1_dw", "s1_pw", "fc"});
  CHECK(chosen({"inner"}) == Names{"s1_dw", "s1_pw"});
  CHECK(chosen({"inner", "-*_dw"}) == Names{"s1_pw"});
  CHECK(chosen({"-all", "s1_*"}) == Names{"s1_dw", "s1_pw"});
  CHECK(chosen({"*w", "fc"}) == Names{"s1_dw", "s1_pw", "fc"});
  CHECK(chosen({"s*p*"}) == Names{"s1_pw"});
  CHECK(chosen({"s1"}).empty());
  const Spec lowered = network().lowered;
  CHECK(idle_word(lowered, {"all", "-fc", "s1_*"}).empty());
  CHECK(idle_word(lowered, {"all", "-s9_*"}) == "-s9_*");
  CHECK(idle_word(lowered, {"gap"}) == "gap");
}

TEST_CASE("two weights of 4 bits share a byte, an odd one has it alone", "[arch]") {
  const Design whole = network();
  Design d = whole;
  choose_int4(d, {"all"});
  const auto weights = [](const Design& design, size_t i) { return design.lowered_cost.nodes[i].constant_bytes; };
  CHECK(weights(whole, 1) == 5 * 27 + 5 * 9);
  CHECK(weights(d, 1) == 3 * 27 + 5 * 9);  // channels
  CHECK(weights(d, 2) == 9 * 3 + 5 * 9);   // channels of each tap
  CHECK(weights(d, 3) == 5 * 5 + 9 * 9);
  CHECK(weights(d, 5) == 2 * 9 + 3 * 9);
  CHECK(d.lowered_cost.macs == whole.lowered_cost.macs);
  CHECK(plan_memory(d.lowered, d.lowered_cost).peak_bytes == whole.plan.peak_bytes);
  CHECK(plan_memory(d.lowered, d.lowered_cost).scratch == whole.plan.scratch);
}

TEST_CASE("the bits of weights are part of a network, and of its file where they are not 8", "[arch]") {
  const Design whole = network();
  Design d = whole;
  choose_int4(d, {"s1_pw", "fc"});
  CHECK(to_json(whole.lowered).find("weight_bits") == std::string::npos);
  CHECK(hash(d.lowered) != hash(whole.lowered));
  CHECK(fingerprint(d.lowered) != fingerprint(whole.lowered));
  CHECK(parse_spec(to_json(d.lowered), "a.json") == d.lowered);
  CHECK(parse_spec(to_yaml(d.lowered), "a.yaml") == d.lowered);
  std::get<Conv2d>(d.lowered.nodes[1].op).weight_bits = 5;
  CHECK_THROWS_WITH(analyze(d.lowered), Catch::Contains("weight_bits = 5; expected 8 or 4"));
}
