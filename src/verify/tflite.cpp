#include "verify/tflite.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "condenser/core/files.hpp"
#include "condenser/core/table.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "condenser/core/text.hpp"
#include "condenser/runtime/int8_executor.hpp"
#include "exporters/tflite.hpp"
#include "verify/float_trial.hpp"
#include "verify/python.hpp"
#include "verify/trial.hpp"

namespace condenser::verify {
namespace {

namespace fs = std::filesystem;

constexpr size_t kNodeSamples = 16;  // every value of every node is compared
constexpr size_t kFloatSamples = 64;
constexpr int64_t kReferenceMacs = 10'000'000'000;  // that kernels of plain loops compute in a minute
constexpr char kRuntime[] = "LiteRT";

// Of one sample after the other all inputs of the model, then all outputs, in its types and its order of axes; floats
// are [n, c, h, w] in these files, and outputs one after the other.
constexpr char kScript[] = R"py(
import os
import sys
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import importlib.metadata
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

model, kernels, count, inputs, outputs = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5]
resolvers = {"reference": OpResolverType.BUILTIN_REF, "optimized": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES}
net = Interpreter(model, experimental_op_resolver_type=resolvers[kernels], num_threads=1)
net.allocate_tensors()
given = net.get_input_details()
made = net.get_output_details()
found = [[] for _ in range(count)]
with open(inputs, "rb") as file:
    for sample in range(count):
        for tensor in given:
            shape, floats = list(tensor["shape"]), tensor["dtype"] == np.float32
            if floats and len(shape) == 4:
                shape = [shape[0], shape[3], shape[1], shape[2]]
            x = np.fromfile(file, tensor["dtype"], int(np.prod(shape))).reshape(shape)
            net.set_tensor(tensor["index"], np.ascontiguousarray(x.transpose(0, 2, 3, 1)) if floats and len(shape) == 4 else x)
        net.invoke()
        for tensor in made:
            y = net.get_tensor(tensor["index"])
            found[sample].append(y.transpose(0, 3, 1, 2) if y.dtype == np.float32 and y.ndim == 4 else y)
apart = len(made) > 0 and made[0]["dtype"] == np.float32
with open(outputs, "wb") as file:
    if apart:
        for k in range(len(made)):
            for sample in found:
                np.ascontiguousarray(sample[k]).tofile(file)
    else:
        for sample in found:
            for y in sample:
                y.tofile(file)
print(importlib.metadata.version("ai-edge-litert"))
)py";

struct Litert {
  std::string python;

  RuntimeAnswer operator()(const fs::path& model, const char* kernels, size_t samples, const std::string& inputs,
                           size_t output_bytes) const {
    return run_runtime(python, kScript, {model.string(), kernels, std::to_string(samples)}, inputs, output_bytes,
                       std::string(kRuntime));
  }
};

// Whether LiteRT's reference kernel and ours give the same integer for every input. Means of maps, tables of results,
// binomial filters (ties go away from another zero) and all that goes through floats may be one step apart.
bool rounds_alike(const arch::Op& op) {
  return std::holds_alternative<arch::Conv2d>(op) || std::holds_alternative<arch::Linear>(op) ||
         std::holds_alternative<arch::Add>(op) || std::holds_alternative<arch::AvgPool>(op) ||
         std::holds_alternative<arch::MaxPool>(op) || std::holds_alternative<arch::GlobalAvgPool>(op) ||
         std::holds_alternative<arch::Upsample>(op) || std::holds_alternative<arch::Slice>(op) ||
         std::holds_alternative<arch::ChannelShuffle>(op);
}

// Files hold scales in single precision; of a network that was quantized before ours were, multipliers differ a little.
bool single_precision(const runtime::QuantParams& quant) {
  const auto fits = [](double scale) { return double{static_cast<float>(scale)} == scale; };
  return std::ranges::all_of(quant.nodes, [&](const auto& entry) {
    return fits(entry.second.output.scale) && std::ranges::all_of(entry.second.weight_scales, fits);
  });
}

