// What one study teaches another.

#include "condenser/search/lesson.hpp"

#include <cmath>
#include <fstream>

#include "condenser/core/files.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "condenser/search/bench.hpp"
#include "condenser/search/driver.hpp"
#include "search/features/catalogue.hpp"
#include "search/probes/table_probe.hpp"
#include "support/catch.hpp"

using namespace condenser;
namespace fs = std::filesystem;

namespace {

constexpr int kDecisions = 5, kOptions = 4;

// 1,024 networks whose costs have nothing to do with their options: the reward rises with the parameters, `slope`
// points for a deviation, and falls with the work; what the options bring at their places differs from `seed` to
// `seed`.
fs::path table(const fs::path& folder, const std::string& name, double slope, uint64_t seed) {
  core::Rng rng(seed);
  double brings[kDecisions][kOptions];
  for (auto& decision : brings)
    for (double& option : decision) option = 0.4 * rng.normal();
  std::ofstream csv(folder / (name + ".csv"));
  csv << "ops,reward,params,macs\n";
  for (int i = 0; i < 1024; ++i) {
    std::string ops;
    const double params = rng.normal(), macs = rng.normal();
    double reward = 80 + slope * (params - macs);
    for (int d = 0, rest = i; d < kDecisions; ++d, rest /= kOptions) {
      const int option = rest % kOptions;
      ops += std::to_string(option);
      reward += brings[d][option];
    }
    csv << ops << ',' << reward << ',' << 1e5 * std::exp(params) << ',' << 1e7 * std::exp(macs) << '\n';
  }
  const fs::path yaml = folder / (name + ".yaml");
  std::ofstream(yaml) << "file: " << name << ".csv\ndecisions: [ops]\nreward: reward\nparams: params\nmacs: macs\n"
                      << "operators: [conv_1x1, conv_3x3, conv_5x5, conv_7x7]\n";
  return yaml;
}

search::SearchBenchResult bench(const fs::path& table, const fs::path& learn_from = {}) {
  search::SearchBenchOptions options;
  options.table = table;
  options.learn_from = learn_from;
  options.seeds = 12;
  options.trials = 24;
  return search::bench_search(options);
}

// A search of a table, in a study of one's own.
struct Study {
  search::TableSpace space;
  search::Gate gate{search::GateOptions{}};
  search::Inquisitor inquisitor;
  std::unique_ptr<search::Generator> generator;
  search::SearchOptions options{.generator = "generative_synthesis", .trials = 12, .seed = 3};

  explicit Study(const fs::path& table) : space(search::read_look_up(table)), inquisitor(probes()) {
    auto reader = core::config::Reader::empty();
    generator = search::make_generator(options.generator, reader);
  }
  std::vector<std::unique_ptr<search::Probe>> probes() const {
    std::vector<std::unique_ptr<search::Probe>> all;
    all.push_back(search::make_table_probe(space, search::Answer::Mean));
    return all;
  }
  search::SearchContext context(search::Store& store) const {
    return {.space = space, .generator = *generator, .gate = gate, .inquisitor = inquisitor, .store = store};
  }
  search::Lesson taught() const {
    const auto store = search::make_memory_store();
    return search::lesson_of(space, gate, search::run_search(context(*store), options), {}, {1}, "old");
  }
};

}  // namespace

TEST_CASE("a lesson is what its text says", "[search][lesson]") {
  const search::Lesson lesson{.lengths = {{"decisions", 0.1}, {"operators", -1.0 / 3}},
                              .signal = 1e-9,
                              .noise = -2,
                              .weight = 0.7,
                              .slopes = {{"log_params", -1.25}},
                              .networks = 40,
                              .from = {"runs/\"a\""}};
  CHECK(search::lesson_from_text(search::to_text(lesson)) == lesson);
  CHECK_THROWS_WITH(search::lesson_from_text("{}"), Catch::Contains("cannot be read"));

  search::Lesson other = lesson;
  other.networks = 120;
  other.slopes = {{"log_params", 0.75}, {"log_macs", 0.5}};
  const search::Lesson both = search::together({lesson, other});
  CHECK(both.slopes.at("log_params") == Approx(0.25));  // a quarter and three quarters
  CHECK(both.slopes.at("log_macs") == 0.5);             // only one knows it
  CHECK(both.networks == 160);
  CHECK(both.from.size() == 2);
}

