// `condenser study stop`, `resume`, `replay` and `prune`.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/print.hpp"
#include "cli/search_workers.hpp"
#include "cli/verbs/study/study.hpp"
#include "condenser/core/output.hpp"
#include "condenser/core/text.hpp"
#include "condenser/search/exchange.hpp"
#include "condenser/search/fate.hpp"
#include "condenser/search/study_summary.hpp"

namespace condenser::cli {

namespace fs = std::filesystem;
using search::StoreMode;
using search::Trial;

namespace {

int say(const StudyOptions& o, const nlohmann::ordered_json& json, const std::string& text) {
  if (o.format == "json")
    print_json(json);
  else
    core::write_output(core::printable(text) + "\n");
  return 0;
}

std::string listed(const std::vector<int64_t>& trials) {
  std::vector<std::string> names;
  for (const int64_t trial : trials) names.push_back(std::to_string(trial));
  return core::join(names);
}

int signal_study(const StudyOptions& o, const char* kind) {
  const OpenStudy study = open_study_of(o, StoreMode::Join);
  const bool stop = std::string(kind) == "stop";
  const auto before = search::summary_of(study.store->load(), study.store->events());
  if (before.stopped == stop)
    return say(o, {{"schema_version", 1}, {"study", study.name}, {"stopped", stop}, {"changed", false}},
               study.name + (stop ? ": was told to stop before" : ": was not told to stop; nothing to resume"));
  study.store->log({.kind = kind, .text = "condenser study " + o.word});
  std::vector<int64_t> running;
  for (const auto& [name, worker] : before.workers)
    running.insert(running.end(), worker.running.begin(), worker.running.end());
  std::ranges::sort(running);
  std::string text = study.name + (stop ? ": told to stop; nothing more is proposed"
                                        : ": goes on; workers that have left come back with condenser search");
  if (stop && !running.empty()) text += "; trials being examined are finished: " + listed(running);
  return say(o,
             {{"schema_version", 1}, {"study", study.name}, {"stopped", stop}, {"changed", true}, {"running", running}},
             text);
}

// What lies in a run folder for trainings that may go on, weights that candidates inherit, and what other programs left
// in the middle of writing.
std::vector<fs::path> leftovers(const fs::path& run) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const fs::path& folder : {paused_folder(run), supernet_folder(run)})
    if (fs::exists(folder, ignored)) found.push_back(folder);
  for (const auto& entry : fs::directory_iterator(run, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.find(".tmp-") != std::string::npos) found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

int64_t bytes_of(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_regular_file(fs::symlink_status(path, ignored))) return static_cast<int64_t>(fs::file_size(path, ignored));
  int64_t bytes = 0;
  for (fs::recursive_directory_iterator entry(path, ignored), end; !ignored && entry != end; entry.increment(ignored))
    if (entry->is_regular_file(ignored) && !entry->is_symlink(ignored))
      bytes += static_cast<int64_t>(entry->file_size(ignored));
  return bytes;
}

// Why what lies there may still be of use; "": it is not.
std::string why_kept(const OpenStudy& study) {
  const auto trials = study.store->load();
  const auto s = search::summary_of(trials, study.store->events());
  if (s.running + s.waiting > 0) return "trials that are not finished: " + core::thousands(s.running + s.waiting);
  if (!s.budget.empty()) return "";
  if (!study.config) return "whether it is finished is not known: " + study.trouble;
  const int wanted = study.config->search.trials;
  if (s.spent > wanted - 1e-9 || s.trials >= study.config->search.max_proposals) return "";
  return core::number(std::round(s.spent * 1000) / 1000) + " of " + core::thousands(wanted) +
         " full examinations are spent";
}

}  // namespace

int study_stop(const StudyOptions& o) { return signal_study(o, "stop"); }
int study_resume(const StudyOptions& o) { return signal_study(o, "go on"); }

int study_replay(const StudyOptions& o) {
  OpenStudy study = open_study_of(o, StoreMode::Look);
  StudyDesk desk(study, "replay", 0, "replay");
  const auto trials = study.store->load();
  const auto outside = std::ranges::count_if(trials, [](const Trial& trial) { return trial.from_outside(); });
  const std::vector<int64_t> different = search::replay_search(desk.context(), desk.options());
  const int64_t compared = std::ssize(trials) - outside;
  std::string text =
      study.name + ": " + core::thousands(compared) + " proposals made again" +
      (outside > 0 ? " (" + core::thousands(outside) + " came from outside and have none)" : "") + ": " +
      (different.empty() ? "all identical"
                         : core::thousands(std::ssize(different)) + " differ: trials " + listed(different));
  say(o,
      {{"schema_version", 1},
       {"study", study.name},
       {"compared", compared},
       {"from_outside", outside},
       {"different", different},
       {"identical", different.empty()}},
      text);
  return static_cast<int>(different.empty() ? core::ExitCode::Ok : core::ExitCode::VerifyMismatch);
}

int study_prune(const StudyOptions& o) {
  const OpenStudy study = open_study_of(o, StoreMode::Look);
  if (study.folder.empty())
    throw core::ConfigError(study.name +
                            ": has no folder on this machine; expected a run folder, where paused trainings lie");
  const core::FolderLock lock(study.folder);
  const std::string kept = why_kept(study);
  const std::vector<fs::path> found = kept.empty() ? leftovers(study.folder) : std::vector<fs::path>();
  nlohmann::ordered_json removed = nlohmann::ordered_json::array();
  std::string text;
  int64_t bytes = 0;
  for (const fs::path& path : found) {
    const int64_t size = bytes_of(path);
    bytes += size;
    text += core::printable(path.string()) + ": " + core::bytes_text(size) + "\n";
    removed.push_back({{"path", path.string()}, {"bytes", size}});
    if (!o.dry_run) fs::remove_all(path);
  }
  if (!kept.empty())
    text = study.name + ": nothing is removed: " + kept + ", and paused trainings may go on";
  else
    text += study.name + (o.dry_run ? ": would free " : ": freed ") + core::bytes_text(bytes);
  if (o.format == "json") {
    print_json({{"schema_version", 1},
                {"study", study.name},
                {"dry_run", o.dry_run},
                {"kept_because", kept},
                {"removed", removed},
                {"bytes", bytes}});
    return 0;
  }
  core::write_output(text + "\n");
  return 0;
}

}  // namespace condenser::cli
