// What every store promises (condenser/search/store.hpp): trials come back as they went in, are examined once, by one
// worker whose lease runs; what processes do that are killed at any moment is done or not done.

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <chrono>
#include <limits>
#include <set>
#include <thread>

#include "condenser/core/rng.hpp"
#include "support/catch.hpp"
#include "support/studies.hpp"

using namespace condenser;
using namespace condenser::tests;
using search::Store;
using search::Trial;
using search::TrialState;

namespace {

constexpr double kLong = 1000;

void for_each_store(const std::function<void(Study&)>& check) {
  for (const StudyMaker& maker : study_makers()) {
    INFO(maker.name);
    const auto study = maker.make();
    check(*study);
  }
}

void for_each_lasting_store(const std::function<void(Study&)>& check) {
  for (const StudyMaker& maker : study_makers()) {
    if (!maker.lasting) continue;
    INFO(maker.name);
    const auto study = maker.make();
    check(*study);
  }
}

Trial done(Trial trial, double accuracy) {
  trial.state = TrialState::Done;
  trial.findings.metrics["val_accuracy"] = accuracy;
  trial.seconds = 0.5;
  return trial;
}

std::vector<int64_t> indices(const std::vector<Trial>& trials) {
  std::vector<int64_t> all;
  for (const Trial& trial : trials) all.push_back(trial.index);
  return all;
}

// Runs `work` in a process of its own; true when it came to its end.
pid_t start(const std::function<void()>& work) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child > 0) return child;
  try {
    work();
    _exit(0);
  } catch (...) {
    _exit(1);
  }
}

