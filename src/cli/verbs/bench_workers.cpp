// `condenser bench workers`: how far many workers of one study are from working side by side undisturbed. Each is a
// process of this program with a probe that sleeps, so that what is measured is the engine and its store alone.

#include <sys/resource.h>

#include <chrono>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/print.hpp"
#include "cli/stages/stages.hpp"
#include "cli/verbs/bench.hpp"
#include "condenser/core/channel.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/process.hpp"
#include "condenser/core/statistics.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/core/text.hpp"
#include "condenser/search/driver.hpp"

namespace condenser::cli {
namespace {

using nlohmann::ordered_json;
using search::Trial;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kLook{1};
constexpr double kLease = 60;

double seconds_of(Clock::duration d) { return std::chrono::duration<double>(d).count(); }

double processor_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// A million networks that are nothing but their genotype.
class NamesSpace final : public search::Space {
 public:
  NamesSpace() {
    std::vector<int> options;
    for (int i = 0; i < 32; ++i) options.push_back(i);
    for (const char* name : {"a", "b", "c", "d"}) decisions_.push_back({name, options});
  }
  const std::vector<search::Decision>& decisions() const override { return decisions_; }
  search::Candidate expand(const search::Genotype& genotype) const override {
    search::check(*this, genotype);
    search::Candidate candidate;
    candidate.hash = core::hash128(search::to_text(*this, genotype));
    return candidate;
  }

 private:
  std::vector<search::Decision> decisions_;
};

class SleepingProbe final : public search::Probe {
 public:
  explicit SleepingProbe(double seconds) : seconds_(seconds) {}
  std::string name() const override { return "sleeping"; }
  double cost_seconds() const override { return seconds_; }
  std::vector<std::string> finds() const override { return {"val_accuracy"}; }
  void ask(const search::Candidate&, const search::ProbeContext& context, search::Findings& findings) override {
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds_));
    findings.metrics["val_accuracy"] = 100 * core::Rng(context.seed).uniform();
  }

 private:
  double seconds_;
};

// The study of the workers, and how long they wait for it.
class MeasuredStore final : public search::Store {
 public:
  explicit MeasuredStore(std::unique_ptr<search::Store> store) : store_(std::move(store)) {}

  struct Use {
    int64_t calls = 0;
    double seconds = 0;
  };
  const std::map<std::string, Use>& uses() const { return uses_; }
  Clock::time_point last_finish() const { return last_finish_; }
  int64_t finished() const { return finished_; }

  void bind(const std::string& identity) override { store_->bind(identity); }
  std::string keep(const std::string& name, const std::string& text) override { return store_->keep(name, text); }
  std::optional<std::string> kept(const std::string& name) const override { return store_->kept(name); }
  bool append(const Trial& trial, double lease) override {
    return timed("append", [&] { return store_->append(trial, lease); });
  }
  std::optional<Trial> claim(const std::string& worker, double lease) override {
    return timed("claim", [&] { return store_->claim(worker, lease); });
  }
  bool heartbeat(const std::string& worker, double lease) override { return store_->heartbeat(worker, lease); }
  bool finish(const Trial& trial) override {
    const bool mine = timed("finish", [&] { return store_->finish(trial); });
    last_finish_ = Clock::now();
    finished_ += mine;
    return mine;
  }
  std::vector<Trial> load() const override { return store_->load(); }
  search::Changes changes(int64_t revision) const override {
    return timed("changes", [&] { return store_->changes(revision); });
  }
  void log(search::Event event) override { store_->log(std::move(event)); }
  std::vector<search::Event> events(int64_t after) const override {
    return timed("events", [&] { return store_->events(after); });
  }
  std::unique_ptr<search::Turn> turn(const std::function<bool()>& give_up) override {
    return timed("turn", [&] { return store_->turn(give_up); });
  }
  void forget() { uses_.clear(); }

 private:
  template <class F>
  auto timed(const char* what, const F& body) const -> decltype(body()) {
    const auto begin = Clock::now();
    auto result = body();
    Use& use = uses_[what];
    ++use.calls;
    use.seconds += seconds_of(Clock::now() - begin);
    return result;
  }

  std::unique_ptr<search::Store> store_;
  mutable std::map<std::string, Use> uses_;
  Clock::time_point last_finish_{};
  int64_t finished_ = 0;
};