TEST_CASE("a study of a similar space helps the first evaluations", "[search][lesson]") {
  const core::TemporaryFolder folder;
  const fs::path now = table(folder.path(), "now", -1.5, 1), before = table(folder.path(), "before", -1.5, 2);
  const auto cold = bench(now), taught = bench(now, before);
  INFO(cold.best_after.at(8) << " cold, " << taught.best_after.at(8) << " taught, kept " << taught.lessons_kept);
  CHECK(taught.best_after.at(8) > cold.best_after.at(8) + 0.3);
  CHECK(taught.lessons_kept > 0.7);
}

TEST_CASE("a study that teaches the opposite is dropped and costs little", "[search][lesson]") {
  const core::TemporaryFolder folder;
  const fs::path now = table(folder.path(), "now", 1.5, 1), before = table(folder.path(), "before", -1.5, 2);
  const auto cold = bench(now), taught = bench(now, before);
  INFO(cold.best_after.at(16) << " cold, " << taught.best_after.at(16) << " taught, kept " << taught.lessons_kept);
  CHECK(taught.best_after.at(16) > cold.best_after.at(16) - 0.3);

  Study older(before), newer(now);
  older.options.trials = newer.options.trials = 16;
  int dropped = 0;
  constexpr int kSeeds = 8;
  std::string all;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    older.options.seed = newer.options.seed = static_cast<uint64_t>(seed);
    const search::Lesson lesson = older.taught();
    const auto store = search::make_memory_store();
    store->keep(search::kLesson, search::to_text(lesson));
    const auto trials = search::run_search(newer.context(*store), newer.options);
    const auto worth = search::worth_of(lesson, newer.space, newer.gate, trials, {}, {1});
    dropped += worth.weight == 0;
    all += search::to_words(lesson, worth) + "\n";
    CHECK((all.find("dropped") != std::string::npos) == (dropped > 0));
  }
  INFO(all);
  CHECK(dropped >= kSeeds - 2);
}

TEST_CASE("what was learned lies with the new study; the older one stays as it is", "[search][lesson]") {
  const core::TemporaryFolder folder;
  const fs::path file = folder.path() / "old.sqlite";
  const Study older(table(folder.path(), "before", -1.5, 2)), newer(table(folder.path(), "now", -1.5, 1));
  search::run_search(older.context(*search::open_study(file.string())), older.options);
  const std::string bytes = core::read_file(file);
  {
    const auto old = search::open_study(file.string(), search::StoreMode::Look);
    const search::Lesson lesson = search::lesson_of(older.space, older.gate, old->load(), {}, {1}, "old");
    CHECK(lesson.networks == 12);
    CHECK(lesson.slopes.at("log_params") < 0);
    CHECK(lesson.slopes.at("log_macs") > 0);
    const auto store = search::open_study((folder.path() / "new.sqlite").string());
    store->keep(search::kLesson, search::to_text(lesson));
    search::run_search(newer.context(*store), newer.options);
  }
  CHECK(core::read_file(file) == bytes);
  fs::remove(file);
  const auto store = search::open_study((folder.path() / "new.sqlite").string(), search::StoreMode::Look);
  CHECK(search::replay_search(newer.context(*store), newer.options).empty());

  const auto without = search::make_memory_store();
  for (const search::Trial& trial : store->load()) without->append(trial);
  CHECK_FALSE(search::replay_search(newer.context(*without), newer.options).empty());
}

TEST_CASE("a study without results teaches nothing", "[search][lesson]") {
  const core::TemporaryFolder folder;
  const Study study(table(folder.path(), "now", 3, 1));
  CHECK_THROWS_WITH(search::lesson_of(study.space, study.gate, {}, {}, {1}, "old"),
                    Catch::Contains("old: 0 networks have a value of val_accuracy; expected at least 4"));
}
