// Programs with values of 16 bits: whatever the memory plan, the same integers; and what is refused, and why.
#include "condenser/arch/int16.hpp"

#include "condenser/arch/builder.hpp"
#include "condenser/arch/design_costs.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/arch/zoo.hpp"
#include "condenser/exporters/target.hpp"
#include "condenser/runtime/int8_executor.hpp"
#include "support/catch.hpp"
#include "support/int16_networks.hpp"
#include "support/random_int8.hpp"

namespace condenser::runtime {
namespace {

using testing::int16_networks;
using testing::random_int8;
using testing::RandomInt8;

std::vector<int8_t> run(Int8Program program, const std::vector<int8_t>& input) {
  Int8Executor executor(std::move(program));
  const std::span<const int8_t> output = executor.run(input);
  return {output.begin(), output.end()};
}

// The same arrays, none of them shared.
Int8Program without_overlaps(Int8Program program) {
  program.plan.peak_bytes = 0;
  for (size_t i = 0; i < program.steps.size(); ++i) {
    program.plan.offset[i] = program.plan.peak_bytes;
    program.plan.peak_bytes += (program.plan.bytes[i] + 3) / 4 * 4;
    if (program.plan.scratch[i] < 0) continue;
    program.plan.scratch[i] = program.plan.peak_bytes;
    program.plan.peak_bytes += 100000;  // more than any scratch of these networks
  }
  return program;
}

arch::Design design_with(const arch::Spec& spec, const arch::Int16Words& words) {
  arch::Design design = arch::design_of(spec);
  design.plan = arch::plan_memory(design.lowered, design.lowered_cost,
                                  arch::int16_nodes(design.lowered, design.lowered_cost, words));
  return design;
}

std::string refusal(const arch::Spec& spec, const arch::Int16Words& words) {
  const auto refused = exporters::find_target("c99").unsupported(design_with(spec, words));
  return refused.empty() ? "" : refused.front().node + ": " + refused.front().why;
}

}  // namespace

TEST_CASE("a memory plan changes no integer of 16 bits", "[runtime]") {
  int shared = 0, nested = 0, cuts = 0, two = 0;
  for (const testing::Int16Network& item : int16_networks()) {
    const arch::Analysis analysis = arch::analyze(item.spec);
    const RandomInt8 package = random_int8(item.spec, 4, item.nodes);
    const Int8Program planned = build_program(item.spec, package.weights, package.quant);
    const std::vector<int8_t> input = testing::random_input(item.spec, 5);
    const std::vector<int8_t> expected = run(without_overlaps(planned), input);
    INFO(item.name);
    CHECK(run(planned, input) == expected);
    for (size_t i = 0; i < item.spec.nodes.size(); ++i) {
      const int over = planned.plan.alias_of[i];
      shared += over >= 0;
      nested += over >= 0 && planned.plan.bytes[static_cast<size_t>(over)] > planned.plan.bytes[i];
    }
    const auto with = [&](const arch::Layout& layout, const arch::Strips& strips) {
      return build_program(item.spec, package.weights, package.quant, [&](const auto& s, const auto& a) {
        return arch::plan_memory(s, a, item.nodes, layout, strips);
      });
    };
    for (int cut = 1; cut < static_cast<int>(item.spec.nodes.size()); ++cut)
      for (const int count : {2, 3}) {
        const auto strips = arch::strips_of(item.spec, analysis, cut, count);
        if (!strips) continue;
        ++cuts;
        CHECK(run(with({}, *strips), input) == expected);
      }
    for (const int64_t parts : {2, 3}) {
      const Int8Program program = with({.fast_bytes = planned.plan.peak_bytes / parts}, {});
      two += program.plan.fast_bytes > 0;
      CHECK(run(program, input) == expected);
    }
  }
  CHECK(shared > 8);
  CHECK(nested > 0);
  CHECK(cuts > 20);
  CHECK(two > 5);
}

TEST_CASE("words choose nodes of 16 bits, pools follow their input", "[runtime]") {
  arch::Builder b("net", {3, 8, 8});
  int x = b.add("stem", arch::Conv2d{4, arch::square(3), arch::square(1), arch::pad_all(1), 1, true}, {b.input()});
  x = b.add("act", arch::Activation{arch::ActivationKind::Silu}, {x});
  x = b.add("blur_me", arch::Conv2d{4, arch::square(1), arch::square(1), {}, 1, true}, {x});
  x = b.add("blur", arch::BlurPool{3, arch::square(2)}, {x});
  x = b.add("last", arch::Conv2d{4, arch::square(1), arch::square(1), {}, 1, true}, {x});
  x = b.add("gap", arch::GlobalAvgPool{}, {x});
  b.add("fc", arch::Linear{3}, {x});
  const arch::Spec spec = b.finish();
  const arch::Analysis analysis = arch::analyze(spec);
  const auto chosen = [&](const arch::Int16Words& words) {
    std::string names;
    const arch::Int16Nodes nodes = arch::int16_nodes(spec, analysis, words);
    for (size_t i = 0; i < nodes.size(); ++i)
      if (nodes[i]) names += spec.nodes[i].name + " ";
    return names;
  };
  CHECK(chosen({}).empty());
  CHECK(chosen({"all"}) == "stem act last gap ");  // no kernel blurs 16 bits, outputs have 8
  CHECK(chosen({"all", "-s*"}) == "act last gap ");
  CHECK(chosen({"last"}) == "last gap ");
  CHECK(chosen({"blur_*"}) == "blur_me blur ");
  CHECK(arch::idle_int16_word(spec, analysis, {"all", "gap"}) == "gap");
  CHECK(arch::idle_int16_word(spec, analysis, {"-nothing*"}) == "-nothing*");
  CHECK(arch::idle_int16_word(spec, analysis, {"a*", "fc"}).empty());
  // What a design's memory plan says is what was chosen.
  const arch::Design design = design_with(spec, {"all"});
  CHECK(arch::int16_nodes(design) == arch::int16_nodes(spec, analysis, {"all"}));
  CHECK(arch::int16_nodes(arch::design_of(spec)).empty());
  CHECK(arch::machine_costs(*arch::find_machine_model("cortex-m4"), arch::design_of(spec)).instructions > 0);
  CHECK(arch::machine_costs(*arch::find_machine_model("cortex-m4"), design).instructions == -1);
}

TEST_CASE("what has no form of 16 bits is refused by node", "[runtime]") {
  arch::Builder b("net", {6, 8, 8});
  const arch::Conv2d point{6, arch::square(1), arch::square(1), {}, 1, true};
  const int a = b.add("a", point, {b.input()});
  const int blurred = b.add("blur", arch::BlurPool{3, arch::square(1)}, {a});
  const int slopes = b.add("slopes", arch::PRelu{}, {b.add("c", point, {blurred})});
  const int soft = b.add("soft", arch::Softmax{}, {b.add("attention", point, {slopes})});
  const int product = b.add("product", arch::Mul{}, {soft, b.add("value", point, {slopes})});
  arch::Conv2d four = point;
  four.weight_bits = 4;
  b.add("out", point, {b.add("four", four, {product})});
  const arch::Spec spec = arch::lower(b.finish(), nullptr);
  CHECK_THAT(refusal(spec, {"a"}), Catch::Contains("blur: no kernel of blur_pool") && Catch::Contains("take a out"));
  CHECK_THAT(refusal(spec, {"c"}), Catch::Contains("slopes: no kernel of prelu"));
  CHECK_THAT(refusal(spec, {"attention"}), Catch::Contains("product: a softmax of values of 16 bits"));
  CHECK_THAT(refusal(spec, {"product"}), Catch::Contains("four: weights of 4 bits"));
  CHECK_THAT(refusal(spec, {"out"}), Catch::Contains("out: values of 16 bits as an output"));
  CHECK(refusal(spec, {"value"}).empty());
  const RandomInt8 package = random_int8(spec, 1, arch::int16_nodes(spec, arch::analyze(spec), {"c"}));
  CHECK_THROWS_WITH(build_program(spec, package.weights, package.quant), Catch::Contains("no kernel of prelu"));
  for (const char* target : {"onnx", "tflite", "torch"}) {
    const auto refused = exporters::find_target(target).unsupported(design_with(spec, {"value"}));
    CHECK(std::ranges::any_of(refused, [](const auto& r) { return r.node == "value"; }));
  }
  CHECK_THROWS_WITH(exporters::export_plan(spec, arch::analyze(spec), {.kernels = "cmsis_nn"},
                                           arch::int16_nodes(spec, arch::analyze(spec), {"value"})),
                    Catch::Contains("cmsis_nn: node value"));
}

TEST_CASE("a sum of 16-bit products that could leave 32 bits is refused with its layer", "[runtime]") {
  arch::Builder b("net", {1, 1, 1});
  int x = b.add("wide", arch::Linear{600}, {b.input()});
  b.add("long", arch::Linear{2}, {x});
  const arch::Spec spec = b.finish();
  RandomInt8 package = random_int8(spec, 1, {false, true, false});
  const std::span<int8_t> weights = package.weights.tensors["long.weight"].i8();
  const std::span<int32_t> bias = package.weights.tensors["long.bias"].i32();
  // 2147483647 / 32768 = 65535.99: so much may the absolute weights of a channel sum to.
  std::ranges::fill(weights, int8_t{0});
  std::fill(weights.begin(), weights.begin() + 516, int8_t{127});
  bias[0] = bias[1] = 0;
  weights[516] = 3;
  REQUIRE(516 * 127 + 3 == 65535);
  CHECK_NOTHROW(build_program(spec, package.weights, package.quant));
  bias[0] = 32767;
  CHECK_NOTHROW(build_program(spec, package.weights, package.quant));
  bias[0] = -32768;
  CHECK_THROWS_WITH(build_program(spec, package.weights, package.quant), Catch::Contains("node long, channel 0") &&
                                                                             Catch::Contains("may reach 2147483648") &&
                                                                             Catch::Contains("quantize.int16"));
  bias[0] = 0;
  weights[517] = 1;
  CHECK_THROWS_WITH(build_program(spec, package.weights, package.quant), Catch::Contains("node long, channel 0"));
  // The largest sum itself is right.
  weights[517] = 0;
  Int8Executor executor(build_program(spec, package.weights, package.quant));
  CHECK_NOTHROW(executor.run(std::vector<int8_t>{127}));
}

TEST_CASE("bits of values stand in quant.json, and have to fit the memory plan", "[runtime]") {
  const testing::Int16Network& item = int16_networks().front();
  const RandomInt8 package = random_int8(item.spec, 1, item.nodes);
  CHECK(quant_from_json(to_json(package.quant), "test") == package.quant);
  CHECK_THROWS_WITH(build_program(item.spec, package.weights, package.quant,
                                  [](const auto& s, const auto& a) { return arch::plan_memory(s, a); }),
                    Catch::Contains("node a: has not as many bits"));
  QuantParams shifted = package.quant;
  shifted.nodes.at("a").output.zero_point = 1;
  CHECK_THROWS_WITH(build_program(item.spec, package.weights, shifted), Catch::Contains("expected 0, as it has 16"));
  QuantParams strange = package.quant;
  strange.nodes.at("a").output.bits = 12;
  CHECK_THROWS_WITH(build_program(item.spec, package.weights, strange), Catch::Contains("12 bits a value"));
}

}  // namespace condenser::runtime
