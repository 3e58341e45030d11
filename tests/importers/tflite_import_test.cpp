// Models of TensorFlow Lite as strangers write them, against LiteRT's reference kernels; and files that are refused,
// each with its reason.
#include <cmath>
#include <cstring>

#include "condenser/arch/passes.hpp"
#include "condenser/importers/importer.hpp"
#include "condenser/runtime/float_executor.hpp"
#include "condenser/runtime/int8_executor.hpp"
#include "importers/model_answers.hpp"
#include "importers/tflite.hpp"
#include "support/absent.hpp"
#include "support/process.hpp"
#include "verify/python.hpp"

using namespace condenser;
using importers::Imported;
using importers::testing::float_error, importers::testing::Steps;
namespace fs = std::filesystem;

namespace {

// The models of tflite_models.py. Empty where Python lacks a package.
struct Models {
  tests::TempFolder folder;
  std::vector<fs::path> files;

  explicit Models(const std::string& kind) {
    const auto python = verify::python_with("ai_edge_litert.interpreter, flatbuffers");
    if (!python) {
      tests::skip_without("python: ai_edge_litert", "scripts/setup.sh --dev");
      return;
    }
    const auto result = core::run_process(
        {*python, CONDENSER_SOURCE_DIR "/tests/importers/tflite_models.py", folder.path().string(), kind},
        {.err = core::Stream::Captured, .time_limit = std::chrono::minutes(5)});
    INFO(result.err);
    REQUIRE(result.ok());
    for (const auto& entry : fs::directory_iterator(folder.path()))
      if (entry.path().extension() == ".tflite") files.push_back(entry.path());
    const size_t end = result.out.find_last_not_of('\n'), line = result.out.rfind('\n', end);
    REQUIRE(std::to_string(files.size()) == result.out.substr(line == std::string::npos ? 0 : line + 1, end - line));
    std::ranges::sort(files);
  }
};

// Integers as they are, [h, w, c] on both sides; unsigned ones are 128 higher.
Steps int8_steps(const fs::path& model) {
  const Imported net = importers::import_file(model);
  REQUIRE(net.int8);
  const arch::Spec lowered = arch::lower(net.spec, nullptr);
  runtime::Int8Executor executor(runtime::build_program(lowered, net.int8->weights, net.int8->quant));
  const int offset = model.stem() == "unsigned_ends" ? 128 : 0;
  const std::string x = tests::slurp(fs::path(model).replace_extension(".in"));
  const std::string expected = tests::slurp(fs::path(model).replace_extension(".out"));
  const auto size = static_cast<size_t>(net.spec.input.elements());
  const auto value = [&](char byte) {
    return offset ? int{static_cast<uint8_t>(byte)} - 128 : int{static_cast<int8_t>(byte)};
  };
  std::vector<int8_t> input(size);
  Steps steps;
  for (size_t sample = 0; sample < x.size() / size; ++sample) {
    for (size_t i = 0; i < size; ++i) input[i] = static_cast<int8_t>(value(x[sample * size + i]));
    const auto output = executor.run(input);
    REQUIRE(expected.size() == x.size() / size * output.size());
    for (size_t i = 0; i < output.size(); ++i) {
      const int64_t off = std::abs(value(expected[sample * output.size() + i]) - output[i]);
      steps.add(off);
    }
  }
  return steps;
}

// What LiteRT computes in another way than the executor; src/importers/README.md says how.
bool rounds_differently(const std::string& name) {
  return name.starts_with("rounded_") || name.starts_with("mean_") || name.starts_with("fully_connected") ||
         name == "flatten" || name == "computed_extents";
}

}  // namespace

TEST_CASE("operators of TensorFlow Lite mean what LiteRT makes of them", "[importers][slow]") {
  const Models models("float");
  for (const fs::path& file : models.files) {
    INFO(file.stem());
    CHECK(float_error(file) < 1e-5);
  }
}

TEST_CASE("int8 models of TensorFlow Lite give the integers of LiteRT's reference kernels", "[importers][slow]") {
  const Models models("int8");
  for (const fs::path& file : models.files) {
    const Steps steps = int8_steps(file);
    INFO(file.stem() << ": " << steps.differing << " of " << steps.values << ", at most " << steps.largest);
    CHECK(steps.largest <= (rounds_differently(file.stem()) ? 1 : 0));
  }
}

TEST_CASE("a TensorFlow Lite file that cannot come in says where and why", "[importers][slow]") {
  const Models models("refused");
  for (const fs::path& file : models.files) {
    std::string found = "taken";
    try {
      importers::parse_tflite(tests::slurp(file), "m.tflite");
    } catch (const core::Error& e) {
      found = e.what();
    }
    INFO(file.stem() << ": " << found);
    CHECK(found.starts_with("m.tflite: "));
    CHECK(found.find('\n') == std::string::npos);
    CHECK(found.find(tests::slurp(fs::path(file).replace_extension(".why"))) != std::string::npos);
  }
}

TEST_CASE("a TensorFlow Lite model cut off anywhere, or with any byte changed, is refused or comes in", "[importers]") {
  const std::string whole = tests::slurp(CONDENSER_SOURCE_DIR "/tests/fuzz/corpus/tflite/chain.tflite");
  const auto taken = [](const std::string& bytes) {
    try {
      importers::parse_tflite(bytes, "m.tflite");
      return true;
    } catch (const core::Error&) {
      return false;
    }
  };
  CHECK(taken(whole));
  for (size_t size = 0; size < whole.size() / 2; size += 5) CHECK(!taken(whole.substr(0, size)));
  int refused = 0;
  for (size_t at = 0; at < whole.size(); at += 3) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x5a);
    refused += !taken(changed);
  }
  CHECK(refused > 0);
}

TEST_CASE("files that broke a reader of TensorFlow Lite are refused or come in", "[importers]") {
  for (const char* name : {"misaligned", "large_zero_point"}) {
    INFO(name);
    const std::string bytes =
        tests::slurp(fs::path(CONDENSER_SOURCE_DIR "/tests/fuzz/corpus/tflite") / (std::string(name) + ".tflite"));
    CHECK(bytes.size() > 100);
    try {
      importers::parse_tflite(bytes, "m.tflite");
    } catch (const core::Error& e) {
      CHECK(std::string(e.what()).starts_with("m.tflite: "));
    }
  }
}

TEST_CASE("names of layers come from names of tensors", "[importers]") {
  const Imported net = importers::import_file(CONDENSER_SOURCE_DIR "/tests/fuzz/corpus/tflite/conv_relu.tflite");
  CHECK(net.input_axes == "nhwc");
  CHECK(net.spec.input == arch::Shape{3, 6, 6});
  CHECK(net.spec.nodes[1].name == "t3");  // "net/t3/it"
  CHECK(!net.int8);
}
