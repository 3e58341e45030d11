// People and other programs in a study: the same gate, budget, leases and order as workers, and a replay that holds.

#include "condenser/search/ask_tell.hpp"

#include <thread>

#include "condenser/search/fate.hpp"
#include "support/catch.hpp"
#include "support/fakes.hpp"

using namespace condenser;
using Catch::Matchers::Contains;
using fakes::Bench;
using search::Asked;
using search::Genotype;
using search::Proposal;
using search::SearchContext;
using search::Trial;
using search::TrialState;

namespace {

const std::string kAna = std::string(search::kOutside) + "ana", kBob = std::string(search::kOutside) + "bob";

Bench a_bench() {
  Bench bench;
  bench.options.trials = 6;
  bench.options.generator = "random";
  bench.gate_options.rules = {"no_strided_pointwise"};
  bench.gate_options.max_params = 70;
  bench.worker = kAna;
  bench.lease = 60;
  return bench;
}

// What stands in a study is asked and told by one who knows everything.
struct Study {
  Bench bench = a_bench();
  std::unique_ptr<search::Store> store = search::make_memory_store();

  Asked ask(const std::string& who, const std::optional<Proposal>& own = std::nullopt, double lease = 60) {
    bench.worker = who;
    bench.lease = lease;
    return bench.with(*store, [&](const SearchContext& c) { return search::ask(c, bench.options, own); });
  }
  search::Taken tell(const std::string& who, int64_t trial, const search::Told& told) {
    bench.worker = who;
    return bench.with(*store, [&](const SearchContext& c) { return search::tell(c, bench.options, trial, told); });
  }
  search::Imported import(const std::vector<search::Known>& known) {
    bench.worker = std::string(search::kImport) + "known.csv";
    return bench.with(*store, [&](const SearchContext& c) { return search::import_known(c, bench.options, known); });
  }
  std::vector<int64_t> replay() {
    return bench.with(*store, [&](const SearchContext& c) { return search::replay_search(c, bench.options); });
  }
  std::vector<Trial> go_on() {
    bench.worker = "main";
    bench.lease = 60;
    return bench.run(*store);
  }
  Trial trial(int64_t index) const { return store->load().at(static_cast<size_t>(index)); }
};

// By options of w0, w1, w2, stride, unused.
Genotype chain(int w0, int w1, int w2, int stride = 1, int unused = 0) {
  return {{w0 - 1, w1 - 1, w2 - 1, stride - 1, unused}};
}

search::Told accuracy(double percent) { return {.metrics = {{"val_accuracy", percent}}}; }
search::Known known(const Genotype& genotype, double percent) {
  search::Known k;
  k.genotype = genotype;
  k.findings.metrics["val_accuracy"] = percent;
  k.where = "known.csv:2";
  return k;
}

int64_t examined(const std::vector<Trial>& trials) { return std::ranges::count_if(trials, &Trial::in_budget); }

}  // namespace

TEST_CASE("what is asked for is what a worker would take, until the budget is spent", "[search]") {
  Study asked, worked;
  worked.bench.worker = "main";
  const std::vector<Trial> alone = worked.go_on();
  for (int i = 0; i < 6; ++i) {
    const Asked answer = asked.ask(kAna);
    REQUIRE(answer.trial);
    CHECK(answer.trial->state == TrialState::Running);
    CHECK(answer.trial->worker == kAna);
    CHECK(answer.seed != 0);
    CHECK_FALSE(asked.tell(kAna, answer.trial->index, accuracy(50 + i)).known);
  }
  const Asked over = asked.ask(kAna);
  CHECK_FALSE(over.trial);
  CHECK_FALSE(over.later);
  CHECK_THAT(over.why, Contains("search.trials = 6"));
  const std::vector<Trial> trials = asked.store->load();
  REQUIRE(trials.size() == alone.size());  // random does not learn: the same proposals, refusals and copies
  for (size_t i = 0; i < trials.size(); ++i) {
    CHECK(trials[i].genotype == alone[i].genotype);
    CHECK(trials[i].verdicts == alone[i].verdicts);
  }
  CHECK(asked.replay().empty());
}

