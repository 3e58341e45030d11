// What every store promises: trials come back as they went in, no index twice, one configuration per study; and for
// files, that a process killed at any moment loses no committed trial.

#include <fcntl.h>
#include <signal.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include "condenser/core/files.hpp"
#include "condenser/core/rng.hpp"
#include "condenser/search/study.hpp"
#include "search/stores/file_system.hpp"
#include "support/catch.hpp"
#include "support/fakes.hpp"

using namespace condenser;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "condenser_store_XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  std::string file() const { return (path / "a study.sqlite").string(); }
};

search::Trial a_trial(int64_t index, uint64_t seed = 1) {
  core::Rng rng(seed, 0, static_cast<uint64_t>(index));
  search::Trial trial;
  trial.index = index;
  trial.genotype.choice = {static_cast<int>(rng.below(9)), 0, static_cast<int>(rng.below(1000))};
  trial.hash = core::hash128("network " + std::to_string(index));
  trial.state = static_cast<search::TrialState>(index % 3);
  trial.same_as = index % 4 == 3 ? index - 1 : -1;
  trial.verdicts = {{"max_arena_bytes", index % 3 != 1, "s1_b1", "26,880 bytes", "at most 24,000 bytes"},
                    {"column_layout", true, "", "it's \"quoted\"; DROP TABLE trials; :colon", "\xC3\xA9\n2"}};
  trial.findings.metrics = {{"val_accuracy", rng.uniform() * 100}, {"params", 1e9 + index}};
  trial.findings.node_scores = {{"stem", rng.normal()}, {"fc", -rng.uniform()}};
  trial.error = index % 3 == 2 ? "loss is not finite" : "";
  trial.seconds = rng.uniform();
  return trial;
}

void check_contract(search::Store& store) {
  CHECK(store.load().empty());
  std::vector<search::Trial> trials;
  for (int64_t i = 0; i < 10; ++i) trials.push_back(a_trial(i));
  for (int64_t i : {3, 0, 1, 2, 4, 9, 8, 7, 6, 5}) store.append(trials[static_cast<size_t>(i)]);
  CHECK(fakes::equal(store.load(), trials));
  for (size_t i = 0; i < trials.size(); ++i) CHECK(store.load()[i].seconds == trials[i].seconds);

  search::Trial twin = a_trial(4, 2);
  CHECK_THROWS_WITH(store.append(twin), Catch::Contains("trial 4") && Catch::Contains("stored already"));
  CHECK(fakes::equal(store.load(), trials));
  twin.index = -1;
  CHECK_THROWS_AS(store.append(twin), core::Error);

  store.bind("seed: 1\ntrials: 20\n");
  CHECK_NOTHROW(store.bind("seed: 1\ntrials: 20\n"));
  CHECK_THROWS_AS(store.bind("seed: 1\ntrials: 21\n"), core::ConfigError);
  CHECK_THROWS_WITH(store.bind("seed: 1\ntrials: 21\n"),
                    Catch::Contains("\"trials: 20\"") && Catch::Contains("\"trials: 21\""));
  CHECK_THROWS_AS(store.bind("seed: 1\ntrials: 20\nmore: 1\n"), core::ConfigError);
}

void check_doubles(search::Store& store) {
  search::Trial trial;
  core::Rng rng(5);
  for (int i = 0; i < 300; ++i) {
    uint64_t bits = rng.next();
    double value;
    std::memcpy(&value, &bits, sizeof value);
    trial.findings.metrics["m" + std::to_string(i)] = value;
  }
  using Limits = std::numeric_limits<double>;
  int i = 0;
  for (double value : {0.0, -0.0, 0.1, 1.0 / 3, Limits::min(), Limits::denorm_min(), Limits::max(), Limits::infinity(),
                       -Limits::infinity(), Limits::quiet_NaN()}) {
    trial.findings.node_scores["n" + std::to_string(i++)] = value;
  }
  store.append(trial);
  const search::Findings back = store.load().front().findings;
  const auto same = [](double a, double b) {
    return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
  };
  for (const auto& [name, value] : trial.findings.metrics) CHECK(same(value, back.metrics.at(name)));
  for (const auto& [name, value] : trial.findings.node_scores) CHECK(same(value, back.node_scores.at(name)));
  CHECK(back.metrics.size() == 300);
}

