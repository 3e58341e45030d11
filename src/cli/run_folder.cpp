// The run folder: creation, reopening, refusal of another configuration.

#include "cli/run_folder.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <ctime>
#include <regex>
#include <set>

#include "cli/hardware.hpp"
#include "cli/records/records.hpp"
#include "cli/version.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/team.hpp"

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

EnvironmentRecord environment(uint64_t seed) {
  utsname system{};
  uname(&system);
  return {.condenser = version(),
          .compiler = compiler(),
          .build_type = build_type(),
          .libtorch = libtorch_version(),
          .system = std::string(system.sysname) + " " + system.release + " " + system.machine,
          .cpu = cpu_model(),
          .threads = core::all_cores(),
          .seed = seed,
          .started = time_stamp("%Y-%m-%dT%H:%M:%S%z")};
}

// Written once; a damaged one says where the run goes on instead.
void note_environment(const fs::path& folder, uint64_t seed) {
  try {
    if (find_record<EnvironmentRecord>(folder)) return;
  } catch (const core::Error& e) {
    core::log::warning(e.what());
  }
  write_record(folder, environment(seed));
}

// What a killed process was writing: temporary files of core::write_atomic and of exports. Called under the lock.
void remove_leftovers(const fs::path& folder) {
  static const std::regex pattern(R"(.*\.tmp-[0-9]+-[0-9]+|\..*\.(new|old)\.[0-9]+)");
  std::vector<fs::path> leftovers;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (std::regex_match(entry->path().filename().string(), pattern)) leftovers.push_back(entry->path());
  for (const fs::path& path : leftovers) fs::remove_all(path, error);
}

fs::path trimmed(const fs::path& folder) { return folder.has_filename() ? folder : folder.parent_path(); }

// runs/name-20260131-174500, with -2, -3 ... when that is taken. Renames fail on a folder that has content, so of two
// processes that choose the same name one tries the next.
fs::path move_aside(const fs::path& folder) {
  const std::string base = trimmed(folder).string() + "-" + time_stamp("%Y%m%d-%H%M%S");
  for (int count = 1; count < 10000; ++count) {
    const fs::path aside = count == 1 ? base : base + "-" + std::to_string(count);
    std::error_code error;
    if (fs::exists(fs::symlink_status(aside, error))) continue;
    fs::rename(folder, aside, error);
    if (!error) return aside;
    if (error != std::errc::directory_not_empty && error != std::errc::file_exists)
      throw core::Error(folder.string() + ": cannot move the old run to " + aside.string() + ": " + error.message());
  }
  throw core::Error(base + ": ten thousand runs of that name were moved aside in this second");
}

}  // namespace

fs::path folder_of(const RunConfig& config, const std::string& subject, const fs::path& runs) {
  return fs::is_directory(subject) ? fs::path(subject) : runs / config.name;
}

fs::path find_run(const std::string& subject, const fs::path& runs) {
  if (fs::is_directory(subject)) return subject;
  if (!fs::exists(subject))
    throw core::ConfigError(subject + ": no such file or folder; expected a run folder or a run.yaml");
  std::string name = fs::absolute(subject).parent_path().filename().string();
  core::config::Reader::from_file(subject).text("name", name, "");
  const fs::path folder = runs / name;
  if (!fs::is_directory(folder))
    throw core::ConfigError(folder.string() + ": no such run folder; `condenser train " + subject + "` makes it");
  return folder;
}

RunFolder::RunFolder(const fs::path& folder, bool fresh) : path_(folder), created_(!fs::exists(folder)) {
  lock_ = std::make_unique<core::FolderLock>(path_);
  remove_leftovers(path_);
  if (!fresh || !fs::exists(path_ / "config.resolved.yaml")) return;
  lock_.reset();
  core::log::info("moved the old run to " + move_aside(path_).string());
  lock_ = std::make_unique<core::FolderLock>(path_);
  created_ = true;
}

void RunFolder::begin(const RunConfig& config) {
  const fs::path resolved = path_ / "config.resolved.yaml";
  if (fs::exists(resolved)) earlier_ = core::read_file(resolved);
  core::write_atomic(resolved, config.resolved);
  note_environment(path_, config.seed);
  core::log::set_file(path_ / "log.txt");
}

void RunFolder::take_back() const {
  if (earlier_) core::write_atomic(path_ / "config.resolved.yaml", *earlier_);
}

void RunFolder::abandon_if_empty() const {
  static const std::set<std::string> notes{".lock",    "config.resolved.yaml", "env.json", "status.json", "log.txt",
                                           "data.json"};
  if (!created_) return;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path_, error))
    if (!notes.contains(entry.path().filename().string())) return;
  for (const std::string& note : notes) fs::remove(path_ / note, error);
  fs::remove(path_, error);
}

}  // namespace condenser::cli
