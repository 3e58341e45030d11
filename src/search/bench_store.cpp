#include "condenser/search/bench_store.hpp"

#include <chrono>
#include <ctime>
#include <filesystem>

#include "condenser/core/rng.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "condenser/search/store.hpp"

namespace condenser::search {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// As large as those of the space `columns`.
constexpr int kDecisions = 30, kNodes = 72, kEpochs = 30;
constexpr double kLease = 60;
constexpr char kWorker[] = "bench";

class Watch {
 public:
  Elapsed elapsed() const {
    return {std::chrono::duration<double>(Clock::now() - clock_).count(),
            static_cast<double>(std::clock() - processor_) / CLOCKS_PER_SEC};
  }

 private:
  Clock::time_point clock_ = Clock::now();
  std::clock_t processor_ = std::clock();
};

Trial proposed(int64_t index) {
  core::Rng rng(1, 0, static_cast<uint64_t>(index));
  Trial trial;
  trial.index = index;
  trial.state = TrialState::Proposed;
  for (int i = 0; i < kDecisions; ++i) trial.genotype.choice.push_back(static_cast<int>(rng.below(8)));
  trial.hash = core::hash128(std::to_string(index));
  for (const char* rule : {"column_layout", "no_strided_pointwise", "antialiased_downsampling", "max_params"})
    trial.verdicts.push_back({rule, true, "", "", ""});
  trial.by = "pool";
  trial.reason = "largest mean + 2.5 deviations of a pool of 2,000";
  trial.forecast = Forecast{rng.uniform(), rng.uniform(), rng.uniform(), rng.uniform()};
  return trial;
}

Trial refused(int64_t index) {
  Trial trial = proposed(index);
  trial.state = TrialState::Refused;
  trial.hash = {};
  trial.verdicts.push_back({"max_arena_bytes", false, "s2_b1_expand", "26,880 bytes", "at most 24,000 bytes"});
  trial.findings.metrics = {{"params", 12345}, {"macs", 1234567}};
  return trial;
}

Trial examined(Trial trial) {
  core::Rng rng(2, 0, static_cast<uint64_t>(trial.index));
  trial.state = TrialState::Done;
  for (const char* name : {"val_accuracy", "netscore", "params", "macs", "constant_bytes", "arena_bytes"})
    trial.findings.metrics[name] = rng.uniform();
  for (int i = 0; i < kNodes; ++i)
    trial.findings.node_scores["s" + std::to_string(i % 4) + "_b" + std::to_string(i)] = rng.normal();
  for (const char* name : {"val_accuracy", "train_loss"})
    for (int i = 0; i < kEpochs; ++i) trial.findings.curves[name].push_back(rng.uniform());
  trial.seconds = rng.uniform();
  return trial;
}

void store_one(Store& store, int64_t index, bool examine) {
  const bool fresh = store.append(examine ? proposed(index) : refused(index));
  if (!fresh) throw core::Error("bench store: trial " + std::to_string(index) + " is there already");
  if (!examine) return;
  const std::optional<Trial> trial = store.claim(kWorker, kLease);
  if (!trial || trial->index != index || !store.finish(examined(*trial)))
    throw core::Error("bench store: another process works on this study");
}

uintmax_t bytes_of(const std::string& file) {
  std::error_code none;
  uintmax_t bytes = 0;
  for (const char* part : {"", "-wal"})
    if (const auto size = fs::file_size(file + part, none); !none) bytes += size;
  return bytes;
}

}  // namespace

StoreBenchResult bench_store(const StoreBenchOptions& o) {
  if (o.trials < 2 * kStoreBenchBlock)
    throw core::ConfigError("bench store: " + std::to_string(o.trials) + " trials; expected at least " +
                            std::to_string(2 * kStoreBenchBlock) + ": the first and the last thousand are compared");
  const core::TemporaryFolder folder;
  const std::string study = o.study.empty() ? (folder.path() / "study.sqlite").string() : o.study;
  StoreBenchResult result;
  {
    const auto store = open_study(study);
    if (!store->changes(0).trials.empty())
      throw core::ConfigError("bench store: " + printable_study(study) + " holds trials; expected an empty study");
    const Watch all;
    Watch block;
    for (int64_t i = 0; i < o.trials; ++i) {
      if (core::stop_requested()) throw core::Stopped("bench store: stopped");
      if (i == o.trials - kStoreBenchBlock) block = Watch();
      store_one(*store, i, o.examined);
      if (i == kStoreBenchBlock - 1) result.first = block.elapsed();
    }
    result.last = block.elapsed();
    result.per_second = static_cast<double>(o.trials) / all.elapsed().seconds;
  }
  result.bytes_per_trial = static_cast<double>(bytes_of(study)) / static_cast<double>(o.trials);
  const Watch opening;
  const std::vector<Trial> trials = open_study(study)->load();
  result.open = opening.elapsed();
  if (std::ssize(trials) != o.trials) throw core::Error("bench store: trials are missing");
  return result;
}

}  // namespace condenser::search
