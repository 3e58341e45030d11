// ONNX models of every exemplar come back as the same network with the same numbers, and compute the same in ONNX
// Runtime.
#include "exporters/onnx.hpp"

#include "condenser/arch/int4.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/arch/zoo.hpp"
#include "condenser/core/files.hpp"
#include "condenser/runtime/float_executor.hpp"
#include "condenser/runtime/int8_executor.hpp"
#include "importers/onnx.hpp"
#include "support/absent.hpp"
#include "support/c99_package.hpp"
#include "support/exemplars.hpp"
#include "support/lively.hpp"
#include "verify/onnx.hpp"
#include "verify/python.hpp"

using namespace condenser;
using namespace condenser::testing;

namespace {

bool holds(const arch::Spec& spec) { return exporters::find_target("onnx").unsupported(arch::design_of(spec)).empty(); }

// Slicing all channels, or shuffling single ones, is nothing: such a network has no operator left.
bool is_nothing(const std::string& name) { return name == "slice_all" || name == "shuffle_each"; }

// Scales as a file of single precision holds them.
void round_scales(runtime::QuantParams& quant) {
  for (auto& [name, node] : quant.nodes) {
    node.output.scale = double{static_cast<float>(node.output.scale)};
    for (double& scale : node.weight_scales) scale = double{static_cast<float>(scale)};
  }
}

// The file does not say how many bits weights have.
arch::Spec in_8_bits(const arch::Spec& lowered) {
  arch::Design design = arch::design_of(lowered);
  arch::choose_int4(design, {"-all"});
  return design.lowered;
}

}  // namespace

TEST_CASE("float networks in ONNX come back as they were", "[exporters]") {
  int count = 0;
  for (const Exemplar& item : exemplars()) {
    if (!holds(item.spec) || is_nothing(item.name)) continue;
    INFO(item.name);
    arch::Weights weights = lively_weights(item.spec, 7);
    const arch::Spec lowered = arch::lower(item.spec, &weights);
    const std::string model = exporters::onnx_model(lowered, weights, nullptr, "");
    CHECK_NOTHROW(exporters::check_onnx(model));
    const importers::Imported back = importers::parse_onnx(model, item.name + ".onnx", "");
    CHECK(arch::hash(arch::lower(back.spec, nullptr)) == arch::hash(in_8_bits(lowered)));
    const auto input = random_floats(lowered.input.elements(), 3);
    CHECK(difference(runtime::FloatExecutor(back.spec, back.weights).run(input, 1),
                     runtime::FloatExecutor(lowered, weights).run(input, 1))
              .largest == 0);
    CHECK(!back.int8);
    ++count;
  }
  CHECK(count > 100);
}

TEST_CASE("reference networks in ONNX come back as they were", "[exporters][slow]") {
  for (const arch::ZooCard& card : arch::zoo()) {
    INFO(card.name);
    const arch::Shape input{card.input.c, std::min<int64_t>(card.input.h, 64), std::min<int64_t>(card.input.w, 64)};
    const arch::Spec spec = arch::lower(card.make(input, card.classes), nullptr);
    const arch::Weights weights = lively_weights(spec, 5);
    const std::string model = exporters::onnx_model(spec, weights, nullptr, "");
    CHECK_NOTHROW(exporters::check_onnx(model));
    const importers::Imported back = importers::parse_onnx(model, card.name + ".onnx", "");
    CHECK(arch::hash(arch::lower(back.spec, nullptr)) == arch::hash(spec));
  }
}

TEST_CASE("int8 networks in ONNX come back with the same integers", "[exporters]") {
  for (const Exemplar& item : exemplars()) {
    if (!holds(item.spec) || is_nothing(item.name)) continue;
    C99Case test = c99_case(arch::lower(item.spec, nullptr), 5, 2);
    round_scales(*test.package.quant);
    for (const std::string type : {"int8", "uint8"}) {
      INFO(item.name << " " << type);
      const std::string model =
          exporters::onnx_model(test.package.spec, test.package.weights, &*test.package.quant, type);
      CHECK_NOTHROW(exporters::check_onnx(model));
      const importers::Imported back = importers::parse_onnx(model, item.name + ".onnx", "");
      REQUIRE(back.int8);
      runtime::Int8Executor ours(runtime::build_program(test.package.spec, test.package.weights, *test.package.quant));
      runtime::Int8Executor theirs(
          runtime::build_program(arch::lower(back.spec, nullptr), back.int8->weights, back.int8->quant));
      for (const auto& input : test.answers.inputs) {
        const auto a = ours.run(input), b = theirs.run(input);
        CHECK(std::vector<int8_t>(a.begin(), a.end()) == std::vector<int8_t>(b.begin(), b.end()));
      }
    }
  }
}

