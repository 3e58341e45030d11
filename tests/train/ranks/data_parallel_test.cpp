// Several ranks in one process, a thread each, connected through c10d as processes are. Processes themselves, their
// signals and their deaths are in tests/pipeline/nproc_test.cpp.
#include "train/ranks/data_parallel.hpp"

#include <future>

#include "support/catch.hpp"
#include "train/loop.hpp"
#include "train/quick_run.hpp"
#include "train/temporary_folder.hpp"

namespace condenser::train {
namespace {

using testing::ClearStop;
using testing::small_net;  // batch norm alone, before a sum and before a gate
using testing::stripes;

TrainOptions quick() {
  TrainOptions o;
  o.epochs = 6;
  o.batch_size = 18;
  o.lr = 0.05;
  o.warmup_epochs = 0.5;
  o.ema_decay = 0.9;
  o.augment.shift = 0;
  o.threads = 1;
  o.bucket_mb = 0.001;
  o.rank_timeout = 20;
  return o;
}

struct Outcome {
  FitResult result;
  std::vector<double> losses;
  std::string error;
  bool stopped = false;
};

struct Run {
  const arch::Spec spec = small_net();
  std::shared_ptr<const data::Dataset> train = stripes(90, 1), validation = stripes(31, 2);
  TrainOptions options = quick();
  std::filesystem::path folder;  // rank 0's; the others get one beside it that must stay empty
  int64_t stop_at = -1;          // step at which the last rank is asked to stop
  std::function<std::shared_ptr<const data::Dataset>(int rank)> train_of;  // empty: `train`

  Outcome fit(int rank, Group* group) const {
    Outcome out;
    const bool last = !group || rank + 1 == group->size();
    try {
      out.result = train::fit({.spec = spec,
                               .train = train_of ? train_of(rank) : train,
                               .validation = validation,
                               .options = options,
                               .folder = folder.empty() ? folder : folder / std::to_string(rank),
                               .on_progress =
                                   [&](const Progress& p) {
                                     out.losses.push_back(p.loss);
                                     if (p.step == stop_at && last) core::request_stop(SIGTERM);
                                   }},
                              group);
    } catch (const core::Stopped&) {
      out.stopped = true;
    } catch (const core::Error& error) {
      out.error = error.what();
      if (group) group->give_up(out.error);
    }
    return out;
  }

  Outcome alone() const { return fit(0, nullptr); }

  std::vector<Outcome> together(int size) const {
    const testing::TemporaryFolder meeting("ranks");
    std::vector<std::future<Outcome>> ranks;
    for (int rank = 0; rank < size; ++rank)
      ranks.push_back(std::async(std::launch::async, [&, rank] {
        try {
          Group group({.launcher = "test",
                       .rank = rank,
                       .size = size,
                       .local_rank = rank,
                       .store_file = (meeting.path() / "store").string()},
                      std::chrono::seconds(options.rank_timeout));
          return fit(rank, &group);
        } catch (const core::Error& error) {  // another one gave up before all were connected
          return Outcome{.error = error.what()};
        }
      }));
    std::vector<Outcome> out;
    for (auto& rank : ranks) out.push_back(rank.get());
    return out;
  }
};

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]) / std::abs(b[i]));
  return largest;
}

}  // namespace

TEST_CASE("ranks add up, share texts and know each other", "[train][ranks]") {
  const testing::TemporaryFolder meeting("group");
  const auto rank = [&](int r) {
    Group group({.launcher = "test", .rank = r, .size = 3, .store_file = (meeting.path() / "store").string()},
                std::chrono::seconds(20));
    std::array values{1.0 + r, 0.5};
    group.sum(values);
    std::vector<float> block(5, static_cast<float>(r));
    group.broadcast(std::span(block));
    std::string text = "rank " + std::to_string(r);
    group.broadcast(text);
    const std::string first = group.hand_out(r == 0 ? "spec" : ""), second = group.hand_out(r == 0 ? "more" : "");
    return std::tuple(values[0], values[1], block, text, first + second, group.local_rank(), group.cores() >= 1);
  };
  std::vector<std::future<decltype(rank(0))>> all;
  for (int r = 0; r < 3; ++r) all.push_back(std::async(std::launch::async, rank, r));
  for (int r = 0; r < 3; ++r)
    CHECK(all[static_cast<size_t>(r)].get() ==
          std::tuple(6.0, 1.5, std::vector<float>(5, 0.0f), std::string("rank 0"), std::string("specmore"), r, true));
}

