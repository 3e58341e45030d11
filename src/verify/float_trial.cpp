#include "verify/float_trial.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "condenser/core/files.hpp"
#include "condenser/core/statistics.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "condenser/core/text.hpp"
#include "condenser/runtime/float_executor.hpp"
#include "verify/python.hpp"
#include "verify/trial.hpp"

namespace condenser::verify {
namespace {

namespace fs = std::filesystem;

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

// Who is right about each sample, the executor or the runtime.
core::Paired who_is_right(const exporters::KnownAnswers& answers, const std::string& found) {
  core::Paired pairs;
  const auto* output = reinterpret_cast<const int8_t*>(found.data());
  for (size_t i = 0; i < answers.outputs.size(); output += answers.outputs[i++].size())
    pairs.add(answers.right(i, answers.outputs[i]), answers.right(i, {output, answers.outputs[i].size()}));
  return pairs;
}

// A runtime that rounds otherwise may be right about other samples, not about fewer: no more than 0.1 points apart, or
// no more than chance explains (few samples cannot show 0.1 points: one of 240 is 0.4).
void check_accuracy(const core::Paired& pairs, Check& check) {
  if (std::abs(core::difference_95(pairs).points) <= 0.1 + 1e-9) return;
  const double chance = core::mcnemar(pairs);
  check.passed = chance >= 0.05;
  check.detail += ": it alone is right about samples: " + std::to_string(pairs.only_second) +
                  ", the executor alone: " + std::to_string(pairs.only_first) + " (McNemar's p " +
                  core::significant(chance, 2) + ")";
  if (!check.passed)
    check.detail +=
        ". Where the check of nodes passes, the network hangs on single roundings: quantize.qat.epochs makes it firmer";
}

}  // namespace

RuntimeAnswer run_runtime(const std::string& python, std::string_view script, std::vector<std::string> arguments,
                          const std::string& inputs, size_t output_bytes, const std::string& runtime) {
  const core::TemporaryFolder temporary;
  const fs::path in = temporary.path() / "in", out = temporary.path() / "out";
  core::write_atomic(in, inputs);
  arguments.insert(arguments.end(), {in.string(), out.string()});
  const auto result = run_script(python, script, arguments);
  if (!result.ok()) return {"", runtime, runtime + ": " + describe(result)};
  RuntimeAnswer answer{core::read_file(out), runtime + " " + result.out.substr(0, result.out.find('\n')), ""};
  if (answer.bytes.size() == output_bytes) return answer;
  answer.trouble = std::to_string(answer.bytes.size()) + " bytes of output; expected " + std::to_string(output_bytes);
  answer.bytes.clear();
  return answer;
}

std::string bytes_of(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

// [h, w, c] in integers to [c, h, w] in floats.
std::vector<float> float_inputs(const exporters::Package& package, const exporters::KnownAnswers& answers,
                                size_t samples) {
  const arch::Shape& s = package.spec.input;
  const runtime::TensorQuant& quant = package.quant->nodes.at(package.spec.nodes.front().name).output;
  std::vector<float> values;
  values.reserve(samples * static_cast<size_t>(s.elements()));
  for (const auto& input : std::span(answers.inputs).first(samples))
    for (int64_t c = 0; c < s.c; ++c)
      for (int64_t p = 0; p < s.h * s.w; ++p)
        values.push_back(
            static_cast<float>((input[static_cast<size_t>(p * s.c + c)] - quant.zero_point) * quant.scale));
  return values;
}

size_t float_output_bytes(const exporters::Package& package, size_t samples) {
  const arch::Analysis analysis = arch::analyze(package.spec);
  size_t values = 0;
  for (size_t k = 0; k < package.spec.output_count(); ++k)
    values += static_cast<size_t>(arch::output_shape(package.spec, analysis, k).elements());
  return values * samples * sizeof(float);
}

Check int8_check(const fs::path& model, const RuntimeAnswer& answer, const exporters::Package& package,
                 const exporters::KnownAnswers& answers) {
  if (answer.bytes.empty()) return integer_check("int8", model, answer, answers);
  RuntimeAnswer integers = answer;
  integers.bytes = integers_of(floats_in(answer.bytes), package, answers.inputs.size());
  return integer_check("int8", model, integers, answers);
}

Check integer_check(const char* name, const fs::path& model, const RuntimeAnswer& answer,
                    const exporters::KnownAnswers& answers) {
  Check check{.name = name, .ran = true, .samples = std::ssize(answers.inputs)};
  check.bytes = static_cast<int64_t>(fs::file_size(model));
  if (answer.bytes.empty()) {
    check.detail = answer.trouble;
    return check;
  }
  compare(answers, answer.bytes, check);
  check.passed = true;
  check.detail = answer.runtime;
  if (check.differing_values > 0) check.detail += ", by its own rounding";
  if (answers.right) check_accuracy(who_is_right(answers, answer.bytes), check);
  return check;
}

Check float_check(const fs::path& model, const RuntimeAnswer& answer, const exporters::Package& package,
                  const std::vector<float>& inputs, int64_t samples, double tolerance) {
  Check check{
      .name = "float", .ran = true, .samples = samples, .accuracy_percent = std::numeric_limits<double>::quiet_NaN()};
  check.bytes = static_cast<int64_t>(fs::file_size(model));
  if (answer.bytes.empty()) {
    check.detail = answer.trouble;
    return check;
  }
  const std::vector<float> found = floats_in(answer.bytes);
  const std::vector<float> expected = runtime::FloatExecutor(package.spec, *package.floats).run(inputs, samples);
  double most = 1, worst = 0;
  for (const float value : expected) most = std::max(most, std::abs(double{value}));
  for (size_t k = 0; k < expected.size(); ++k) {
    const double off = std::abs(double{expected[k]} - double{found[k]});
    worst = std::isnan(off) ? std::numeric_limits<double>::infinity() : std::max(worst, off);
    check.differing_values += !(off <= tolerance * most);
  }
  check.passed = worst <= tolerance * most;
  check.detail =
      answer.runtime + ", largest error " + core::significant(worst, 2) + " of " + core::significant(most, 3);
  return check;
}

}  // namespace condenser::verify
