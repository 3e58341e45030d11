// Searches and workers of one study, each a real process, killed and stopped in every way: nothing is lost or doubled,
// the budget is exact, and the trials are those of a search that nobody disturbed.

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>

#include "condenser/core/text.hpp"
#include "condenser/search/store.hpp"
#include "pipeline/pipeline.hpp"
#include "search/stores/trial_row.hpp"
#include "support/fakes.hpp"
#include "support/postgresql_server.hpp"

using namespace condenser;
using namespace condenser::tests;
using search::Trial;
using search::TrialState;

namespace {

constexpr int kTrials = 8;

std::string run_file(const TempFolder& folder, const std::string& search = "") {
  const std::string source = CONDENSER_SOURCE_DIR;
  return folder.write("run.yaml", "name: study\nseed: 5\nstages: [search]\ndataset: {card: " + source +
                                      "/datasets/digits, samples: 600}\nspace: " + source +
                                      "/search/spaces/columns_digits.yaml\ngate: {from: " + source +
                                      "/search/budgets/mcu_32k.yaml}\nsearch: {generator: evolution, trials: " +
                                      std::to_string(kTrials) + ", window: 3" + search +
                                      "}\nprobe: {samples: 400, epochs: 4, batch_size: 50, threads: 1, "
                                      "warmup_epochs: 0.5}\n");
}

Command search_of(const std::string& file) { return {CONDENSER_BINARY, "search", file}; }

std::vector<Trial> trials_of(const std::string& study) {
  return search::open_study(study, search::StoreMode::Look)->load();
}

int64_t events_of(const std::string& study, const std::string& kind) {
  return std::ranges::count(search::open_study(study, search::StoreMode::Look)->events(), kind, &search::Event::kind);
}

// Of a search that nobody disturbed, once for all tests.
const std::vector<Trial>& reference() {
  static const std::vector<Trial> trials = [] {
    const TempFolder folder;
    const Finished f = run(search_of(run_file(folder)), folder.path());
    INFO(f.err);
    REQUIRE(f.code == 0);
    return trials_of((folder / "runs/study/study.sqlite").string());
  }();
  return trials;
}

void check_as_undisturbed(const std::string& study) {
  const std::vector<Trial> trials = trials_of(study);
  CHECK(fakes::equal(trials, reference()));
  CHECK(std::ranges::count_if(trials, &Trial::examined) == kTrials);
}

bool until(const std::function<bool()>& done) {
  for (int i = 0; i < 3000; ++i) {
    if (done()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& task : fs::directory_iterator("/proc/" + std::to_string(parent) + "/task")) {
    std::istringstream list(slurp(task.path() / "children"));
    for (pid_t pid = 0; list >> pid;) children.push_back(pid);
  }
  return children;
}

// A study on a server of PostgreSQL.
class Shared {
 public:
  explicit Shared(PostgresqlServer& server) : url_(server.url(next_name())) {}
  const std::string& url() const { return url_; }
  std::string in_file(const TempFolder& folder) const { return run_file(folder, ", study: \"" + url_ + "\""); }
  Command worker() const { return {CONDENSER_BINARY, "worker", "--study", url_}; }

  // With the first trials in it.
  void begin(const std::string& how = "TERM@search:finish:0") const {
    const TempFolder folder;
    const Finished f = run(stopping_at(how, search_of(in_file(folder))), folder.path());
    INFO(f.err);
    CHECK(f.code == (how.starts_with("KILL") ? 128 + SIGKILL : 128 + SIGTERM));
  }
  void end() const {
    const Finished f = run(worker(), "/tmp");
    INFO(f.err);
    CHECK(f.code == 0);
    CHECK_THAT(f.out, Catch::Contains("nothing is left to do"));
  }
  std::optional<Trial> running() const {
    for (const Trial& trial : trials_of(url_))
      if (trial.state == TrialState::Running) return trial;
    return std::nullopt;
  }

 private:
  static std::string next_name() {
    static int count = 0;
    return "faults-" + std::to_string(++count);
  }
  std::string url_;
};

}  // namespace

TEST_CASE("kill -9 of the search that began a study, or of a worker, loses and doubles nothing",
          "[pipeline][slow][study]") {
  PostgresqlServer* server = common_postgresql_server();
  if (server == nullptr) return;
  const Shared study(*server);
  SECTION("of the search, with a trial that is proposed and not examined") { study.begin("KILL@search:trial:3"); }
  SECTION("of the search, with a trial that is examined and just stored") { study.begin("KILL@search:finish:3"); }
  SECTION("of a worker") {
    study.begin();
    const Finished f = run(stopping_at("KILL@search:trial:14", study.worker()), "/tmp");
    CHECK(f.code == 128 + SIGKILL);
    CHECK(study.running());
  }
  study.end();
  check_as_undisturbed(study.url());
}

TEST_CASE("kill -9 of the process that examines: its worker examines that candidate again", "[pipeline][slow][study]") {
  PostgresqlServer* server = common_postgresql_server();
  if (server == nullptr) return;
  const Shared study(*server);
  study.begin();
  Process worker(study.worker(), "/tmp");
  REQUIRE(until([&] { return study.running() && !children_of(worker.pid()).empty(); }));
  kill(children_of(worker.pid()).front(), SIGKILL);
  const Finished f = worker.wait();
  INFO(f.err);
  CHECK(f.code == 0);
  CHECK_THAT(f.err, Catch::Contains("was ended by signal 9"));
  check_as_undisturbed(study.url());
}

TEST_CASE("PostgreSQL is killed and comes back: its workers wait for it", "[pipeline][slow][study]") {
  const auto server = PostgresqlServer::start();
  if (server == nullptr) return;
  const Shared study(*server);
  study.begin();
  Process first(study.worker(), "/tmp"), second(study.worker(), "/tmp");
  REQUIRE(until([&] { return !children_of(first.pid()).empty() && !children_of(second.pid()).empty(); }));
  server->kill_now();
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  server->start_again();
  for (Process* worker : {&first, &second}) {
    const Finished f = worker->wait();
    INFO(f.err);
    CHECK(f.code == 0);
    CHECK_THAT(f.err, Catch::Contains("the server is there again"));
  }
  check_as_undisturbed(study.url());
}

TEST_CASE("a worker that is told to stop gives its trial back", "[pipeline][slow][study]") {
  PostgresqlServer* server = common_postgresql_server();
  if (server == nullptr) return;
  const Shared study(*server);
  study.begin();
  const auto [signal_number, code] = GENERATE(table<int, int>({{SIGTERM, 143}, {SIGUSR1, 75}, {SIGINT, 130}}));
  Process worker(study.worker(), "/tmp");
  std::optional<Trial> held;
  REQUIRE(until([&] { return (held = study.running()).has_value() && !children_of(worker.pid()).empty(); }));
  worker.send(signal_number);
  const Finished f = worker.wait();
  INFO(f.err);
  CHECK(f.code == code);
  CHECK_FALSE(study.running());
  CHECK(std::ranges::count_if(trials_of(study.url()), &Trial::examined) < kTrials);
  study.end();
  CHECK(events_of(study.url(), "lost") == 0);
  check_as_undisturbed(study.url());
}

TEST_CASE("two searches: one run folder has room for one, one study for both", "[pipeline][slow][study]") {
  PostgresqlServer* server = common_postgresql_server();
  if (server == nullptr) return;
  const Shared study(*server);
  const TempFolder one, other;
  Process first(search_of(study.in_file(one)), one.path());
  REQUIRE(until([&] { return fs::exists(one / "runs/study/config.resolved.yaml") || !first.running(); }));
  const Finished locked = run(search_of(study.in_file(one)), one.path());
  CHECK(locked.code == 5);
  Process second(search_of(study.in_file(other)), other.path());
  for (Process* process : {&first, &second}) {
    const Finished f = process->wait();
    INFO(f.err);
    CHECK(f.code == 0);
  }
  check_as_undisturbed(study.url());
  CHECK(sha256_file(one / "runs/study/winner.arch.json") == sha256_file(other / "runs/study/winner.arch.json"));
}

TEST_CASE("a disk that is full ends a search that goes on when there is room", "[pipeline][slow][study]") {
  const TempFolder folder;
  const std::string file = run_file(folder);
  const Finished full = run(search_of(file), folder.path(), 60'000);
  INFO(full.err);
  CHECK(full.code == 1);
  CHECK_THAT(full.err, Catch::Contains("study.sqlite") && Catch::Contains("make room on its disk"));
  const Finished f = run(search_of(file), folder.path());
  INFO(f.err);
  CHECK(f.code == 0);
  check_as_undisturbed((folder / "runs/study/study.sqlite").string());
}

namespace {

// The finished trials of a study as the first version of the program wrote them.
void write_as_schema_1(const fs::path& file) {
  using soci::use;
  const std::vector<Trial> trials = trials_of(file.string());
  std::string identity;
  {
    soci::session now(soci::sqlite3, "db=" + file.string());
    now << "SELECT value FROM condenser_study WHERE key = 'identity'", soci::into(identity);
  }
  for (const char* part : {"", "-wal", "-shm"}) fs::remove(file.string() + part);
  soci::session old(soci::sqlite3, "db=" + file.string());
  old << "CREATE TABLE condenser_study (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID";
  old << "CREATE TABLE trials (trial INTEGER PRIMARY KEY, genotype TEXT NOT NULL, hash TEXT NOT NULL, state TEXT NOT "
         "NULL, same_as INTEGER NOT NULL, error TEXT NOT NULL, seconds TEXT NOT NULL)";
  old << "CREATE TABLE verdicts (trial INTEGER NOT NULL, position INTEGER NOT NULL, rule TEXT NOT NULL, passed INTEGER "
         "NOT NULL, node TEXT NOT NULL, value TEXT NOT NULL, allowed TEXT NOT NULL, PRIMARY KEY (trial, position)) "
         "WITHOUT ROWID";
  old << "CREATE TABLE findings (trial INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, "
         "PRIMARY KEY (trial, kind, name)) WITHOUT ROWID";
  old << "INSERT INTO condenser_study VALUES ('schema', '1')";
  const std::string text = search::unescape(identity);
  old << "INSERT INTO condenser_study VALUES ('identity', :text)", use(text);
  for (const Trial& t : trials) {
    if (!t.finished()) break;
    std::string genotype;
    for (const int choice : t.genotype.choice) genotype += (genotype.empty() ? "" : " ") + std::to_string(choice);
    const std::string hash = t.hash.hex(), state = to_string(t.state), seconds = core::number(t.seconds);
    const long long index = t.index, same_as = t.same_as;
    old << "INSERT INTO trials VALUES (:t, :g, :h, :s, :c, :e, :d)", use(index), use(genotype), use(hash), use(state),
        use(same_as), use(t.error), use(seconds);
    int position = 0;  // statements run when their line ends, after its temporary values are gone: all have names
    for (const search::Verdict& v : t.verdicts) {
      const int passed = v.passed;
      old << "INSERT INTO verdicts VALUES (:t, :i, :r, :p, :n, :v, :a)", use(index), use(position), use(v.rule),
          use(passed), use(v.node), use(v.value), use(v.limit);
      ++position;
    }
    for (const auto& [name, value] : t.findings.metrics) {
      const std::string number = core::number(value);
      old << "INSERT INTO findings VALUES (:t, 'metric', :n, :v)", use(index), use(name), use(number);
    }
  }
}

}  // namespace

namespace {

// What it did not write: who proposed and why, and the curves of trainings.
std::vector<Trial> as_first_version(std::vector<Trial> trials) {
  for (Trial& trial : trials) {
    trial.by.clear();
    trial.reason.clear();
    trial.forecast.reset();
    trial.findings.curves.clear();
    trial.findings.node_scores.clear();
  }
  return trials;
}

}  // namespace

TEST_CASE("a study that the first version wrote goes on; one of a later version is refused",
          "[pipeline][slow][study]") {
  const TempFolder folder;
  const fs::path study = folder / "runs/study/study.sqlite";
  const Command search = search_of(run_file(folder));
  CHECK(run(stopping_at("KILL@search:finish:14", search), folder.path()).code == 128 + SIGKILL);
  write_as_schema_1(study);
  const Finished f = run(search, folder.path());
  INFO(f.err);
  CHECK(f.code == 0);
  CHECK(fakes::equal(as_first_version(trials_of(study.string())), as_first_version(reference())));
  soci::session(soci::sqlite3, "db=" + study.string()) << "UPDATE condenser_study SET value = '5' WHERE key = 'schema'";
  const Finished later = run(search, folder.path());
  CHECK(later.code == 1);
  CHECK_THAT(later.err, Catch::Contains("study schema 5; this program reads 4"));
}

TEST_CASE("a candidate that hangs or eats memory fails, and the search says so", "[pipeline][slow][study]") {
  struct Case {
    Command options;
    std::string says;
  };
  const auto c =
      GENERATE(Case{{"search.trial_seconds=0.5", "probe.epochs=1000"}, "took longer than search.trial_seconds = 0.5"},
               Case{{"search.trial_mebibytes=40"}, "search.trial_mebibytes = 40"});
  const TempFolder folder;
  Command command = search_of(run_file(folder));
  command.insert(command.end(), c.options.begin(), c.options.end());
  command.push_back("search.trials=2");
  const Finished f = run(command, folder.path());
  INFO(f.err);
  CHECK(f.code == 3);
  CHECK_THAT(f.err, Catch::Contains(c.says));
  const auto trials = trials_of((folder / "runs/study/study.sqlite").string());
  CHECK(std::ranges::count_if(trials, &Trial::examined) == 2);
  for (const Trial& trial : trials)
    if (trial.examined()) CHECK(trial.state == TrialState::Failed);
}