TEST_CASE("with synchronized batch norm ranks follow the losses of one process", "[train][ranks]") {
  Run run;
  run.options.sync_batch_norm = true;
  run.options.augment.shift = 1, run.options.augment.flip = true, run.options.augment.cutout = 2;
  const Outcome alone = run.alone();
  REQUIRE(alone.losses.size() == 30);
  CHECK(alone.losses.back() < alone.losses.front());
  const int size = GENERATE(2, 4);  // four ranks: shares of 4 and 5
  const auto ranks = run.together(size);
  for (const Outcome& rank : ranks) {
    REQUIRE(rank.error.empty());
    CHECK(largest_difference(rank.losses, alone.losses) < 1e-4);
    CHECK(rank.result.weights == ranks[0].result.weights);
    CHECK(rank.result.validation->total == 31);
    CHECK(rank.result.validation->loss == Approx(alone.result.validation->loss).epsilon(1e-3));
    CHECK(rank.result.validation->confusion == ranks[0].result.validation->confusion);
  }
}

TEST_CASE("ranks follow one process through progressive resizing", "[train][ranks]") {
  Run run;
  run.options.sync_batch_norm = true;
  run.options.resize = {.sizes = {4, 6}, .epochs = 4};
  const Outcome alone = run.alone();
  REQUIRE(alone.error.empty());
  for (const Outcome& rank : run.together(2)) {
    REQUIRE(rank.error.empty());
    CHECK(largest_difference(rank.losses, alone.losses) < 1e-4);
  }
}

TEST_CASE("with local batch norm ranks agree to the bit and differ from one process", "[train][ranks]") {
  Run run;
  const auto ranks = run.together(2);
  REQUIRE(ranks[0].error.empty());
  CHECK(ranks[1].result.weights == ranks[0].result.weights);  // running statistics are among them
  CHECK(ranks[1].losses == ranks[0].losses);
  CHECK(largest_difference(ranks[0].losses, run.alone().losses) > 1e-3);
}

TEST_CASE("the size of buckets does not change the sum of two ranks", "[train][ranks]") {
  Run run;
  run.options.accumulate = GENERATE(1, 2);
  const auto small = run.together(2);
  run.options.bucket_mb = 64;
  const auto large = run.together(2);
  REQUIRE(small[0].error.empty());
  CHECK(small[0].result.weights == large[0].result.weights);
}

TEST_CASE("ranks that stop and resume end with the bits of ranks that did not", "[train][ranks]") {
  const ClearStop clear;
  Run run;
  run.options.sync_batch_norm = GENERATE(false, true);
  const auto expected = run.together(2);
  REQUIRE(expected[0].error.empty());

  const testing::TemporaryFolder folder("ranks_resume");
  run.folder = folder.path();
  for (const int64_t stop_at : {4, 15}) {
    run.stop_at = stop_at;
    for (const Outcome& rank : run.together(2)) {
      CHECK(rank.error.empty());
      CHECK(rank.stopped);
    }
    CHECK(core::stop_code() == core::ExitCode::Terminated);
    core::request_stop(0);
  }
  run.stop_at = -1;
  const auto resumed = run.together(2);
  for (const Outcome& rank : resumed) {
    CHECK(rank.error.empty());
    CHECK(rank.result.resumed_at_step >= 15);
    CHECK(rank.result.resumed_at_step <= 17);  // the stop is agreed upon at the end of a step
    CHECK(rank.result.weights == expected[0].result.weights);
    CHECK(rank.result.validation->loss == expected[0].result.validation->loss);
  }
  CHECK(std::filesystem::exists(folder.path() / "0" / "metrics.csv"));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "1"));  // rank 0 writes, and the others need not see its files

  run.options.epochs += 1;
  CHECK_THAT(run.together(2)[0].error, Catch::Contains("epochs"));
}

TEST_CASE("another number of ranks does not go on with a checkpoint", "[train][ranks]") {
  Run run;
  run.options.epochs = 1;
  const testing::TemporaryFolder folder("ranks_count");
  run.folder = folder.path();
  run.together(2);
  CHECK_THAT(run.alone().error, Catch::Contains("processes = 2"));
}

TEST_CASE("a rank that gives up is named to the others with its reason", "[train][ranks]") {
  class Broken : public data::Dataset {
   public:
    explicit Broken(std::shared_ptr<const data::Dataset> base) : base_(std::move(base)) {}
    int64_t size() const override { return base_->size(); }
    data::ItemShape shape() const override { return base_->shape(); }
    const std::vector<std::string>& classes() const override { return base_->classes(); }
    const data::Normalization& normalization() const override { return base_->normalization(); }
    int label(int64_t i) const override { return base_->label(i); }
    void get(int64_t, std::span<float>) const override { throw core::Error("cat.jpg is truncated"); }

   private:
    std::shared_ptr<const data::Dataset> base_;
  };
  Run run;
  run.train_of = [&](int rank) -> std::shared_ptr<const data::Dataset> {
    if (rank == 1) return std::make_shared<Broken>(run.train);
    return run.train;
  };
  const auto ranks = run.together(2);
  CHECK(ranks[1].error == "cat.jpg is truncated");
  CHECK_THAT(ranks[0].error, Catch::Contains("rank 1 (pid ") && Catch::Contains("cat.jpg is truncated"));
}

}  // namespace condenser::train