bool ended_well(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("trials come back as they went in, once, by index", "[search][contract]") {
  for_each_store([](Study& study) {
    const auto store = study.open();
    CHECK(store->load().empty());
    std::vector<Trial> trials;
    for (int64_t i = 0; i < 10; ++i) trials.push_back(a_trial(i));
    for (int64_t i : {3, 0, 1, 2, 4, 9, 8, 7, 6, 5}) CHECK(store->append(trials[static_cast<size_t>(i)]));
    CHECK(same(store->load(), trials));

    CHECK_FALSE(store->append(a_trial(4, 2)));
    CHECK(same(store->load(), trials));
    Trial negative = a_trial(4);
    negative.index = -1;
    CHECK_THROWS_AS(store->append(negative), core::Error);

    const auto again = study.open();
    CHECK(same(again->load(), trials));
    CHECK_FALSE(again->append(a_trial(9)));
    CHECK(again->append(a_trial(10)));
    CHECK(store->load().size() == 11);
  });
}

TEST_CASE("numbers come back to the bit and texts to the byte", "[search][contract]") {
  Trial trial = a_trial(0);
  core::Rng rng(5);
  for (int i = 0; i < 300; ++i) trial.findings.metrics["m" + std::to_string(i)] = std::bit_cast<double>(rng.next());
  using Limits = std::numeric_limits<double>;
  const std::vector<double> special = {0.0,
                                       -0.0,
                                       0.1,
                                       1.0 / 3,
                                       Limits::min(),
                                       Limits::denorm_min(),
                                       Limits::max(),
                                       Limits::infinity(),
                                       -Limits::infinity(),
                                       Limits::quiet_NaN(),
                                       -Limits::quiet_NaN(),
                                       std::bit_cast<double>(0x7ff8000000000123)};
  for (size_t i = 0; i < special.size(); ++i) trial.findings.node_scores["n" + std::to_string(i)] = special[i];
  trial.findings.curves["special"] = special;
  trial.findings.metrics[""] = 1;
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  for (const std::string& text : {bytes, std::string("'); DROP TABLE trials; --"), std::string("\\x41 \\"),
                                  std::string(1, '\0'), std::string("\t\n"), std::string("\xE2\x82")}) {
    trial.error = text;
    trial.reason = text;
    trial.by = text;
    trial.worker = text;
    trial.verdicts.push_back({text, false, text, text, text});
    trial.findings.metrics["name " + text] = 1;
    trial.findings.curves[text] = {1};
    for_each_store([&](Study& study) {
      const auto store = study.open();
      store->append(trial);
      CHECK(same(store->load(), {trial}));
      store->log({.kind = text, .worker = text, .trial = 3, .text = text});
      const search::Event event = store->events().at(0);
      CHECK((event.kind == text && event.worker == text && event.trial == 3 && event.text == text));
      CHECK(store->keep(text, text) == text);
      CHECK(store->kept(text) == text);
      store->bind(text);
      CHECK_NOTHROW(study.open()->bind(text));
    });
  }
}

TEST_CASE("a study is bound to one configuration", "[search][contract]") {
  for_each_store([](Study& study) {
    const auto store = study.open();
    store->bind("seed: 1\ntrials: 20\n");
    for (const auto& handle : {store, study.open()}) {
      CHECK_NOTHROW(handle->bind("seed: 1\ntrials: 20\n"));
      CHECK_THROWS_AS(handle->bind("seed: 1\ntrials: 21\n"), core::ConfigError);
      CHECK_THROWS_WITH(handle->bind("seed: 1\ntrials: 21\n"),
                        Catch::Contains("\"trials: 20\"") && Catch::Contains("\"trials: 21\""));
      CHECK_THROWS_AS(handle->bind("seed: 1\ntrials: 20\nmore: 1\n"), core::ConfigError);
    }
  });
}

TEST_CASE("the first to keep a text wins", "[search][contract]") {
  for_each_store([](Study& study) {
    const auto store = study.open();
    CHECK_FALSE(store->kept("configuration"));
    CHECK(store->keep("configuration", "seed: 1\n") == "seed: 1\n");
    CHECK(study.open()->keep("configuration", "seed: 2\n") == "seed: 1\n");
    CHECK(store->kept("configuration") == "seed: 1\n");
    CHECK_FALSE(store->kept("identity"));
    CHECK(store->keep("schema", "mine") == "mine");
    CHECK_NOTHROW(study.open());
  });
}

TEST_CASE("waiting trials are claimed by index and finished once", "[search][contract]") {
  for_each_store([](Study& study) {
    const auto store = study.open();
    CHECK_FALSE(store->claim("a", kLong));
    for (int64_t i : {4, 2, 3}) CHECK(store->append(a_proposal(i)));
    Trial refused = a_trial(0), copy = a_proposal(5);
    refused.state = TrialState::Refused;
    copy.same_as = 2;
    CHECK(store->append(refused));
    CHECK(store->append(copy));

    const std::optional<Trial> second = store->claim("a", kLong), third = store->claim("b", kLong);
    REQUIRE((second && third));
    Trial expected = a_proposal(2);
    expected.state = TrialState::Running;
    expected.worker = "a";
    expected.tries = 1;
    CHECK(same(*second, expected));
    CHECK(third->index == 3);
    CHECK(same(store->load()[1], expected));
    CHECK(store->load().back().state == TrialState::Proposed);  // a copy waits with its original

    Trial stranger = done(*second, 99);
    stranger.worker = "b";
    CHECK_FALSE(store->finish(stranger));
    CHECK(same(store->load()[1], expected));
    CHECK(store->finish(done(*second, 90)));
    CHECK_FALSE(store->finish(done(*second, 91)));
    CHECK(same(store->load()[1], done(*second, 90)));
    Trial of_copy = store->load().back();
    CHECK(
        (of_copy.state == TrialState::Done && of_copy.same_as == 2 && of_copy.findings == done(*second, 90).findings));
    CHECK(of_copy.hash == second->hash);

    Trial failed = *third;
    failed.state = TrialState::Failed;
    failed.error = "loss is not finite";
    CHECK(store->finish(failed));
    CHECK(same(store->load()[2], failed));

    CHECK(store->claim("a", kLong)->index == 4);
    CHECK_FALSE(store->claim("a", kLong));
    Trial absent = a_proposal(77);
    absent.worker = "a";
    CHECK_THROWS_WITH(store->finish(absent), Catch::Contains("77"));
  });
}

TEST_CASE("a trial that is given back is taken again", "[search][contract]") {
  for_each_store([](Study& study) {
    const auto store = study.open();
    store->append(a_proposal(0));
    Trial trial = *store->claim("a", kLong);
    trial.state = TrialState::Proposed;
    CHECK(store->finish(trial));
    const std::optional<Trial> again = store->claim("b", kLong);
    REQUIRE(again);
    CHECK((again->worker == "b" && again->tries == 2 && again->state == TrialState::Running));
    trial.worker = "a";
    CHECK_FALSE(store->finish(done(trial, 1)));
    CHECK(store->events().empty());
  });
}

TEST_CASE("a trial whose lease has run out is taken by others, whose findings count", "[search][contract]") {
  for_each_store([](Study& study) {
    const auto store = study.open();
    store->append(a_proposal(0));
    const Trial first = *store->claim("a", 0);
    const std::optional<Trial> second = store->claim("b", kLong);
    REQUIRE(second);
    CHECK((second->worker == "b" && second->tries == 2));
    const std::vector<search::Event> events = store->events();
    REQUIRE(events.size() == 1);
    CHECK((events[0].kind == "lost" && events[0].worker == "a" && events[0].trial == 0));
    CHECK_FALSE(store->finish(done(first, 1)));
    CHECK(store->finish(done(*second, 2)));
    CHECK(store->load()[0].findings.metrics.at("val_accuracy") == 2);
    CHECK_FALSE(store->claim("c", kLong));
  });
}

TEST_CASE("a worker that comes back late finishes what nobody has taken", "[search][contract]") {
  for_each_store([](Study& study) {
    const auto store = study.open();
    store->append(a_proposal(0));
    CHECK(store->finish(done(*store->claim("a", 0), 1)));
    CHECK_FALSE(store->claim("b", kLong));
  });
}

TEST_CASE("signs of life keep a trial", "[search][contract]") {
  for_each_store([](Study& study) {
    const auto store = study.open();
    CHECK_FALSE(store->heartbeat("a", kLong));
    for (int64_t i = 0; i < 2; ++i) store->append(a_proposal(i));
    const Trial first = *store->claim("a", 0);
    CHECK(store->heartbeat("a", kLong));
    CHECK_FALSE(store->heartbeat("b", kLong));
    CHECK(store->claim("b", kLong)->index == 1);
    CHECK_FALSE(store->claim("b", kLong));
    CHECK(store->heartbeat("a", 0));  // starts anew, even shorter
    CHECK(store->claim("b", kLong)->index == 0);
    CHECK_FALSE(store->heartbeat("a", kLong));
    CHECK_FALSE(store->finish(done(first, 1)));
  });
}

TEST_CASE("a trial may be added as taken by its proposer", "[search][contract]") {
  for_each_store([](Study& study) {
    const auto store = study.open();
    for (int64_t i = 0; i < 2; ++i) {
      Trial mine = a_proposal(i);
      mine.state = TrialState::Running;
      mine.worker = "a";
      mine.tries = 1;
      CHECK(store->append(mine, i == 0 ? kLong : 0));
    }
    const std::optional<Trial> lost = store->claim("b", kLong);
    REQUIRE(lost);
    CHECK((lost->index == 1 && lost->tries == 2));
    CHECK(store->finish(done(store->load()[0], 5)));
    CHECK(store->load()[0].tries == 1);
  });
}

TEST_CASE("changes are what came after a revision", "[search][contract]") {
  for_each_store([](Study& study) {
    const auto store = study.open();
    search::Changes none = store->changes(0);
    CHECK(none.trials.empty());
    for (int64_t i = 0; i < 4; ++i) store->append(a_proposal(i));
    Trial copy = a_proposal(4);
    copy.same_as = 0;
    store->append(copy);
    const search::Changes all = store->changes(none.revision);
    CHECK(indices(all.trials) == std::vector<int64_t>{0, 1, 2, 3, 4});
    CHECK(all.trials[4].same_as == 0);
    CHECK(store->changes(all.revision).trials.empty());

    const auto other = study.open();
    const Trial first = *other->claim("a", kLong), second = *other->claim("a", kLong);
    other->finish(done(second, 70));
    const search::Changes some = store->changes(all.revision);
    REQUIRE(indices(some.trials) == std::vector<int64_t>{0, 1});  // each once; the copy did not change itself
    CHECK(same(some.trials[0], first));
    CHECK(same(some.trials[1], done(second, 70)));
    other->heartbeat("a", kLong);
    CHECK(store->changes(some.revision).trials.empty());
    CHECK(indices(store->changes(0).trials) == std::vector<int64_t>{0, 1, 2, 3, 4});
    store->append(a_proposal(6));
    store->append(a_proposal(5));
    CHECK(indices(store->changes(some.revision).trials) == std::vector<int64_t>{5, 6});
  });
}

TEST_CASE("events are numbered in the order of the store", "[search][contract]") {
  for_each_store([](Study& study) {
    const auto a = study.open(), b = study.open();
    CHECK(a->events().empty());
    for (int i = 0; i < 6; ++i)
      (i % 2 == 0 ? a : b)->log({.id = 99, .time = -1, .kind = "joined", .worker = std::to_string(i)});
    const std::vector<search::Event> events = a->events();
    REQUIRE(events.size() == 6);
    for (int64_t i = 0; i < 6; ++i) {
      const search::Event& event = events[static_cast<size_t>(i)];
      CHECK((event.id == i + 1 && event.worker == std::to_string(i) && event.trial == -1 && event.text.empty()));
      CHECK(event.time > 1.7e9);
    }
    CHECK(b->events(4) == std::vector<search::Event>(events.begin() + 4, events.end()));
    CHECK(b->events(6).empty());
  });
}

TEST_CASE("one worker at a time has the turn", "[search][contract]") {
  for_each_store([](Study& study) {
    const auto a = study.open(), b = study.open();
    auto turn = a->turn({});
    REQUIRE(turn);
    int asked = 0;
    std::thread([&] { CHECK(b->turn([&] { return ++asked == 3; }) == nullptr); }).join();
    CHECK(asked == 3);
    if (a != b) CHECK(b->append(a_proposal(0)));  // whoever has it holds up nobody else
    turn.reset();
    CHECK(b->turn([] { return true; }) != nullptr);
    CHECK(a->turn([] { return true; }) != nullptr);
  });
}

TEST_CASE("everybody who waits for the turn gets it, one after the other", "[search][contract]") {
  for_each_store([](Study& study) {
    constexpr int kWorkers = 24, kTurns = 4;
    std::atomic<int> inside = 0, taken = 0, together = 0;
    std::vector<std::thread> workers;
    for (int w = 0; w < kWorkers; ++w) {
      workers.emplace_back([&, store = study.open()] {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        for (int i = 0; i < kTurns; ++i) {
          const auto turn = store->turn([&] { return std::chrono::steady_clock::now() > end; });
          if (!turn) return;
          if (++inside > 1) ++together;
          store->append(a_proposal(std::ssize(store->changes(0).trials)));
          ++taken;
          --inside;
        }
      });
    }
    for (std::thread& worker : workers) worker.join();
    CHECK(taken == kWorkers * kTurns);
    CHECK(together == 0);
  });
}

TEST_CASE("a study that is looked at does not change", "[search][contract]") {
  for_each_lasting_store([](Study& study) {
    const auto store = study.open();
    store->bind("seed: 1");
    store->keep("configuration", "text");
    store->append(a_trial(0));
    store->append(a_proposal(1));
    const auto eye = study.open(search::StoreMode::Look);
    CHECK(same(eye->load(), store->load()));
    CHECK(eye->kept("configuration") == "text");
    CHECK_NOTHROW(eye->bind("seed: 1"));
    CHECK_THROWS_AS(eye->bind("seed: 2"), core::ConfigError);
    CHECK_THROWS_WITH(eye->append(a_trial(2)), Catch::Contains("looking"));
    CHECK_THROWS_WITH(eye->claim("a", 1), Catch::Contains("looking"));
    CHECK_THROWS_WITH(eye->log({.kind = "x"}), Catch::Contains("looking"));
    CHECK_THROWS_WITH(eye->turn({}), Catch::Contains("looking"));
    const search::Changes seen = eye->changes(0);
    CHECK(store->claim("a", kLong));
    CHECK(indices(eye->changes(seen.revision).trials) == std::vector<int64_t>{1});
    CHECK(store->events().empty());
  });
}

// What a bit of a disk or a hand in the database changes, under the database's own checks.
TEST_CASE("a stored value that was changed is refused by the number of its trial", "[search][contract]") {
  for (const char* change :
       {"details = REPLACE(details, 'metrics', 'nodes')", "details = REPLACE(details, 'val_accuracy', 'val_accuracz')",
        "details = REPLACE(details, 'passed', 'broken')", "details = ''", "genotype = '1 0 1'", "state = 'failed'",
        "same_as = 1", "seconds = '1'", "checksum = ''", "rung = 0", "fidelity = '0.5'", "worker = 'b'",
        "tries = tries + 1", "trial = 33", "hash = '00112233445566778899aabbccddeeff'"}) {
    INFO(change);
    for_each_lasting_store([&](Study& study) {
      for (int64_t i = 0; i < 5; ++i) study.open()->append(a_trial(i));
      study.execute(std::string("UPDATE trials SET ") + change + " WHERE trial = 3");
      CHECK_THROWS_WITH(study.open()->load(), Catch::Contains("trial 3") && Catch::Contains("checksum"));
      CHECK_THROWS_WITH(study.open()->changes(0), Catch::Contains("trial 3") && Catch::Contains("checksum"));
    });
  }
  for_each_lasting_store([](Study& study) {
    study.open()->append(a_proposal(0));
    study.execute("UPDATE trials SET genotype = '7 7'");
    CHECK_THROWS_WITH(study.open()->claim("a", 1), Catch::Contains("trial 0") && Catch::Contains("checksum"));
    study.open()->append(a_trial(1));
    study.execute("UPDATE trials SET lease = 0 WHERE trial = 1");
    study.execute("DELETE FROM trials WHERE trial = 0");
    CHECK_THROWS_WITH(study.open()->claim("a", 1), Catch::Contains("trial 1") && Catch::Contains("finished"));
  });
}

TEST_CASE("a clock that jumps makes trials be examined twice at worst", "[search][contract]") {
  for (const char* jump : {"lease = 1, taken = 0", "lease = lease + 1e6, taken = taken + 1e6"}) {  // forward, back
    INFO(jump);
    for_each_lasting_store([&](Study& study) {
      const auto store = study.open();
      store->append(a_proposal(0));
      const Trial first = *store->claim("a", kLong);
      study.execute(std::string("UPDATE trials SET ") + jump);
      const std::optional<Trial> second = store->claim("b", kLong);
      REQUIRE(second);
      CHECK_FALSE(store->finish(done(first, 1)));
      CHECK(store->finish(done(*second, 2)));
      CHECK(store->load()[0].findings.metrics.at("val_accuracy") == 2);
    });
  }
}

TEST_CASE("processes that open and fill one new study at once all succeed", "[search][contract]") {
  for_each_lasting_store([](Study& study) {
    std::vector<pid_t> children;
    for (int64_t p = 0; p < 4; ++p) {
      children.push_back(start([&] {
        const auto store = study.open();
        store->bind("seed: 1");
        for (int64_t i = p; i < 40; i += 4)
          if (!store->append(a_trial(i))) throw core::Error("taken");
      }));
    }
    for (pid_t child : children) CHECK(ended_well(child));
    const std::vector<Trial> trials = study.open()->load();
    REQUIRE(trials.size() == 40);
    for (int64_t i = 0; i < 40; ++i) CHECK(same(trials[static_cast<size_t>(i)], a_trial(i)));
  });
}

TEST_CASE("processes that claim at once examine each trial once", "[search][contract]") {
  for_each_lasting_store([](Study& study) {
    constexpr int64_t kTrials = 120;
    {
      const auto store = study.open();
      for (int64_t i = 0; i < kTrials; ++i) store->append(a_proposal(i));
    }
    std::vector<pid_t> children;
    for (int p = 0; p < 6; ++p) {
      children.push_back(start([&] {
        const auto store = study.open();
        const std::string me = "worker " + std::to_string(p);
        while (const auto trial = store->claim(me, kLong)) {
          if (!store->heartbeat(me, kLong)) throw core::Error("no heart");
          if (!store->finish(done(*trial, p))) throw core::Error("not mine");
          store->log({.kind = "examined", .worker = me, .trial = trial->index});
        }
      }));
    }
    for (pid_t child : children) CHECK(ended_well(child));
    const auto store = study.open();
    for (const Trial& trial : store->load()) {
      CHECK((trial.state == TrialState::Done && trial.tries == 1));
      CHECK(trial.worker == "worker " + std::to_string(static_cast<int>(trial.findings.metrics.at("val_accuracy"))));
    }
    std::set<int64_t> examined;
    const std::vector<search::Event> events = store->events();
    for (size_t i = 0; i < events.size(); ++i) {
      CHECK(events[i].id == static_cast<int64_t>(i) + 1);
      CHECK(examined.insert(events[i].trial).second);
    }
    CHECK(examined.size() == kTrials);
  });
}

TEST_CASE("the turn of a killed process goes to the next", "[search][contract]") {
  for_each_lasting_store([](Study& study) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const pid_t child = start([&] {
      const auto store = study.open();
      const auto turn = store->turn({});
      if (write(ends[1], "x", 1) != 1) return;
      pause();
    });
    char byte;
    REQUIRE(read(ends[0], &byte, 1) == 1);
    const auto store = study.open();
    CHECK(store->turn([] { return true; }) == nullptr);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    CHECK(store->turn({}) != nullptr);
    close(ends[0]);
    close(ends[1]);
  });
}