TEST_CASE("every node of an ONNX export is at most a step away in ONNX Runtime", "[exporters][slow]") {
  if (!verify::python_with("onnxruntime, numpy"))
    return tests::skip_without("python: onnxruntime", "scripts/setup.sh --dev");
  for (const char* name :
       {"network_tiny", "network_tiny_relu", "peer_squeeze_excite", "avg_pool_asymmetric_exclude_pad",
        "softmax_mul_space_rescaled", "blur_pool_3_s1", "peer_shufflenet", "output_two_heads", "prelu"}) {
    for (const std::string type : {"int8", "uint8"}) {
      INFO(name << " " << type);
      C99Case test = c99_case(arch::lower(exemplar(name), nullptr), 3, 4);
      arch::Weights floats = lively_weights(exemplar(name), 3);
      arch::lower(exemplar(name), &floats);
      test.package.floats = floats;
      const core::TemporaryFolder temporary;
      exporters::ExportOptions options;
      options.activations = type;
      exporters::find_target("onnx").write(test.package, test.answers, options, temporary.path() / "out");
      const auto checks = verify::verify_onnx(temporary.path() / "out", test.package, test.answers);
      REQUIRE(checks.size() == 3);
      for (const verify::Check& check : checks) {
        INFO(check.name << ": " << check.detail);
        CHECK(check.passed);
      }
    }
  }
}

TEST_CASE("an ONNX export of other weights is found out", "[exporters][slow]") {
  if (!verify::python_with("onnxruntime, numpy"))
    return tests::skip_without("python: onnxruntime", "scripts/setup.sh --dev");
  C99Case test = c99_case(arch::lower(exemplar("network_tiny_relu"), nullptr), 3, 16);
  const core::TemporaryFolder temporary;
  exporters::find_target("onnx").write(test.package, test.answers, {}, temporary.path() / "out");
  test.answers.right = [&](size_t i, std::span<const int8_t> output) {
    const auto& expected = test.answers.outputs[i];
    return std::max_element(output.begin(), output.end()) - output.begin() ==
           std::max_element(expected.begin(), expected.end()) - expected.begin();
  };
  arch::Weights& weights = test.package.weights;
  for (auto& [name, tensor] : weights.tensors)
    if (tensor.dtype == arch::DType::I8)
      for (int8_t& w : tensor.i8()) w = static_cast<int8_t>(-w);
  runtime::Int8Executor other(runtime::build_program(test.package.spec, weights, *test.package.quant));
  for (size_t i = 0; i < test.answers.inputs.size(); ++i) {
    const auto output = other.run(test.answers.inputs[i]);
    test.answers.outputs[i].assign(output.begin(), output.end());
  }
  const auto checks = verify::verify_onnx(temporary.path() / "out", test.package, test.answers);
  REQUIRE(checks.size() == 2);
  CHECK(!checks[1].passed);  // the model as it lies there
  CHECK(checks[1].differing_values > 0);
}

TEST_CASE("what the ONNX target cannot write is said", "[exporters]") {
  const C99Case test = c99_case(arch::lower(exemplar("conv_3x3"), nullptr), 3, 1);
  const core::TemporaryFolder temporary;
  const auto write = [&](const exporters::Package& package, const char* type) {
    exporters::ExportOptions options;
    options.activations = type;
    exporters::find_target("onnx").write(package, test.answers, options, temporary.path() / "out");
  };
  CHECK_THROWS_WITH(write(test.package, "int4"), Catch::Contains("expected int8 or uint8"));
  exporters::Package floats = test.package;
  floats.quant.reset();
  CHECK_THROWS_WITH(write(floats, "int8"), Catch::Contains("quantize first"));
  CHECK(!std::filesystem::exists(temporary.path() / "out"));
  const auto refused = exporters::find_target("onnx").unsupported(arch::design_of(exemplar("upsample_odd")));
  REQUIRE(refused.size() == 1);
  CHECK_THAT(refused[0].why, Catch::Contains("no whole number"));
}
