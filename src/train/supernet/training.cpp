// Sandwich rule (Yu and Huang 2019, arXiv 1903.05134): every step shows one batch to the widest network, the narrowest
// and some between. The widest learns from the labels, the others from its outputs. Their mean gradient moves the
// shared tensors, each of which rests in steps where no network has it. Statistics of batch norm are those of the
// batch.
#include "train/supernet/training.hpp"

#include <ATen/Version.h>
#include <ATen/ops/from_blob.h>

#include <chrono>
#include <cmath>
#include <optional>
#include <thread>

#include "condenser/core/files.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/core/text.hpp"
#include "condenser/nn/spec_net.hpp"
#include "condenser/train/augment.hpp"
#include "nn/tiling.hpp"
#include "train/files/identity.hpp"
#include "train/learner.hpp"
#include "train/loop.hpp"
#include "train/loss/objective.hpp"
#include "train/optim/optim.hpp"
#include "train/optim/schedule.hpp"

namespace condenser::train {
namespace {

namespace fs = std::filesystem;
using Tell = std::function<void(const std::string&)>;

constexpr const char* kFormat = "condenser-shared-weights-1";

class SharedTraining {
 public:
  SharedTraining(const SupernetRequest& r, const TrainOptions& options)
      : r_(r),
        options_(shared_options(options, r.options)),
        objective_(objective_of(options_, *r.train)),
        taught_(objective_),
        loader_(r.train,
                {.batch_size = options_.batch_size * options_.accumulate,
                 .balanced = options_.balance == "sampling",
                 .seed = options_.seed,
                 .augment = options_.augment.sample,
                 .finish = [this](data::Batch& b) { augment(options_.augment, *r_.train, options_.seed, b); }}),
        steps_(loader_.steps_per_epoch() * options_.epochs) {
    const Extremes ends = extremes(*r.space, r.allowed, options_.seed);
    widest_ = r.space->expand(ends.widest).spec;
    narrowest_ = r.space->expand(ends.narrowest).spec;
    shared_ = cover_space(*r.space, ends, options_.seed);
    shared_.start(widest_, options_.seed);
    drawn_ = draw(*r.space, r.allowed, shared_, steps_ * r.options.candidates, options_.seed);
    if (objective_.kind == LossKind::SquaredError) return;  // it has no teachers
    taught_.distill = 1;
    taught_.temperature = 1;
  }

  Identity identity() const {
    Identity identity = identity_of({.spec = widest_,
                                     .train = r_.train,
                                     .validation = nullptr,
                                     .options = options_,
                                     .folder = {},
                                     .on_progress = {}});
    std::string networks = arch::hash(narrowest_).hex();
    for (const search::Genotype& g : drawn_) networks += arch::hash(r_.space->expand(g).spec).hex();
    for (const nn::Segment& s : shared_.layout().segments) {
      networks += s.name;
      for (const int64_t extent : s.shape) networks += " " + std::to_string(extent);
    }
    identity["networks"] = core::hash128(networks).hex();
    identity["kernels"] = nn::kernel_set() + ", LibTorch " + at::get_cpu_capability();
    return identity;
  }

  void run(const Tell& tell) {
    OptimizerState state = optimizer_state(options_, shared_.layout());
    gradients_.assign(static_cast<size_t>(shared_.layout().size), 0.0f);
    data::Batch batch;
    for (int64_t step = 0; step < steps_; ++step) {
      if (core::stop_requested()) throw core::Stopped("weight sharing: stopped; it begins again at the next start");
      loader_.next(batch);
      const double loss = learn(batch, step);
      update(step, state);
      tell("shared weights, epoch " + std::to_string(step / loader_.steps_per_epoch() + 1) + "/" +
           std::to_string(options_.epochs) + " (" + std::to_string(100 * (step + 1) / steps_) + " %), loss " +
           core::fixed(loss, 3));
    }
    for (const float v : shared_.values())
      if (!std::isfinite(v)) throw diverged(steps_);
  }

  SharedWeights& weights() { return shared_; }

 private:
  // Returns the mean loss of the widest.
  double learn(const data::Batch& batch, int64_t step) {
    touched_.assign(shared_.layout().segments.size(), false);
    teacher_.clear();
    const double loss = learn(widest_, batch, step, objective_);
    learn(narrowest_, batch, step, taught_);
    for (int i = 0; i < r_.options.candidates; ++i)
      learn(r_.space->expand(drawn_[static_cast<size_t>(step * r_.options.candidates + i)]).spec, batch, step, taught_);
    return loss;
  }

  double learn(const arch::Spec& spec, const data::Batch& batch, int64_t step, const Objective& objective) {
    arch::Weights weights = blank_weights(spec);
    shared_.inherit(spec, weights);
    nn::SpecNet net(spec, weights);
    LossSum sum;
    for (int part = 0; part < options_.accumulate; ++part)
      sum += accumulate(net, rows(batch, part, options_.accumulate), static_cast<size_t>(part), batch.total, objective);
    if (!std::isfinite(sum.loss)) throw diverged(step + 1);
    shared_.add_gradients(spec, net.layout(), net.gradients(), 1.0f / static_cast<float>(r_.options.candidates + 2),
                          gradients_, touched_);
    return sum.loss / static_cast<double>(batch.total);
  }

