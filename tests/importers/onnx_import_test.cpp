// Models as strangers write them, against ONNX Runtime; and files that are refused, each with its reason.

#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/text_format.h>
#include <onnx/onnx_pb.h>

#include <cmath>
#include <cstring>

#include "condenser/arch/passes.hpp"
#include "condenser/importers/importer.hpp"
#include "condenser/runtime/float_executor.hpp"
#include "condenser/runtime/int8_executor.hpp"
#include "importers/model_answers.hpp"
#include "importers/onnx.hpp"
#include "support/absent.hpp"
#include "support/process.hpp"
#include "verify/python.hpp"

using namespace condenser;
using importers::Imported;
using importers::testing::float_error, importers::testing::floats_in, importers::testing::Steps;
namespace fs = std::filesystem;

namespace {

// The models of models.py with their inputs and the answers of ONNX Runtime. Empty where Python lacks a package.
struct Models {
  tests::TempFolder folder;
  std::vector<fs::path> files;

  Models(const std::string& kind, const std::string& package) {
    const auto python = verify::python_with("onnx, onnxruntime" + (package.empty() ? "" : ", " + package));
    if (!python) {
      tests::skip_without("python: onnxruntime", "scripts/setup.sh --dev");
      return;
    }
    const auto result =
        core::run_process({*python, CONDENSER_SOURCE_DIR "/tests/importers/models.py", folder.path().string(), kind},
                          {.err = core::Stream::Captured, .time_limit = std::chrono::minutes(5)});
    INFO(result.err);
    REQUIRE(result.ok());
    for (const auto& entry : fs::directory_iterator(folder.path()))
      if (fs::exists(fs::path(entry.path()).replace_extension(".out")) && entry.path().extension() == ".onnx")
        files.push_back(entry.path());
    const size_t end = result.out.find_last_not_of('\n'), line = result.out.rfind('\n', end);
    REQUIRE(std::to_string(files.size()) == result.out.substr(line == std::string::npos ? 0 : line + 1, end - line));
    std::ranges::sort(files);
  }
};

Steps int8_steps(const fs::path& model) {
  const Imported net = importers::import_file(model);
  REQUIRE(net.int8);
  const arch::Spec lowered = arch::lower(net.spec, nullptr);
  runtime::Int8Executor executor(runtime::build_program(lowered, net.int8->weights, net.int8->quant));
  const runtime::TensorQuant q = executor.program().output_quant();
  const arch::Shape shape = executor.program().output_shape();
  const std::vector<float> x = floats_in(fs::path(model).replace_extension(".in"));
  const std::vector<float> expected = floats_in(fs::path(model).replace_extension(".out"));
  std::vector<int8_t> input(static_cast<size_t>(net.spec.input.elements()));
  Steps steps;
  for (size_t sample = 0; sample * input.size() < x.size(); ++sample) {
    executor.quantize_input(std::span(x).subspan(sample * input.size(), input.size()), input);
    const auto output = executor.run(input);
    for (int64_t p = 0; p < shape.h * shape.w; ++p)
      for (int64_t c = 0; c < shape.c; ++c) {
        const float value = expected[sample * output.size() + static_cast<size_t>(c * shape.h * shape.w + p)];
        const int64_t wanted = std::lround(value / q.scale) + q.zero_point;
        const int64_t off = std::abs(wanted - output[static_cast<size_t>(p * shape.c + c)]);
        steps.add(off);
      }
  }
  return steps;
}

// A model of opset 13 whose graph is given as protobuf text.
std::string model(const std::string& graph, int opset = 13) {
  onnx::ModelProto proto;
  REQUIRE(google::protobuf::TextFormat::ParseFromString(
      "ir_version: 8 opset_import { domain: '' version: " + std::to_string(opset) + " } graph { " + graph + " }",
      &proto));
  return proto.SerializeAsString();
}

std::string input(const std::string& dims = "1 3 8 8", int type = 1) {
  std::string text = "input { name: 'x' type { tensor_type { elem_type: " + std::to_string(type) + " shape { ";
  std::istringstream words(dims);
  for (std::string word; words >> word;)
    text += "dim { " +
            (std::isdigit(static_cast<unsigned char>(word[0])) ? "dim_value: " + word : "dim_param: '" + word + "'") +
            " } ";
  return text + "} } } } ";
}

const std::string kOutput = "output { name: 'y' } ";

std::string node(const std::string& op, const std::string& inputs, const std::string& more = "") {
  std::string text = "node { name: 'it' op_type: '" + op + "' output: 'y' ";
  std::istringstream words(inputs);
  for (std::string word; words >> word;) text += "input: '" + word + "' ";
  return text + more + " } ";
}

std::string weight(const std::string& name, const std::string& dims, int count) {
  std::string text = "initializer { name: '" + name + "' data_type: 1 ";
  std::istringstream words(dims);
  for (std::string word; words >> word;) text += "dims: " + word + " ";
  for (int i = 0; i < count; ++i) text += "float_data: 0.5 ";
  return text + "} ";
}

std::string attribute(const std::string& name, const std::string& value) {
  return "attribute { name: '" + name + "' " + value + " } ";
}

std::string refusal(const std::string& bytes) {
  try {
    importers::parse_onnx(bytes, "m.onnx", "");
    return "taken";
  } catch (const core::Error& e) {
    const std::string what = e.what();
    CHECK(what.find('\n') == std::string::npos);
    CHECK(what.starts_with("m.onnx: "));
    return what;
  }
}

}  // namespace

