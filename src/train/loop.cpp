// One function from Spec and data to Weights: steps, averaging, metrics, checkpoints, stop flag. Networks are nn/,
// losses and optimizers are files beside this one.
#include "train/loop.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/from_blob.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <thread>

#include "condenser/core/log.hpp"
#include "condenser/core/metrics.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/data/loader.hpp"
#include "condenser/nn/spec_net.hpp"
#include "nn/team.hpp"
#include "train/augment.hpp"
#include "train/checkpoint.hpp"
#include "train/evaluate.hpp"
#include "train/loss.hpp"
#include "train/optim.hpp"

namespace condenser::train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// The options and data that decide the result; threads and checkpoint intervals may change between starts.
Identity identity_of(const FitRequest& r) {
  const auto& o = r.options;
  std::string labels;
  for (int64_t i = 0; i < r.train->size(); ++i) labels += std::to_string(r.train->label(i)) + ",";
  return {{"spec_hash", arch::hash(r.spec).hex()},
          {"epochs", std::to_string(o.epochs)},
          {"batch_size", std::to_string(o.batch_size)},
          {"optimizer", o.optimizer},
          {"lr", number_text(o.lr)},
          {"momentum", number_text(o.momentum)},
          {"weight_decay", number_text(o.weight_decay)},
          {"warmup_epochs", number_text(o.warmup_epochs)},
          {"label_smoothing", number_text(o.label_smoothing)},
          {"ema_decay", number_text(o.ema_decay)},
          {"augment.shift", std::to_string(o.augment.shift)},
          {"augment.flip", o.augment.flip ? "true" : "false"},
          {"augment.cutout", std::to_string(o.augment.cutout)},
          {"seed", std::to_string(o.seed)},
          {"train_labels", core::hash128(labels).hex()},
          {"validation_items", std::to_string(r.validation ? r.validation->size() : 0)}};
}

Checkpoint fresh_start(const TrainOptions& options, nn::SpecNet& net) {
  Checkpoint c;
  c.values.assign(net.values().begin(), net.values().end());
  if (options.ema_decay > 0) c.average = c.values;
  c.optimizer = optimizer_state(options, net.layout());
  return c;
}

// Forward, backward and update on one batch; gradients are clear before and after.
LossSum train_step(nn::SpecNet& net, const TrainOptions& options, const data::ItemShape& shape, data::Batch& batch,
                   double lr, OptimizerState& state) {
  const at::Tensor x = at::from_blob(batch.x.data(), {batch.size, shape.c, shape.h, shape.w});
  const at::Tensor logits = net.forward(x, nn::Mode::Training);
  const int64_t classes = logits.size(1);
  const at::Tensor dense = logits.detach().contiguous();
  std::vector<float> gradient(static_cast<size_t>(batch.size * classes));
  const LossSum sum =
      cross_entropy({dense.const_data_ptr<float>(), gradient.size()}, {batch.y.data(), static_cast<size_t>(batch.size)},
                    classes, options.label_smoothing, gradient);
  if (!std::isfinite(sum.loss))
    throw core::Error("training diverged: loss is not finite at learning rate " + number_text(lr) +
                      "; try a smaller train.lr or a longer train.warmup_epochs");
  logits.backward(at::from_blob(gradient.data(), {batch.size, classes, 1, 1}));
  optimizer_step(options, net.layout(), lr, net.values(), net.gradients(), state);
  return sum;
}

// Runs `use` with the averaged weights in place of the network's own, when there are some.
template <class Use>
auto with_average(nn::SpecNet& net, std::vector<float>& average, const Use& use) {
  const auto swap = [&] {
    if (!average.empty()) std::swap_ranges(average.begin(), average.end(), net.values().begin());
  };
  swap();
  try {
    auto result = use();
    swap();
    return result;
  } catch (...) {
    swap();
    throw;
  }
}

}  // namespace

