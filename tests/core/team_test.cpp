#include "nn/team.hpp"

#include <stdexcept>
#include <utility>

#include "support/catch.hpp"

namespace condenser::nn {

TEST_CASE("a team runs every chunk once", "[nn]") {
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

TEST_CASE("parts cover everything once, the last one is what is left", "[nn]") {
  for (const auto& [total, part] : {std::pair<int64_t, int64_t>{0, 4}, {3, 4}, {8, 4}, {11, 4}}) {
    std::vector<std::atomic<int>> seen(static_cast<size_t>(total));
    for_parts(total, part, [&](int64_t first, int64_t count) {
      for (int64_t i = first; i < first + count; ++i) ++seen.at(static_cast<size_t>(i));
    });
    for (const auto& times : seen) CHECK(times == 1);
  }
}

TEST_CASE("a team passes on the first error and works on", "[nn]") {
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

TEST_CASE("two users of a team do not disturb each other", "[nn]") {
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

TEST_CASE("a loop within a loop runs", "[nn]") {
  Team team;
  team.resize(2);
  std::atomic<int> sum{0};
  std::mutex mutex;
  team.run(4, [&](int64_t) { std::thread([&] { team.run(3, [&](int64_t) { ++sum; }); }).join(); });
  CHECK(sum == 12);
}

}  // namespace condenser::nn
