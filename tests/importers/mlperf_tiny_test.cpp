// The reference models of MLPerf Tiny (mlcommons/tiny), float and int8, as TensorFlow wrote them: against LiteRT's
// reference kernels, and on the data that their accuracy was published for.
#include <cmath>
#include <cstring>

#include "condenser/arch/passes.hpp"
#include "condenser/importers/importer.hpp"
#include "condenser/runtime/float_executor.hpp"
#include "condenser/runtime/int8_executor.hpp"
#include "support/absent.hpp"
#include "support/process.hpp"
#include "verify/python.hpp"

using namespace condenser;
using importers::Imported;
namespace fs = std::filesystem;

namespace {

// Runs a model on random inputs and writes both, inputs channels last: <out>.in and <out>.out, which is what comes
// before the softmax at the end.
constexpr char kScript[] = R"py(
import sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
model, out = sys.argv[1:3]
net = Interpreter(model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF, experimental_preserve_all_tensors=True)
net.allocate_tensors()
last = net._get_ops_details()[-1]
result = (last["inputs"] if last["op_name"] == "SOFTMAX" else last["outputs"])[0]
given = net.get_input_details()[0]
rng = np.random.default_rng(1)
with open(out + ".in", "wb") as xs, open(out + ".out", "wb") as ys:
    for _ in range(4):
        if given["dtype"] == np.int8:
            x = rng.integers(-128, 128, given["shape"]).astype(np.int8)
        else:
            x = rng.standard_normal(given["shape"]).astype(np.float32)
        net.set_tensor(given["index"], x)
        net.invoke()
        x.tofile(xs)
        net.get_tensor(result).tofile(ys)
)py";

std::optional<fs::path> data() {
  const char* folder = std::getenv("CONDENSER_DATA");
  if (folder != nullptr && fs::exists(fs::path(folder) / "mlperf_tiny/models")) return fs::path(folder);
  tests::skip_without("data: mlperf_tiny", "set CONDENSER_DATA to a folder that holds mlperf_tiny/models");
  return std::nullopt;
}

runtime::Int8Executor executor_of(const Imported& net) {
  return runtime::Int8Executor(
      runtime::build_program(arch::lower(net.spec, nullptr), net.int8->weights, net.int8->quant));
}

template <class T>
std::vector<T> values_in(const fs::path& file) {
  const std::string bytes = tests::slurp(file);
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

struct Difference {
  int64_t values = 0, differing = 0, largest = 0;
};

Difference int8_difference(const Imported& net, const fs::path& files) {
  runtime::Int8Executor executor = executor_of(net);
  const auto x = values_in<int8_t>(files.string() + ".in"), y = values_in<int8_t>(files.string() + ".out");
  const auto size = static_cast<size_t>(net.spec.input.elements());
  Difference found;
  for (size_t first = 0; first < x.size(); first += size)
    for (const int8_t q : executor.run(std::span(x).subspan(first, size))) {
      const int64_t off = std::abs(q - y.at(static_cast<size_t>(found.values++)));
      found.differing += off > 0;
      found.largest = std::max(found.largest, off);
    }
  return found;
}

// Relative to the largest value.
double float_difference(const Imported& net, const fs::path& files) {
  const auto x = values_in<float>(files.string() + ".in"), y = values_in<float>(files.string() + ".out");
  const arch::Shape s = net.spec.input;
  std::vector<float> planes(x.size());
  const auto samples = static_cast<int64_t>(x.size()) / s.elements();
  for (int64_t i = 0; i < samples; ++i)
    for (int64_t c = 0; c < s.c; ++c)
      for (int64_t p = 0; p < s.h * s.w; ++p)
        planes[static_cast<size_t>(i * s.elements() + c * s.h * s.w + p)] =
            x[static_cast<size_t>(i * s.elements() + p * s.c + c)];
  const std::vector<float> found = runtime::FloatExecutor(net.spec, net.weights).run(planes, samples);
  REQUIRE(found.size() == y.size());
  double worst = 0, most = 1;
  for (size_t k = 0; k < y.size(); ++k) {
    worst = std::max(worst, std::abs(double{found[k]} - double{y[k]}));
    most = std::max(most, std::abs(double{y[k]}));
  }
  return worst / most;
}

size_t largest(std::span<const int8_t> values) {
  return static_cast<size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

}  // namespace

TEST_CASE("models of MLPerf Tiny compute what LiteRT computes", "[importers][slow]") {
  const auto folder = data();
  if (!folder) return;
  const auto python = verify::python_with("ai_edge_litert.interpreter");
  if (!python) return tests::skip_without("python: ai_edge_litert", "scripts/setup.sh --dev");
  const tests::TempFolder temporary;
  // int8 models, and in how many steps they may differ: FULLY_CONNECTED, of which ad01 has ten layers, rounds once
  // there.
  const std::map<std::string, int64_t> steps{
      {"ad01_int8", 2},        {"kws_ref_model", 1}, {"pretrainedResnet_quant", 1}, {"pretrainedResnet_large_int8", 1},
      {"str_ww_ref_model", 1}, {"vww_96_int8", 1}};
  int count = 0;
  for (const auto& entry : fs::directory_iterator(*folder / "mlperf_tiny/models")) {
    const std::string name = entry.path().stem();
    INFO(name);
    const Imported net = importers::import_file(entry.path());
    CHECK(static_cast<bool>(net.int8) == steps.contains(name));
    const fs::path files = temporary / name;
    REQUIRE(verify::run_script(*python, kScript, {entry.path().string(), files.string()}).ok());
    ++count;
    if (net.int8) {
      const Difference found = int8_difference(net, files);
      INFO(found.differing << " of " << found.values << ", at most " << found.largest);
      CHECK(found.largest <= steps.at(name));
    } else if (name != "kws_ref_model_float32") {  // its weights are int8: LiteRT rounds values while it runs
      CHECK(float_difference(net, files) < 1e-4);
    }
  }
  CHECK(count == 11);
}

TEST_CASE("the int8 networks of MLPerf Tiny are as good as published", "[importers][slow]") {
  const auto folder = data();
  if (!folder) return;
  const fs::path models = *folder / "mlperf_tiny/models";
  runtime::Int8Executor words = executor_of(importers::import_file(models / "kws_ref_model.tflite"));
  int64_t right = 0, all = 0;
  for (const auto& entry : fs::directory_iterator(*folder / "mlperf_tiny/kws01")) {
    if (entry.path().extension() != ".bin") continue;
    const std::string stem = entry.path().stem();
    right += std::stoul(stem.substr(stem.rfind('_') + 1)) == largest(words.run(values_in<int8_t>(entry.path())));
    ++all;
  }
  CHECK(all == 1000);
  CHECK(right == 901);  // published: 90.1 %; so LiteRT's reference kernels, XNNPACK 902
  runtime::Int8Executor pictures = executor_of(importers::import_file(models / "pretrainedResnet_quant.tflite"));
  const auto records = values_in<uint8_t>(*folder / "cifar10_subset/test_batch.bin");
  right = all = 0;
  for (size_t first = 0; first < records.size(); first += 3073, ++all) {
    std::vector<int8_t> input(3072);
    for (size_t c = 0; c < 3; ++c)
      for (size_t p = 0; p < 1024; ++p)
        input[p * 3 + c] = static_cast<int8_t>(int{records[first + 1 + c * 1024 + p]} - 128);
    right += records[first] == largest(pictures.run(input));
  }
  CHECK(all == 1000);
  CHECK(right == 880);  // so LiteRT's reference kernels; its optimized ones 877, XNNPACK 878
}
