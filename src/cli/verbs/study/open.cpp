// Finding a study by what people call it, and the configuration of its search.

#include <ctime>

#include "cli/cost_estimate.hpp"
#include "cli/examiner.hpp"
#include "cli/run_identity.hpp"
#include "cli/search_workers.hpp"
#include "cli/verbs/study/study.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "condenser/core/text.hpp"

namespace condenser::cli {

namespace fs = std::filesystem;
using core::ConfigError;

namespace {

constexpr char kResolved[] = "config.resolved.yaml";

bool is_url(const std::string& subject) {
  return subject.find("://") != std::string::npos || subject.starts_with("sqlite:");
}

bool is_run_file(const fs::path& path) { return path.extension() == ".yaml" || path.extension() == ".yml"; }

void read_config(OpenStudy& study, const std::string& subject) {
  try {
    study.config = std::make_unique<RunConfig>(read_run_config(subject, {}));
  } catch (const core::Error& e) {
    study.trouble = e.what();
  }
}

// What the study has kept for those who join it.
void read_kept_config(OpenStudy& study) {
  const auto kept = study.store->kept(kConfiguration);
  if (!kept) {
    study.trouble = "it was made by a program that kept no configuration; give the run folder instead";
    return;
  }
  const core::TemporaryFolder folder;
  core::write_atomic(folder.path() / kResolved, *kept);
  read_config(study, folder.path().string());
}

}  // namespace

void begin_if_new(OpenStudy& study) {
  if (study.store) return;
  const RunConfig& config = config_of(study, "a new study");
  RunFolder folder(study.folder, false);
  RunContext run(config, study.folder);
  try {
    folder.begin(config);
    open_for_work(run);
    study.store = search::open_study(study_of(run));
  } catch (...) {
    folder.abandon_if_empty();
    throw;
  }
}

namespace {

[[noreturn]] void no_study(const std::string& name) {
  throw ConfigError(name +
                    ": holds no study yet; condenser search makes one, or condenser study ask or import with its "
                    "run file");
}

// A run file names a folder, which may hold a study of other options.
void check_same_study(OpenStudy& study) {
  RunContext run(*study.config, study.folder);
  study.store->bind(lines_of(settings_of(run, "search")));
}

// On a server a study may not be there yet.
bool has_begun(const RunContext& run) {
  if (!is_shared(run)) return fs::exists(study_of(run));
  return search::open_study(study_of(run), search::StoreMode::Look)->kept(kConfiguration).has_value();
}

void open_run(OpenStudy& study, const StudyOptions& o, search::StoreMode mode, bool may_be_new) {
  const bool by_file = is_run_file(o.subject) && fs::is_regular_file(o.subject);
  if (by_file) {
    study.config = std::make_unique<RunConfig>(read_run_config(o.subject, {}));
    study.folder = folder_of(*study.config, o.subject, o.runs);
  } else {
    study.folder = o.subject;
    if (fs::exists(study.folder / kResolved))
      read_config(study, o.subject);
    else
      study.trouble = "there is no " + std::string(kResolved) + " beside it";
  }
  study.name = core::printable(study.folder.string());
  const RunConfig nothing;
  const RunContext run(study.config ? *study.config : nothing, study.folder);
  if (!has_begun(run)) {
    if (!may_be_new) no_study(study.name);
    return;
  }
  study.store = search::open_study(study_of(run), mode);
  if (by_file && mode == search::StoreMode::Join) check_same_study(study);
}

}  // namespace

OpenStudy open_study_of(const StudyOptions& o, search::StoreMode mode, bool may_be_new) {
  OpenStudy study;
  if (is_url(o.subject)) {
    study.name = search::printable_study(o.subject);
    study.store = search::open_study(o.subject, mode);
    read_kept_config(study);
    return study;
  }
  std::error_code ignored;
  if (!fs::exists(o.subject, ignored))
    throw ConfigError(
        core::printable(o.subject) +
        ": no such file or folder; expected a run folder, a run file, a study.sqlite or postgresql://...");
  if (fs::is_directory(o.subject) || is_run_file(o.subject)) {
    open_run(study, o, mode, may_be_new);
    return study;
  }
  const fs::path file = o.subject, folder = fs::absolute(file).parent_path();
  study.name = core::printable(file.string());
  study.store = search::open_study(file.string(), mode);
  if (!fs::exists(folder / kResolved)) {
    read_kept_config(study);
    return study;
  }
  study.folder = folder;
  read_config(study, folder.string());
  return study;
}

const RunConfig& config_of(const OpenStudy& study, const std::string& word) {
  if (study.config && study.config->space) return *study.config;
  throw ConfigError(study.name + ": " + word + " needs the configuration of the search, which cannot be had: " +
                    (study.trouble.empty() ? "the run has a network of its own" : study.trouble));
}

search::Objective objective_of(const StudyOptions& o, const OpenStudy& study) {
  if (!o.objective.empty()) return search::Objective(o.objective);
  if (study.config) return study.config->search.objective;
  throw ConfigError(study.name + ": what is best there is not known, as its configuration cannot be had (" +
                    study.trouble + "); expected --objective, for example --objective val_accuracy");
}

std::string cost_of(const StudyOptions& o) { return o.cost.empty() ? "params" : o.cost; }

StudyDesk::StudyDesk(OpenStudy& study, const std::string& worker, double lease, const std::string& word)
    : config_(config_of(study, word)),
      run_(config_, study.folder),
      gate_(make_gate(config_)),
      inquisitor_(make_probes(run_)),
      context_{.space = *config_.space,
               .generator = *config_.generator,
               .gate = gate_,
               .inquisitor = inquisitor_,
               .store = *study.store,
               .rungs = fidelities(config_.probe),
               .worker = worker,
               .lease = lease} {}

int64_t trial_number(const StudyOptions& o) {
  try {
    size_t end = 0;
    const int64_t number = std::stoll(o.item, &end);
    if (end == o.item.size() && number >= 0) return number;
  } catch (const std::exception&) {
  }
  throw ConfigError("condenser study " + o.word + ": trial " + core::printable(o.item) +
                    "; expected its number, for example condenser study " + o.word + " " + core::printable(o.subject) +
                    " 7");
}

std::string time_text(double seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  char text[64] = "";
  if (localtime_r(&time, &parts) != nullptr) std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

}  // namespace condenser::cli
