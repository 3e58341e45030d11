#include "verify/trial.hpp"

#include <signal.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "condenser/core/files.hpp"
#include "condenser/core/text.hpp"

namespace condenser::verify {
namespace {

namespace fs = std::filesystem;
using core::ProcessResult;
using nlohmann::json;

// Of a file, or of one in a subfolder: nothing that leads elsewhere or reads as an option.
bool plain_name(const std::string& name) {
  const bool letters = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '/';
  });
  return letters && !name.empty() && name.front() != '.' && name.front() != '/' && name.find("..") == name.npos;
}

size_t tensor_bytes(const json& root, const char* tensor) { return root.at(tensor).at("bytes").get<size_t>(); }

std::vector<size_t> output_bytes(const json& root) {
  if (!root.contains("outputs")) return {tensor_bytes(root, "output")};
  std::vector<size_t> bytes;
  for (const json& output : root.at("outputs")) bytes.push_back(output.at("bytes").get<size_t>());
  return bytes;
}

exporters::StreamTimes stream_times(const json& stream) {
  exporters::StreamTimes times{.sound = stream.at("of") == "samples",
                               .piece = stream.at("piece").get<int64_t>(),
                               .first = stream.at("first").get<int64_t>(),
                               .period = stream.at("period").get<int64_t>()};
  if (times.piece < 1 || times.first < 1 || times.period < 1)
    throw core::Error("manifest.json: piece, first or period of the stream is below 1; expected 1 or more");
  return times;
}

std::string first_line(const std::string& text) {
  const size_t at = text.find("error");  // a compiler says a lot before it comes to the point
  const size_t start = at == std::string::npos ? 0 : text.rfind('\n', at) + 1;
  return text.substr(start, text.find('\n', start) - start);
}

void compare_sample(const exporters::KnownAnswers& answers, size_t s, std::span<const int8_t> output, Check& check) {
  for (size_t i = 0; i < output.size(); ++i) {
    const int expected = answers.outputs[s][i];
    if (output[i] == expected) continue;
    check.largest_difference = std::max(check.largest_difference, int64_t{std::abs(output[i] - expected)});
    if (check.differing_values++ > 0) continue;
    check.detail = "sample " + std::to_string(s) + ", output " + std::to_string(i) + ": expected " +
                   std::to_string(expected) + ", found " + std::to_string(output[i]);
  }
}

}  // namespace

size_t Manifest::output_bytes() const {
  size_t bytes = 0;
  for (const size_t output : outputs) bytes += output;
  return bytes;
}

const std::vector<std::string>& strict_options() {
  static const std::vector<std::string> options = {
      "-std=c99",          "-Wall",    "-Wextra", "-Werror",     "-pedantic",           "-Wconversion",
      "-Wsign-conversion", "-Wshadow", "-Wundef", "-Wcast-qual", "-Wstrict-prototypes", "-Wmissing-prototypes",
      "-Wdouble-promotion"};
  return options;
}

Manifest read_manifest(const fs::path& folder) {
  const fs::path file = folder / "manifest.json";
  const std::string text = core::read_file(file);
  Manifest manifest;
  try {
    const json root = json::parse(text);
    if (root.at("condenser_export") != 1 || root.at("target") != "c99")
      throw core::Error(file.string() + ": expected condenser_export 1 and target c99");
    manifest.prefix = root.at("prefix").get<std::string>();
    manifest.input_bytes = tensor_bytes(root, "input");
    manifest.outputs = output_bytes(root);
    if (root.contains("sound")) {
      manifest.clip_samples = root.at("sound").at("samples").get<size_t>();
      manifest.sample_rate = root.at("sound").at("sample_rate").get<double>();
    }
    if (root.contains("stream")) manifest.stream = stream_times(root.at("stream"));
    manifest.constant_bytes = root.at("constant_bytes").at("total").get<int64_t>();
    if (root.contains("weights_file")) {
      manifest.weights_file = root.at("weights_file").at("name").get<std::string>();
      manifest.weights_bytes = root.at("weights_file").at("bytes").get<int64_t>();
    }
    if (root.contains("library")) manifest.library = root.at("library").at("name").get<std::string>();
    manifest.files = root.at("files").get<std::map<std::string, std::string>>();
  } catch (const json::exception& error) {
    throw core::Error(file.string() + ": " + error.what() + "; expected the manifest of a c99 export");
  }
  if (!manifest.library.empty() && manifest.library != "CMSIS-NN")
    throw core::Error(file.string() + ": library " + core::printable(manifest.library) + "; expected CMSIS-NN");
  for (const auto& [name, hash] : manifest.files) {
    if (!plain_name(name)) throw core::Error(file.string() + ": file name '" + name + "'; expected a plain name");
  }
  if (!manifest.weights_file.empty() && !manifest.files.contains(manifest.weights_file))
    throw core::Error(file.string() + ": weights_file " + core::printable(manifest.weights_file) +
                      " is not among the files");
  return manifest;
}

std::string describe(const ProcessResult& result) {
  if (result.end == ProcessResult::End::NotStarted) return "could not be started";
  if (result.end == ProcessResult::End::TimeLimit) return "did not end in time";
  if (result.end == ProcessResult::End::OutputLimit) return "did not stop writing";
  const std::string line = first_line(result.out);
  return "exit status " + std::to_string(result.status()) + (line.empty() ? "" : ": " + line);
}

