#include "verify/onnx.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "condenser/core/files.hpp"
#include "condenser/core/table.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "condenser/core/text.hpp"
#include "condenser/runtime/int8_executor.hpp"
#include "exporters/onnx.hpp"
#include "verify/float_trial.hpp"
#include "verify/python.hpp"

namespace condenser::verify {
namespace {

namespace fs = std::filesystem;

constexpr size_t kNodeSamples = 16;  // every value of every node is compared
constexpr size_t kFloatSamples = 64;
constexpr char kRuntime[] = "ONNX Runtime";

// All inputs of the model, one after the other, in its types; all outputs in the same way.
constexpr char kScript[] = R"py(
import sys
import numpy as np
import onnxruntime as ort

model, count, inputs, outputs = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
types = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8, "tensor(int8)": np.int8}
options = ort.SessionOptions()
options.log_severity_level = 3
options.intra_op_num_threads = 1
options.add_session_config_entry("session.qdqisint8allowed", "1")
session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
feeds = {}
with open(inputs, "rb") as file:
    for given in session.get_inputs():
        shape = [count] + given.shape[1:]
        feeds[given.name] = np.fromfile(file, types[given.type], int(np.prod(shape))).reshape(shape)
found = [[] for _ in session.get_outputs()]
for at in range(0, count, 64):
    for whole, part in zip(found, session.run(None, {name: x[at:at + 64] for name, x in feeds.items()})):
        whole.append(part)
with open(outputs, "wb") as file:
    for parts in found:
        np.concatenate(parts).tofile(file)
print(ort.__version__)
)py";

// Integers [h, w, c] in the order and the type of the model.
template <class Values>
void append(std::string& bytes, const Values& values, const arch::Shape& s, int offset) {
  for (int64_t c = 0; c < s.c; ++c)
    for (int64_t p = 0; p < s.h * s.w; ++p)
      bytes += static_cast<char>(values[static_cast<size_t>(p * s.c + c)] + offset);
}

Check node_check(const std::string& python, const std::string& activations, const exporters::Package& package,
                 const exporters::KnownAnswers& answers) {
  const size_t samples = std::min(kNodeSamples, answers.inputs.size());
  const int offset = activations == "uint8" ? 128 : 0;
  const arch::Spec& spec = package.spec;
  const arch::Analysis analysis = arch::analyze(spec);
  std::vector<std::string> values(spec.nodes.size());  // of all samples
  runtime::Int8Executor executor(runtime::build_program(spec, package.weights, *package.quant));
  for (size_t i = 0; i < samples; ++i)
    executor.run(answers.inputs[i], [&](int node, std::span<const int16_t> output) {
      append(values[static_cast<size_t>(node)], output, analysis.node(node).shape, offset);
    });
  if (values[0].empty())
    for (size_t i = 0; i < samples; ++i) append(values[0], answers.inputs[i], spec.input, offset);
  const exporters::OnnxNodes nodes = exporters::onnx_nodes(spec, package.weights, *package.quant, activations);
  const core::TemporaryFolder temporary;
  core::write_atomic(temporary.path() / "nodes.onnx", nodes.model);
  std::string input, expected;
  for (const int id : nodes.read) input += values[static_cast<size_t>(id)];
  for (const int id : nodes.made) expected += values[static_cast<size_t>(id)];
  Check check{.name = "nodes",
              .ran = true,
              .samples = static_cast<int64_t>(samples),
              .accuracy_percent = std::numeric_limits<double>::quiet_NaN()};
  const RuntimeAnswer answer =
      run_runtime(python, kScript, {(temporary.path() / "nodes.onnx").string(), std::to_string(samples)}, input,
                  expected.size(), kRuntime);
  if (answer.bytes.empty()) {
    check.detail = answer.trouble;
    return check;
  }
  size_t at = 0;
  std::string worst;
  for (const int id : nodes.made)
    for (size_t k = 0; k < values[static_cast<size_t>(id)].size(); ++k, ++at) {
      const auto value = [&](const std::string& bytes) {
        return offset ? int{static_cast<uint8_t>(bytes[at])} : int{static_cast<int8_t>(bytes[at])};
      };
      const int64_t off = std::abs(value(expected) - value(answer.bytes));
      check.differing_values += off > 0;
      if (off > check.largest_difference) worst = spec.node(id).name;
      check.largest_difference = std::max(check.largest_difference, off);
    }
  check.passed = check.largest_difference <= 1;
  check.detail =
      answer.runtime + ", each by itself, of " + core::thousands(static_cast<int64_t>(expected.size())) + " values";
  if (!check.passed) check.detail += ": node " + worst + " computes something else";
  return check;
}

}  // namespace

std::vector<Check> verify_onnx(const fs::path& folder, const exporters::Package& package,
                               const exporters::KnownAnswers& answers) {
  const auto python = python_with("onnxruntime, numpy");
  if (!python)
    return {{.name = "int8",
             .detail =
                 "no Python here has onnxruntime; install it with `scripts/setup.sh --dev`, or name an interpreter "
                 "that has it in CONDENSER_PYTHON"}};
  const auto answer_of = [&](const fs::path& model, size_t samples) {
    return run_runtime(*python, kScript, {model.string(), std::to_string(samples)},
                       bytes_of(float_inputs(package, answers, samples)), float_output_bytes(package, samples),
                       kRuntime);
  };
  const auto manifest = nlohmann::json::parse(core::read_file(folder / "manifest.json"));
  const fs::path model = folder / manifest.at("model").get<std::string>();
  const size_t all = answers.inputs.size(), some = std::min(kFloatSamples, all);
  std::vector<Check> checks{node_check(*python, manifest.at("activations").get<std::string>(), package, answers),
                            int8_check(model, answer_of(model, all), package, answers)};
  if (!package.floats) return checks;
  const fs::path floats = folder / manifest.at("float_model").get<std::string>();
  checks.push_back(float_check(floats, answer_of(floats, some), package, float_inputs(package, answers, some),
                               static_cast<int64_t>(some), 1e-4));
  return checks;
}

}  // namespace condenser::verify
