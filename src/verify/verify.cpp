// verify_c99(): the files against their manifest, then each compiler: build, self-test, every known answer, integer by
// integer. Knows nothing about kernels: it treats the export as a stranger would.
#include "condenser/verify/verify.hpp"

#include <signal.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "condenser/core/files.hpp"
#include "condenser/core/hash.hpp"
#include "condenser/core/process.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "verify/board_sources.hpp"
#include "verify/trial.hpp"

namespace condenser::verify {
namespace {

namespace fs = std::filesystem;
using core::ProcessResult;

struct Toolchain {
  std::string name;                    // "gcc -O2"
  std::vector<std::string> compilers;  // the first that exists is taken
  std::vector<std::string> flags;
};

std::vector<Toolchain> toolchains() {
  return {
      {"gcc -O2", {"gcc", "cc"}, {"-O2"}},
      {"clang -O2", {"clang"}, {"-O2"}},
      {"gcc sanitizers", {"gcc", "cc"}, {"-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"}},
  };
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
    check_.bytes = manifest_.constant_bytes;
    if (build(*compiler) && self_test() && run_all("inputs.bin", bytes_of(answers_.inputs), {})) conclude();
    if (check_.ran && check_.passed && manifest_.clip_samples > 0 &&
        run_all("clips.bin", bytes_of(answers_.clips), {"--clips"})) {
      conclude();
      check_.detail += ", from the sounds on";
    }
    if (check_.ran && check_.passed && manifest_.stream &&
        run_all("stream.bin", stream_of(answers_, manifest_), {"--stream"}, answers_.stream.size()))
      compare_stream(answers_, found_, check_);
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
    arguments.insert(arguments.end(), strict_options().begin(), strict_options().end());
    arguments.insert(arguments.end(), toolchain_.flags.begin(), toolchain_.flags.end());
    for (const std::string& option : self_test_options(manifest_, folder_)) arguments.push_back(option);
    const fs::path sources = fs::absolute(folder_);
    for (const std::string& name : manifest_.sources()) arguments.push_back((sources / name).string());
    if (!manifest_.library.empty()) append_library(arguments);
    arguments.insert(arguments.end(), {"-o", program().string()});
    if (manifest_.clip_samples > 0) arguments.push_back("-lm");
    const ProcessResult result = start(arguments);
    if (machine_trouble(result)) return skip("compiling: " + describe(result));
    return result.ok() || fail("compiling: " + describe(result));
  }

  // Plain loops in the place of a library that users bring.
  void append_library(std::vector<std::string>& arguments) {
    const auto write = [&](const char* name, const char* source) {
      core::write_atomic(temporary_.path() / name, core::source_text(board_sources(), source));
    };
    write("arm_nnfunctions.h", "cmsis_nn.h.in");
    write("cmsis_nn.c", "cmsis_nn.c.in");
    arguments.insert(arguments.end(), {"-I" + temporary_.path().string(), (temporary_.path() / "cmsis_nn.c").string()});
  }

  bool self_test() {
    self_test_ = start({program().string()});
    // A failed comparison (1) is looked into below, where every difference is counted.
    const bool ran = self_test_.status() == 0 || self_test_.status() == 1;
    if (machine_trouble(self_test_)) return skip("self-test: " + describe(self_test_));
    return ran || fail("self-test: " + describe(self_test_));
  }

  bool run_all(const char* name, const std::string& samples, const std::vector<std::string>& options) {
    return run_all(name, samples, options, answers_.outputs.size());
  }

  bool run_all(const char* name, const std::string& samples, const std::vector<std::string>& options, size_t answers) {
    const fs::path inputs = temporary_.path() / name;
    const fs::path outputs = temporary_.path() / "outputs.bin";
    core::write_atomic(inputs, samples);
    std::vector<std::string> arguments = {program().string()};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.insert(arguments.end(), {inputs.string(), outputs.string()});
    const ProcessResult result = start(arguments);
    if (machine_trouble(result)) return skip("running all samples: " + describe(result));
    if (!result.ok()) return fail("running all samples: " + describe(result));
    found_ = core::read_file(outputs);
    const size_t expected = answers * manifest_.output_bytes();
    return found_.size() == expected ||
           fail("wrote " + std::to_string(found_.size()) + " bytes; expected " + std::to_string(expected));
  }

  void conclude() {
    compare(answers_, found_, check_);
    if (check_.passed && !manifest_.library.empty())
      check_.detail += ", with plain loops in place of " + manifest_.library;
    if (check_.differing_values > 0 || self_test_.ok()) return;
    check_.passed = false;
    check_.detail = "self-test: " + describe(self_test_);
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
                   {"largest_difference", "largest difference", true},
                   {"accuracy_percent", "accuracy %", true},
                   {"bytes", "bytes", true},
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
         compared ? core::cell(c.largest_difference) : core::empty_cell(),
         compared && !std::isnan(c.accuracy_percent) ? core::cell(c.accuracy_percent, 2) : core::empty_cell(),
         c.bytes > 0 ? core::cell(c.bytes) : core::empty_cell(), core::cell(c.detail)});
  }
  return table;
}

}  // namespace condenser::verify
