// verify_c99(): the files against their manifest, then each compiler: build, self-test, every known answer, integer by
// integer. Knows nothing about kernels: it treats the export as a stranger would.
#include "condenser/verify/verify.hpp"

#include <signal.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "condenser/core/files.hpp"
#include "condenser/core/hash.hpp"
#include "condenser/core/process.hpp"
#include "condenser/core/temporary_folder.hpp"

namespace condenser::verify {
namespace {

namespace fs = std::filesystem;
using core::ProcessResult;
using nlohmann::json;

struct Manifest {
  std::string prefix;
  size_t input_bytes = 0, output_bytes = 0;
  std::map<std::string, std::string> files;  // name -> SHA-256
};

struct Toolchain {
  std::string name;                    // "gcc -O2"
  std::vector<std::string> compilers;  // the first that exists is taken
  std::vector<std::string> flags;
};

const std::vector<std::string> kStrict = {
    "-std=c99",          "-Wall",    "-Wextra", "-Werror",     "-pedantic",           "-Wconversion",
    "-Wsign-conversion", "-Wshadow", "-Wundef", "-Wcast-qual", "-Wstrict-prototypes", "-Wmissing-prototypes",
    "-Wdouble-promotion"};

std::vector<Toolchain> toolchains() {
  return {
      {"gcc -O2", {"gcc", "cc"}, {"-O2"}},
      {"clang -O2", {"clang"}, {"-O2"}},
      {"gcc sanitizers", {"gcc", "cc"}, {"-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"}},
  };
}

bool plain_name(const std::string& name) {
  return !name.empty() && name.front() != '-' && name.front() != '.' && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  });
}

size_t tensor_bytes(const json& root, const char* tensor) { return root.at(tensor).at("bytes").get<size_t>(); }

// Of all outputs together.
size_t output_bytes(const json& root) {
  if (!root.contains("outputs")) return tensor_bytes(root, "output");
  size_t bytes = 0;
  for (const json& output : root.at("outputs")) bytes += output.at("bytes").get<size_t>();
  return bytes;
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
    manifest.output_bytes = output_bytes(root);
    manifest.files = root.at("files").get<std::map<std::string, std::string>>();
  } catch (const json::exception& error) {
    throw core::Error(file.string() + ": " + error.what() + "; expected the manifest of a c99 export");
  }
  for (const auto& [name, hash] : manifest.files) {
    if (!plain_name(name)) throw core::Error(file.string() + ": file name '" + name + "'; expected a plain name");
  }
  return manifest;
}

Check check_files(const fs::path& folder, const Manifest& manifest) {
  Check check{"files", true, true, 0, 0, 0, ""};
  for (const auto& [name, hash] : manifest.files) {
    const fs::path file = folder / name;
    const bool same = fs::is_regular_file(file) && core::sha256_file(file) == hash;
    if (same || !check.passed) continue;
    check.passed = false;
    check.detail = name + (fs::exists(file) ? " differs from" : " is missing; it is in") + " the manifest";
  }
  if (check.passed) check.detail = std::to_string(manifest.files.size()) + " files as in the manifest";
  return check;
}

std::string first_line(const std::string& text) {
  const size_t at = text.find("error");  // a compiler says a lot before it comes to the point
  const size_t start = at == std::string::npos ? 0 : text.rfind('\n', at) + 1;
  return text.substr(start, text.find('\n', start) - start);
}

std::string describe(const ProcessResult& result) {
  if (result.end == ProcessResult::End::NotStarted) return "could not be started";
  if (result.end == ProcessResult::End::TimeLimit) return "did not end in time";
  if (result.end == ProcessResult::End::OutputLimit) return "did not stop writing";
  const std::string line = first_line(result.out);
  return "exit status " + std::to_string(result.status()) + (line.empty() ? "" : ": " + line);
}

// Ended from outside, or short of memory or room: says nothing about the files.
bool machine_trouble(const ProcessResult& result) {
  if (result.end == ProcessResult::End::NotStarted || result.status() == 128 + SIGKILL ||
      result.status() == 128 + SIGTERM)
    return true;
  constexpr const char* kSigns[] = {"Killed signal",          "virtual memory exhausted", "out of memory",
                                    "Cannot allocate memory", "No space left on device",  "ReserveShadowMemoryRange"};
  return !result.ok() &&
         std::ranges::any_of(kSigns, [&](const char* sign) { return result.out.find(sign) != std::string::npos; });
}