TEST_CASE("findings that are told get costs, NetScore and the gate's verdicts as those of probes", "[search]") {
  Study study;
  study.bench.options.window = 50;
  study.bench.gate_options.comparator = search::Comparator{.name = "net", .min_probe_accuracy = 80};
  const auto a = study.ask(kAna), b = study.ask(kAna);
  CHECK(study.tell(kAna, a.trial->index, accuracy(90)).trial.feasible());
  const Trial low = study.tell(kAna, b.trial->index, accuracy(70)).trial;
  CHECK(low.state == TrialState::Done);
  CHECK_FALSE(low.feasible());
  const Trial high = study.trial(a.trial->index);
  CHECK(high.findings.metrics.contains("params"));
  CHECK(high.findings.metrics.at("netscore") > 0);
  CHECK(high.verdicts.back().rule == "beats_comparator");
}

TEST_CASE("one's own proposal meets the same gate, and its maker's name stays with it", "[search]") {
  Study study;
  const auto refused = study.ask(kBob, Proposal(chain(2, 2, 2, 2)));
  REQUIRE(refused.trial);
  CHECK(refused.trial->state == TrialState::Refused);
  CHECK(study.trial(0).by == kBob);
  CHECK_THAT(search::broken_text(study.trial(0)), Contains("no_strided_pointwise at node c0"));
  const auto taken = study.ask(kBob, Proposal(chain(2, 3, 4)));
  REQUIRE(taken.trial->state == TrialState::Running);
  const auto copy = study.ask(kAna, Proposal(chain(2, 3, 4, 1, 1)));
  CHECK(copy.trial->same_as == taken.trial->index);
  study.tell(kBob, taken.trial->index, accuracy(88));
  CHECK(study.trial(copy.trial->index).findings.metrics.at("val_accuracy") == 88);
  CHECK(search::proposer_of(study.trial(taken.trial->index)) == "bob (from outside)");
  CHECK_THROWS_AS(study.ask(kBob, Proposal(Genotype{{0, 0}})), core::Error);

  const std::vector<Trial> all = study.go_on();
  CHECK(examined(all) == 6);  // the one from outside counts
  CHECK(study.replay().empty());
  CHECK_FALSE(study.ask(kBob, Proposal(chain(1, 2, 3))).trial);  // nothing is left of the budget
}

TEST_CASE("what cannot be told is answered in words, and nothing is stored", "[search]") {
  Study study;
  const int64_t trial = study.ask(kAna).trial->index;
  const auto says = [&](const std::string& who, int64_t index, const search::Told& told, const char* words) {
    INFO(words);
    CHECK_THROWS_WITH(study.tell(who, index, told), Contains(words));
    CHECK(study.trial(trial).state == TrialState::Running);
  };
  says(kAna, 99, accuracy(50), "no such trial; the study has 0..");
  says(kBob, trial, accuracy(50), "is examined by ana");
  says(kAna, trial, {.metrics = {{"val_acuracy", 5}}}, "did you mean val_accuracy?");
  says(kAna, trial, {.metrics = {{"val_loss", 5}}}, "val_accuracy is missing");
  says(kAna, trial, accuracy(NAN), "expected a number");
  says(kAna, trial, accuracy(INFINITY), "expected a number");
  says(kAna, trial, accuracy(101), "0..100");
  says(kAna, trial, accuracy(-1), "0..100");
  says(kAna, trial, {.metrics = {{"val_accuracy", 5}, {"params", 5}}}, "is computed");
  study.tell(kAna, trial, accuracy(50));
  CHECK(study.tell(kAna, trial, accuracy(50)).known);  // an answer that was lost on its way
  CHECK_THROWS_WITH(study.tell(kAna, trial, accuracy(51)),
                    Contains("finished already (val_accuracy 50.00 %, by ana (from outside))"));
  CHECK(study.trial(trial).findings.metrics.at("val_accuracy") == 50);
}