  // The widest comes first and leaves its outputs, part by part.
  LossSum accumulate(nn::SpecNet& net, const Rows& rows, size_t part, int64_t divisor, const Objective& objective) {
    const arch::Shape& in = net.spec().input;
    auto* pixels = const_cast<float*>(rows.x.data());  // from_blob takes no const; forward does not write
    const at::Tensor logits = net.forward(at::from_blob(pixels, {rows.size, in.c, in.h, in.w}), nn::Mode::Training);
    const at::Tensor dense = logits.detach().contiguous();
    const std::span<const float> values(dense.const_data_ptr<float>(), static_cast<size_t>(dense.numel()));
    std::vector<float> gradient(values.size());
    const bool learns_from_it = objective.distill > 0;
    const LossSum sum =
        loss(objective, dense.numel() / rows.size, values,
             {.labels = rows.y,
              .marks = marks_of(objective, rows),
              .teacher = learns_from_it ? std::span<const float>(teacher_[part]) : std::span<const float>()},
             divisor, gradient);
    logits.backward(at::from_blob(gradient.data(), logits.sizes()));
    if (part == teacher_.size()) teacher_.emplace_back(values.begin(), values.end());
    return sum;
  }

  void update(int64_t step, OptimizerState& state) {
    if (options_.clip_grad > 0) clip_gradients(options_.clip_grad, gradients_);
    nn::BlockLayout learning = shared_.layout();
    for (size_t i = 0; i < touched_.size(); ++i) learning.segments[i].trainable = touched_[i];
    optimizer_step(options_, learning, learning_rate(options_, step, loader_.steps_per_epoch()), shared_.values(),
                   gradients_, state);
  }

  core::Error diverged(int64_t step) const {
    return core::Error("weight sharing diverged at step " + std::to_string(step) +
                       "; try a smaller probe.lr, a longer probe.warmup_epochs or probe.clip_grad");
  }

  const SupernetRequest& r_;
  const TrainOptions options_;
  const Objective objective_;  // of the widest
  Objective taught_;           // of the others
  data::Loader loader_;
  const int64_t steps_;
  arch::Spec widest_, narrowest_;
  SharedWeights shared_;
  std::vector<search::Genotype> drawn_;  // for every step in turn
  std::vector<float> gradients_;
  std::vector<bool> touched_;  // by segment, in this step
  std::vector<std::vector<float>> teacher_;
};

fs::path file_in(const fs::path& folder) { return folder / "shared.safetensors"; }

void keep(const fs::path& folder, const Identity& identity, const SharedWeights& shared) {
  arch::Weights file = nn::copy_from_block(shared.layout(), shared.values());
  file.metadata = identity;
  file.metadata["format"] = kFormat;
  arch::save_weights(file_in(folder), file);
}

// Whether they were there. Those of another training, and damaged ones, are not.
bool load(const fs::path& folder, Identity identity, SharedWeights& shared) {
  const fs::path path = file_in(folder);
  if (!fs::exists(path)) return false;
  const auto again = [](const std::string& why) {
    core::log::info("weight sharing begins again: " + why);
    return false;
  };
  identity["format"] = kFormat;
  try {
    const arch::Weights file = arch::load_weights(path);
    for (const auto& [key, value] : identity) {
      const auto found = file.metadata.find(key);
      if (found == file.metadata.end() || found->second != value) return again(path.string() + " differs in " + key);
    }
    for (const nn::Segment& s : shared.layout().segments) {
      const std::span<const float> values = file.at(s.name).f32();
      if (std::ssize(values) != s.size) return again(path.string() + ": tensor " + s.name + " has another size");
      std::copy(values.begin(), values.end(), shared.values().begin() + s.offset);
    }
    return true;
  } catch (const core::Error& e) {
    return again(e.what());
  }
}

// Waits while another process trains.
std::unique_ptr<core::FolderLock> lock(const fs::path& folder, const Tell& tell) {
  constexpr std::chrono::milliseconds kPause{200};
  while (true) {
    if (core::stop_requested()) throw core::Stopped("weight sharing: stopped while another process trains");
    try {
      return std::make_unique<core::FolderLock>(folder);
    } catch (const core::Error& e) {
      if (e.code() != core::ExitCode::Locked) throw;
    }
    tell("shared weights, which another process trains");
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

arch::Weights blank_weights(const arch::Spec& spec) {
  arch::Weights weights;
  for (const arch::ParamInfo& info : arch::parameters(spec)) {
    arch::Tensor tensor = arch::make_tensor(arch::DType::F32, info.shape);
    if (info.initial) std::ranges::fill(tensor.f32(), *info.initial);
    weights.tensors.emplace(info.name, std::move(tensor));
  }
  return weights;
}

SharedWeights learned_weights(const SupernetRequest& request, const TrainOptions& options, const Tell& tell) {
  const std::unique_ptr<core::FolderLock> alone = request.folder.empty() ? nullptr : lock(request.folder, tell);
  SharedTraining training(request, options);
  const Identity identity = request.folder.empty() ? Identity() : training.identity();
  if (!request.folder.empty() && load(request.folder, identity, training.weights())) return training.weights();
  training.run(tell);
  if (!request.folder.empty()) keep(request.folder, identity, training.weights());
  return training.weights();
}

}  // namespace condenser::train