std::string join(const std::vector<std::vector<int8_t>>& samples) {
  std::string bytes;
  for (const std::vector<int8_t>& sample : samples)
    bytes.append(reinterpret_cast<const char*>(sample.data()), sample.size());
  return bytes;
}

// One compiler with its flags, in a folder of its own.
class Trial {
 public:
  Trial(const fs::path& folder, const Manifest& manifest, const exporters::KnownAnswers& answers,
        const Toolchain& toolchain)
      : folder_(folder), manifest_(manifest), answers_(answers), toolchain_(toolchain) {
    check_.name = toolchain.name;
  }

  Check run() {
    const std::optional<std::string> compiler = find_compiler();
    if (!compiler) return check_;
    check_.ran = true;
    check_.samples = static_cast<int64_t>(answers_.inputs.size());
    if (build(*compiler) && self_test() && run_all()) compare();
    return check_;
  }

 private:
  ProcessResult start(const std::vector<std::string>& arguments) {
    // Leak detection needs ptrace, which containers may forbid; the export allocates nothing.
    return core::run_process(
        arguments, {.environment = {"ASAN_OPTIONS=detect_leaks=0", "LC_ALL=C"}, .time_limit = std::chrono::minutes(5)});
  }

  bool fail(const std::string& detail) {
    check_.passed = false;
    check_.detail = detail;
    return false;
  }

  // Trouble of the machine proves nothing about the export.
  bool skip(const std::string& reason) {
    check_.ran = false;
    check_.detail = reason;
    return false;
  }

  // The first compiler that exists, and builds an empty program with these flags that runs.
  std::optional<std::string> find_compiler() {
    const fs::path source = temporary_.path() / "probe.c";
    core::write_atomic(source, "int main(void) { return 0; }\n");
    check_.detail = "not installed";
    for (const std::string& compiler : toolchain_.compilers) {
      std::vector<std::string> arguments = {compiler};
      arguments.insert(arguments.end(), toolchain_.flags.begin(), toolchain_.flags.end());
      arguments.insert(arguments.end(), {source.string(), "-o", (temporary_.path() / "probe").string()});
      const ProcessResult result = start(arguments);
      if (result.ok()) {
        const ProcessResult ran = start({(temporary_.path() / "probe").string()});
        if (ran.ok()) {
          check_.detail.clear();
          return compiler;
        }
        check_.detail =
            "an empty program does not run in " + temporary_.path().parent_path().string() + ": " + describe(ran);
      } else if (result.status() != 127) {
        check_.detail = compiler + " lacks these options: " + describe(result);
      }
    }
    return std::nullopt;
  }

  bool build(const std::string& compiler) {
    std::vector<std::string> arguments = {compiler};
    arguments.insert(arguments.end(), kStrict.begin(), kStrict.end());
    arguments.insert(arguments.end(), toolchain_.flags.begin(), toolchain_.flags.end());
    arguments.push_back("-D" + self_test_macro());
    const fs::path sources = fs::absolute(folder_);
    for (const auto& [name, hash] : manifest_.files) {
      if (name.ends_with(".c")) arguments.push_back((sources / name).string());
    }
    arguments.insert(arguments.end(), {"-o", program().string()});
    const ProcessResult result = start(arguments);
    if (machine_trouble(result)) return skip("compiling: " + describe(result));
    return result.ok() || fail("compiling: " + describe(result));
  }

  bool self_test() {
    self_test_ = start({program().string()});
    // A failed comparison (1) is looked into below, where every difference is counted.
    const bool ran = self_test_.status() == 0 || self_test_.status() == 1;
    if (machine_trouble(self_test_)) return skip("self-test: " + describe(self_test_));
    return ran || fail("self-test: " + describe(self_test_));
  }

  bool run_all() {
    const fs::path inputs = temporary_.path() / "inputs.bin";
    const fs::path outputs = temporary_.path() / "outputs.bin";
    core::write_atomic(inputs, join(answers_.inputs));
    const ProcessResult result = start({program().string(), inputs.string(), outputs.string()});
    if (machine_trouble(result)) return skip("running all samples: " + describe(result));
    if (!result.ok()) return fail("running all samples: " + describe(result));
    found_ = core::read_file(outputs);
    const size_t expected = answers_.outputs.size() * manifest_.output_bytes;
    return found_.size() == expected ||
           fail("wrote " + std::to_string(found_.size()) + " bytes; expected " + std::to_string(expected));
  }