// Starts a process that appends trials for ever and reports each committed index; kills it after `count` reports.
// Returns the last reported index.
int64_t append_until_killed(const std::string& file, int count) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    close(ends[0]);
    try {
      const auto store = search::make_sqlite_store(file);
      for (int64_t i = static_cast<int64_t>(store->load().size());; ++i) {
        store->append(a_trial(i));
        if (write(ends[1], &i, sizeof i) != sizeof i) _exit(1);
      }
    } catch (...) {
      _exit(2);
    }
  }
  close(ends[1]);
  int64_t last = -1;
  for (int i = 0; i < count && read(ends[0], &last, sizeof last) == sizeof last; ++i) {
  }
  kill(child, SIGKILL);
  int64_t more;
  while (read(ends[0], &more, sizeof more) == sizeof more) last = more;  // committed before the kill arrived
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  return last;
}

}  // namespace

TEST_CASE("the memory store keeps the store contract", "[search][contract]") {
  check_contract(*search::make_memory_store());
  check_doubles(*search::make_memory_store());
}

TEST_CASE("the SQLite store keeps the store contract", "[search][contract]") {
  Folder folder;
  check_contract(*search::make_sqlite_store(folder.file()));
  check_doubles(*search::make_sqlite_store((folder.path / "doubles.sqlite").string()));

  SECTION("and after reopening") {
    const auto store = search::make_sqlite_store(folder.file());
    std::vector<search::Trial> trials;
    for (int64_t i = 0; i < 10; ++i) trials.push_back(a_trial(i));
    CHECK(fakes::equal(store->load(), trials));
    CHECK_THROWS_AS(store->bind("seed: 2\n"), core::ConfigError);
    CHECK_NOTHROW(store->bind("seed: 1\ntrials: 20\n"));
    CHECK_THROWS_AS(store->append(a_trial(9)), core::Error);
    store->append(a_trial(10));
  }
}

TEST_CASE("two handles share one SQLite study", "[search]") {
  Folder folder;
  const auto a = search::make_sqlite_store(folder.file()), b = search::make_sqlite_store(folder.file());
  for (int64_t i = 0; i < 10; i += 2) {
    a->append(a_trial(i));
    b->append(a_trial(i + 1));
    CHECK_THROWS_AS(b->append(a_trial(i)), core::Error);
    CHECK(a->load().size() == static_cast<size_t>(i + 2));
  }
}

TEST_CASE("processes that open and write one new study at once all succeed", "[search]") {
  Folder folder;
  std::vector<pid_t> children;
  for (int64_t p = 0; p < 4; ++p) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      try {
        const auto store = search::make_sqlite_store(folder.file());
        store->bind("seed: 1");
        for (int64_t i = p; i < 40; i += 4) store->append(a_trial(i));
        _exit(0);
      } catch (...) {
        _exit(1);
      }
    }
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  }
  const std::vector<search::Trial> trials = search::make_sqlite_store(folder.file())->load();
  REQUIRE(trials.size() == 40);
  for (int64_t i = 0; i < 40; ++i) CHECK(fakes::equal(trials[static_cast<size_t>(i)], a_trial(i)));
}

TEST_CASE("a killed writer loses no committed trial and breaks nothing", "[search]") {
  Folder folder;
  int64_t size = 0;
  for (int round = 0; round < 8; ++round) {
    INFO("round " << round);
    const int64_t last = append_until_killed(folder.file(), 1 + 3 * round);
    const auto store = search::make_sqlite_store(folder.file());
    const std::vector<search::Trial> trials = store->load();
    REQUIRE(static_cast<int64_t>(trials.size()) > last);  // one more may be committed but not reported
    CHECK(static_cast<int64_t>(trials.size()) <= last + 2);
    CHECK(static_cast<int64_t>(trials.size()) > size);
    size = static_cast<int64_t>(trials.size());
    for (int64_t i = 0; i < size; ++i) REQUIRE(fakes::equal(trials[static_cast<size_t>(i)], a_trial(i)));
  }
}

TEST_CASE("a damaged or foreign file is refused in words", "[search]") {
  Folder folder;
  core::write_atomic(folder.file(), std::string(5000, 'x'));
  CHECK_THROWS_AS(search::make_sqlite_store(folder.file()), core::Error);
  CHECK_THROWS_WITH(search::make_sqlite_store(folder.file()), Catch::Contains("a study.sqlite"));

  CHECK_THROWS_AS(search::make_sqlite_store((folder.path / "absent" / "s.sqlite").string()), core::Error);
  CHECK_THROWS_AS(search::make_sqlite_store(""), core::Error);
  CHECK_THROWS_AS(search::make_sqlite_store(folder.path.string() + "/a\"b.sqlite"), core::Error);

  const std::string file = (folder.path / "whole.sqlite").string();
  {
    const auto store = search::make_sqlite_store(file);
    store->bind("seed: 1");
    for (int64_t i = 0; i < 40; ++i) store->append(a_trial(i));
  }
  const std::string whole = core::read_file(file);
  REQUIRE(whole.size() > 8192);
  int refused = 0;
  for (int round = 0; round < 24; ++round) {
    core::Rng rng(9, 0, static_cast<uint64_t>(round));
    std::string damaged = whole;
    if (round % 3 == 0) {
      damaged.resize(1 + rng.below(whole.size() - 1));
    } else {
      for (int i = 0; i < 40; ++i) damaged[rng.below(damaged.size())] = static_cast<char>(rng.below(256));
    }
    const std::string copy = (folder.path / ("damaged" + std::to_string(round))).string();
    core::write_atomic(copy, damaged);
    try {
      search::make_sqlite_store(copy)->load();  // damage inside a text cannot be seen; a crash could
    } catch (const core::Error&) {
      ++refused;
    }
  }
  CHECK(refused >= 8);
}

