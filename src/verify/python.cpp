#include "verify/python.hpp"

#include <cstdlib>

#include "condenser/core/files.hpp"
#include "condenser/core/temporary_folder.hpp"

namespace condenser::verify {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::minutes kImport{1}, kRun{10};

void add_folders_above(fs::path folder, std::vector<std::string>& candidates) {
  for (; folder.has_relative_path(); folder = folder.parent_path()) {
    const fs::path python = folder / ".venv/bin/python";
    std::error_code ignored;
    if (fs::exists(python, ignored)) candidates.push_back(python.string());
  }
}

std::vector<std::string> interpreters() {
  std::vector<std::string> candidates;
  if (const char* chosen = std::getenv("CONDENSER_PYTHON")) return {chosen};
  if (const char* active = std::getenv("VIRTUAL_ENV")) candidates.push_back(std::string(active) + "/bin/python");
  std::error_code ignored;
  add_folders_above(fs::current_path(ignored), candidates);
  add_folders_above(fs::read_symlink(core::kThisProgram, ignored).parent_path(), candidates);
  candidates.push_back("python3");
  return candidates;
}

}  // namespace

std::optional<std::string> python_with(const std::string& module) {
  for (const std::string& python : interpreters()) {
    if (core::run_process({python, "-c", "import " + module}, {.time_limit = kImport}).ok()) return python;
  }
  return std::nullopt;
}

core::ProcessResult run_script(const std::string& python, std::string_view script,
                               const std::vector<std::string>& arguments) {
  const core::TemporaryFolder temporary;
  const fs::path file = temporary.path() / "script.py";
  core::write_atomic(file, script);
  std::vector<std::string> command{python, file.string()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return core::run_process(command, {.time_limit = kRun});
}

}  // namespace condenser::verify