  void compare() {
    int64_t correct = 0;
    for (size_t s = 0; s < answers_.outputs.size(); ++s) {
      const auto* begin = reinterpret_cast<const int8_t*>(found_.data()) + s * manifest_.output_bytes;
      const std::span<const int8_t> output(begin, manifest_.output_bytes);
      compare_sample(s, output);
      correct += answers_.right && answers_.right(s, output) ? 1 : 0;
    }
    check_.accuracy_percent = std::numeric_limits<double>::quiet_NaN();
    if (answers_.right)
      check_.accuracy_percent = 100.0 * static_cast<double>(correct) / static_cast<double>(answers_.outputs.size());
    check_.passed = check_.differing_values == 0 && self_test_.ok();
    if (check_.passed) check_.detail = "every integer equal";
    if (check_.differing_values == 0 && !check_.passed) check_.detail = "self-test: " + describe(self_test_);
  }

  void compare_sample(size_t s, std::span<const int8_t> output) {
    for (size_t i = 0; i < output.size(); ++i) {
      const int expected = answers_.outputs[s][i];
      if (output[i] == expected) continue;
      if (check_.differing_values++ > 0) continue;
      check_.detail = "sample " + std::to_string(s) + ", output " + std::to_string(i) + ": expected " +
                      std::to_string(expected) + ", found " + std::to_string(output[i]);
    }
  }

  // The self-test is empty without it.
  std::string self_test_macro() const {
    std::string macro = manifest_.prefix + "_self_test";
    for (char& c : macro) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return macro;
  }

  fs::path program() const { return temporary_.path() / "model_test"; }

  const fs::path& folder_;
  const Manifest& manifest_;
  const exporters::KnownAnswers& answers_;
  const Toolchain& toolchain_;
  core::TemporaryFolder temporary_;
  ProcessResult self_test_;
  std::string found_;
  Check check_;
};

void check_answers(const exporters::KnownAnswers& answers, const Manifest& manifest) {
  const size_t count = answers.inputs.size();
  if (count == 0 || answers.outputs.size() != count)
    throw core::Error("verify: " + std::to_string(count) + " inputs, " + std::to_string(answers.outputs.size()) +
                      " outputs; expected at least one sample and equal counts");
  for (size_t s = 0; s < count; ++s) {
    const size_t in = answers.inputs[s].size(), out = answers.outputs[s].size();
    if (in == manifest.input_bytes && out == manifest.output_bytes) continue;
    throw core::Error("verify: sample " + std::to_string(s) + " has " + std::to_string(in) + " input and " +
                      std::to_string(out) + " output values; the export has " + std::to_string(manifest.input_bytes) +
                      " and " + std::to_string(manifest.output_bytes));
  }
}

}  // namespace

std::vector<Check> verify_c99(const fs::path& folder, const exporters::KnownAnswers& answers) {
  const Manifest manifest = read_manifest(folder);
  check_answers(answers, manifest);
  std::vector<Check> checks = {check_files(folder, manifest)};
  for (const Toolchain& toolchain : toolchains()) checks.push_back(Trial(folder, manifest, answers, toolchain).run());
  return checks;
}

// Looking at files proves nothing about their numbers: at least one check must have run samples.
bool passed(const std::vector<Check>& checks) {
  const bool some = std::ranges::any_of(checks, [](const Check& c) { return c.ran && c.samples > 0; });
  return some && !failed(checks);
}

bool failed(const std::vector<Check>& checks) {
  return std::ranges::any_of(checks, [](const Check& c) { return c.ran && !c.passed; });
}

core::Table to_table(const std::vector<Check>& checks) {
  core::Table table;
  table.columns = {{"check", "check", false},
                   {"result", "result", false},
                   {"samples", "samples", true},
                   {"differing_values", "differing values", true},
                   {"accuracy_percent", "accuracy %", true},
                   {"detail", "detail", false}};
  for (const Check& c : checks) {
    const bool compared = c.ran && c.samples > 0;
    table.rows.push_back(
        {core::cell(c.name),
         core::cell(!c.ran     ? "skipped"
                    : c.passed ? "pass"
                               : "FAIL"),
         compared ? core::cell(c.samples) : core::empty_cell(),
         compared ? core::cell(c.differing_values) : core::empty_cell(),
         compared && !std::isnan(c.accuracy_percent) ? core::cell(c.accuracy_percent, 2) : core::empty_cell(),
         core::cell(c.detail)});
  }
  return table;
}

}  // namespace condenser::verify
