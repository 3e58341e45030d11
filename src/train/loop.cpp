// One function from Spec and data to Weights. What happens on a device is learner.hpp, what is written is
// run_files.hpp, what happens to a batch is augment.hpp and resize.hpp; order, schedule and choices stand here: the
// loop in train_network(), what it does at each turn in Course.
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
#include <utility>

#include "condenser/core/log.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/core/team.hpp"
#include "condenser/data/loader.hpp"
#include "condenser/data/metrics.hpp"
#include "condenser/train/augment.hpp"
#include "condenser/train/check_options.hpp"
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

void check(const FitRequest& r, int ranks) {
  const auto check_part = [&](const data::Dataset& part, const char* name) {
    check_fits(r.spec, part, task_of({.kind = loss_of(r.options, part)}, part), name);
  };
  check_part(*r.train, "training");
  if (r.validation) check_part(*r.validation, "validation");
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

// A GPU leaves the processor free for batches, and needs them fast.
int loader_threads(const TrainOptions& options, at::Device device, int cores) {
  if (options.loader_threads > 0) return options.loader_threads;
  return device.is_cpu() ? 1 : std::clamp(cores - 1, 1, 8);
}

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// A training on its way: where it stands, what this epoch has brought, and what is kept of it.
class Course {
 public:
  Course(const FitRequest& r, Learner& learner, DataParallel& ranks, RunFiles& files, int64_t steps_per_epoch)
      : r_(r),
        options_(r.options),
        metric_(deciding_metric(r.options)),
        saving_(!r.folder.empty() || !r.state.empty()),
        learner_(learner),
        ranks_(ranks),
        files_(files),
        steps_per_epoch_(steps_per_epoch),
        epochs_(r.pause_after > 0 ? std::min(r.pause_after, r.options.epochs) : r.options.epochs),
        steps_(steps_per_epoch * epochs_) {}

  bool goes_beyond(const Checkpoint& checkpoint) const { return checkpoint.run.step > steps_; }

  void resume(const Checkpoint& checkpoint) {
    learner_.load(checkpoint);
    run_ = checkpoint.run;
    best_ = checkpoint.best;
    first_step_ = run_.step;
    seconds_before_ = run_.seconds;
    if (r_.folder.empty()) return;
    saved_step_ = run_.step;
    core::log::info("resuming at step " + std::to_string(run_.step) + " of " + std::to_string(steps_));
  }

  int64_t epoch() const { return run_.step / steps_per_epoch_; }  // of the next step; epochs that are done
  int64_t step_in_epoch() const { return run_.step % steps_per_epoch_; }
  bool epoch_done() const { return step_in_epoch() == 0; }
  bool finished() const { return run_.step >= steps_ || out_of_patience(); }

  void next(data::Loader& loader, data::Batch& batch) {
    const auto asked = Clock::now();
    loader.next(batch);
    waited_ += seconds_since(asked);
  }

  void step(const data::Batch& batch) {
    lr_ = learning_rate(options_, run_.step, steps_per_epoch_);
    LossSum sum;
    for (int i = 0; i < options_.accumulate; ++i) {
      const Rows part = rows(batch, i, options_.accumulate);
      if (i + 1 == options_.accumulate) ranks_.start_last_part();
      sum += learner_.accumulate(part, batch.total);
      if (!std::isfinite(sum.loss)) throw diverged(run_.step + 1, lr_, learner_.first_non_finite(part), saved_step_);
    }
    ranks_.finish_step(sum);
    learner_.update(lr_, run_.step);

    run_.loss_sum += sum.loss;
    run_.correct += sum.correct;
    run_.seen += batch.total;
    ++run_.step;
    epoch_images_ += batch.total;
    images_per_s_ = static_cast<double>(epoch_images_) / std::max(1e-9, seconds_since(epoch_started_));
    if (r_.on_progress) tell(sum.loss / static_cast<double>(batch.total));
  }

  // At the end of an epoch: looks at the validation data, if anybody needs that, and keeps what is best.
  void validate() {
    if (!r_.validation || !(saving_ || r_.curve || chooses(options_) || run_.step == steps_)) return;
    validation_ = ranks_.evaluate(*r_.validation);
    if (r_.curve) run_.curve.push_back({data::metrics().front().value(*validation_), validation_->loss});
    const double score = data::score_of(metric_, *validation_);
    if (std::isnan(score) && chooses(options_) && !std::exchange(told_undefined_, true) && ranks_.leads())
      core::log::warning(r_.section + ".metric = " + metric_.name + " has no value for epoch " +
                         std::to_string(epoch()) + ": such epochs are neither the best nor count for patience");
    if (score > run_.best_score) keep_best(score);
  }

  // Of the epoch that is done; begins the next.
  void write_row() {
    const double data_wait = waited_ / seconds_since(epoch_started_);
    warn_of_waiting(data_wait);
    const auto seen = static_cast<double>(run_.seen);
    std::vector<std::pair<std::string, double>> row{
        {"train/loss", run_.loss_sum / seen},
        {"train/acc", train_accuracy()},
        {"val/loss", validation_ ? validation_->loss : kNone},
        {"val/acc1", validation_ ? data::metrics().front().value(*validation_) : kNone},
        {"lr", lr_},
        {"images_per_s", images_per_s_},
        {"data_wait", data_wait},
        {"seconds", seconds()}};
    if (metric_.name != "accuracy" && metric_.name != "loss")
      row.insert(row.begin() + 4, {"val/" + metric_.name, validation_ ? metric_.value(*validation_) : kNone});
    files_.row(epoch(), row);
    ++run_.rows;
    run_.loss_sum = 0;
    run_.correct = 0;
    run_.seen = 0;
    epoch_images_ = 0;
    waited_ = 0;
    epoch_started_ = Clock::now();
  }

  // After each step. Throws core::Stopped when a rank was asked to stop.
  void save_or_stop() {
    const bool stop = ranks_.stop_requested() && !finished();
    const bool due = options_.checkpoint_steps > 0 && run_.step % options_.checkpoint_steps == 0;
    if (saving_ && (epoch_done() || due || stop)) save();
    if (saving_) core::reached("train:step", run_.step);
    if (stop)
      throw core::Stopped("training stopped after step " + std::to_string(run_.step) + " of " + std::to_string(steps_) +
                          (saving_ ? "; start again to go on" : ""));
  }

  FitResult result() {
    if (run_.step < steps_)
      core::log::info("training ended after epoch " + std::to_string(epoch()) + " of " + std::to_string(epochs_) +
                      ": the " + metric_.name + " was best in epoch " + std::to_string(run_.best_epoch));
    if (chooses(options_) && run_.best_epoch == 0 && ranks_.leads())
      core::log::warning("there is no best epoch, as " + r_.section + ".metric = " + metric_.name +
                         " had no value in any; the weights of the last one are kept");
    if (!best_.empty()) {
      learner_.load({.run = run_, .values = best_});
      validation_.reset();
    }
    if (r_.validation && !validation_) validation_ = ranks_.evaluate(*r_.validation);
    const std::vector<float> block = learner_.result();
    if (const std::string bad = parameter_not_finite(learner_.layout(), block); !bad.empty())
      throw diverged(run_.step, lr_, bad, saved_step_);
    return {.weights = named(r_.spec, learner_.layout(), block),
            .validation = validation_,
            .resumed_at_step = first_step_,
            .curve = run_.curve};
  }

 private:
  double seconds() const { return seconds_before_ + seconds_since(started_); }

  bool out_of_patience() const {
    return options_.patience > 0 && run_.best_epoch > 0 && epoch_done() &&
           epoch() - run_.best_epoch >= options_.patience;
  }

  double train_accuracy() const {
    if (reconstructs(options_)) return kNone;
    return 100.0 * static_cast<double>(run_.correct) / static_cast<double>(run_.seen);
  }

  void tell(double loss) const {
    const double per_step = seconds_since(started_) / static_cast<double>(run_.step - first_step_);
    r_.on_progress({.epoch = (run_.step - 1) / steps_per_epoch_,
                    .epochs = epochs_,
                    .step = run_.step,
                    .steps = steps_,
                    .loss = loss,
                    .images_per_s = images_per_s_,
                    .eta_s = per_step * static_cast<double>(steps_ - run_.step),
                    .train_accuracy = train_accuracy(),
                    .val_accuracy = validation_ && !reconstructs(options_)
                                        ? std::optional(data::metrics().front().value(*validation_))
                                        : std::nullopt,
                    .val_error = validation_ && reconstructs(options_)
                                     ? std::optional(validation_->reconstruction_error)
                                     : std::nullopt});
  }

  void keep_best(double score) {
    run_.best_score = score;
    run_.best_epoch = epoch();
    std::vector<float> weights = learner_.result();
    if (files_.on()) {
      arch::Weights file = named(r_.spec, learner_.layout(), weights);
      file.metadata["step"] = std::to_string(run_.step);
      file.metadata["val_" + metric_.name] = number_text(score);
      files_.best(file);
    }
    if (options_.keep == "best") best_ = std::move(weights);
  }

  // Once.
  void warn_of_waiting(double data_wait) {
    constexpr double kMuch = 0.2;
    const bool warm = epoch() > first_step_ / steps_per_epoch_ + 1;  // the first epoch begins with nothing prepared
    if (!warm || data_wait <= kMuch || std::exchange(told_waiting_, true)) return;
    core::log::warning(std::to_string(std::lround(100 * data_wait)) +
                       " % of the epoch went into waiting for data; try dataset.cache: memory or more " +
                       "train.loader_threads");
  }

  void save() {
    run_.seconds = seconds();
    Checkpoint checkpoint{.run = run_, .best = best_};
    learner_.store(checkpoint);
    const std::string bad = parameter_not_finite(learner_.layout(), checkpoint.values);
    if (!bad.empty()) throw diverged(run_.step, lr_, bad, saved_step_);
    files_.save(checkpoint);
    if (!r_.folder.empty()) saved_step_ = run_.step;
  }

  const FitRequest& r_;
  const TrainOptions& options_;
  const data::Metric& metric_;
  const bool saving_;
  Learner& learner_;
  DataParallel& ranks_;
  RunFiles& files_;
  const int64_t steps_per_epoch_;
  const int epochs_;     // to do, those before a pause
  const int64_t steps_;  // in them

  RunState run_;
  std::vector<float> best_;  // weights; empty unless they are to be kept
  std::optional<Evaluation> validation_;
  int64_t first_step_ = 0;     // of this start
  int64_t saved_step_ = 0;     // in the folder; 0: none
  double seconds_before_ = 0;  // of earlier starts
  Clock::time_point started_ = Clock::now(), epoch_started_ = started_;
  int64_t epoch_images_ = 0;
  double waited_ = 0;  // for data, in this epoch
  double images_per_s_ = 0, lr_ = 0;
  bool told_waiting_ = false, told_undefined_ = false;
};

Identity complete_identity(const FitRequest& r, at::Device device, int processes) {
  Identity identity = r.folder.empty() && r.state.empty() ? Identity{} : identity_of(r);
  identity["device"] = device.is_cuda() ? "cuda" : "cpu";
  identity["kernels"] = device.is_cuda() ? "of the GPU" : nn::kernel_set() + ", LibTorch " + at::get_cpu_capability();
  identity["processes"] = std::to_string(processes);
  return identity;
}

// A state that may be lost is no reason to stop when it is damaged, or of other kernels.
std::optional<Checkpoint> open(const FitRequest& r, DataParallel& ranks, RunFiles& files, const Identity& identity) {
  if (r.state.empty()) return ranks.open(files, identity);
  try {
    return ranks.open(files, identity);
  } catch (const core::Error& e) {
    core::log::info(std::string("a paused training begins again: ") + e.what());
    return std::nullopt;
  }
}

FitResult train_network(const FitRequest& r, Group* group) {
  const TrainOptions& options = r.options;
  const int cores = group ? group->cores() : core::all_cores();
  use_threads(options.threads > 0 ? options.threads : cores);
  use_kernels(options);
  check(r, group ? group->size() : 1);
  const arch::Weights initial = r.start ? *r.start : initial_weights(r.spec, options);
  std::optional<Teacher> teacher;
  if (!options.distill.teacher.empty()) teacher = load_teacher(options.distill, r.spec);
  Objective objective = objective_of(options, *r.train);
  if (r.taught_by_start > 0) {
    teacher = Teacher{r.spec, initial};
    objective.distill = r.taught_by_start;
    objective.temperature = options.distill.temperature;
  }
  const at::Device device = chosen_device(options, group ? group->local_rank() : 0);
  const auto learner = make_learner({.spec = r.spec,
                                     .initial = initial,
                                     .options = options,
                                     .objective = objective,
                                     .teacher = teacher ? &*teacher : nullptr,
                                     .ranges = r.ranges},
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
  const Identity identity = complete_identity(r, device, ranks.size());
  const bool leads = ranks.leads();
  RunFiles files(leads ? r.folder : "", leads ? r.state : "", learner->layout(), identity);
  Course course(r, *learner, ranks, files, loader.steps_per_epoch());
  if (const auto checkpoint = open(r, ranks, files, identity); checkpoint && !course.goes_beyond(*checkpoint))
    course.resume(*checkpoint);
  loader.seek(course.epoch(), course.step_in_epoch());
  std::optional<core::StopsItself> stops_with_all_saved;
  if (!r.folder.empty() || !r.state.empty()) stops_with_all_saved.emplace();

  data::Batch batch;
  while (!course.finished()) {
    learner->set_input(input_of(course.epoch()));
    course.next(loader, batch);
    course.step(batch);
    if (course.epoch_done()) {
      course.validate();
      course.write_row();
    }
    course.save_or_stop();
  }
  return course.result();
}

bool out_of_memory(const c10::Error& error) {
  const std::string text = error.what_without_backtrace();
  return text.find("can't allocate memory") != std::string::npos || text.find("out of memory") != std::string::npos;
}

}  // namespace

void use_threads(int threads) {
  core::Team::instance().resize(threads > 0 ? threads : core::all_cores());
  at::set_num_threads(1);  // what is left to the library is too small to share
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
