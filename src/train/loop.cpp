// One function from Spec and data to Weights. What happens on a device is learner.hpp, what is written is
// run_files.hpp, what happens to a batch is augment.hpp; order, schedule and choices stand here.
#include "train/loop.hpp"

#include <ATen/Parallel.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <thread>

#include "condenser/core/log.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/data/loader.hpp"
#include "nn/team.hpp"
#include "train/augment.hpp"
#include "train/data_parallel.hpp"
#include "train/identity.hpp"
#include "train/learner.hpp"
#include "train/optim.hpp"
#include "train/run_files.hpp"

namespace condenser::train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

Objective objective_of(const TrainOptions& options) { return {.smoothing = options.label_smoothing}; }

arch::Weights named(const arch::Spec& spec, const nn::BlockLayout& layout, const std::vector<float>& block) {
  arch::Weights weights = nn::copy_from_block(layout, block);
  weights.metadata["spec_hash"] = arch::hash(spec).hex();
  return weights;
}

}  // namespace

void use_threads(int threads) {
  nn::Team::instance().resize(threads > 0 ? threads
                                          : std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
  at::set_num_threads(1);  // what is left to the library is too small to share
}

Rows rows(const data::Batch& batch, int64_t part, int64_t parts) {
  const int64_t begin = batch.size * part / parts, size = batch.size * (part + 1) / parts - begin;
  const auto cut = [&](const auto& values) {
    const size_t each = values.size() / static_cast<size_t>(batch.size);
    return std::span(values).subspan(static_cast<size_t>(begin) * each, static_cast<size_t>(size) * each);
  };
  return {size, cut(batch.x), cut(batch.y), cut(batch.t)};
}

FitResult fit(const FitRequest& r, Group* group) {
  const TrainOptions& options = r.options;
  use_threads(options.threads == 0 && group ? group->cores() : options.threads);
  check_fits(r.spec, *r.train, "training");
  if (r.validation) check_fits(r.spec, *r.validation, "validation");

  const arch::Weights initial = arch::random_weights(r.spec, options.seed);
  const auto learner =
      make_cpu_learner({.spec = r.spec, .initial = initial, .options = options, .objective = objective_of(options)});
  DataParallel ranks(group, options, *learner);
  data::Loader loader(r.train, {.batch_size = options.batch_size * options.accumulate,
                                .shuffle = true,
                                .drop_last = true,
                                .seed = options.seed,
                                .threads = options.loader_threads,
                                .prefetch = 4,
                                .rank = ranks.rank(),
                                .ranks = ranks.size(),
                                .augment = options.augment.sample});
  const int64_t steps_per_epoch = loader.steps_per_epoch();
  const int64_t steps = steps_per_epoch * options.epochs;

  const bool saving = !r.folder.empty();
  Identity identity = saving ? identity_of(r) : Identity{};
  identity["processes"] = std::to_string(ranks.size());
  RunFiles files(ranks.leads() ? r.folder : std::filesystem::path{}, learner->layout(), identity);
  RunState run;
  if (const auto checkpoint = ranks.open(files, identity)) {
    learner->load(*checkpoint);
    run = checkpoint->run;
    core::log::info("resuming at step " + std::to_string(run.step) + " of " + std::to_string(steps));
  }
  const int64_t first_step = run.step;
  const double seconds_before = run.seconds;
  loader.seek(first_step / steps_per_epoch, first_step % steps_per_epoch);

  const auto started = Clock::now();
  auto epoch_started = started;
  int64_t epoch_images = 0;
  std::optional<Evaluation> validation;
  const auto save = [&] {
    run.seconds = seconds_before + seconds_since(started);
    Checkpoint checkpoint{.run = run};
    learner->store(checkpoint);
    files.save(checkpoint);
  };

  data::Batch batch;
  while (run.step < steps) {
    loader.next(batch);
    augment(options.augment, *r.train, options.seed, run.step, batch);
    const double lr = learning_rate(options, run.step, steps_per_epoch);
    LossSum sum;
    for (int part = 0; part < options.accumulate; ++part) {
      if (part + 1 == options.accumulate) ranks.start_step();
      sum += learner->accumulate(rows(batch, part, options.accumulate), batch.total);
    }
    ranks.finish_step(sum);
    if (!std::isfinite(sum.loss))
      throw core::Error("training diverged: loss is not finite at learning rate " + number_text(lr) +
                        "; try a smaller train.lr or a longer train.warmup_epochs");
    learner->update(lr, run.step);

    run.loss_sum += sum.loss;
    run.correct += sum.correct;
    run.seen += batch.total;
    epoch_images += batch.total;
    ++run.step;
    const bool epoch_done = run.step % steps_per_epoch == 0;
    const double images_per_s = static_cast<double>(epoch_images) / std::max(1e-9, seconds_since(epoch_started));
    if (r.on_progress) {
      const double per_step = seconds_since(started) / static_cast<double>(run.step - first_step);
      r.on_progress({.epoch = (run.step - 1) / steps_per_epoch,
                     .epochs = options.epochs,
                     .step = run.step,
                     .steps = steps,
                     .loss = sum.loss / static_cast<double>(batch.total),
                     .images_per_s = images_per_s,
                     .eta_s = per_step * static_cast<double>(steps - run.step)});
    }
    if (epoch_done && r.validation && (saving || run.step == steps)) {
      validation = ranks.evaluate(r.validation);
      if (accuracy_percent(*validation) > run.best_score) {
        run.best_score = accuracy_percent(*validation);
        auto best = named(r.spec, learner->layout(), learner->result());
        best.metadata["step"] = std::to_string(run.step);
        best.metadata["val_accuracy"] = number_text(run.best_score);
        files.best(best);
      }
    }
    if (epoch_done) {
      constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
      const auto seen = static_cast<double>(run.seen);
      files.row(run.step / steps_per_epoch, {{"train/loss", run.loss_sum / seen},
                                             {"train/acc", 100.0 * static_cast<double>(run.correct) / seen},
                                             {"val/loss", validation ? validation->loss : kNone},
                                             {"val/acc1", validation ? accuracy_percent(*validation) : kNone},
                                             {"lr", lr},
                                             {"images_per_s", images_per_s},
                                             {"seconds", seconds_before + seconds_since(started)}});
      ++run.rows;
      run.loss_sum = 0, run.correct = 0, run.seen = 0;
      epoch_images = 0;
      epoch_started = Clock::now();
    }

    const bool stop = ranks.stop_requested() && run.step < steps;
    const bool due = options.checkpoint_steps > 0 && run.step % options.checkpoint_steps == 0;
    if (saving && (epoch_done || due || stop)) save();
    if (stop)
      throw core::Stopped("training stopped after step " + std::to_string(run.step) + " of " + std::to_string(steps) +
                          (saving ? "; start again to go on" : ""));
  }

  if (r.validation && !validation)  // the run was complete already
    validation = ranks.evaluate(r.validation);
  return {.weights = named(r.spec, learner->layout(), learner->result()),
          .validation = validation,
          .resumed_at_step = first_step};
}

}  // namespace condenser::train
