// One function from Spec and data to Weights. What happens on a device is learner.hpp, what is written is
// run_files.hpp, what happens to a batch is augment.hpp and resize.hpp; order, schedule and choices stand here.
#include "train/loop.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <new>
#include <thread>
#include <utility>

#include "condenser/core/log.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/data/loader.hpp"
#include "condenser/data/metrics.hpp"
#include "condenser/train/augment.hpp"
#include "condenser/train/check_options.hpp"
#include "nn/team.hpp"
#include "nn/tiling.hpp"
#include "train/files/identity.hpp"
#include "train/files/run_files.hpp"
#include "train/files/transfer.hpp"
#include "train/learner.hpp"
#include "train/loss/objective.hpp"
#include "train/memory_advice.hpp"
#include "train/optim/schedule.hpp"
#include "train/ranks/data_parallel.hpp"
#include "train/resize.hpp"

namespace condenser::train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Whether validation decides when the training ends or which weights are kept.
bool chooses(const TrainOptions& o) { return o.patience > 0 || o.keep == "best"; }

void check(const FitRequest& r, int ranks) {
  check_fits(r.spec, *r.train, "training");
  if (r.validation) check_fits(r.spec, *r.validation, "validation");
  if (chooses(r.options) && !r.validation)
    throw core::ConfigError(r.section + ".patience and " + r.section +
                            ".keep = best need validation data, and there is none");
  const DataFacts data = facts_of(*r.train, r.validation.get());
  check_options({.options = r.options, .data = &data, .spec = &r.spec, .ranks = ranks}, r.section);
}

arch::Weights named(const arch::Spec& spec, const nn::BlockLayout& layout, const std::vector<float>& block) {
  arch::Weights weights = nn::copy_from_block(layout, block);
  weights.metadata["spec_hash"] = arch::hash(spec).hex();
  return weights;
}

Diverged diverged(int64_t step, double lr, const std::string& where, int64_t saved_step) {
  return Diverged("training diverged at step " + std::to_string(step) + ", learning rate " + number_text(lr) + ": " +
                  where + " is not finite" +
                  (saved_step > 0 ? "; checkpoints/last.safetensors holds step " + std::to_string(saved_step) : "") +
                  "; try a smaller lr, a longer warmup_epochs or clip_grad");
}

// "" when all are finite.
std::string parameter_not_finite(const nn::BlockLayout& layout, const std::vector<float>& values) {
  for (const auto& segment : layout.segments)
    for (int64_t i = segment.offset; i < segment.offset + segment.size; ++i)
      if (!std::isfinite(values[static_cast<size_t>(i)])) return "parameter " + segment.name;
  return "";
}

bool out_of_patience(const TrainOptions& options, const RunState& run, int64_t steps_per_epoch) {
  return options.patience > 0 && run.best_epoch > 0 && run.step % steps_per_epoch == 0 &&
         run.step / steps_per_epoch - run.best_epoch >= options.patience;
}

// Own kernels are limited here; what LibTorch and the C library choose is fixed before they are loaded (cli/portable).
void use_kernels(const TrainOptions& options) {
  nn::limit_simd(options.portable ? nn::Simd::Baseline : nn::Simd::Avx512);
  // These choose kernels of their own by processor.
  at::globalContext().setUserEnabledMkldnn(!options.portable);
  at::globalContext().setUserEnabledNNPACK(!options.portable);
  if (!options.portable) return;
  if (at::get_cpu_capability() != "DEFAULT")
    throw core::Error("train.portable: LibTorch uses its kernels for " + at::get_cpu_capability() +
                      "; expected the environment variable ATEN_CPU_CAPABILITY = default before it is loaded");
}

int all_cores() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

// A GPU leaves the processor free for batches, and needs them fast.
int loader_threads(const TrainOptions& options, at::Device device, int cores) {
  if (options.loader_threads > 0) return options.loader_threads;
  return device.is_cpu() ? 1 : std::clamp(cores - 1, 1, 8);
}