// What a bit of a disk or a hand in the file changes, under SQLite's own checks.
TEST_CASE("a stored value that was changed is refused by the number of its trial", "[search]") {
  Folder folder;
  const std::string file = folder.file();
  const auto change = [&](const std::string& statement) {
    soci::session sql(soci::sqlite3, "db=\"" + file + "\"");
    sql << statement;
  };
  {
    const auto store = search::make_sqlite_store(file);
    for (int64_t i = 0; i < 5; ++i) store->append(a_trial(i));
  }
  const std::string whole = core::read_file(file);
  for (const char* statement :
       {"UPDATE findings SET value = '99.5' WHERE trial = 3 AND name = 'val_accuracy'",
        "UPDATE findings SET name = 'val_accuracz' WHERE trial = 3 AND name = 'val_accuracy'",
        "DELETE FROM findings WHERE trial = 3 AND name = 'fc'",
        "UPDATE verdicts SET passed = 1 - passed WHERE trial = 3",
        "UPDATE verdicts SET node = 's1_b0' WHERE trial = 3 AND position = 0", "DELETE FROM verdicts WHERE trial = 3",
        "UPDATE trials SET genotype = '1 0 1' WHERE trial = 3", "UPDATE trials SET state = 'failed' WHERE trial = 3",
        "UPDATE trials SET same_as = 1 WHERE trial = 3", "UPDATE trials SET error = 'x' WHERE trial = 3",
        "UPDATE trials SET seconds = '1' WHERE trial = 3", "UPDATE trials SET checksum = '' WHERE trial = 3",
        "UPDATE trials SET hash = '00112233445566778899aabbccddeeff' WHERE trial = 3"}) {
    INFO(statement);
    core::write_atomic(file, whole);
    change(statement);
    CHECK_THROWS_WITH(search::make_sqlite_store(file)->load(),
                      Catch::Contains("trial 3") && Catch::Contains("checksum"));
  }
}

TEST_CASE("studies of earlier schemas are taken over and protected from then on", "[search]") {
  const std::string schema = GENERATE("1", "2");
  Folder folder;
  std::vector<search::Trial> trials;
  {
    const auto store = search::make_sqlite_store(folder.file());
    store->bind("seed: 1");
    for (int64_t i = 0; i < 6; ++i) {
      trials.push_back(a_trial(i));
      store->append(trials.back());
    }
  }
  {
    soci::session sql(soci::sqlite3, "db=\"" + folder.file() + "\"");
    if (schema == "1") sql << "ALTER TABLE trials DROP COLUMN checksum";
    sql << "UPDATE condenser_study SET value = :v WHERE key = 'schema'", soci::use(schema);
  }
  for (int opened = 0; opened < 2; ++opened) {
    const auto store = search::make_sqlite_store(folder.file());
    CHECK(fakes::equal(store->load(), trials));
    CHECK_NOTHROW(store->bind("seed: 1"));
  }
  search::make_sqlite_store(folder.file())->append(a_trial(6));
  CHECK(search::make_sqlite_store(folder.file())->load().size() == 7);
  soci::session sql(soci::sqlite3, "db=\"" + folder.file() + "\"");
  std::string now;
  sql << "SELECT value FROM condenser_study WHERE key = 'schema'", soci::into(now);
  CHECK(now == "3");  // programs that read only the earlier ones refuse it
}

TEST_CASE("network file systems are known by their magic number", "[search]") {
  CHECK(search::network_file_system(0x6969) == "NFS");
  CHECK(search::network_file_system(0xFF534D42) == "CIFS");
  CHECK(search::network_file_system(0xEF53).empty());      // ext4
  CHECK(search::network_file_system(0x01021994).empty());  // tmpfs
}
