// Successive halving as a pure function of the past, and whole searches on a ladder.
#include "condenser/search/ladder.hpp"

#include <map>

#include "support/catch.hpp"
#include "support/fakes.hpp"

using namespace condenser;
using search::Trial;
using search::TrialState;

namespace {

Trial trial_of(int64_t index, int network, int rung, double value) {
  Trial t;
  t.index = index;
  t.genotype.choice = {network};
  t.hash.bytes[0] = static_cast<std::remove_reference_t<decltype(t.hash.bytes[0])>>(network + 1);
  t.rung = rung;
  t.fidelity = rung == 2 ? 1 : 0.1;
  t.findings.metrics["val_accuracy"] = value;
  return t;
}

search::StudyView view_of(const std::vector<Trial>& trials) {
  return {&trials, std::ssize(trials), "val_accuracy", {}, {0.1, 0.3, 1}};
}

}  // namespace

TEST_CASE("the best third of a rung goes on, once", "[search][ladder]") {
  std::vector<Trial> past{trial_of(0, 0, 0, 50), trial_of(1, 1, 0, 70)};
  CHECK_FALSE(search::promotion(view_of(past)));  // two are too few
  past.push_back(trial_of(2, 2, 0, 60));
  auto up = search::promotion(view_of(past));
  REQUIRE(up);
  CHECK(up->trial->index == 1);
  CHECK(up->rung == 1);
  CHECK(up->place == 1);
  CHECK(up->of == 3);

  past.push_back(trial_of(3, 1, 1, 80));
  CHECK_FALSE(search::promotion(view_of(past)));
  for (int network : {3, 4, 5}) past.push_back(trial_of(std::ssize(past), network, 0, 55 + network));
  up = search::promotion(view_of(past));
  REQUIRE(up);
  CHECK(up->trial->genotype.choice.front() == 2);  // second of six
  CHECK(up->place == 2);

  auto running = view_of(past);
  running.running = {up->trial->genotype};
  CHECK_FALSE(search::promotion(running));
  past.push_back(trial_of(std::ssize(past), 2, 1, 0));
  past.back().state = TrialState::Failed;  // it was there
  CHECK_FALSE(search::promotion(view_of(past)));
}

TEST_CASE("higher rungs come first, failures count and stay, copies do not count", "[search][ladder]") {
  std::vector<Trial> past;
  for (int network = 0; network < 9; ++network) past.push_back(trial_of(network, network, 0, network));
  for (int network : {8, 7}) past.push_back(trial_of(std::ssize(past), network, 1, network));
  past.push_back(trial_of(std::ssize(past), 6, 1, 0));
  past.back().state = TrialState::Failed;
  auto up = search::promotion(view_of(past));
  REQUIRE(up);
  CHECK(up->rung == 2);
  CHECK(up->trial->genotype.choice.front() == 8);

  std::vector<Trial> copies{trial_of(0, 0, 0, 1), trial_of(1, 0, 0, 1), trial_of(2, 0, 0, 1)};
  copies[1].same_as = copies[2].same_as = 0;
  CHECK_FALSE(search::promotion(view_of(copies)));

  std::vector<Trial> failures{trial_of(0, 0, 0, 1), trial_of(1, 1, 0, 2), trial_of(2, 2, 0, 3)};
  failures[2].verdicts = {{"beats_comparator", false, "", "", ""}};
  failures[1].findings.metrics["val_accuracy"] = NAN;
  up = search::promotion(view_of(failures));
  REQUIRE(up);
  CHECK(up->trial->index == 0);
}

TEST_CASE("what is not known yet promotes nothing", "[search][ladder]") {
  std::vector<Trial> past{trial_of(0, 0, 0, 1), trial_of(1, 1, 0, 2), trial_of(2, 2, 0, 3)};
  past[1].state = TrialState::Running;
  CHECK_FALSE(search::promotion(view_of(past)));
  past[1].state = TrialState::Done;
  auto view = view_of(past);
  view.limit = 2;
  CHECK_FALSE(search::promotion(view));
}

TEST_CASE("a budget is dealt out by thirds", "[search][ladder]") {
  const auto candidates = search::candidates_on_rungs({1.0 / 9, 1.0 / 3, 1}, 7);
  CHECK(candidates[2] == Approx(3));
  CHECK(candidates[1] == Approx(9));
  CHECK(candidates[0] == Approx(27));
  CHECK(search::candidates_on_rungs({1}, 14) == std::vector<double>{14});
}

TEST_CASE("half of a lower rung may go on, and what is examined now", "[search][ladder]") {
  std::vector<Trial> past;
  for (int network = 0; network < 4; ++network) past.push_back(trial_of(network, network, 0, network));
  past.push_back(trial_of(4, 5, 0, 0));
  past.back().state = TrialState::Running;
  past.push_back(trial_of(5, 6, 2, 99));
  const auto keep = search::may_go_on(past, "val_accuracy", 3);
  REQUIRE(keep.size() == 3);
  CHECK(keep[0] == past[4].hash);
  CHECK(keep[1] == past[3].hash);
  CHECK(keep[2] == past[2].hash);
}

TEST_CASE("generators that know nothing of rungs search on a ladder", "[search][ladder]") {
  for (const char* name : {"evolution", "local", "random"}) {
    INFO(name);
    fakes::Bench bench;
    bench.options.generator = name;
    bench.options.trials = 12;
    bench.rungs = {1.0 / 9, 1.0 / 3, 1};
    const auto store = search::make_memory_store();
    const std::vector<Trial> trials = bench.run(*store);
    const auto replayed = bench.with(
        *store, [&](const search::SearchContext& context) { return search::replay_search(context, bench.options); });
    CHECK(replayed.empty());
    std::map<int, int> on_rung;
    for (const Trial& t : trials)
      if (t.examined()) ++on_rung[t.rung];
    CHECK(on_rung[0] > on_rung[1]);
    CHECK(on_rung[1] > on_rung[2]);
    CHECK(on_rung[2] >= 1);
    CHECK(on_rung[0] > 12);
    CHECK(search::best(trials, "val_accuracy") != nullptr);
    for (const Trial& t : trials)
      if (t.rung > 0) {
        CHECK(t.by == "ladder");
        CHECK(t.reason.find("the best third goes on") != std::string::npos);
      }
  }
}