FitResult train_network(const FitRequest& r, Group* group) {
  const TrainOptions& options = r.options;
  const int cores = group ? group->cores() : all_cores();
  use_threads(options.threads > 0 ? options.threads : cores);
  use_kernels(options);
  check(r, group ? group->size() : 1);
  const arch::Weights initial = initial_weights(r.spec, options);
  std::optional<Teacher> teacher;
  if (!options.distill.teacher.empty()) teacher = load_teacher(options.distill, r.spec);
  const at::Device device = chosen_device(options, group ? group->local_rank() : 0);
  const auto learner = make_learner({.spec = r.spec,
                                     .initial = initial,
                                     .options = options,
                                     .objective = objective_of(options, *r.train),
                                     .teacher = teacher ? &*teacher : nullptr},
                                    device);
  DataParallel ranks(group, options, *learner);
  const auto input_of = [&](int64_t epoch) { return input_in_epoch(options.resize, r.spec.input, epoch); };
  data::Loader loader(r.train, {.batch_size = options.batch_size * options.accumulate,
                                .shuffle = true,
                                .balanced = options.balance == "sampling",
                                .drop_last = true,
                                .seed = options.seed,
                                .threads = loader_threads(options, device, cores),
                                .prefetch = 4,
                                .rank = ranks.rank(),
                                .ranks = ranks.size(),
                                .augment = options.augment.sample,
                                .finish = [&](data::Batch& batch) {
                                  augment(options.augment, *r.train, options.seed, batch);
                                  shrink(batch, r.spec.input, input_of(batch.epoch));
                                }});
  const int64_t steps_per_epoch = loader.steps_per_epoch();
  const int64_t steps = steps_per_epoch * options.epochs;

  const bool saving = !r.folder.empty();
  Identity identity = saving ? identity_of(r) : Identity{};
  identity["device"] = device.is_cuda() ? "cuda" : "cpu";
  identity["kernels"] = device.is_cuda() ? "of the GPU" : nn::kernel_set() + ", LibTorch " + at::get_cpu_capability();
  identity["processes"] = std::to_string(ranks.size());
  RunFiles files(ranks.leads() ? r.folder : std::filesystem::path{}, learner->layout(), identity);
  RunState run;
  std::vector<float> best;  // weights; empty unless they are to be kept
  if (const auto checkpoint = ranks.open(files, identity)) {
    learner->load(*checkpoint);
    run = checkpoint->run;
    best = checkpoint->best;
    core::log::info("resuming at step " + std::to_string(run.step) + " of " + std::to_string(steps));
  }
  const int64_t first_step = run.step;
  int64_t saved_step = run.step;  // 0: none
  const double seconds_before = run.seconds;
  loader.seek(first_step / steps_per_epoch, first_step % steps_per_epoch);

  const auto started = Clock::now();
  auto epoch_started = started;
  int64_t epoch_images = 0;
  double waited = 0;  // for data, in this epoch
  bool told = false;  // that it is much
  const data::Metric& metric = data::find_metric(options.metric);
  bool told_undefined = false;  // that it has no value
  double lr = 0;
  std::optional<Evaluation> validation;
  const auto finished = [&] { return run.step >= steps || out_of_patience(options, run, steps_per_epoch); };
  const auto save = [&] {
    run.seconds = seconds_before + seconds_since(started);
    Checkpoint checkpoint{.run = run, .best = best};
    learner->store(checkpoint);
    const std::string bad = parameter_not_finite(learner->layout(), checkpoint.values);
    if (!bad.empty()) throw diverged(run.step, lr, bad, saved_step);
    files.save(checkpoint);
    saved_step = run.step;
  };

  std::optional<core::StopsItself> stops_with_all_saved;
  if (saving) stops_with_all_saved.emplace();
  data::Batch batch;
  while (!finished()) {
    const int64_t epoch = run.step / steps_per_epoch;
    learner->set_input(input_of(epoch));
    const auto asked = Clock::now();
    loader.next(batch);
    waited += seconds_since(asked);
    lr = learning_rate(options, run.step, steps_per_epoch);
    LossSum sum;
    for (int i = 0; i < options.accumulate; ++i) {
      const Rows part = rows(batch, i, options.accumulate);
      if (i + 1 == options.accumulate) ranks.start_last_part();
      sum += learner->accumulate(part, batch.total);
      if (!std::isfinite(sum.loss)) throw diverged(run.step + 1, lr, learner->first_non_finite(part), saved_step);
    }
    ranks.finish_step(sum);
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
      r.on_progress(
          {.epoch = epoch,
           .epochs = options.epochs,
           .step = run.step,
           .steps = steps,
           .loss = sum.loss / static_cast<double>(batch.total),
           .images_per_s = images_per_s,
           .eta_s = per_step * static_cast<double>(steps - run.step),
           .train_accuracy = 100.0 * static_cast<double>(run.correct) / static_cast<double>(run.seen),
           .val_accuracy = validation ? std::optional(data::metrics().front().value(*validation)) : std::nullopt});
    }
    if (epoch_done && r.validation && (saving || chooses(options) || run.step == steps)) {
      validation = ranks.evaluate(*r.validation);
      const double score = data::score_of(metric, *validation);
      if (std::isnan(score) && chooses(options) && !std::exchange(told_undefined, true) && ranks.leads())
        core::log::warning(r.section + ".metric = " + metric.name + " has no value for epoch " +
                           std::to_string(epoch + 1) + ": such epochs are neither the best nor count for patience");
      if (score > run.best_score) {
        run.best_score = score;
        run.best_epoch = epoch + 1;
        std::vector<float> weights = learner->result();
        if (files.on()) {
          arch::Weights file = named(r.spec, learner->layout(), weights);
          file.metadata["step"] = std::to_string(run.step);
          file.metadata["val_" + options.metric] = number_text(score);
          files.best(file);
        }
        if (options.keep == "best") best = std::move(weights);
      }
    }
    if (epoch_done) {
      constexpr double kNone = std::numeric_limits<double>::quiet_NaN(), kMuch = 0.2;
      const double data_wait = waited / seconds_since(epoch_started);
      const bool warm = epoch > first_step / steps_per_epoch;  // the first epoch begins with nothing prepared
      if (warm && data_wait > kMuch && !std::exchange(told, true))
        core::log::warning(std::to_string(std::lround(100 * data_wait)) +
                           " % of the epoch went into waiting for data; try dataset.cache: memory or more " +
                           "train.loader_threads");
      const auto seen = static_cast<double>(run.seen);
      std::vector<std::pair<std::string, double>> row{
          {"train/loss", run.loss_sum / seen},
          {"train/acc", 100.0 * static_cast<double>(run.correct) / seen},
          {"val/loss", validation ? validation->loss : kNone},
          {"val/acc1", validation ? data::metrics().front().value(*validation) : kNone},
          {"lr", lr},
          {"images_per_s", images_per_s},
          {"data_wait", data_wait},
          {"seconds", seconds_before + seconds_since(started)}};
      if (options.metric != "accuracy" && options.metric != "loss")
        row.insert(row.begin() + 4, {"val/" + metric.name, validation ? metric.value(*validation) : kNone});
      files.row(epoch + 1, row);
      ++run.rows;
      run.loss_sum = 0;
      run.correct = 0;
      run.seen = 0;
      epoch_images = 0;
      waited = 0;
      epoch_started = Clock::now();
    }

    const bool stop = ranks.stop_requested() && !finished();
    const bool due = options.checkpoint_steps > 0 && run.step % options.checkpoint_steps == 0;
    if (saving && (epoch_done || due || stop)) save();
    if (saving) core::reached("train:step", run.step);
    if (stop)
      throw core::Stopped("training stopped after step " + std::to_string(run.step) + " of " + std::to_string(steps) +
                          (saving ? "; start again to go on" : ""));
  }
  if (run.step < steps)
    core::log::info("training ended after epoch " + std::to_string(run.step / steps_per_epoch) + " of " +
                    std::to_string(options.epochs) + ": the " + options.metric + " was best in epoch " +
                    std::to_string(run.best_epoch));

  if (chooses(options) && run.best_epoch == 0 && ranks.leads())
    core::log::warning("there is no best epoch, as " + r.section + ".metric = " + metric.name +
                       " had no value in any; the weights of the last one are kept");
  if (!best.empty()) {
    learner->load({.run = run, .values = best});
    validation.reset();
  }
  if (r.validation && !validation) validation = ranks.evaluate(*r.validation);
  const std::vector<float> result = learner->result();
  if (const std::string bad = parameter_not_finite(learner->layout(), result); !bad.empty())
    throw diverged(run.step, lr, bad, saved_step);
  return {.weights = named(r.spec, learner->layout(), result), .validation = validation, .resumed_at_step = first_step};
}

bool out_of_memory(const c10::Error& error) {
  const std::string text = error.what_without_backtrace();
  return text.find("can't allocate memory") != std::string::npos || text.find("out of memory") != std::string::npos;
}

}  // namespace

void use_threads(int threads) {
  nn::Team::instance().resize(threads > 0 ? threads : all_cores());
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

// The step's memory is free again when the message is made.
FitResult fit(const FitRequest& r, Group* group) {
  const auto explained = [&] {
    return core::Error(out_of_memory_text(r.spec, r.options.batch_size, r.options.accumulate, available_bytes()));
  };
  try {
    return train_network(r, group);
  } catch (const std::bad_alloc&) {
    throw explained();
  } catch (const c10::Error& error) {
    if (!out_of_memory(error)) throw;
    throw explained();
  }
}

}  // namespace condenser::train
