// TensorFlow Lite models of every exemplar come back as the same network with the same numbers, and compute the same in
// LiteRT.
#include "exporters/tflite.hpp"

#include "condenser/arch/passes.hpp"
#include "condenser/arch/zoo.hpp"
#include "condenser/core/files.hpp"
#include "condenser/runtime/float_executor.hpp"
#include "condenser/runtime/int8_executor.hpp"
#include "importers/tflite.hpp"
#include "support/absent.hpp"
#include "support/c99_package.hpp"
#include "support/exemplars.hpp"
#include "support/lively.hpp"
#include "verify/python.hpp"
#include "verify/tflite.hpp"

using namespace condenser;
using namespace condenser::testing;

namespace {

bool holds(const arch::Spec& spec) {
  return exporters::find_target("tflite").unsupported(arch::design_of(spec)).empty();
}

// Slicing all channels, or shuffling single ones, is nothing: such a network has no operator left.
bool is_nothing(const std::string& name) { return name == "slice_all" || name == "shuffle_each"; }

// A border of the least value before a maximum: TensorFlow Lite reads it, a Spec has the pool alone.
bool pads_with_least(const arch::Spec& spec) {
  const std::string bytes = exporters::tflite_model(spec, lively_weights(spec, 1), nullptr).bytes;
  return bytes.find("_least") != std::string::npos;
}

// With scales as a file of single precision holds them, and the answers that they give.
C99Case single_case(const arch::Spec& lowered, uint64_t seed, size_t samples) {
  C99Case test = c99_case(lowered, seed, samples);
  for (auto& [name, node] : test.package.quant->nodes) {
    node.output.scale = double{static_cast<float>(node.output.scale)};
    for (double& scale : node.weight_scales) scale = double{static_cast<float>(scale)};
  }
  runtime::Int8Executor executor(runtime::build_program(test.package.spec, test.package.weights, *test.package.quant));
  for (size_t i = 0; i < samples; ++i) {
    const auto output = executor.run(test.answers.inputs[i]);
    test.answers.outputs[i].assign(output.begin(), output.end());
  }
  return test;
}

std::vector<arch::Spec> networks() {
  std::vector<arch::Spec> specs;
  for (const Exemplar& item : exemplars()) {
    arch::Spec lowered = arch::lower(item.spec, nullptr);
    lowered.name = item.name;
    if (holds(item.spec) && !is_nothing(item.name) && !pads_with_least(lowered)) specs.push_back(std::move(lowered));
  }
  return specs;
}

}  // namespace

TEST_CASE("float networks in TensorFlow Lite come back as they were", "[exporters]") {
  int count = 0;
  for (const arch::Spec& spec : networks()) {
    INFO(spec.name);
    const arch::Weights weights = lively_weights(spec, 7);
    const std::string model = exporters::tflite_model(spec, weights, nullptr).bytes;
    const importers::Imported back = importers::parse_tflite(model, spec.name + ".tflite");
    const arch::Spec lowered = arch::lower(back.spec, nullptr);
    const auto input = random_floats(spec.input.elements(), 3);
    CHECK(difference(runtime::FloatExecutor(back.spec, back.weights).run(input, 1),
                     runtime::FloatExecutor(spec, weights).run(input, 1))
              .largest < 1e-5);
    CHECK(!back.int8);
    ++count;
  }
  CHECK(count > 100);
}

TEST_CASE("int8 networks in TensorFlow Lite come back with the same integers", "[exporters]") {
  for (const arch::Spec& spec : networks()) {
    INFO(spec.name);
    const C99Case test = single_case(spec, 5, 2);
    const std::string model = exporters::tflite_model(spec, test.package.weights, &*test.package.quant).bytes;
    const importers::Imported back = importers::parse_tflite(model, spec.name + ".tflite");
    REQUIRE(back.int8);
    runtime::Int8Executor ours(runtime::build_program(spec, test.package.weights, *test.package.quant));
    runtime::Int8Executor theirs(
        runtime::build_program(arch::lower(back.spec, nullptr), back.int8->weights, back.int8->quant));
    for (const auto& input : test.answers.inputs) {
      const auto a = ours.run(input), b = theirs.run(input);
      CHECK(std::vector<int8_t>(a.begin(), a.end()) == std::vector<int8_t>(b.begin(), b.end()));
    }
  }
}