namespace {

struct Report {
  int64_t trial;
  double accuracy;
};

// Proposes, claims and finishes for ever; says what was finished.
void work_until_killed(Study& study, int number, int64_t trials, int out) {
  const auto store = study.open();
  core::Rng rng(7, 0, static_cast<uint64_t>(number));
  const std::string me = "worker " + std::to_string(number);
  while (true) {
    if (const auto turn = store->turn({})) {
      const int64_t next = static_cast<int64_t>(store->changes(0).trials.size());
      if (next < trials && !store->append(a_proposal(next))) _exit(3);
    }
    const auto trial = store->claim(me, 0.2);
    if (!trial) continue;
    const Report report{trial->index, rng.uniform()};
    if (store->finish(done(*trial, report.accuracy)) && write(out, &report, sizeof report) != sizeof report) _exit(4);
  }
}

}  // namespace

TEST_CASE("workers that are killed at any moment lose nothing and double nothing", "[search][contract]") {
  for_each_lasting_store([](Study& study) {
    constexpr int64_t kTrials = 150;
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    core::Rng rng(3);
    std::vector<pid_t> children;
    int number = 0;
    std::map<int64_t, double> reported;
    const auto listen = [&](int milliseconds) {
      Report report;
      pollfd wait{ends[0], POLLIN, 0};
      while (poll(&wait, 1, milliseconds) == 1 && read(ends[0], &report, sizeof report) == sizeof report) {
        CHECK(reported.emplace(report.trial, report.accuracy).second);  // nothing finished twice
        milliseconds = 0;
      }
    };
    // On a busy machine a study takes long to begin, and much is killed before it has done anything.
    for (int round = 0; round < 40 || (reported.size() <= 20 && round < 2000); ++round) {
      while (children.size() < 3) {
        ++number;
        children.push_back(start([&] { work_until_killed(study, number, kTrials, ends[1]); }));
      }
      if (reported.empty()) listen(60'000);
      std::this_thread::sleep_for(std::chrono::milliseconds(5 + rng.below(60)));
      listen(0);
      const size_t victim = rng.below(children.size());
      kill(children[victim], SIGKILL);
      int status = 0;
      waitpid(children[victim], &status, 0);
      CHECK(WIFSIGNALED(status));
      children.erase(children.begin() + static_cast<std::ptrdiff_t>(victim));
    }
    for (const pid_t child : children) {
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
    }
    close(ends[1]);
    listen(0);
    close(ends[0]);
    CHECK(reported.size() > 20);
    CHECK(study.open(search::StoreMode::Look)->load().size() >= reported.size());  // needs nobody to tidy up first

    study.execute("UPDATE trials SET lease = 1 WHERE lease IS NOT NULL");
    const auto store = study.open();
    while (const auto trial = store->claim("last", kLong)) CHECK(store->finish(done(*trial, -1)));
    const std::vector<Trial> trials = store->load();
    for (size_t i = 0; i < trials.size(); ++i) {
      CHECK(trials[i].index == static_cast<int64_t>(i));  // no holes
      CHECK(trials[i].state == TrialState::Done);
      const auto said = reported.find(trials[i].index);
      if (said != reported.end()) CHECK(trials[i].findings.metrics.at("val_accuracy") == said->second);
    }
  });
}
