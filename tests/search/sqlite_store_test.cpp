// What is SQLite's own: files that are damaged, of other programs, of earlier versions, on a full disk.

#include <signal.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <thread>

#include "condenser/core/files.hpp"
#include "condenser/core/rng.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "search/stores/file_system.hpp"
#include "support/catch.hpp"
#include "support/studies.hpp"

using namespace condenser;
using namespace condenser::tests;
using search::StoreMode;
using search::Trial;
using search::TrialState;
namespace fs = std::filesystem;

namespace {

class File {
 public:
  fs::path folder() const { return folder_.path(); }
  std::string path() const { return (folder_.path() / "a study.sqlite").string(); }
  auto open(StoreMode mode = StoreMode::Join) const { return search::make_sqlite_store(path(), mode); }
  void execute(const std::string& statements) const {
    soci::session sql(soci::sqlite3, "db=\"" + path() + "\"");
    auto* backend = static_cast<soci::sqlite3_session_backend*>(sql.get_backend());
    REQUIRE(sqlite_api::sqlite3_exec(backend->conn_, statements.c_str(), nullptr, nullptr, nullptr) == 0);
  }
  std::string schema() const {
    soci::session sql(soci::sqlite3, "db=\"" + path() + "\"");
    std::string found;
    sql << "SELECT value FROM condenser_study WHERE key = 'schema'", soci::into(found);
    return found;
  }

 private:
  core::TemporaryFolder folder_;
};

// As the program that wrote schema 3 left it.
const std::string kOld = core::read_file(CONDENSER_SOURCE_DIR "/tests/golden/search/study_schema_3.sql");
const char* const kOldIdentity = "space: columns\nname: \"it's\\\\x41\"\nseed: 1\n";

void make_old(const File& file, int schema) {
  file.execute(kOld);
  if (schema < 3)
    file.execute("UPDATE condenser_study SET value = '" + std::to_string(schema) + "' WHERE key = 'schema'");
  if (schema < 2) file.execute("ALTER TABLE trials DROP COLUMN checksum");
}

void check_old(search::Store& store) {
  const std::vector<Trial> trials = store.load();
  REQUIRE(trials.size() == 6);
  const std::vector<TrialState> states = {TrialState::Done,   TrialState::Refused, TrialState::Done,
                                          TrialState::Failed, TrialState::Done,    TrialState::Done};
  for (size_t i = 0; i < 6; ++i) {
    CHECK((trials[i].state == states[i] && trials[i].full() && trials[i].finished()));
    CHECK(trials[i].genotype.choice == std::vector<int>{static_cast<int>(i % 4), 0, 12});
    CHECK(trials[i].hash == core::hash128("network " + std::to_string(i % 5)));
    CHECK(trials[i].seconds == 0.1 * static_cast<double>(i));
    CHECK(trials[i].verdicts.size() == 2);
  }
  CHECK(trials[1].verdicts[0] == search::Verdict{"max_params", false, "s1_b1", "26,880", "at most 24,000"});
  CHECK(trials[2].findings.metrics.at("val_accuracy") == 90.1 + 2 / 3.0);
  CHECK(std::signbit(trials[2].findings.metrics.at("odd")));
  CHECK(std::isnan(trials[4].findings.node_scores.at("fc")));
  CHECK(trials[3].error == "loss is not finite");
  CHECK(trials[5].same_as == 0);
  CHECK(trials[5].findings == trials[0].findings);
  CHECK_NOTHROW(store.bind(kOldIdentity));
  CHECK_THROWS_AS(store.bind("seed: 2"), core::ConfigError);
}

}  // namespace

TEST_CASE("a damaged or foreign file is refused in words", "[search]") {
  File file;
  core::write_atomic(file.path(), std::string(5000, 'x'));
  CHECK_THROWS_AS(file.open(), core::Error);
  CHECK_THROWS_WITH(file.open(), Catch::Contains("a study.sqlite"));
  CHECK_THROWS_WITH(file.open(StoreMode::Look), Catch::Contains("a study.sqlite"));

  CHECK_THROWS_AS(search::make_sqlite_store((file.folder() / "absent" / "s.sqlite").string()), core::Error);
  CHECK_THROWS_AS(search::make_sqlite_store(""), core::Error);
  CHECK_THROWS_AS(search::make_sqlite_store(file.folder().string() + "/a\"b.sqlite"), core::Error);
  CHECK_THROWS_WITH(search::make_sqlite_store((file.folder() / "none").string(), StoreMode::Look),
                    Catch::Contains("no such study"));
  CHECK_FALSE(fs::exists(file.folder() / "none"));

  File whole;
  {
    const auto store = whole.open();
    store->bind("seed: 1");
    for (int64_t i = 0; i < 40; ++i) store->append(a_trial(i));
  }
  const std::string bytes = core::read_file(whole.path());
  REQUIRE(bytes.size() > 8192);
  int refused = 0;
  for (int round = 0; round < 24; ++round) {
    core::Rng rng(9, 0, static_cast<uint64_t>(round));
    std::string damaged = bytes;
    if (round % 3 == 0) {
      damaged.resize(1 + rng.below(bytes.size() - 1));
    } else {
      for (int i = 0; i < 40; ++i) damaged[rng.below(damaged.size())] = static_cast<char>(rng.below(256));
    }
    const std::string copy = (file.folder() / ("damaged" + std::to_string(round))).string();
    core::write_atomic(copy, damaged);
    try {
      const std::vector<Trial> trials = search::make_sqlite_store(copy)->load();
      for (const Trial& trial : trials) CHECK(same(trial, a_trial(trial.index)));  // where no page in use was hit
    } catch (const core::Error&) {
      ++refused;
    }
  }
  CHECK(refused >= 16);
}

