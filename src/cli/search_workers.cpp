#include "cli/search_workers.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "cli/examiner.hpp"
#include "cli/lessons.hpp"
#include "cli/run_identity.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/process.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/core/team.hpp"

namespace condenser::cli {

using search::Trial;

namespace {

constexpr double kLease = 60;  // seconds; a worker gives three signs of life in that time

std::string worker_name(int slot) {
  return core::host_name() + ":" + std::to_string(getpid()) + ":" + std::to_string(slot);
}

std::vector<std::unique_ptr<search::Probe>> examiner_of(RunContext& run, int slot, int slots) {
  const WorkOptions& work = run.config.work;
  const int processors = core::all_cores();
  const ExaminerOptions options{.folder = run.folder,
                                .threads = slots > 1 ? std::max(1, processors / slots) : 0,
                                .slot = slot,
                                .slots = slots,
                                .most_seconds = work.trial_seconds,
                                .most_mebibytes = work.trial_mebibytes};
  std::vector<std::string> finds;
  for (const auto& probe : make_probes(run))
    for (const std::string& name : probe->finds()) finds.push_back(name);
  std::vector<std::unique_ptr<search::Probe>> probes;
  probes.push_back(make_examiner(options, finds));
  return probes;
}

class Workers {
 public:
  Workers(RunContext& run, const search::Gate& gate, const search::SearchWatch& watch)
      : run_(run), gate_(gate), watch_(watch), catalogue_(search::make_catalogue(*run.config.space, gate)) {}

  std::vector<Trial> work_together(int count) {
    std::vector<std::thread> threads;
    for (int slot = 0; slot < count; ++slot) threads.emplace_back([this, slot, count] { work_guarded(slot, count); });
    for (std::thread& thread : threads) thread.join();
    if (trouble_) std::rethrow_exception(trouble_);
    return std::move(trials_);
  }

  std::vector<Trial> work_alone(bool own_process) {
    return work(own_process ? examiner_of(run_, 0, 1) : make_probes(run_), watch_, "main", kLease);
  }

 private:
  void work_guarded(int slot, int count) {
    try {
      std::vector<Trial> trials = work(examiner_of(run_, slot, count), watch_of(slot), worker_name(slot), kLease);
      if (slot == 0) trials_ = std::move(trials);
    } catch (...) {
      const std::scoped_lock lock(mutex_);
      if (!trouble_) trouble_ = std::current_exception();
      ended_ = true;
    }
  }

  std::vector<Trial> work(std::vector<std::unique_ptr<search::Probe>> probes, const search::SearchWatch& watch,
                          const std::string& name, double lease) {
    std::optional<core::StopsItself> gives_back;  // others need not wait until the lease of its trial runs out
    if (lease > 0) gives_back.emplace();
    const RunConfig& c = run_.config;
    const search::Inquisitor inquisitor(std::move(probes));
    const auto store = search::open_study(study_of(run_));
    return search::run_search(
        {.space = *c.space,
         .generator = *c.generator,
         .gate = gate_,
         .inquisitor = inquisitor,
         .store = *store,
         .catalogue = catalogue_.get(),
         .rungs = fidelities(c.probe),
         .folder = c.probe.rungs.size() > 1 ? paused_folder(run_.folder) : std::filesystem::path(),
         .worker = name,
         .lease = lease},
        c.search, watch);
  }

  // One of them tells of trials, all of what they do.
  search::SearchWatch watch_of(int slot) {
    search::SearchWatch watch;
    if (slot == 0 && watch_.on_trial) {
      watch.on_trial = [this](const Trial& trial, int64_t examined) {
        const std::scoped_lock lock(mutex_);
        watch_.on_trial(trial, examined);
      };
    }
    if (watch_.on_progress) {
      watch.on_progress = [this](int64_t trial, int64_t examined, double fraction, const std::string& doing) {
        const std::scoped_lock lock(mutex_);
        watch_.on_progress(trial, examined, fraction, doing);
      };
    }
    watch.enough = [this] { return ended_.load(); };
    return watch;
  }

  RunContext& run_;
  const search::Gate& gate_;
  const search::SearchWatch& watch_;
  const std::shared_ptr<const search::Catalogue> catalogue_;
  std::mutex mutex_;
  std::vector<Trial> trials_;
  std::exception_ptr trouble_;
  std::atomic<bool> ended_ = false;
};

// Workers of this machine that are no more. The holder of a run folder's lock works alone: all others are.
bool is_lost(const Trial& trial, bool alone) {
  if (trial.state != search::TrialState::Running || trial.worker.starts_with(search::kOutside)) return false;
  if (alone) return true;
  const std::string here = core::host_name() + ":";
  if (!trial.worker.starts_with(here)) return false;
  const pid_t pid = std::atoi(trial.worker.c_str() + here.size());
  return pid > 0 && kill(pid, 0) != 0 && errno == ESRCH;
}

}  // namespace

std::filesystem::path paused_folder(const std::filesystem::path& run_folder) { return run_folder / "paused"; }

std::filesystem::path supernet_folder(const std::filesystem::path& run_folder) {
  return run_folder.empty() ? run_folder : run_folder / "supernet";
}

std::string study_of(const RunContext& run) {
  const std::string& study = run.config.work.study;
  return study.empty() ? (run.folder / "study.sqlite").string() : study;
}

bool is_shared(const RunContext& run) { return !run.config.work.study.empty(); }

void open_for_work(RunContext& run) {
  const auto store = search::open_study(study_of(run));
  store->bind(lines_of(settings_of(run, "search")));
  store->keep(kConfiguration, run.config.resolved);
  learn_from_others(run, *store);
  for (Trial trial : store->load()) {
    if (!is_lost(trial, !is_shared(run))) continue;
    trial.state = search::TrialState::Proposed;
    store->finish(trial);
  }
}

std::vector<Trial> run_workers(RunContext& run, const search::Gate& gate, const search::SearchWatch& watch) {
  Workers workers(run, gate, watch);
  const WorkOptions& work = run.config.work;
  if (work.parallel > 1 || is_shared(run)) return workers.work_together(work.parallel);
  return workers.work_alone(work.trial_seconds > 0 || work.trial_mebibytes > 0);
}

}  // namespace condenser::cli
