// For every exemplar: the c99 target refuses it by node, or the emitted C gives the int8 executor's output, bit for
// bit.
#include <algorithm>
#include <filesystem>
#include <map>

#include "condenser/arch/memory.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/process.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "support/absent.hpp"
#include "support/c99_package.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"
#include "support/int16_networks.hpp"

namespace condenser::testing {
namespace {

namespace fs = std::filesystem;
using exporters::find_target;

constexpr size_t kSamples = 5;

bool has_operator_without_int8(const arch::Spec& lowered) {
  return std::ranges::any_of(lowered.nodes,
                             [](const arch::Node& node) { return std::holds_alternative<arch::Softmax>(node.op); });
}

struct Emitted {
  std::string name, prefix;
  C99Case test;
};

// Runs all samples of one export and writes its outputs, one after the other.
std::string run_function(const Emitted& item) {
  std::string macro = item.prefix;
  std::ranges::transform(macro, macro.begin(), [](char c) { return static_cast<char>(std::toupper(c)); });
  const std::string& p = item.prefix;
  const size_t outputs = item.test.package.spec.output_count();
  std::string text = "static int " + p + "_all(void) {\n  for (int s = 0; s < " + std::to_string(kSamples) +
                     "; ++s) {\n    if (fread(" + p + "_input(), 1, " + macro + "_INPUT_BYTES, stdin) != " + macro +
                     "_INPUT_BYTES || " + p + "_run() != 0) { return 1; }\n";
  for (size_t k = 0; k < outputs; ++k) {
    const std::string number = std::to_string(k);
    text += outputs == 1 ? "    if (write(" + p + "_output(), " + macro + "_OUTPUT_BYTES)) { return 1; }\n"
                         : "    if (write(" + p + "_output(" + number + "), " + macro + "_OUTPUT_" + number +
                               "_BYTES)) { return 1; }\n";
  }
  return text + "  }\n  return 0;\n}\n";
}

std::map<std::string, fs::path> kernels_of(const std::vector<Emitted>& list, const fs::path& root) {
  std::map<std::string, fs::path> kernels;
  for (const Emitted& item : list) {
    for (const fs::directory_entry& entry : fs::directory_iterator(root / item.prefix)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with("cnd_") && name.ends_with(".c")) kernels[name] = entry.path();
    }
  }
  return kernels;
}

// A second form of the text of another kernel.
bool stands_alone(const std::string& kernel) { return kernel.ends_with("_w4.c"); }

// One source that includes every export, and nearly every kernel: one call of the compiler for all of them.
std::string unity_source(const std::vector<Emitted>& list, const fs::path& root) {
  std::string text = "#include <stdio.h>\n";
  for (const Emitted& item : list) {
    const fs::path folder = root / item.prefix;
    text += "#include \"" + (folder / (item.prefix + ".c")).string() + "\"\n";
    text += "#include \"" + (folder / (item.prefix + "_weights.c")).string() + "\"\n";
  }
  for (const auto& [name, path] : kernels_of(list, root))
    if (!stands_alone(name)) text += "#include \"" + path.string() + "\"\n";
  text += "static int write(const int8_t *out, size_t m) { return fwrite(out, 1, m, stdout) != m; }\n";
  for (const Emitted& item : list) text += run_function(item);
  text +=
      "\nint main(int argc, char **argv) {\n  int failed = argc != 3;\n"
      "  failed = failed || freopen(argv[1], \"rb\", stdin) == NULL || freopen(argv[2], \"wb\", stdout) == NULL;\n";
  for (const Emitted& item : list) text += "  failed = failed || " + item.prefix + "_all();\n";
  return text + "  return failed;\n}\n";
}

// A depthwise step that writes over its input.
bool overlaps_depthwise(const Emitted& item) {
  const arch::Spec& spec = item.test.package.spec;
  const arch::MemoryPlan plan = arch::plan_memory(spec, arch::analyze(spec));
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    if (plan.alias_of[i] >= 0 && std::holds_alternative<arch::Conv2d>(spec.nodes[i].op)) return true;
  }
  return false;
}

std::vector<Emitted> emit_all(const fs::path& root) {
  std::vector<Emitted> list;
  for (const Exemplar& item : exemplars()) {
    const arch::Design design = arch::design_of(item.spec);
    if (!find_target("c99").unsupported(design).empty()) continue;
    const size_t index = list.size();
    Emitted emitted{item.name, "m" + std::to_string(index) + "x", c99_case(design.lowered, 11 + index, kSamples)};
    find_target("c99").write(emitted.test.package, emitted.test.answers, {emitted.prefix}, root / emitted.prefix);
    list.push_back(std::move(emitted));
  }
  for (const Int16Network& item : int16_networks()) {
    const size_t index = list.size();
    Emitted emitted{"int16_" + item.name, "m" + std::to_string(index) + "x",
                    c99_case(item.spec, 11 + index, kSamples, item.nodes)};
    find_target("c99").write(emitted.test.package, emitted.test.answers, {emitted.prefix}, root / emitted.prefix);
    list.push_back(std::move(emitted));
  }
  return list;
}

}  // namespace

