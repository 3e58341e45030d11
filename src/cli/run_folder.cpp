// The run folder: creation, reopening, refusal of another configuration.

#include "cli/run_folder.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <ctime>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "cli/hardware.hpp"
#include "cli/version.hpp"
#include "condenser/core/hash.hpp"
#include "condenser/core/log.hpp"

namespace condenser::cli {

namespace fs = std::filesystem;

namespace {

std::string time_stamp(const char* format) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  localtime_r(&now, &parts);
  char text[64];
  std::strftime(text, sizeof text, format, &parts);
  return text;
}

void write_env(const fs::path& file, uint64_t seed) {
  utsname system{};
  uname(&system);
  nlohmann::ordered_json env;
  env["schema_version"] = 1;
  env["condenser"] = version();
  env["compiler"] = compiler();
  env["build_type"] = build_type();
  env["libtorch"] = libtorch_version();
  env["system"] = std::string(system.sysname) + " " + system.release + " " + system.machine;
  env["cpu"] = cpu_model();
  env["threads"] = hardware_threads();
  env["seed"] = seed;
  env["started"] = time_stamp("%Y-%m-%dT%H:%M:%S%z");
  core::write_atomic(file, env.dump(2) + "\n");
}

// First line in which the two texts differ, for a helpful refusal.
std::string first_difference(const std::string& old_text, const std::string& new_text) {
  std::istringstream a(old_text), b(new_text);
  std::string x, y, section;
  while (true) {
    const bool more_a = static_cast<bool>(std::getline(a, x)), more_b = static_cast<bool>(std::getline(b, y));
    if (!more_a && !more_b) return "";
    if (!more_a) x = "(nothing)";
    if (!more_b) y = "(nothing)";
    if (x != y) {
      const auto trim = [](std::string s) { return s.substr(std::min(s.find_first_not_of(' '), s.size())); };
      return (section.empty() ? "" : section + " ") + "'" + trim(x) + "' there, '" + trim(y) + "' now";
    }
    if (!x.empty() && x[0] != ' ') section = x;
  }
}

// What a killed process was writing: temporary files of core::write_atomic and of exports. Called under the lock.
void remove_leftovers(const fs::path& folder) {
  static const std::regex pattern(R"(.*\.tmp-[0-9]+-[0-9]+|\..*\.(new|old)\.[0-9]+)");
  std::vector<fs::path> leftovers;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (std::regex_match(entry.path().filename().string(), pattern)) leftovers.push_back(entry.path());
  for (const fs::path& path : leftovers) fs::remove_all(path);
}

}  // namespace

fs::path folder_of(const RunConfig& config, const std::string& subject, const fs::path& runs) {
  return fs::is_directory(subject) ? fs::path(subject) : runs / config.name;
}

RunFolder::RunFolder(const RunConfig& config, const fs::path& folder, bool fresh) : path_(folder) {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) throw core::Error(path_.string() + ": cannot create the run folder: " + error.message());
  lock_ = std::make_unique<core::FolderLock>(path_);
  remove_leftovers(path_);
  const fs::path resolved = path_ / "config.resolved.yaml";
  const bool used = fs::exists(resolved);
  const std::string before = used ? identity_of(core::read_file(resolved)) : "";
  if (used && before != identity_of(config.resolved)) {
    if (!fresh)
      throw core::ConfigError(
          path_.string() + ": holds a run of another configuration (" +
          first_difference(before, identity_of(config.resolved)) +
          "); expected the same one. Use --fresh to move the old run aside, or another name (name=...)");
  }
  if (used && fresh) {
    const fs::path aside = path_.string() + "-" + time_stamp("%Y%m%d-%H%M%S");
    lock_.reset();
    fs::rename(path_, aside);
    core::log::info("moved the old run to " + aside.string());
    fs::create_directories(path_);
    lock_ = std::make_unique<core::FolderLock>(path_);
  }
  core::write_atomic(resolved, config.resolved);
  if (!fs::exists(path_ / "env.json")) write_env(path_ / "env.json", config.seed);
  core::log::set_file(path_ / "log.txt");
}

}  // namespace condenser::cli