TEST_CASE("every node of a TensorFlow Lite export computes in LiteRT what it does here", "[exporters][slow]") {
  if (!verify::python_with("ai_edge_litert.interpreter, numpy"))
    return tests::skip_without("python: ai_edge_litert", "scripts/setup.sh --dev");
  for (const char* name : {"network_tiny_relu", "peer_squeeze_excite", "softmax_mul_space_rescaled", "blur_pool_3_s1",
                           "peer_shufflenet", "output_two_heads", "prelu"}) {
    INFO(name);
    C99Case test = single_case(arch::lower(exemplar(name), nullptr), 3, 4);
    arch::Weights floats = lively_weights(exemplar(name), 3);
    arch::lower(exemplar(name), &floats);
    test.package.floats = floats;
    const core::TemporaryFolder temporary;
    exporters::find_target("tflite").write(test.package, test.answers, {}, temporary.path() / "out");
    const auto checks = verify::verify_tflite(temporary.path() / "out", test.package, test.answers);
    REQUIRE(checks.size() == 4);
    for (const verify::Check& check : checks) {
      INFO(check.name << ": " << check.differing_values << " differ, at most " << check.largest_difference << "; "
                      << check.detail);
      CHECK(check.passed);
    }
  }
}

TEST_CASE("a TensorFlow Lite export of other weights is found out", "[exporters][slow]") {
  if (!verify::python_with("ai_edge_litert.interpreter, numpy"))
    return tests::skip_without("python: ai_edge_litert", "scripts/setup.sh --dev");
  C99Case test = c99_case(arch::lower(exemplar("network_tiny_relu"), nullptr), 3, 16);
  const core::TemporaryFolder temporary;
  exporters::find_target("tflite").write(test.package, test.answers, {}, temporary.path() / "out");
  test.answers.right = [&](size_t i, std::span<const int8_t> output) {
    const auto& expected = test.answers.outputs[i];
    return std::max_element(output.begin(), output.end()) - output.begin() ==
           std::max_element(expected.begin(), expected.end()) - expected.begin();
  };
  for (auto& [name, tensor] : test.package.weights.tensors)
    if (tensor.dtype == arch::DType::I8)
      for (int8_t& w : tensor.i8()) w = static_cast<int8_t>(-w);
  runtime::Int8Executor other(runtime::build_program(test.package.spec, test.package.weights, *test.package.quant));
  for (size_t i = 0; i < test.answers.inputs.size(); ++i) {
    const auto output = other.run(test.answers.inputs[i]);
    test.answers.outputs[i].assign(output.begin(), output.end());
  }
  const auto checks = verify::verify_tflite(temporary.path() / "out", test.package, test.answers);
  REQUIRE(checks.size() == 3);
  CHECK(!checks[1].passed);  // the model as it lies there
  CHECK(checks[1].differing_values > 0);
}

TEST_CASE("what the TensorFlow Lite target cannot write is said", "[exporters]") {
  const C99Case test = c99_case(arch::lower(exemplar("conv_3x3"), nullptr), 3, 1);
  const core::TemporaryFolder temporary;
  exporters::Package floats = test.package;
  floats.quant.reset();
  CHECK_THROWS_WITH(exporters::find_target("tflite").write(floats, test.answers, {}, temporary.path() / "out"),
                    Catch::Contains("quantize first"));
  CHECK(!std::filesystem::exists(temporary.path() / "out"));
  const auto refused =
      exporters::find_target("tflite").unsupported(arch::design_of(exemplar("avg_pool_asymmetric_exclude_pad")));
  REQUIRE(refused.size() == 1);
  CHECK_THAT(refused[0].why, Catch::Contains("for padding SAME only"));
}

TEST_CASE("nodes that compute in floats are named", "[exporters]") {
  const C99Case test = c99_case(arch::lower(exemplar("softmax_mul_space_rescaled"), nullptr), 3, 1);
  const auto model = exporters::tflite_model(test.package.spec, test.package.weights, &*test.package.quant);
  CHECK(model.float_nodes.size() == 1);
  CHECK_THAT(exporters::find_target("tflite").remark(test.package),
             Catch::Contains(model.float_nodes[0] + " computes in floats"));
  CHECK(exporters::tflite_model(test.package.spec, test.package.weights, &*test.package.quant).bytes == model.bytes);
  const core::TemporaryFolder temporary;
  exporters::find_target("tflite").write(test.package, test.answers, {}, temporary.path() / "out");
  CHECK_THAT(core::read_file(temporary.path() / "out/manifest.json"), Catch::Contains("\"float_nodes\""));
  CHECK_THAT(core::read_file(temporary.path() / "out/README.md"), Catch::Contains(model.float_nodes[0]));
}