TEST_CASE("the database of another program and a newer study are refused in words", "[search]") {
  File other;
  other.execute("CREATE TABLE birds (name TEXT)");
  CHECK_THROWS_WITH(other.open(), Catch::Contains("another program"));
  CHECK_THROWS_WITH(other.open(StoreMode::Look), Catch::Contains("another program"));

  File newer;
  newer.open();
  newer.execute("UPDATE condenser_study SET value = '5' WHERE key = 'schema'");
  CHECK_THROWS_WITH(newer.open(), Catch::Contains("schema 5") && Catch::Contains("reads 4"));
  CHECK_THROWS_WITH(newer.open(StoreMode::Look), Catch::Contains("schema 5"));
}

TEST_CASE("studies of earlier schemas are taken over", "[search]") {
  const int schema = GENERATE(1, 2, 3);
  File file;
  make_old(file, schema);
  for (int opened = 0; opened < 2; ++opened) check_old(*file.open());
  CHECK(file.schema() == "4");  // programs that read only the earlier ones refuse it
  const auto store = file.open();
  CHECK(store->append(a_proposal(6)));
  CHECK(store->claim("a", 10)->index == 6);
  file.execute("UPDATE trials SET details = REPLACE(details, '90.1', '99.1') WHERE trial = 0");
  CHECK_THROWS_WITH(store->load(), Catch::Contains("trial 0") && Catch::Contains("checksum"));
}

TEST_CASE("a study of an earlier schema that is looked at stays as it is", "[search]") {
  const int schema = GENERATE(1, 2, 3);
  File file;
  make_old(file, schema);
  const std::string before = core::read_file(file.path());
  const auto store = file.open(StoreMode::Look);
  check_old(*store);
  CHECK(store->changes(0).trials.size() == 6);
  CHECK(store->events().empty());
  CHECK(core::read_file(file.path()) == before);
  CHECK(file.schema() == std::to_string(schema));
}

TEST_CASE("a changed value of an earlier schema is not taken over", "[search]") {
  const int schema = GENERATE(2, 3);
  File file;
  make_old(file, schema);
  file.execute("UPDATE findings SET value = '99.5' WHERE trial = 2 AND name = 'val_accuracy'");
  for (StoreMode mode : {StoreMode::Join, StoreMode::Look})
    CHECK_THROWS_WITH(file.open(mode), Catch::Contains("trial 2") && Catch::Contains("checksum"));
  CHECK(file.schema() == std::to_string(schema));
}

TEST_CASE("a study whose taking over is killed is old or new, never half", "[search]") {
  core::Rng rng(4);
  int taken_over = 0;
  for (int round = 0; round < 30; ++round) {
    File file;
    make_old(file, 3);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      file.open();
      _exit(0);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(rng.below(6000)));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const std::string schema = file.schema();
    CHECK((schema == "3" || schema == "4"));
    taken_over += schema == "4";
    check_old(*file.open());
  }
  CHECK(taken_over < 30);
}

TEST_CASE("a full disk ends a change with advice and leaves no part of it", "[search]") {
  File file;
  file.open();
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{400'000, 400'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    const auto store = file.open();
    int64_t stored = 0;
    std::string said;
    try {
      for (;; ++stored) store->append(a_trial(stored));
    } catch (const core::Error& e) {
      said = e.what();
    }
    if (store->load().size() != static_cast<size_t>(stored)) said += " but lost";
    const std::string report = std::to_string(stored) + " " + said;
    _exit(write(ends[1], report.data(), report.size()) == static_cast<ssize_t>(report.size()) ? 0 : 1);
  }
  close(ends[1]);
  std::string report(4096, ' ');
  const ssize_t length = read(ends[0], report.data(), report.size());
  REQUIRE(length > 0);
  report.resize(static_cast<size_t>(length));
  close(ends[0]);
  waitpid(child, nullptr, 0);
  INFO(report);
  CHECK_THAT(report, Catch::Contains("make room") && !Catch::Contains("but lost"));
  const int64_t stored = std::stoll(report);
  CHECK(stored > 10);
  const auto store = file.open();
  const std::vector<Trial> trials = store->load();
  REQUIRE(std::ssize(trials) == stored);
  for (const Trial& trial : trials) CHECK(same(trial, a_trial(trial.index)));
  CHECK(store->append(a_trial(stored)));
}

TEST_CASE("network file systems are known by their magic number", "[search]") {
  CHECK(search::network_file_system(0x6969) == "NFS");
  CHECK(search::network_file_system(0xFF534D42) == "CIFS");
  CHECK(search::network_file_system(0xEF53).empty());      // ext4
  CHECK(search::network_file_system(0x01021994).empty());  // tmpfs
}
