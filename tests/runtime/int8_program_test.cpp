// Programs and their executor against the float reference, node by node, and every refusal of a bad package.
#include "condenser/runtime/int8_program.hpp"

#include <algorithm>
#include <cmath>

#include "condenser/arch/passes.hpp"
#include "condenser/core/seal.hpp"
#include "condenser/runtime/float_executor.hpp"
#include "condenser/runtime/int8_executor.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"
#include "support/int16_networks.hpp"
#include "support/random_int8.hpp"
#include "support/random_spec.hpp"

namespace condenser::runtime {
namespace {

using testing::exemplar;
using testing::random_int8;
using testing::RandomInt8;

// [h, w, c] integers to [c, h, w] floats.
std::vector<float> to_float(const std::vector<int16_t>& values, const arch::Shape& s, const TensorQuant& quant) {
  std::vector<float> result(values.size());
  for (int64_t p = 0; p < s.h * s.w; ++p)
    for (int64_t c = 0; c < s.c; ++c)
      result[static_cast<size_t>(c * s.h * s.w + p)] =
          static_cast<float>(quant.scale * (values[static_cast<size_t>(p * s.c + c)] - quant.zero_point));
  return result;
}

// The node as a network of its own, with its weights as real numbers.
std::vector<float> run_one(const arch::Node& node, const RandomInt8& package, const arch::Shape& in,
                           const TensorQuant& in_quant, const std::vector<float>& input) {
  arch::Spec spec{"one", in, {{"input", arch::Input{}, {}}, {node.name, node.op, {0}}}};
  if (auto* conv = std::get_if<arch::Conv2d>(&spec.nodes[1].op)) conv->bias = true;  // the package always has one
  if (auto* linear = std::get_if<arch::Linear>(&spec.nodes[1].op)) linear->bias = true;
  arch::Weights weights;
  for (const arch::ParamInfo& param : arch::parameters(spec)) {
    const arch::Tensor& tensor = package.weights.at(param.name);
    if (tensor.dtype == arch::DType::F32) {  // the factor of a scale node
      weights.tensors[param.name] = tensor;
      continue;
    }
    const std::vector<double>& scales = package.quant.nodes.at(node.name).weight_scales;
    std::vector<float> values(static_cast<size_t>(tensor.elements()));
    const size_t row = values.size() / scales.size();
    for (size_t i = 0; i < values.size(); ++i) {
      const bool bias = tensor.dtype == arch::DType::I32;
      const double q = bias ? tensor.i32()[i] * in_quant.scale : tensor.i8()[i];
      values[i] = static_cast<float>(q * scales[i / row]);
    }
    weights.tensors[param.name] = arch::make_f32(param.shape, values);
  }
  return FloatExecutor(spec, weights).run(input, 1);
}

// Operators of several inputs, written once more; a network of one node has only one input. Values are [c, h, w].
std::vector<float> softmax_times(const arch::SoftmaxMul& op, const std::vector<float>& a, const std::vector<float>& v,
                                 const arch::Shape& s) {
  std::vector<float> result(a.size());
  const auto pixels = static_cast<size_t>(s.h * s.w);
  const bool over_channels = op.axis == arch::SoftmaxAxis::Channels;
  const auto same_line = [&](size_t i, size_t k) {
    return over_channels ? i % pixels == k % pixels : i / pixels == k / pixels;
  };
  for (size_t i = 0; i < a.size(); ++i) {
    double sum = 0, terms = 0;
    for (size_t k = 0; k < a.size(); ++k) {
      if (!same_line(i, k)) continue;
      sum += std::exp(double{a[k]} - double{a[i]});
      terms += 1;
    }
    result[i] = static_cast<float>((op.rescale ? terms : 1.0) / sum * v[i]);
  }
  return result;
}

std::vector<float> product(const std::vector<float>& a, const std::vector<float>& b, const arch::Shape& out) {
  std::vector<float> result(static_cast<size_t>(out.elements()));
  const auto pixels = static_cast<size_t>(out.h * out.w);
  for (size_t i = 0; i < result.size(); ++i)
    result[i] = a[a.size() == result.size() ? i : i / pixels] * b[b.size() == result.size() ? i : i / pixels];
  return result;
}

// Error allowed, in steps of the output. Where a single value is requantized, the first of the two roundings of the
// profile is itself of up to half a step, and halved or less by the second; so is that of sums to 16 bits, whose steps
// are near those of the sum.
double steps(const arch::Op& op, const TensorQuant& output, const TensorQuant& input) {
  const bool function = std::holds_alternative<arch::Activation>(op), scale = std::holds_alternative<arch::Scale>(op);
  if (input.bits == 16 && (function || scale)) {  // entries are rounded, and lines between them straight
    if (output.bits == 8) return 0.55;
    const auto* kind = std::get_if<arch::Activation>(&op);
    const bool bent = function && kind->kind == arch::ActivationKind::HardSwish;  // by 1/2 at 3, within a line of 3/32
    return scale ? 1.01 : 6 + (bent ? 0.5 * 3 / 32 / 4 / output.scale : 0);
  }
  if (output.bits == 16) return std::holds_alternative<arch::SoftmaxMul>(op) ? 3 : 0.77;  // exponentials have 16 bits
  return std::holds_alternative<arch::Concat>(op) || std::holds_alternative<arch::PRelu>(op) ? 0.77 : 0.53;
}

float clamp_real(float x, arch::Clamp clamp) {
  if (clamp == arch::Clamp::None) return x;
  return std::max(0.0f, clamp == arch::Clamp::Relu6 ? std::min(x, 6.0f) : x);
}

RandomInt8 lowered_package(const std::string& name, arch::Spec& spec) {
  spec = arch::lower(exemplar(name), nullptr);
  return random_int8(spec, 7);
}

// Each node against the float reference of the integers that it read.
void check_nodes(const std::string& network, const arch::Spec& spec, const RandomInt8& package) {
  Int8Executor executor(build_program(spec, package.weights, package.quant));
  std::vector<std::vector<int16_t>> values(spec.nodes.size());
  executor.run(testing::random_input(spec, 2), [&](int node, std::span<const int16_t> v) {
    values[static_cast<size_t>(node)].assign(v.begin(), v.end());
  });
  const arch::Analysis& analysis = executor.program().analysis;
  const auto quant = [&](size_t i) { return package.quant.nodes.at(spec.nodes[i].name).output; };
  for (size_t i = 1; i < spec.nodes.size(); ++i) {
    const arch::Node& node = spec.nodes[i];
    std::vector<std::vector<float>> inputs;
    for (const int k : node.inputs) {
      const auto source = static_cast<size_t>(k);
      inputs.push_back(to_float(values[source], analysis.nodes[source].shape, quant(source)));
    }
    const auto first = static_cast<size_t>(node.inputs[0]);
    const arch::Shape& in = analysis.nodes[first].shape;
    std::vector<float> expected;
    if (const auto* add = std::get_if<arch::Add>(&node.op)) {
      for (size_t e = 0; e < inputs[0].size(); ++e)
        expected.push_back(clamp_real(inputs[0][e] + inputs[1][e], add->clamp));
    } else if (const auto* softmax = std::get_if<arch::SoftmaxMul>(&node.op)) {
      for (const float x : softmax_times(*softmax, inputs[0], inputs[1], in))
        expected.push_back(clamp_real(x, softmax->clamp));
    } else if (std::holds_alternative<arch::Mul>(node.op)) {
      expected = product(inputs[0], inputs[1], analysis.nodes[i].shape);
    } else if (std::holds_alternative<arch::Concat>(node.op)) {
      for (const std::vector<float>& part : inputs) expected.insert(expected.end(), part.begin(), part.end());
    } else {
      expected = run_one(node, package, in, quant(first), inputs[0]);
    }
    const std::vector<float> found = to_float(values[i], analysis.nodes[i].shape, quant(i));
    const double low = quant(i).scale * (quant(i).low() - quant(i).zero_point);
    const double high = quant(i).scale * (quant(i).high() - quant(i).zero_point);
    REQUIRE(found.size() == expected.size());
    for (size_t e = 0; e < found.size(); ++e) {
      INFO(network << ", node " << node.name << ", value " << e);
      REQUIRE(std::abs(found[e] - std::clamp(double{expected[e]}, low, high)) <=
              steps(node.op, quant(i), quant(first)) * quant(i).scale);
    }
  }
}

}  // namespace

TEST_CASE("every int8 node equals the float reference of its own inputs within one rounding", "[runtime]") {
  int networks = 0;
  for (const testing::Exemplar& item : testing::exemplars()) {
    const arch::Spec spec = arch::lower(item.spec, nullptr);
    if (!testing::runs_in_int8(spec)) continue;
    ++networks;
    check_nodes(item.name, spec, random_int8(spec, 1));
  }
  CHECK(networks > 60);
}

TEST_CASE("nodes of 16 bits equal the float reference of their inputs", "[runtime]") {
  for (const testing::Int16Network& item : testing::int16_networks())
    for (const uint64_t seed : {1, 2, 3}) check_nodes(item.name, item.spec, random_int8(item.spec, seed, item.nodes));
}

// Kernels that overwrite an input, steps that share an arena: against a plan that shares nothing.
TEST_CASE("a memory plan changes no integer of a random graph", "[runtime]") {
  core::Rng rng(23);
  int shared = 0;
  int nested = 0;
  for (int round = 0; round < 120; ++round) {
    const arch::Spec spec = arch::lower(testing::random_spec(rng, 3 + static_cast<int>(rng.below(12))), nullptr);
    const RandomInt8 package = random_int8(spec, static_cast<uint64_t>(round));
    const Int8Program planned = build_program(spec, package.weights, package.quant);
    Int8Program apart = planned;
    apart.plan.peak_bytes = 0;
    for (size_t i = 0; i < spec.nodes.size(); ++i) {
      const int over = planned.plan.alias_of[i];
      shared += over >= 0;
      nested += over >= 0 && planned.plan.bytes[static_cast<size_t>(over)] > planned.plan.bytes[i];
      apart.plan.offset[i] = apart.plan.peak_bytes;
      apart.plan.peak_bytes += apart.plan.bytes[i];
      if (planned.plan.scratch[i] < 0) continue;
      apart.plan.scratch[i] = (apart.plan.peak_bytes + 3) / 4 * 4;
      apart.plan.peak_bytes = apart.plan.scratch[i] + planned.plan.peak_bytes;  // more than any scratch
    }
    const std::vector<int8_t> input = testing::random_input(spec, static_cast<uint64_t>(round));
    Int8Executor together(planned), alone(apart);
    const std::span<const int8_t> expected = alone.run(input);
    INFO("round " << round);
    REQUIRE(std::ranges::equal(together.run(input), expected));
  }
  CHECK(shared > 100);
  CHECK(nested > 5);
}

TEST_CASE("inputs are quantized by rounding half away from zero, transposed and saturated", "[runtime]") {
  arch::Spec spec;
  RandomInt8 package = lowered_package("conv_groups", spec);
  package.quant.nodes["input"].output = {0.5, 3};
  const Int8Executor executor(build_program(spec, package.weights, package.quant));
  const auto count = static_cast<size_t>(spec.input.elements());
  std::vector<float> chw(count, 0.0f);
  chw[0] = 0.25f;   // 0.5 -> 1
  chw[1] = -0.25f;  // -0.5 -> -1
  chw[2] = 1e9f;
  chw[3] = -INFINITY;
  chw[4] = NAN;
  chw[count - 1] = 10.0f;
  std::vector<int8_t> hwc(count);
  executor.quantize_input(chw, hwc);
  const auto c = static_cast<size_t>(spec.input.c);
  CHECK(hwc[0] == 4);
  CHECK(hwc[c] == 2);
  CHECK(hwc[2 * c] == 127);
  CHECK(hwc[3 * c] == -128);
  CHECK(hwc[4 * c] == -128);
  CHECK(hwc[1] == 3);
  CHECK(hwc[count - 1] == 23);
  CHECK_THROWS_AS(executor.quantize_input(std::span(chw).first(3), hwc), core::Error);
  CHECK_THROWS_WITH(Int8Executor(executor).run(std::vector<int8_t>(3)), Catch::Contains("3 values"));
}

TEST_CASE("quantization parameters survive JSON to the last bit", "[runtime]") {
  arch::Spec spec;
  RandomInt8 package = lowered_package("network_tiny", spec);
  package.quant.nodes["input"].output.scale = 0.1 + 1e-17;
  package.quant.nodes["input"].output.zero_point = -128;
  CHECK(quant_from_json(to_json(package.quant), "quant.json") == package.quant);
  const auto refused = [](const std::string& text, const std::string& says) {
    INFO(text);
    CHECK_THROWS_WITH(quant_from_json(text, "quant.json"), Catch::StartsWith("quant.json") && Catch::Contains(says));
  };
  for (const char* bad : {"", "[]", "{}", "{\"condenser_quant\": 1}"}) refused(bad, "");
  // With a right checksum, so that what is wrong is the rest.
  const auto refused_inside = [&](const std::string& rest, const std::string& says) {
    const std::string label = "\"checksum\": \"";
    refused(core::sealed("{" + label + std::string(core::kUnsealed) +
                             "\", \"condenser_quant\": 2, \"weights_checksum\": \"\", " + rest + "}",
                         label),
            says);
  };
  refused_inside(R"("rounding": 3, "nodes": {})", "rounding");
  refused_inside(R"("rounding": "double", "nodes": [])", "nodes");
  refused_inside(R"("rounding": "double", "nodes": {"a": 1})", "nodes.a");
  refused_inside(R"("rounding": "double", "nodes": {"a": {"scale": "x", "zero_point": 0}})", "scale");
  refused_inside(R"("rounding": "double", "nodes": {"a": {"scale": 1, "zero_point": 128}})", "zero_point");
  refused_inside(R"("rounding": "double", "nodes": {"a": {"scale": 1, "zero_point": 0.5}})", "zero_point");
  refused_inside(R"("rounding": "double", "nodes": {"a": {"scale": 1, "zero_point": 0, "weight_scales": [null]}})",
                 "weight_scales");
}

TEST_CASE("a flipped bit anywhere in quant.json is refused", "[runtime]") {
  arch::Spec spec;
  const std::string text = to_json(lowered_package("conv_groups", spec).quant);
  for (size_t at = 0; at < text.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = text;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      CHECK_THROWS_AS(quant_from_json(flipped, "quant.json"), core::Error);
    }
}

TEST_CASE("packages that do not fit are refused by name", "[runtime]") {
  arch::Spec spec;
  const RandomInt8 good = lowered_package("network_tiny", spec);
  const auto refuse = [&](const char* what, auto change) {
    RandomInt8 bad = good;
    change(bad);
    INFO(what);
    CHECK_THROWS_WITH(build_program(spec, bad.weights, bad.quant), Catch::Contains(what));
  };
  CHECK_NOTHROW(build_program(spec, good.weights, good.quant));
  refuse("single", [](RandomInt8& p) { p.quant.rounding = "single"; });
  refuse("stem_c1", [](RandomInt8& p) { p.quant.nodes.erase("stem_c1"); });
  refuse("'extra'", [](RandomInt8& p) { p.quant.nodes["extra"] = {}; });
  refuse("scale", [](RandomInt8& p) { p.quant.nodes["stem_c1"].output.scale = 0; });
  refuse("scale nan", [](RandomInt8& p) { p.quant.nodes["stem_c1"].output.scale = NAN; });
  refuse("zero point 200", [](RandomInt8& p) { p.quant.nodes["stem_c1"].output.zero_point = 200; });
  refuse("weight scales", [](RandomInt8& p) { p.quant.nodes["stem_c1"].weight_scales.pop_back(); });
  refuse("weight scale -1", [](RandomInt8& p) { p.quant.nodes["stem_c1"].weight_scales[1] = -1; });
  refuse("stem_pool", [](RandomInt8& p) { p.quant.nodes["stem_pool"].output.zero_point += 1; });
  refuse("stem_c1.weight", [](RandomInt8& p) { p.weights.tensors.erase("stem_c1.weight"); });
  refuse("stem_c1.bias", [](RandomInt8& p) { p.weights.tensors.erase("stem_c1.bias"); });
  refuse("-128", [](RandomInt8& p) { p.weights.tensors.at("stem_c1.weight").i8()[3] = -128; });
  refuse("stray.weight",
         [](RandomInt8& p) { p.weights.tensors["stray.weight"] = arch::make_tensor(arch::DType::I8, {1}); });
  refuse("quantize first", [](RandomInt8& p) {
    arch::Tensor& t = p.weights.tensors.at("stem_c1.weight");
    t = arch::make_tensor(arch::DType::F32, t.shape);
  });
  refuse("shape", [](RandomInt8& p) {
    arch::Tensor& t = p.weights.tensors.at("stem_c1.weight");
    t.shape = {t.elements()};
  });
  refuse("32-bit accumulator", [](RandomInt8& p) { p.weights.tensors.at("stem_c1.bias").i32()[0] = INT32_MAX; });
  refuse("above 2^30", [](RandomInt8& p) { p.quant.nodes["stem_c1"].weight_scales[0] = 1e12; });
}

TEST_CASE("slopes, factors and moved channels that do not fit are refused by name", "[runtime]") {
  const auto refuse = [](const char* network, const char* what, auto change) {
    arch::Spec spec;
    RandomInt8 package = lowered_package(network, spec);
    CHECK_NOTHROW(build_program(spec, package.weights, package.quant));
    change(package);
    INFO(network << ": " << what);
    CHECK_THROWS_WITH(build_program(spec, package.weights, package.quant), Catch::Contains(what));
  };
  refuse("prelu", "expected 1", [](RandomInt8& p) { p.quant.nodes["op"].weight_scales.assign(6, 0.01); });
  refuse("prelu", "weight scale 0", [](RandomInt8& p) { p.quant.nodes["op"].weight_scales = {0}; });
  refuse("prelu", "-128", [](RandomInt8& p) { p.weights.tensors.at("op.weight").i8()[5] = -128; });
  refuse("prelu", "op.weight", [](RandomInt8& p) { p.weights.tensors.erase("op.weight"); });
  refuse("scale", "expected F32 [1]",
         [](RandomInt8& p) { p.weights.tensors.at("op.weight") = arch::make_tensor(arch::DType::I8, {1}); });
  refuse("scale", "expected F32 [1]",
         [](RandomInt8& p) { p.weights.tensors.at("op.weight") = arch::make_tensor(arch::DType::F32, {2}); });
  refuse("scale", "NaN", [](RandomInt8& p) { p.weights.tensors.at("op.weight").f32()[0] = NAN; });
  for (const char* network : {"slice", "shuffle_2", "upsample_odd", "blur_pool_3_s1"})
    refuse(network, "keeps the parameters", [](RandomInt8& p) { p.quant.nodes["op"].output.scale *= 2; });
  refuse("concat", "above 2^30", [](RandomInt8& p) { p.quant.nodes["op"].output.scale = 1e-20; });
  refuse("mul", "above 2^30", [](RandomInt8& p) { p.quant.nodes["op"].output.scale = 1e-20; });
}

TEST_CASE("concatenated inputs of the output's scale are copied", "[runtime]") {
  arch::Spec spec;
  const RandomInt8 package = lowered_package("concat_equal", spec);
  Int8Executor executor(build_program(spec, package.weights, package.quant));
  for (const Call& call : executor.program().steps.back().calls)
    CHECK(
        std::ranges::any_of(call.params, [](const Param& p) { return p.name == std::string("copy") && p.value == 1; }));
  const std::vector<int8_t> input = testing::random_input(spec, 3);
  const std::span<const int8_t> output = executor.run(input);
  CHECK(output[0] == input[0]);       // the whole input,
  CHECK(output[12 + 0] == input[2]);  // its maxima, then channels 2..4
  CHECK(output[15 * 19 + 14] == input[6 * 19 + 4]);
}

TEST_CASE("operators without an int8 form are refused by name", "[runtime]") {
  for (const auto& [name, node] :
       {std::pair{"softmax", "op"}, std::pair{"softmax_broadcast", "bn"}, std::pair{"batch_norm", "op"}}) {
    const arch::Spec& spec = exemplar(name);
    const RandomInt8 package = random_int8(spec, 1);
    CHECK_THROWS_WITH(build_program(spec, package.weights, package.quant),
                      Catch::Contains(node) && Catch::Contains("no int8 form"));
  }
  const arch::Shape map{4, 8, 8};
  const arch::AvgPool wide{{2, 2}, {2, 2}, {2, 0, 0, 0}, false};
  CHECK_THAT(int8_refusal(wide, {map}), Catch::Contains("padding"));
  CHECK(int8_refusal(arch::MaxPool{{2, 2}, {2, 2}, {1, 1, 1, 1}}, {map}).empty());
  CHECK_THAT(int8_refusal(arch::SoftmaxMul{}, {{65537, 1, 1}, {65537, 1, 1}}), Catch::Contains("65,536"));
  CHECK_THAT(int8_refusal(arch::SoftmaxMul{arch::SoftmaxAxis::Space}, {{1, 256, 257}, {1, 256, 257}}),
             Catch::Contains("65,536 pixels"));
  CHECK(int8_refusal(arch::SoftmaxMul{arch::SoftmaxAxis::Space}, {{65537, 256, 256}, {65537, 256, 256}}).empty());
  const arch::Spec& dead = exemplar("dead_node");
  const RandomInt8 package = random_int8(dead, 1);
  CHECK_THROWS_WITH(build_program(dead, package.weights, package.quant), Catch::Contains("dead"));
}

TEST_CASE("the arrays of a program are the constants that the analysis counts", "[runtime]") {
  for (const testing::Exemplar& item : testing::exemplars()) {
    const arch::Spec spec = arch::lower(item.spec, nullptr);
    if (!testing::runs_in_int8(spec)) continue;
    const RandomInt8 package = random_int8(spec, 1);
    const Int8Program program = build_program(spec, package.weights, package.quant);
    int64_t bytes = 0;
    for (const Step& step : program.steps)
      for (const Constant& constant : step.constants) bytes += static_cast<int64_t>(constant.bytes());
    INFO(item.name);
    CHECK(bytes == arch::analyze(spec).constant_bytes);
  }
}

TEST_CASE("of 16 bits, the arrays are the constants counted and the arena has two bytes a value", "[runtime]") {
  for (const testing::Int16Network& item : testing::int16_networks()) {
    const RandomInt8 package = random_int8(item.spec, 1, item.nodes);
    const Int8Program program = build_program(item.spec, package.weights, package.quant);
    INFO(item.name);
    CHECK(int16_nodes(item.spec, package.quant) == item.nodes);
    int64_t bytes = 0;
    for (size_t i = 0; i < program.steps.size(); ++i) {
      for (const Constant& constant : program.steps[i].constants) bytes += static_cast<int64_t>(constant.bytes());
      CHECK(program.plan.bytes[i] == program.analysis.nodes[i].shape.elements() * (item.nodes[i] ? 2 : 1));
      CHECK((program.plan.offset[i] % 2 == 0 || !item.nodes[i]));
    }
    CHECK(bytes == program.analysis.constant_bytes);
  }
}

}  // namespace condenser::runtime