TEST_CASE("every target supports an exemplar or refuses it by node", "[contract][exporters]") {
  for (const exporters::Target& target : exporters::targets()) {
    int refused = 0;
    for (const Exemplar& item : exemplars()) {
      const arch::Design design = arch::design_of(item.spec);
      const std::vector<exporters::Unsupported> unsupported = target.unsupported(design);
      INFO(target.name << " " << item.name);
      if (has_operator_without_int8(design.lowered)) CHECK_FALSE(unsupported.empty());
      if (target.name == "c99") CHECK(unsupported.empty() != has_operator_without_int8(design.lowered));
      for (const exporters::Unsupported& u : unsupported) {
        ++refused;
        CHECK_NOTHROW(arch::find_node(design.lowered, u.node));
        CHECK_FALSE(u.why.empty());
      }
    }
    CHECK(refused >= 4);
  }
}

TEST_CASE("emitted C equals the int8 executor for every exemplar", "[contract][exporters][slow]") {
  const core::TemporaryFolder folder;
  const std::vector<Emitted> list = emit_all(folder.path());
  CHECK(list.size() > 60);
  CHECK(std::ranges::count_if(list, overlaps_depthwise) >= 8);
  std::string inputs;
  for (const Emitted& item : list) {
    for (const std::vector<int8_t>& input : item.test.answers.inputs)
      inputs.append(reinterpret_cast<const char*>(input.data()), input.size());
  }
  const auto at = [&](const char* name) { return (folder.path() / name).string(); };
  core::write_atomic(at("inputs"), inputs);
  core::write_atomic(at("unity.c"), unity_source(list, folder.path()));
  struct Build {
    std::vector<std::string> compiler;
    std::string emulator;  // empty: this machine
  };
  for (const auto& [build, emulator] :
       {Build{{"gcc", "-O1", "-fsanitize=undefined,address", "-fno-sanitize-recover=all"}, ""},
        Build{{"clang", "-O2"}, ""},
        // Thumb with the DSP instructions of a Cortex-M4; Thumb of eight registers, as a Cortex-M0 has it.
        Build{{"arm-linux-gnueabi-gcc", "-O2", "-march=armv7-a", "-mthumb", "-static"}, "qemu-arm"},
        Build{{"arm-linux-gnueabi-gcc", "-Os", "-march=armv5te", "-mthumb", "-static"}, "qemu-arm"}}) {
    INFO(build[0]);
    std::vector<std::string> compile = build;
    for (const char* flag : {"-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-pedantic"})
      compile.emplace_back(flag);
    for (const auto& [name, path] : kernels_of(list, folder.path()))
      if (stands_alone(name)) compile.push_back(path.string());
    compile.insert(compile.end(), {at("unity.c"), "-o", at("unity")});
    const core::ProcessOptions options{.environment = {"ASAN_OPTIONS=detect_leaks=0"},
                                       .time_limit = std::chrono::minutes(5)};
    const core::ProcessResult compiled = core::run_process(compile, options);
    if (compiled.status() == 127) {
      condenser::tests::skip_without(build[0], "not installed");
      continue;
    }
    INFO(compiled.out);
    REQUIRE(compiled.ok());
    std::vector<std::string> run = {at("unity"), at("inputs"), at("outputs")};
    if (!emulator.empty()) run.insert(run.begin(), emulator);
    const core::ProcessResult ran = core::run_process(run, options);
    if (ran.status() == 127) {
      condenser::tests::skip_without(emulator, "not installed");
      continue;
    }
    INFO(ran.out);
    REQUIRE(ran.ok());
    const std::string outputs = core::read_file(at("outputs"));
    size_t offset = 0;
    for (const Emitted& item : list) {
      for (const std::vector<int8_t>& expected : item.test.answers.outputs) {
        const std::string bytes(reinterpret_cast<const char*>(expected.data()), expected.size());
        CHECK((item.name + (outputs.compare(offset, bytes.size(), bytes) == 0 ? "" : ": differs")) == item.name);
        offset += bytes.size();
      }
    }
    CHECK(offset == outputs.size());
  }
}

}  // namespace condenser::testing