bool machine_trouble(const ProcessResult& result) {
  if (result.end == ProcessResult::End::NotStarted || result.status() == 128 + SIGKILL ||
      result.status() == 128 + SIGTERM)
    return true;
  constexpr const char* kSigns[] = {"Killed signal",          "virtual memory exhausted", "out of memory",
                                    "Cannot allocate memory", "No space left on device",  "ReserveShadowMemoryRange"};
  return !result.ok() &&
         std::ranges::any_of(kSigns, [&](const char* sign) { return result.out.find(sign) != std::string::npos; });
}

std::string bytes_of(const std::vector<std::vector<int8_t>>& samples) {
  std::string bytes;
  for (const std::vector<int8_t>& sample : samples)
    bytes.append(reinterpret_cast<const char*>(sample.data()), sample.size());
  return bytes;
}

std::string bytes_of(const std::vector<std::vector<int16_t>>& clips) {
  std::string bytes;
  for (const std::vector<int16_t>& clip : clips) {
    for (const int16_t sample : clip) {
      const auto bits = static_cast<uint16_t>(sample);
      bytes += static_cast<char>(bits & 0xff);
      bytes += static_cast<char>(bits >> 8);
    }
  }
  return bytes;
}

std::string stream_of(const exporters::KnownAnswers& answers, const Manifest& manifest) {
  return manifest.stream.value().sound ? bytes_of(answers.clips) : bytes_of(answers.inputs);
}

void compare_stream(const exporters::KnownAnswers& answers, const std::string& found, Check& check) {
  Check stream = check;
  compare({.inputs = {}, .outputs = answers.stream, .clips = {}, .stream = {}, .right = {}}, found, stream);
  check.passed = stream.passed;
  check.differing_values = stream.differing_values;
  check.largest_difference = std::max(check.largest_difference, stream.largest_difference);
  check.detail = stream.passed ? check.detail + ", as a stream of " + std::to_string(answers.stream.size()) + " answers"
                               : "as a stream: " + stream.detail;
}

void compare(const exporters::KnownAnswers& answers, const std::string& found, Check& check) {
  int64_t correct = 0;
  const auto* begin = reinterpret_cast<const int8_t*>(found.data());
  for (size_t s = 0; s < answers.outputs.size(); ++s) {
    const std::span<const int8_t> output(begin, answers.outputs[s].size());
    begin += output.size();
    compare_sample(answers, s, output, check);
    correct += answers.right && answers.right(s, output) ? 1 : 0;
  }
  check.accuracy_percent = std::numeric_limits<double>::quiet_NaN();
  if (answers.right)
    check.accuracy_percent = 100.0 * static_cast<double>(correct) / static_cast<double>(answers.outputs.size());
  check.passed = check.differing_values == 0;
  if (check.passed) check.detail = "every integer equal";
}

std::vector<std::string> Manifest::sources() const {
  std::vector<std::string> names;
  for (const auto& [name, hash] : files)
    if (name.ends_with(".c") && name.find('/') == name.npos) names.push_back(name);
  return names;
}

void check_answers(const exporters::KnownAnswers& answers, const Manifest& manifest) {
  const size_t count = answers.inputs.size();
  if (count == 0 || answers.outputs.size() != count)
    throw core::Error("verify: " + std::to_string(count) + " inputs, " + std::to_string(answers.outputs.size()) +
                      " outputs; expected at least one sample and equal counts");
  for (size_t s = 0; s < count; ++s) {
    const size_t in = answers.inputs[s].size(), out = answers.outputs[s].size();
    if (in == manifest.input_bytes && out == manifest.output_bytes()) continue;
    throw core::Error("verify: sample " + std::to_string(s) + " has " + std::to_string(in) + " input and " +
                      std::to_string(out) + " output values; the export has " + std::to_string(manifest.input_bytes) +
                      " and " + std::to_string(manifest.output_bytes()));
  }
  if (manifest.stream) {
    int64_t values = 0;
    if (manifest.stream->sound)
      values = static_cast<int64_t>(answers.clips.size() * manifest.clip_samples);
    else
      values = static_cast<int64_t>(count * manifest.input_bytes);
    if (std::ssize(answers.stream) != manifest.stream->answers(values))
      throw core::Error("verify: " + std::to_string(answers.stream.size()) + " answers of a stream; the export gives " +
                        std::to_string(manifest.stream->answers(values)));
  }
  if (manifest.clip_samples == 0) return;
  const bool fit = answers.clips.size() == count && std::ranges::all_of(answers.clips, [&](const auto& clip) {
                     return clip.size() == manifest.clip_samples;
                   });
  if (!fit)
    throw core::Error("verify: " + std::to_string(answers.clips.size()) + " sounds for " + std::to_string(count) +
                      " samples; the export expects one each, of " + std::to_string(manifest.clip_samples) +
                      " samples of 16 bits");
}

std::vector<std::string> self_test_options(const Manifest& manifest, const fs::path& folder) {
  std::vector<std::string> options = {"-D" + self_test_macro(manifest.prefix)};
  if (!manifest.weights_file.empty())
    options.push_back("-D" + exporters::macro_prefix(manifest.prefix) + "_WEIGHTS_FILE=\"" +
                      fs::absolute(folder / manifest.weights_file).string() + "\"");
  return options;
}

std::string self_test_macro(const std::string& prefix) { return exporters::macro_prefix(prefix) + "_SELF_TEST"; }

}  // namespace condenser::verify