std::string identity_of(const BenchOptions& o) {
  return "bench workers\nseconds: " + core::number(o.seconds) + "\nwindow: " + std::to_string(o.workers.count) + "\n";
}

search::SearchOptions search_of(const BenchOptions& o) {
  search::SearchOptions options;
  options.generator = "random";
  options.trials = o.search.trials;
  options.max_proposals = 2 * o.search.trials + 1000;
  options.window = o.workers.count;
  return options;
}

// One of the processes. It has read the study when it says that it is ready, and begins when it is told to.
int be_one(const BenchOptions& o) {
  core::Channel channel(core::kChannel);
  const NamesSpace space;
  const search::Gate gate({});
  std::vector<std::unique_ptr<search::Probe>> probes;
  probes.push_back(std::make_unique<SleepingProbe>(o.seconds));
  const search::Inquisitor inquisitor(std::move(probes));
  auto reader = core::config::Reader::empty();
  const auto generator = search::make_generator("random", reader);
  MeasuredStore store(search::open_study(o.study));
  bool begun = false;
  double processor = 0;
  search::SearchWatch watch;
  watch.enough = [&] {
    if (begun) return false;
    channel.send("ready");
    while (!channel.receive(kLook) && !channel.closed()) {
    }
    begun = true;
    store.forget();
    processor = processor_seconds();
    return channel.closed();
  };
  const search::SearchContext context{.space = space,
                                      .generator = *generator,
                                      .gate = gate,
                                      .inquisitor = inquisitor,
                                      .store = store,
                                      .worker = "bench:" + std::to_string(getpid()),
                                      .lease = kLease};
  search::run_search(context, search_of(o), watch);
  ordered_json answer{{"processor_seconds", processor_seconds() - processor},
                      {"finished", store.finished()},
                      {"last_finish", store.last_finish().time_since_epoch().count()}};
  for (const auto& [name, use] : store.uses()) answer["uses"][name] = {use.calls, use.seconds};
  channel.send(answer.dump());
  return 0;
}

struct Run {
  double seconds = 0, per_second = 0, ratio = 0;  // ratio: of what the sleeping alone would allow
  double processor_share = 0;                     // of one processor, by each worker
  std::map<std::string, MeasuredStore::Use> uses;
};

class Started {
 public:
  explicit Started(const BenchOptions& o) : Started(o, core::make_channel()) {}

  std::string hear() {
    while (true) {
      if (auto line = channel_.receive(kLook)) return *line;
      if (core::stop_requested()) throw core::Stopped("bench workers: stopped");
      if (channel_.closed()) throw core::Error("bench workers: a worker has ended: " + process_.wait().err);
    }
  }
  void begin() { channel_.send("begin"); }

 private:
  Started(const BenchOptions& o, std::pair<core::Channel, core::Channel> ends)
      : process_(
            {"condenser", "bench", "workers", "--one", "--study", o.study, "--workers", std::to_string(o.workers.count),
             "--seconds", core::number(o.seconds), "--trials", std::to_string(o.search.trials)},
            {.err = core::Stream::Captured, .program = core::kThisProgram, .channel = ends.second.descriptor()}),
        channel_(std::move(ends.first)) {}

  core::Process process_;
  core::Channel channel_;
};

int64_t examined(const std::vector<Trial>& trials) { return std::ranges::count_if(trials, &Trial::examined); }

void check(const std::vector<Trial>& trials, int64_t expected) {
  for (const Trial& trial : trials)
    if (!trial.finished() || trial.tries > 1)
      throw core::Error("bench workers: trial " + std::to_string(trial.index) + " was " +
                        (trial.finished() ? "examined twice" : "not finished"));
  if (examined(trials) == expected) return;
  throw core::Error("bench workers: " + std::to_string(examined(trials)) + " examinations; expected " +
                    std::to_string(expected));
}

