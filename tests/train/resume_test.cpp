// Stopped, killed, resumed: a training ends with the bits of one that was left alone, whatever its options.
#include "condenser/arch/design.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/quant/quantize.hpp"
#include "condenser/quant/report.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"
#include "train/quick_run.hpp"
#include "train/temporary_folder.hpp"

namespace condenser::train {
namespace {

using Run = testing::QuickRun;
using testing::metrics;
namespace fs = std::filesystem;

struct Variant {
  const char* name;
  void (*change)(Run&);
};

const Variant kVariants[] = {
    {"lion, clipping, linear schedule",
     [](Run& r) {
       r.options.optimizer = "lion", r.options.lr = 0.003, r.options.clip_grad = 1, r.options.schedule = "linear";
     }},
    {"muon, no average", [](Run& r) { r.options.optimizer = "muon", r.options.lr = 0.02, r.options.ema_decay = 0; }},
    {"adamw, mixup and cutmix",
     [](Run& r) {
       r.options.optimizer = "adamw", r.options.lr = 0.01, r.options.augment.mixup = 0.4, r.options.augment.cutmix = 1;
     }},
    {"accumulation, one cycle",
     [](Run& r) { r.options.batch_size = 8, r.options.accumulate = 2, r.options.schedule = "one_cycle"; }},
    {"balanced sampling, best by F1",
     [](Run& r) {
       r.train = testing::stripes(90, 1, 4);
       r.options.balance = "sampling", r.options.metric = "macro_f1", r.options.keep = "best";
     }},
    {"patience that runs out",
     [](Run& r) {
       r.options.metric = "loss", r.options.patience = 1, r.options.schedule = "constant", r.options.epochs = 12;
     }},
    {"smaller pictures first",
     [](Run& r) {
       r.options.resize = {.sizes = {4, 6}, .epochs = 3};
     }},
    {"a frozen stem", [](Run& r) { r.options.freeze = {"stem"}; }},
    {"mixed precision", [](Run& r) { r.options.amp = "bf16", r.options.clip_grad = 1; }},
    {"mixed precision, muon, smaller pictures first",
     [](Run& r) {
       r.options.amp = "bf16", r.options.optimizer = "muon", r.options.lr = 0.02;
       r.options.resize = {.sizes = {4, 6}, .epochs = 3};
     }},
};

}  // namespace

TEST_CASE("every kind of run goes on exactly after a stop", "[train]") {
  const testing::ClearStop clear;
  for (const Variant& variant : kVariants) {
    INFO(variant.name);
    Run run;
    variant.change(run);
    const testing::TemporaryFolder whole("whole"), parts("parts");
    const FitResult expected = run.fit(whole.path());
    for (const int64_t stop_at : {4, 5, 12}) {  // epochs have five steps
      try {
        run.fit(parts.path(), stop_at);
      } catch (const core::Stopped&) {
        core::request_stop(0);
      }
    }
    run.options.loader_threads = 2;
    const FitResult resumed = run.fit(parts.path());
    CHECK(resumed.resumed_at_step >= 10);
    CHECK(resumed.weights == expected.weights);
    CHECK(resumed.validation->loss == expected.validation->loss);
    CHECK(metrics(parts.path()) == metrics(whole.path()));
  }
}

TEST_CASE("a training in int8 form goes on exactly after a stop, and ends with what the executor scores", "[train]") {
  const testing::ClearStop clear;
  Run floats;
  const arch::Design design = arch::design_of(floats.spec);
  arch::Weights start = floats.fit().weights;
  REQUIRE(arch::lower(floats.spec, &start) == design.lowered);
  const quant::Quantized given = quant::quantize(design, start, *floats.train, {});
  TrainOptions options = floats.options;
  options.optimizer = "adamw", options.lr = 1e-3, options.ema_decay = 0;
  const testing::TemporaryFolder folder("int8");
  const auto fit = [&](const fs::path& state, int64_t stop_at) {
    return testing::backend().fit({.spec = design.lowered,
                                   .train = floats.train,
                                   .validation = floats.validation,
                                   .options = options,
                                   .on_progress =
                                       [&](const Progress& p) {
                                         if (p.step == stop_at) core::request_stop(SIGINT);
                                       },
                                   .state = state,
                                   .start = &start,
                                   .ranges = &given.quant,
                                   .taught_by_start = 0.5});
  };
  const FitResult expected = fit(folder.path() / "whole", -1);
  for (const int64_t stop_at : {3, 7}) {
    CHECK_THROWS_AS(fit(folder.path() / "parts", stop_at), core::Stopped);
    core::request_stop(0);
  }
  const FitResult resumed = fit(folder.path() / "parts", -1);
  CHECK(resumed.resumed_at_step == 7);
  CHECK(resumed.weights == expected.weights);
  CHECK(!(expected.weights == start));
  const quant::Quantized q = quant::quantize(design.lowered, design.lowered_cost, expected.weights, given.quant);
  const data::Evaluation executed = quant::evaluate_int8(design.lowered, q.weights, q.quant, *floats.validation,
                                                         data::task_of(*floats.validation, false));
  CHECK(executed.correct == expected.validation->correct);
  CHECK(executed.loss == expected.validation->loss);
}

namespace {

// Digits through the binary, with everything random that a run may have.
std::string digits_run(const tests::TempFolder& folder) {
  const std::string source = CONDENSER_SOURCE_DIR;
  return folder.write("run.yaml",
                      "name: small\nseed: 5\n"
                      "dataset: {card: " +
                          source +
                          "/datasets/digits, samples: 900}\n"
                          "spec: " +
                          source +
                          "/experiments/own_network/my_net.yaml\n"
                          "train: {epochs: 6, batch_size: 25, accumulate: 2, threads: 1, loader_threads: 2, "
                          "checkpoint_steps: 3, optimizer: adamw, lr: 0.01, ema_decay: 0.9, balance: sampling, "
                          "augment: {shift: 2, degrees: 10, erasing: 0.3, mixup: 0.2, cutmix: 1}}\n");
}

// Bits of the weights and of the last checkpoint (its average, momentum, counters), and the metrics; without clocks.
std::vector<std::string> results(const fs::path& run) {
  std::vector<std::string> all = metrics(run);
  all.push_back(tests::slurp(run / "weights.safetensors"));
  arch::Weights last = arch::load_weights(run / "checkpoints/last.safetensors");
  last.metadata.erase("seconds");
  last.metadata.erase("checksum");
  all.push_back(arch::to_safetensors(last));
  all.push_back(tests::slurp(run / "checkpoints/best.safetensors"));
  return all;
}

}  // namespace

TEST_CASE("trainings that are killed 20 times end with the same bits", "[train][slow]") {
  const tests::TempFolder left_alone;
  const tests::Finished whole = tests::run({CONDENSER_BINARY, "train", digits_run(left_alone)}, left_alone.path());
  INFO(whole.err);
  REQUIRE(whole.code == 0);
  const auto expected = results(left_alone / "runs/small");
  REQUIRE(expected.size() == 1 + 6 + 3);

  // 6 epochs of 17 steps, a checkpoint every 3 and at the end of each epoch.
  core::Rng rng(7);
  for (int training = 0; training < 2; ++training) {
    const tests::TempFolder killed;
    const std::vector<std::string> command{CONDENSER_BINARY, "train", digits_run(killed)};
    for (int64_t step = 1; step < 90; step += 4 + static_cast<int64_t>(rng.below(6))) {
      const bool writing = rng.below(4) == 0;
      const std::string moment = writing ? "write:last.safetensors" : "train:step:" + std::to_string(step);
      const tests::Finished f = tests::run(tests::stopping_at("KILL@" + moment, command), killed.path());
      INFO(moment << " " << f.err);
      REQUIRE(f.code == 128 + SIGKILL);
    }
    const tests::Finished end = tests::run(command, killed.path());
    INFO(end.err);
    REQUIRE(end.code == 0);
    const auto got = results(killed / "runs/small");
    REQUIRE(got.size() == expected.size());
    for (size_t i = 0; i < got.size(); ++i) CHECK((got[i] == expected[i]));
  }
}

}  // namespace condenser::train
