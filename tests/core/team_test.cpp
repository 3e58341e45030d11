#include "condenser/core/team.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <stdexcept>
#include <utility>

#include "support/catch.hpp"

namespace condenser::core {

TEST_CASE("a team runs every chunk once", "[core]") {
  Team team;
  for (const int threads : {1, 2, 5, 3, 1}) {
    team.resize(threads);
    CHECK(team.size() == threads);
    for (const int64_t chunks : {0, 1, 2, 7, 100}) {
      for (int repeat = 0; repeat < 50; ++repeat) {
        std::vector<std::atomic<int>> seen(static_cast<size_t>(chunks));
        team.run(chunks, [&](int64_t i) { ++seen[static_cast<size_t>(i)]; });
        for (const auto& count : seen) REQUIRE(count == 1);
      }
    }
  }
}

TEST_CASE("parts cover everything once, the last one is what is left", "[core]") {
  for (const auto& [total, part] : {std::pair<int64_t, int64_t>{0, 4}, {3, 4}, {8, 4}, {11, 4}}) {
    std::vector<std::atomic<int>> seen(static_cast<size_t>(total));
    for_parts(total, part, [&](int64_t first, int64_t count) {
      for (int64_t i = first; i < first + count; ++i) ++seen.at(static_cast<size_t>(i));
    });
    for (const auto& times : seen) CHECK(times == 1);
  }
}

TEST_CASE("a team passes on the first error and works on", "[core]") {
  Team team;
  team.resize(3);
  std::atomic<int> ran{0};
  const auto body = [&](int64_t i) {
    ++ran;
    if (i == 4) throw std::runtime_error("four");
  };
  CHECK_THROWS_WITH(team.run(9, body), "four");
  CHECK(ran == 9);
  team.run(9, [&](int64_t) { ++ran; });
  CHECK(ran == 18);
}

TEST_CASE("two users of a team do not disturb each other", "[core]") {
  Team team;
  team.resize(2);
  std::atomic<int> sum{0};
  const auto use = [&] {
    for (int i = 0; i < 200; ++i) team.run(8, [&](int64_t) { ++sum; });
  };
  std::thread other(use);
  use();
  other.join();
  CHECK(sum == 2 * 200 * 8);
}

TEST_CASE("the team has the threads it was given", "[core]") {
  for (const int threads : {1, 2, 4}) {
    Team team(threads);
    std::mutex mutex;
    std::set<std::thread::id> seen;
    std::atomic<int> there{0};
    team.run(threads, [&](int64_t) {  // each chunk waits for the others, so each has a thread of its own
      ++there;
      while (there < threads) std::this_thread::yield();
      const std::lock_guard lock(mutex);
      seen.insert(std::this_thread::get_id());
    });
    CHECK(std::ssize(seen) == threads);
    CHECK(seen.count(std::this_thread::get_id()) == 1);
  }
  CHECK(Team(0).size() == 1);
  CHECK(all_cores() >= 1);
}

TEST_CASE("chunks are taken in their order", "[core]") {
  Team team(2);
  std::mutex mutex;
  const auto caller = std::this_thread::get_id();
  std::vector<int64_t> mine;  // of one thread; the other's lie between
  team.run(1000, [&](int64_t i) {
    const std::lock_guard lock(mutex);
    if (std::this_thread::get_id() == caller) mine.push_back(i);
  });
  CHECK(std::is_sorted(mine.begin(), mine.end()));
}

TEST_CASE("a forked child has a team of its own, which works", "[core]") {
  Team::instance().resize(3);
  std::atomic<int> sum{0};
  Team::instance().run(8, [&](int64_t) { ++sum; });
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);  // rather than hang
    const bool alone = Team::instance().size() == 1;
    Team::instance().resize(2);
    sum = 0;
    Team::instance().run(8, [&](int64_t) { ++sum; });
    _exit(alone && sum == 8 ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(Team::instance().size() == 3);
  Team::instance().resize(1);
}

TEST_CASE("a loop within a loop runs", "[core]") {
  Team team;
  team.resize(2);
  std::atomic<int> sum{0};
  std::mutex mutex;
  team.run(4, [&](int64_t) { std::thread([&] { team.run(3, [&](int64_t) { ++sum; }); }).join(); });
  CHECK(sum == 12);
}

}  // namespace condenser::core