// Goes on with the study: its budget is what it has and `trials` more.
Run run_once(BenchOptions o) {
  const auto store = search::open_study(o.study);
  store->bind(identity_of(o));
  const int64_t trials = o.search.trials, before = examined(store->load());
  o.search.trials = static_cast<int>(before + trials);
  std::vector<std::unique_ptr<Started>> workers;
  for (int i = 0; i < o.workers.count; ++i) workers.push_back(std::make_unique<Started>(o));
  for (const auto& worker : workers) worker->hear();
  const auto begin = Clock::now();
  for (const auto& worker : workers) worker->begin();
  Run run;
  Clock::time_point end = begin;
  double processor = 0;
  for (const auto& worker : workers) {
    const auto answer = ordered_json::parse(worker->hear());
    if (answer["finished"] > 0)
      end = std::max(end, Clock::time_point(Clock::duration(answer["last_finish"].get<Clock::rep>())));
    processor += answer["processor_seconds"].get<double>();
    for (const auto& [name, use] : answer["uses"].items()) {
      run.uses[name].calls += use[0].get<int64_t>();
      run.uses[name].seconds += use[1].get<double>();
    }
  }
  check(store->load(), before + trials);
  run.seconds = seconds_of(end - begin);
  run.per_second = static_cast<double>(trials) / run.seconds;
  run.ratio = run.per_second * o.seconds / o.workers.count;
  run.processor_share = processor / o.workers.count / run.seconds;
  return run;
}

double milliseconds(const Run& run, const std::string& what) {
  const auto use = run.uses.find(what);
  return use == run.uses.end() ? 0 : 1000 * use->second.seconds / static_cast<double>(use->second.calls);
}

ordered_json json_of(const Run& run) {
  ordered_json j{{"seconds", run.seconds},
                 {"trials_per_second", run.per_second},
                 {"ratio", run.ratio},
                 {"processor_share_of_a_worker", run.processor_share}};
  for (const auto& [name, use] : run.uses)
    j["store"][name] = {{"calls", use.calls}, {"milliseconds", milliseconds(run, name)}};
  return j;
}

void print_text(const BenchOptions& o, const std::vector<Run>& runs, double median) {
  StageOutput out{std::to_string(o.workers.count) + " workers of one study, examinations of " +
                      core::number(o.seconds) + " s that sleep: " + core::fixed(o.workers.count / o.seconds, 1) +
                      " a second at most",
                  {{{"trials", "trials"},
                    {"trials_per_second", "trials/s"},
                    {"ratio", "of linear"},
                    {"processor_share", "CPU of a worker, %"},
                    {"turn", "turn, ms"},
                    {"append", "append, ms"},
                    {"finish", "finish, ms"},
                    {"changes", "read, ms"},
                    {"reads", "reads/trial"}},
                   {}},
                  {}};
  for (const Run& run : runs) {
    const auto reads = run.uses.find("changes");
    const double per_trial = reads == run.uses.end() ? 0 : static_cast<double>(reads->second.calls) / o.search.trials;
    out.table.rows.push_back({core::cell(int64_t{o.search.trials}), core::cell(run.per_second, 2),
                              core::cell(run.ratio, 4), core::cell(100 * run.processor_share, 2),
                              core::cell(milliseconds(run, "turn"), 2), core::cell(milliseconds(run, "append"), 2),
                              core::cell(milliseconds(run, "finish"), 2), core::cell(milliseconds(run, "changes"), 2),
                              core::cell(per_trial, 1)});
  }
  out.lines.push_back("median: " + core::fixed(median, 4) + " of linear");
  print(out, o.format);
}

}  // namespace

int bench_workers(const BenchOptions& o) {
  if (o.study.empty())
    throw core::ConfigError("condenser bench workers: --study is missing; expected postgresql://... or a study.sqlite");
  core::log::set_level(core::log::Level::Warning);
  if (o.workers.one) return be_one(o);
  std::vector<Run> runs;
  std::vector<double> ratios;
  for (int i = 0; i < o.workers.runs; ++i) {
    runs.push_back(run_once(o));
    ratios.push_back(runs.back().ratio);
  }
  const double median = core::median(ratios);
  if (o.format != "json") {
    print_text(o, runs, median);
    return 0;
  }
  ordered_json j{{"schema_version", 1},        {"benchmark", "workers"},
                 {"workers", o.workers.count}, {"seconds", o.seconds},
                 {"trials", o.search.trials},  {"linear_trials_per_second", o.workers.count / o.seconds},
                 {"median_ratio", median}};
  for (const Run& run : runs) j["runs"].push_back(json_of(run));
  print_json(j);
  return 0;
}

}  // namespace condenser::cli