TEST_CASE("operators of ONNX mean what ONNX Runtime makes of them", "[importers][slow]") {
  const Models models("operators", "");
  for (const fs::path& file : models.files) {
    INFO(file.stem());
    CHECK(float_error(file) < 1e-5);
  }
}

TEST_CASE("models that PyTorch writes come in as they are, in old and new opsets", "[importers][slow]") {
  const Models models("torch", "torch");
  for (const fs::path& file : models.files) {
    INFO(file.stem());
    CHECK(float_error(file) < 1e-5);
  }
}

TEST_CASE("int8 models of ONNX Runtime's quantizer keep their integers", "[importers][slow]") {
  const Models models("int8", "");
  for (const fs::path& file : models.files) {
    INFO(file.stem());
    const Steps steps = int8_steps(file);
    CHECK(steps.largest <= 1);  // of the two ways to round
    CHECK(steps.differing * 2 <= steps.values);
  }
}

TEST_CASE("an ONNX file that cannot come in says where and why", "[importers]") {
  const std::string conv = node("Conv", "x w") + weight("w", "4 3 3 3", 108);
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "holds no network"},
      {"\x08", "damaged"},
      {std::string(100, '\xff'), "damaged"},
      {model(""), "holds no network"},
      {model(input() + kOutput + conv, 5), "opset 5"},
      {model(input() + kOutput + conv, 99), "opset 99 of ONNX; expected 7.."},
      {model(input() + kOutput + node("LSTM", "x")), "node 'it' (LSTM): the operator is not known here"},
      {model(input() + kOutput + node("If", "x")), "node 'it' (If)"},
      {model(input() + kOutput + node("QLinearConv", "x")), "format QDQ"},
      {model(input() + kOutput + node("Relu", "x", "domain: 'my.ops'")), "of domain 'my.ops'"},
      {model(input() + kOutput + node("Relu", "z")), "read no input"},
      {model(input() + kOutput + node("Add", "x z")), "reads 'z', which no earlier node writes"},
      {model(input() + "output { name: 'q' } " + node("Relu", "x")), "read no input"},
      {model(input() + kOutput + node("Relu", "x") + node("Relu", "x")), "which another node writes too"},
      {model(input() + "input { name: 'x2' type { tensor_type { elem_type: 1 shape { dim { dim_value: 1 } } } } } " +
             kOutput + node("Add", "x x2")),
       "has 2 inputs (x, x2); expected one"},
      {model(input("n 3 h 8") + kOutput + conv), "input 'x' has shape [?, 3, ?, 8]"},
      {model(input("n 3 8 8 8") + kOutput + conv), "input 'x' has shape"},
      {model(input("n 3 8 8", 7) + kOutput + conv), "holds INT64; expected FLOAT"},
      {model(input("n 4 8 8") + kOutput + conv), "for 4x8x8"},
      {model(input() + kOutput + node("Conv", "x w", attribute("group", "type: INT i: 2")) +
             weight("w", "4 3 3 3", 108)),
       "in 2 groups for 3x8x8"},
      {model(input() + kOutput + node("Conv", "x w") + weight("w", "4 3 3 3", 107)), "107 values; its shape needs 108"},
      {model(input() + kOutput + node("Conv", "x w") + weight("w", "4611686018427387904 4", 1)), "expected at most"},
      {model(input() + kOutput + node("Conv", "x w") +
             "initializer { name: 'w' data_type: 1 dims: 268435456 raw_data: 'a' }"),
       "1 bytes; its shape needs"},
      {model(input() + kOutput + node("Conv", "x w") +
             "initializer { name: 'w' data_type: 8 dims: 1 string_data: 'a' }"),
       "node 'it' (Conv)"},
      {model(input() + kOutput + node("Conv", "x w") +
             "initializer { name: 'w' data_type: 1 dims: 1 data_location: EXTERNAL external_data { key: 'location' "
             "value: "
             "'../../etc/passwd' } }"),
       "expected one in the folder of the model"},
      {model(input() + kOutput + node("Conv", "x w", attribute("pads", "type: INTS ints: -1 ints: 0 ints: 0 ints: 0")) +
             weight("w", "4 3 3 3", 108)),
       "pads [-1, 0, 0, 0]"},
      {model(input() + kOutput + node("Conv", "x w", attribute("strides", "type: INTS ints: 0 ints: 1")) +
             weight("w", "4 3 3 3", 108)),
       "strides [0, 1]"},
      {model(input("1 3 2 2") + kOutput + conv), "node 'it'"},
      {model(input() + kOutput + node("Gemm", "x w") + weight("w", "3 4", 12)), "expected two axes"},
      {model(input() + kOutput + node("Clip", "x") + ""), "the output is the input"},
      {model(input() + kOutput + node("LeakyRelu", "x") + "quantization_annotation { tensor_name: 'x' }"), "taken"},
      {model(input() + kOutput + node("Softmax", "x", attribute("axis", "type: INT i: 2"))),
       "expected all channels or all pixels"},
      {model(input() + kOutput +
             node("Transpose", "x", attribute("perm", "type: INTS ints: 0 ints: 1 ints: 1 ints: 2"))),
       "perm"},
      {model(input() + kOutput + node("Reshape", "x s") +
             "initializer { name: 's' data_type: 7 dims: 2 int64_data: -1 int64_data: 7 }"),
       "shape [-1, 7]"},
      {model(input() + kOutput + node("Reshape", "x x")), "is computed; expected a constant"},
      {model(input() + kOutput + node("Concat", "x x", attribute("axis", "type: INT i: 3"))), "expected channels"},
      {model(input() + kOutput + node("Div", "x x")), "of two computed values"},
      {model(input() + kOutput + node("QuantizeLinear", "x s") + weight("s", "1", 1)), "the output is the input"},
      {model(input() + kOutput + node("DequantizeLinear", "x s") + weight("s", "1", 1)), "reads floats"},
      {model(input() + kOutput + node("Relu", "x") + "sparse_initializer { dims: 4 }"), "sparse"},
  };
  for (const auto& [bytes, expected] : cases) {
    const std::string found = refusal(bytes);
    INFO(found);
    CHECK(found.find(expected) != std::string::npos);
  }
}

