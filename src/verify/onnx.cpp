#include "verify/onnx.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "condenser/core/files.hpp"
#include "condenser/core/table.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "condenser/core/text.hpp"
#include "condenser/runtime/float_executor.hpp"
#include "condenser/runtime/int8_executor.hpp"
#include "exporters/onnx.hpp"
#include "verify/python.hpp"
#include "verify/trial.hpp"

namespace condenser::verify {
namespace {

namespace fs = std::filesystem;

constexpr size_t kNodeSamples = 16;  // every value of every node is compared

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

std::string bytes_of(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

// [h, w, c] in integers to [c, h, w] in floats.
std::vector<float> floats_of(const exporters::KnownAnswers& answers, const arch::Shape& s,
                             const runtime::TensorQuant& quant) {
  std::vector<float> values;
  values.reserve(answers.inputs.size() * static_cast<size_t>(s.elements()));
  for (const auto& input : answers.inputs)
    for (int64_t c = 0; c < s.c; ++c)
      for (int64_t p = 0; p < s.h * s.w; ++p)
        values.push_back(
            static_cast<float>((input[static_cast<size_t>(p * s.c + c)] - quant.zero_point) * quant.scale));
  return values;
}

struct Answer {
  std::string bytes;  // empty: it did not run
  std::string runtime, trouble;
};

Answer run(const std::string& python, const fs::path& model, const std::string& input, size_t samples, size_t bytes) {
  const core::TemporaryFolder temporary;
  const fs::path in = temporary.path() / "in", out = temporary.path() / "out";
  core::write_atomic(in, input);
  const auto result = run_script(python, kScript, {model.string(), std::to_string(samples), in.string(), out.string()});
  if (!result.ok()) return {"", "", describe(result)};
  Answer answer{core::read_file(out), "ONNX Runtime " + result.out.substr(0, result.out.find_last_not_of("\r\n") + 1),
                ""};
  if (answer.bytes.size() == bytes) return answer;
  answer.trouble = std::to_string(answer.bytes.size()) + " bytes of output; expected " + std::to_string(bytes);
  answer.bytes.clear();
  return answer;
}

std::vector<float> floats_in(const std::string& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

// The outputs' floats, each [n, c, h, w], as integers of one sample after the other, [h, w, c].
std::string integers_of(const std::vector<float>& values, const exporters::Package& package, size_t samples) {
  const arch::Analysis analysis = arch::analyze(package.spec);
  const size_t per_sample = values.size() / samples;
  std::string bytes(values.size(), '\0');
  size_t from = 0, first = 0;
  for (size_t k = 0; k < package.spec.output_count(); ++k) {
    const arch::Shape s = arch::output_shape(package.spec, analysis, k);
    const auto& quant = package.quant->nodes.at(package.spec.node(package.spec.output(k)).name).output;
    for (size_t i = 0; i < samples; ++i)
      for (int64_t c = 0; c < s.c; ++c)
        for (int64_t p = 0; p < s.h * s.w; ++p, ++from) {
          const double q = std::round(double{values[from]} / quant.scale) + quant.zero_point;
          bytes[i * per_sample + first + static_cast<size_t>(p * s.c + c)] =
              static_cast<char>(static_cast<int8_t>(q >= -128 ? std::min(q, 127.0) : -128.0));
        }
    first += static_cast<size_t>(s.elements());
  }
  return bytes;
}

// How many of the executor's answers are right; -1: nothing is right or wrong.
int64_t right_answers(const exporters::KnownAnswers& answers) {
  if (!answers.right) return -1;
  int64_t right = 0;
  for (size_t i = 0; i < answers.outputs.size(); ++i) right += answers.right(i, answers.outputs[i]);
  return right;
}

Check int8_check(const fs::path& model, const Answer& answer, const exporters::Package& package,
                 const exporters::KnownAnswers& answers) {
  Check check{.name = "int8", .ran = true, .samples = std::ssize(answers.inputs)};
  check.bytes = static_cast<int64_t>(fs::file_size(model));
  if (answer.bytes.empty()) {
    check.detail = answer.trouble;
    return check;
  }
  compare(answers, integers_of(floats_in(answer.bytes), package, answers.inputs.size()), check);
  const int64_t right = right_answers(answers);
  const double expected = 100.0 * static_cast<double>(right) / static_cast<double>(check.samples);
  const double allowed = std::max(0.1, 100.0 / static_cast<double>(check.samples));  // or one item
  check.passed = right < 0 || std::abs(check.accuracy_percent - expected) <= allowed + 1e-9;
  check.detail = answer.runtime;
  if (check.differing_values > 0) check.detail += ", by its own rounding";
  if (!check.passed) check.detail += ": the executor is right in " + core::fixed(expected, 2) + " %";
  return check;
}

// Integers [h, w, c] in the order and the type of the model.
void append(std::string& bytes, std::span<const int8_t> values, const arch::Shape& s, int offset) {
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
    executor.run(answers.inputs[i], [&](int node, std::span<const int8_t> output) {
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
  const Answer answer = run(python, temporary.path() / "nodes.onnx", input, samples, expected.size());
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

Check float_check(const fs::path& model, const Answer& answer, const exporters::Package& package,
                  const std::vector<float>& input, int64_t samples) {
  Check check{
      .name = "float", .ran = true, .samples = samples, .accuracy_percent = std::numeric_limits<double>::quiet_NaN()};
  check.bytes = static_cast<int64_t>(fs::file_size(model));
  if (answer.bytes.empty()) {
    check.detail = answer.trouble;
    return check;
  }
  const std::vector<float> found = floats_in(answer.bytes);
  const std::vector<float> expected = runtime::FloatExecutor(package.spec, *package.floats).run(input, samples);
  double most = 1, worst = 0;
  for (const float value : expected) most = std::max(most, std::abs(double{value}));
  for (size_t k = 0; k < expected.size(); ++k) {
    const double off = std::abs(double{expected[k]} - double{found[k]});
    worst = std::isnan(off) ? std::numeric_limits<double>::infinity() : std::max(worst, off);
    check.differing_values += !(off <= 1e-4 * most);
  }
  check.passed = worst <= 1e-4 * most;
  check.detail =
      answer.runtime + ", largest error " + core::significant(worst, 2) + " of " + core::significant(most, 3);
  return check;
}

}  // namespace

std::vector<Check> verify_onnx(const fs::path& folder, const exporters::Package& package,
                               const exporters::KnownAnswers& answers) {
  const auto python = python_with("onnxruntime, numpy");
  if (!python)
    return {
        {.name = "int8",
         .detail =
             "no Python here has onnxruntime; install it with `scripts/setup.sh --runtimes`, or name an interpreter "
             "that has it in CONDENSER_PYTHON"}};
  const arch::Analysis analysis = arch::analyze(package.spec);
  size_t out = 0;
  for (size_t k = 0; k < package.spec.output_count(); ++k)
    out += static_cast<size_t>(arch::output_shape(package.spec, analysis, k).elements());
  const std::vector<float> input =
      floats_of(answers, package.spec.input, package.quant->nodes.at(package.spec.nodes.front().name).output);
  const auto answer_of = [&](const fs::path& model) {
    return run(*python, model, bytes_of(input), answers.inputs.size(), out * answers.inputs.size() * sizeof(float));
  };
  const auto manifest = nlohmann::json::parse(core::read_file(folder / "manifest.json"));
  const fs::path model = folder / manifest.at("model").get<std::string>();
  std::vector<Check> checks{node_check(*python, manifest.at("activations").get<std::string>(), package, answers),
                            int8_check(model, answer_of(model), package, answers)};
  if (!package.floats) return checks;
  const fs::path floats = folder / manifest.at("float_model").get<std::string>();
  checks.push_back(float_check(floats, answer_of(floats), package, input, std::ssize(answers.inputs)));
  return checks;
}

}  // namespace condenser::verify