TEST_CASE("a failure that is told is the candidate's", "[search]") {
  Study study;
  const int64_t trial = study.ask(kAna).trial->index;
  CHECK(study.tell(kAna, trial, {.failure = "does not fit the board"}).trial.state == TrialState::Failed);
  CHECK(study.trial(trial).error == "does not fit the board");
  CHECK(study.tell(kAna, trial, {.failure = "does not fit the board"}).known);
}

TEST_CASE("a lease that has run out gives the trial to the next, and the late are told", "[search]") {
  Study study;
  const int64_t trial = study.ask(kAna, std::nullopt, 0.05).trial->index;
  std::this_thread::sleep_for(std::chrono::milliseconds(80));
  const auto next = study.ask(kBob);
  REQUIRE(next.trial);
  CHECK(next.trial->index == trial);
  CHECK(next.trial->tries == 2);
  CHECK_THROWS_WITH(study.tell(kAna, trial, accuracy(50)), Contains("is examined by bob") && Contains("no longer"));
  CHECK_FALSE(study.tell(kBob, trial, accuracy(60)).known);
  CHECK_THROWS_WITH(study.tell(kAna, trial, accuracy(50)), Contains("finished already"));
}

TEST_CASE("who asks before others have finished what the next must know is told to wait", "[search]") {
  Study study;
  study.bench.options.generator = "evolution";
  const int64_t first = study.ask(kAna).trial->index;
  const auto wait = study.ask(kBob);
  CHECK_FALSE(wait.trial);
  CHECK(wait.later);
  CHECK_THAT(wait.why, Contains("which ana (from outside) examines"));
  study.tell(kAna, first, accuracy(50));
  CHECK(study.ask(kBob).trial);
}

TEST_CASE("a stop is obeyed by those who ask, until the study goes on", "[search]") {
  Study study;
  study.store->log({.kind = "stop"});
  const auto stopped = study.ask(kAna);
  CHECK_FALSE(stopped.trial);
  CHECK_THAT(stopped.why, Contains("told to stop"));
  CHECK_FALSE(study.ask(kAna, Proposal(chain(1, 2, 3))).trial);
  study.store->log({.kind = "go on"});
  CHECK(study.ask(kAna).trial);
}

TEST_CASE("known designs are judged, learned from and free", "[search]") {
  Study study;
  const auto imported = study.import({known(chain(2, 3, 4), 89), known(chain(2, 2, 2, 2), 95),
                                      known(chain(2, 3, 4, 1, 1), 12), known(chain(1, 1, 1), 70)});
  CHECK(imported.feasible == 2);
  CHECK(imported.refused == 1);
  REQUIRE(imported.left_out.size() == 1);
  CHECK_THAT(imported.left_out[0],
             Contains("known.csv:2") && Contains("the same network as trial 0 (val_accuracy 89.00 %)"));
  CHECK(study.store->load().size() == 3);
  CHECK(study.trial(0).imported());
  CHECK(study.trial(0).findings.metrics.contains("params"));
  CHECK(study.import({known(chain(2, 3, 4), 89)}).left_out.size() == 1);  // a second time: nothing new
  const std::vector<Trial> all = study.go_on();
  CHECK(examined(all) == 6);
  CHECK(std::ranges::count_if(all, &Trial::imported) == 3);
  CHECK(study.replay().empty());
}

TEST_CASE("one bad design and nothing is imported", "[search]") {
  Study study;
  search::Known wrong = known(chain(2, 3, 4), 89);
  wrong.costs["params"] = 1;
  CHECK_THROWS_WITH(study.import({known(chain(1, 1, 1), 70), wrong}),
                    Contains("known.csv:2: params = 1") && Contains("another space"));
  CHECK_THROWS_WITH(study.import({known(chain(1, 1, 1), 70), known(chain(1, 1, 2), NAN)}),
                    Contains("expected a number"));
  search::Known nothing = known(chain(1, 1, 3), 1);
  nothing.findings.metrics.clear();
  CHECK_THROWS_WITH(study.import({nothing}), Contains("val_accuracy is missing"));
  CHECK(study.store->load().empty());
}