Check node_check(const Litert& litert, const exporters::Package& package, const exporters::KnownAnswers& answers) {
  const size_t samples = std::min(kNodeSamples, answers.inputs.size());
  const arch::Spec& spec = package.spec;
  const exporters::TfliteNodes nodes = exporters::tflite_nodes(spec, package.weights, *package.quant);
  const core::TemporaryFolder temporary;
  core::write_atomic(temporary.path() / "nodes.tflite", nodes.bytes);
  runtime::Int8Executor executor(runtime::build_program(spec, package.weights, *package.quant));
  std::string input;
  std::vector<std::vector<int8_t>> values(spec.nodes.size());  // of one sample
  std::vector<int8_t> expected;
  std::vector<int> maker;  // of each expected value
  for (size_t i = 0; i < samples; ++i) {
    values[0] = answers.inputs[i];
    executor.run(answers.inputs[i], [&](int node, std::span<const int16_t> output) {
      values[static_cast<size_t>(node)].assign(output.begin(), output.end());
    });
    for (const int id : nodes.read) {
      const auto& given = values[static_cast<size_t>(id)];
      input.append(reinterpret_cast<const char*>(given.data()), given.size());
    }
    for (const int id : nodes.made) {
      const auto& made = values[static_cast<size_t>(id)];
      expected.insert(expected.end(), made.begin(), made.end());
      maker.insert(maker.end(), made.size(), id);
    }
  }
  Check check{.name = "nodes",
              .ran = true,
              .samples = static_cast<int64_t>(samples),
              .accuracy_percent = std::numeric_limits<double>::quiet_NaN()};
  const RuntimeAnswer answer = litert(temporary.path() / "nodes.tflite", "reference", samples, input, expected.size());
  if (answer.bytes.empty()) {
    check.detail = answer.trouble;
    return check;
  }
  const bool exact = single_precision(*package.quant);
  check.passed = true;
  std::string worst;
  for (size_t k = 0; k < expected.size(); ++k) {
    const int64_t off = std::abs(int{expected[k]} - int{static_cast<int8_t>(answer.bytes[k])});
    if (off == 0) continue;
    const arch::Node& node = spec.node(maker[k]);
    ++check.differing_values;
    check.largest_difference = std::max(check.largest_difference, off);
    if (off <= 1 && !(exact && rounds_alike(node.op))) continue;
    check.passed = false;
    if (worst.empty()) worst = node.name;
  }
  check.detail = answer.runtime + ", reference kernels, each by itself, of " +
                 core::thousands(static_cast<int64_t>(expected.size())) + " values";
  if (!check.passed) check.detail += ": node " + worst + " computes something else";
  return check;
}

exporters::KnownAnswers first_of(const exporters::KnownAnswers& answers, size_t count) {
  exporters::KnownAnswers part{.inputs = {}, .outputs = {}, .clips = {}, .right = answers.right};
  part.inputs.assign(answers.inputs.begin(), answers.inputs.begin() + static_cast<std::ptrdiff_t>(count));
  part.outputs.assign(answers.outputs.begin(), answers.outputs.begin() + static_cast<std::ptrdiff_t>(count));
  return part;
}

Check whole_check(const Litert& litert, const char* name, const char* kernels, const fs::path& model,
                  const exporters::KnownAnswers& answers) {
  const RuntimeAnswer answer =
      litert(model, kernels, answers.inputs.size(), bytes_of(answers.inputs), bytes_of(answers.outputs).size());
  Check check = integer_check(name, model, answer, answers);
  if (!answer.bytes.empty()) check.detail += std::string(", ") + kernels + " kernels";
  return check;
}

}  // namespace

std::vector<Check> verify_tflite(const fs::path& folder, const exporters::Package& package,
                                 const exporters::KnownAnswers& answers) {
  const auto python = python_with("ai_edge_litert.interpreter, numpy");
  if (!python)
    return {{.name = "int8",
             .detail =
                 "no Python here has ai-edge-litert; install it with `scripts/setup.sh --dev`, or name an interpreter "
                 "that has it in CONDENSER_PYTHON"}};
  const Litert litert{*python};
  const auto manifest = nlohmann::json::parse(core::read_file(folder / "manifest.json"));
  const fs::path model = folder / manifest.at("model").get<std::string>();
  const size_t all = answers.inputs.size(), some = std::min(kFloatSamples, all);
  const int64_t macs = std::max<int64_t>(arch::analyze(package.spec).macs, 1);
  const auto slow = std::min(all, std::max(kNodeSamples, static_cast<size_t>(kReferenceMacs / macs)));
  std::vector<Check> checks{node_check(litert, package, answers),
                            whole_check(litert, "int8", "reference", model, first_of(answers, slow)),
                            whole_check(litert, "optimized", "optimized", model, answers)};
  if (!package.floats) return checks;
  const fs::path floats = folder / manifest.at("float_model").get<std::string>();
  const std::vector<float> inputs = float_inputs(package, answers, some);
  checks.push_back(float_check(floats,
                               litert(floats, "optimized", some, bytes_of(inputs), float_output_bytes(package, some)),
                               package, inputs, static_cast<int64_t>(some), 1e-4));
  return checks;
}

}  // namespace condenser::verify