void use_threads(int threads) {
  nn::Team::instance().resize(threads > 0 ? threads
                                          : std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
  at::set_num_threads(1);  // what is left to the library is too small to share
}

FitResult fit(const FitRequest& r) {
  const TrainOptions& options = r.options;
  use_threads(options.threads);
  check_fits(r.spec, *r.train, "training");
  if (r.validation) check_fits(r.spec, *r.validation, "validation");

  nn::SpecNet net(r.spec, arch::random_weights(r.spec, options.seed));
  const auto shape = r.train->shape();
  data::Loader loader(r.train, {.batch_size = options.batch_size,
                                .shuffle = true,
                                .drop_last = true,
                                .seed = options.seed,
                                .threads = options.loader_threads,
                                .prefetch = 4,
                                .augment = options.augment.sample});
  const int64_t steps_per_epoch = loader.steps_per_epoch();
  const int64_t steps = steps_per_epoch * options.epochs;

  const bool saving = !r.folder.empty();
  const auto last_file = r.folder / "checkpoints" / "last.safetensors";
  const auto best_file = r.folder / "checkpoints" / "best.safetensors";
  const Identity identity = saving ? identity_of(r) : Identity{};
  Checkpoint state = saving && std::filesystem::exists(last_file) ? load_checkpoint(last_file, net.layout(), identity)
                                                                  : fresh_start(options, net);
  std::copy(state.values.begin(), state.values.end(), net.values().begin());
  const int64_t first_step = state.step;
  const double seconds_before = state.seconds;
  if (first_step > 0)
    core::log::info("resuming at step " + std::to_string(first_step) + " of " + std::to_string(steps));
  loader.seek(first_step / steps_per_epoch, first_step % steps_per_epoch);
  std::optional<core::Metrics> metrics;
  if (saving) metrics.emplace(r.folder, state.rows);

  const auto started = Clock::now();
  auto epoch_started = started;
  int64_t epoch_images = 0;
  std::optional<Evaluation> validation;
  const auto save = [&] {
    state.values.assign(net.values().begin(), net.values().end());
    state.seconds = seconds_before + seconds_since(started);
    save_checkpoint(last_file, net.layout(), identity, state);
  };

  data::Batch batch;
  for (; state.step < steps;) {
    const int64_t step = state.step;
    loader.next(batch);
    augment(options.augment, shape, r.train->normalization(), options.seed, step, batch.x);
    const double lr = learning_rate(options, step, steps_per_epoch);
    const LossSum sum = train_step(net, options, shape, batch, lr, state.optimizer);
    if (!state.average.empty()) update_average(options.ema_decay, step, net.values(), state.average);
    state.loss_sum += sum.loss;
    state.correct += sum.correct;
    state.seen += batch.size;
    epoch_images += batch.size;
    ++state.step;

    const bool epoch_done = state.step % steps_per_epoch == 0;
    const double images_per_s = static_cast<double>(epoch_images) / std::max(1e-9, seconds_since(epoch_started));
    if (r.on_progress) {
      const double per_step = seconds_since(started) / static_cast<double>(state.step - first_step);
      r.on_progress({.epoch = step / steps_per_epoch,
                     .epochs = options.epochs,
                     .step = state.step,
                     .steps = steps,
                     .loss = sum.loss / static_cast<double>(batch.size),
                     .images_per_s = images_per_s,
                     .eta_s = per_step * static_cast<double>(steps - state.step),
                     .train_accuracy = 100.0 * static_cast<double>(state.correct) / static_cast<double>(state.seen),
                     .val_accuracy = validation ? std::optional(accuracy_percent(*validation)) : std::nullopt});
    }
    if (epoch_done && (saving || state.step == steps)) {
      if (r.validation)
        validation = with_average(net, state.average, [&] { return evaluate_net(net, *r.validation, OnStop::Finish); });
      if (saving) {
        constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
        const auto seen = static_cast<double>(state.seen);
        metrics->row(state.step / steps_per_epoch, {{"train/loss", state.loss_sum / seen},
                                                    {"train/acc", 100.0 * static_cast<double>(state.correct) / seen},
                                                    {"val/loss", validation ? validation->loss : kNone},
                                                    {"val/acc1", validation ? accuracy_percent(*validation) : kNone},
                                                    {"lr", lr},
                                                    {"images_per_s", images_per_s},
                                                    {"seconds", seconds_before + seconds_since(started)}});
        ++state.rows;
        if (validation && accuracy_percent(*validation) > state.best_accuracy) {
          state.best_accuracy = accuracy_percent(*validation);
          auto best = with_average(net, state.average, [&] { return net.weights(); });
          best.metadata = {{"spec_hash", arch::hash(r.spec).hex()},
                           {"step", std::to_string(state.step)},
                           {"val_accuracy", number_text(state.best_accuracy)}};
          arch::save_weights(best_file, best);
        }
      }
      state.loss_sum = 0, state.correct = 0, state.seen = 0;
      epoch_images = 0;
      epoch_started = Clock::now();
    }

    const bool stop = core::stop_requested() && state.step < steps;
    const bool due = options.checkpoint_steps > 0 && state.step % options.checkpoint_steps == 0;
    if (saving && (epoch_done || due || stop)) save();
    if (stop)
      throw core::Stopped("training stopped after step " + std::to_string(state.step) + " of " + std::to_string(steps) +
                          (saving ? "; start again to go on" : ""));
  }

  FitResult result;
  result.resumed_at_step = first_step;
  if (r.validation && !validation)  // the run was complete already
    validation = with_average(net, state.average, [&] { return evaluate_net(net, *r.validation, OnStop::Finish); });
  result.validation = validation;
  result.weights = with_average(net, state.average, [&] { return net.weights(); });
  result.weights.metadata["spec_hash"] = arch::hash(r.spec).hex();
  return result;
}

}  // namespace condenser::train
