// The WebAssembly target: glue, compiler, and the order of writing.
#include "exporters/wasm.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "condenser/core/files.hpp"
#include "condenser/core/process.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "exporters/answers.hpp"
#include "exporters/export_folder.hpp"
#include "exporters/kernel_sources.hpp"
#include "exporters/npz.hpp"

namespace condenser::exporters {
namespace {

namespace fs = std::filesystem;
using Marks = std::map<std::string, std::string>;

constexpr const char* kPackages = "clang and lld (Debian packages of these names)";
constexpr const char* kLibrary = "libc";  // the folder with our headers of the C library

std::string filled(const char* name, const Marks& marks) { return core::filled(std::string(wasm_text(name)), marks); }

// The name of the file with what fills the input, and the header that it needs.
std::pair<const char*, const char*> fill_of(const Package& package) {
  if (package.sound) return {"fill_sound.c.in", "model_sound.h"};
  if (!package.pixels.empty()) return {"fill_picture.c.in", "model_picture.h"};
  return {"fill_values.c.in", "model_float.h"};
}

// What a page calls, as C.
std::string calls_source(const Package& package) {
  const arch::Analysis analysis = arch::analyze(package.spec);
  const size_t outputs = package.spec.output_count();
  std::string gather;
  int64_t at = 0;
  for (size_t k = 0; k < outputs; ++k) {
    const int64_t bytes = arch::output_shape(package.spec, analysis, k).elements();
    gather += "  memcpy(all + " + std::to_string(at) + ", model_output(" + (outputs > 1 ? std::to_string(k) : "") +
              "), " + std::to_string(bytes) + ");\n";
    at += bytes;
  }
  const auto [fill, header] = fill_of(package);
  return filled("calls.c.in", {{"INCLUDES", std::string("#include \"") + header + "\"\n"},
                               {"GATHER", gather},
                               {"FILL", std::string(wasm_text(fill))}});
}

[[noreturn]] void refuse_compiler(const core::ProcessResult& result) {
  const bool absent = result.end == core::ProcessResult::End::NotStarted;
  if (absent || result.out.find("wasm-ld") != std::string::npos)
    throw MissingCompiler(std::string("the wasm target compiles for browsers, but ") +
                          (absent ? "clang" : "its linker wasm-ld") + " is not installed; install " + kPackages);
  throw core::Error("the wasm target: clang ended with status " + std::to_string(result.status()) + ": " +
                    result.out.substr(0, 2000));
}

core::ProcessResult run_clang(std::vector<std::string> arguments, const fs::path& folder) {
  arguments.insert(arguments.begin(), "clang");
  const core::ProcessResult result = core::run_process(
      arguments, {.folder = folder, .environment = {"LC_ALL=C"}, .time_limit = std::chrono::minutes(5)});
  if (!result.ok()) refuse_compiler(result);
  return result;
}

std::string compiler_version() {
  const std::string text = run_clang({"--version"}, {}).out;
  return text.substr(0, text.find('\n'));
}

std::string compiled(const fs::path& folder, const WasmModule& module) {
  std::vector<std::string> arguments = {"--target=wasm32", "-std=c99",     "-O3",      "-mbulk-memory",
                                        "-nostdlib",       "-nostdlibinc", "-isystem", kLibrary};
  arguments.insert(arguments.end(), module.options.begin(), module.options.end());
  // Without room for two, a stack that overflows traps instead of writing into the arena.
  arguments.insert(arguments.end(), {"-Wl,--no-entry,--strip-all,--stack-first", "-o", "out.wasm"});
  std::vector<std::string> sources;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".c") sources.push_back(entry.path().filename().string());
  std::ranges::sort(sources);
  arguments.insert(arguments.end(), sources.begin(), sources.end());
  run_clang(arguments, folder);
  return core::read_file(folder / "out.wasm");
}

// Sources with relative names in a folder of their own: the same bytes every time.
std::map<std::string, std::string> compile(const Package& package, const KnownAnswers& answers) {
  const core::TemporaryFolder temporary;
  const fs::path folder = temporary.path() / "sources";
  c99_write(package, answers, {}, folder);
  core::write_atomic(folder / "calls.c", calls_source(package));
  for (const char* header : {"math.h", "string.h"}) core::write_atomic(folder / kLibrary / header, wasm_text(header));
  std::map<std::string, std::string> modules;
  for (const WasmModule& module : wasm_modules()) modules[module.what] = compiled(folder, module);
  return modules;
}

arch::Tensor clip_array(const std::vector<std::vector<int16_t>>& clips) {
  arch::Tensor tensor = arch::make_tensor(
      arch::DType::I32, {static_cast<int64_t>(clips.size()), static_cast<int64_t>(clips.front().size())});
  size_t to = 0;
  for (const auto& clip : clips)
    for (const int16_t sample : clip) tensor.i32()[to++] = sample;
  return tensor;
}

std::string readme(const Package& package, const std::string& prefix) {
  const char* fill = package.sound
                         ? "new Int16Array(memory, net.clip(), net.clip_samples()).set(samples); net.sound_input();"
                     : !package.pixels.empty()
                         ? "new Uint8Array(memory, net.pixels(), net.input_bytes()).set(pixels); net.picture_input();"
                         : "new Int8Array(memory, net.input(), net.input_bytes()).set(values.map(net.quantize));";
  return filled("README.md.in",
                {{"FILL", fill}, {"P", prefix}, {"NETWORK", package.spec.name}, {"NOTE", package.input_note}});
}

}  // namespace

std::string_view wasm_text(std::string_view name) { return core::source_text(wasm_sources(), name); }

const std::vector<WasmModule>& wasm_modules() {
  static const std::vector<WasmModule> list = {{"plain", "", {}}, {"vectors", "_vectors", {"-msimd128"}}};
  return list;
}

void wasm_write(const Package& package, const KnownAnswers& answers, const ExportOptions& options,
                const fs::path& folder) {
  check_file_prefix(options.prefix);
  if (!package.quant)
    throw core::Error("the wasm target writes int8 networks; network '" + package.spec.name +
                      "' has float weights, quantize first");
  const std::string compiler = compiler_version();
  const std::map<std::string, std::string> modules = compile(package, answers);
  Files files{{"demo.html", wasm_page(package, answers, modules)}};
  std::map<std::string, arch::Tensor> arrays = answer_arrays(package, answers);
  if (!answers.clips.empty()) arrays["clip"] = clip_array(answers.clips);
  files["known_answers.npz"] = to_npz(arrays);
  files["README.md"] = readme(package, options.prefix);
  nlohmann::ordered_json own{{"compiler", compiler},
                             {"input_layout", "hwc"},
                             {"page", "demo.html"},
                             {"page_answers", wasm_page_answers(answers)}};
  for (const WasmModule& module : wasm_modules()) {
    const std::string name = options.prefix + module.suffix + ".wasm";
    files[name] = modules.at(module.what);
    own["modules"][module.what] = name;
  }
  files["manifest.json"] = manifest_text(package, "wasm", own, files);
  write_export_folder(folder, files);
}

}  // namespace condenser::exporters
