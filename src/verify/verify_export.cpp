// verify_export(): first whether the files are what weights and quantization say, then whether they compute it.
#include <algorithm>
#include <map>
#include <string_view>

#include "condenser/core/files.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "condenser/core/text.hpp"
#include "condenser/verify/verify.hpp"
#include "exporters/wasm.hpp"
#include "verify/onnx.hpp"
#include "verify/tflite.hpp"
#include "verify/torch.hpp"
#include "verify/wasm.hpp"

namespace condenser::verify {
namespace {

namespace fs = std::filesystem;

// Runs the export in `folder`, which is known to be what the package says.
struct Verifier {
  const char* target;
  std::vector<Check> (*run)(const fs::path& folder, const exporters::Package&, const exporters::KnownAnswers&);
};
constexpr Verifier kVerifiers[] = {
    {"c99", [](const fs::path& folder, const exporters::Package&,
               const exporters::KnownAnswers& answers) { return verify_c99(folder, answers); }},
    {"onnx", verify_onnx},
    {"tflite", verify_tflite},
    {"torch", verify_torch},
    {"wasm", verify_wasm},
};

// Everything below the folder by its path in it; what is no plain file has no content.
std::map<std::string, fs::directory_entry> entries(const fs::path& folder) {
  std::map<std::string, fs::directory_entry> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_symlink() || !entry.is_directory()) found[entry.path().lexically_relative(folder).string()] = entry;
  return found;
}

bool plain(const fs::directory_entry& entry) { return !entry.is_symlink() && entry.is_regular_file(); }

// What a build in the folder leaves there, which nothing here compiles or runs: objects, libraries, firmware, a program
// named as its source, a folder `build`.
bool built(const fs::path& name, const std::map<std::string, fs::directory_entry>& expected) {
  constexpr std::string_view kProducts[] = {".o", ".a", ".elf", ".map", ".d"};
  return *name.begin() == "build" || std::ranges::find(kProducts, name.extension()) != std::end(kProducts) ||
         expected.contains(name.string() + ".c");
}

std::string difference(const fs::path& expected, const fs::path& found) {
  auto there = entries(found);
  const auto as_written = entries(expected);
  for (const auto& [name, entry] : as_written) {
    const auto same = there.find(name);
    if (same == there.end()) return name + " is missing";
    if (!plain(same->second)) return name + " is no plain file";
    if (same->second.file_size() != entry.file_size() ||
        core::read_file(same->second.path()) != core::read_file(entry.path()))
      return name + " differs from what weights and quantization say";
    there.erase(same);
  }
  for (const auto& [name, entry] : there)
    if (!built(name, as_written)) return core::printable(name) + " is no file of the export";
  return "";
}

}  // namespace

Check compare_folders(const fs::path& expected, const fs::path& found) {
  Check check{"export", true, true, 0, 0, 0, "as weights and quantization say"};
  const std::string what = difference(expected, found);
  if (what.empty()) return check;
  check.passed = false;
  check.detail = what + "; nothing was compiled. Run `condenser export` again";
  return check;
}

std::vector<Check> verify_export(const exporters::Target& target, const exporters::Package& package,
                                 const exporters::KnownAnswers& shipped, const exporters::ExportOptions& options,
                                 const fs::path& folder, const exporters::KnownAnswers& answers) {
  const core::TemporaryFolder temporary;
  const fs::path fresh = temporary.path() / "export";
  try {
    target.write(package, shipped, options, fresh);
  } catch (const exporters::MissingCompiler& error) {
    return {{.name = "export", .detail = error.what()}};
  }
  const Check same = compare_folders(fresh, folder);
  if (!same.passed) return {same};
  for (const Verifier& verifier : kVerifiers) {
    if (target.name != verifier.target) continue;
    std::vector<Check> checks = verifier.run(fresh, package, answers);
    checks.insert(checks.begin(), same);
    return checks;
  }
  throw core::Error("target " + target.name + ": nothing here can run it");
}

}  // namespace condenser::verify