TEST_CASE("a model cut off anywhere is refused", "[importers]") {
  const std::string whole = model(input() + kOutput + node("Conv", "x w") + weight("w", "4 3 3 3", 108));
  CHECK(refusal(whole) == "taken");
  for (size_t size = 0; size < whole.size(); size += 7) CHECK(refusal(whole.substr(0, size)) != "taken");
}

TEST_CASE("tensors in files of their own are read from the folder of the model", "[importers]") {
  const tests::TempFolder folder;
  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  folder.write("w.bin", std::string("ab") + std::string(reinterpret_cast<const char*>(values.data()), 24));
  const auto with = [&](const std::string& offset) {
    return model(input() + kOutput + node("Conv", "x w") +
                 "initializer { name: 'w' data_type: 1 dims: 2 dims: 3 dims: 1 dims: 1 data_location: EXTERNAL "
                 "external_data { key: 'location' value: 'w.bin' } external_data { key: 'offset' value: '" +
                 offset + "' } external_data { key: 'length' value: '24' } }");
  };
  const Imported net = importers::parse_onnx(with("2"), "m.onnx", folder.path());
  CHECK(net.weights.at("it.weight").f32()[5] == 6);
  CHECK_THROWS_AS(importers::parse_onnx(with("3"), "m.onnx", folder.path()), core::Error);
  CHECK_THROWS_AS(importers::parse_onnx(with("-2"), "m.onnx", folder.path()), core::Error);
  CHECK_THROWS_AS(importers::parse_onnx(with("99999999999999999999"), "m.onnx", folder.path()), core::Error);
}

TEST_CASE("what is not as it was in the file is said", "[importers]") {
  const std::string graph = input("n 3") + kOutput +
                            "node { op_type: 'Gemm' input: 'x' input: 'layer1.fc.weight' output: 'a' } " +
                            node("Softmax", "a") + weight("layer1.fc.weight", "3 4", 12);
  const Imported net = importers::parse_onnx(model(graph), "m.onnx", "");
  REQUIRE(net.notes.size() == 1);
  CHECK(net.notes[0] == "the softmax at the end is left out: outputs are logits, in the same order of size");
  CHECK(net.spec.nodes[1].name == "layer1_fc");
  CHECK(net.input_axes == "nc");
  CHECK(!net.int8);
}

TEST_CASE("files of a format that nobody reads are refused by their extension", "[importers]") {
  CHECK_THROWS_WITH(importers::import_file("net.pb"), "net.pb: expected a network in a file of .onnx or .tflite");
}
