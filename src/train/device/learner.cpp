// Training through the library's calls: on a GPU, and on the processor in mixed precision. Network, optimizer and
// average stay on the device; a batch goes there, two numbers come back.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <cstdlib>

#include "condenser/arch/analysis.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/team.hpp"
#include "condenser/nn/spec_net.hpp"
#include "train/device/autocast.hpp"
#include "train/device/loss.hpp"
#include "train/device/loss_scale.hpp"
#include "train/device/optim.hpp"
#include "train/device/recording.hpp"
#include "train/diagnose.hpp"
#include "train/learner.hpp"
#include "train/loss/objective.hpp"
#include "train/resize.hpp"

namespace condenser::train {
namespace {

std::optional<at::ScalarType> amp_type(const TrainOptions& options) {
  if (options.amp == "bf16") return at::kBFloat16;
  if (options.amp == "fp16") return at::kHalf;
  return std::nullopt;
}

// Before the first work on the device.
void prepare(const TrainOptions& options, at::Device device) {
  if (device.is_cpu()) at::set_num_threads(core::Team::instance().size());  // the library's share is all of the work
  if (!device.is_cuda()) return;
  auto& context = at::globalContext();
  if (options.deterministic) setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);  // cuBLAS adds up in one order with it
  context.setDeterministicCuDNN(options.deterministic);
  context.setBenchmarkCuDNN(!options.deterministic);
  context.setDeterministicAlgorithms(options.deterministic, /*warn_only=*/true);
  context.setDeterministicFillUninitializedMemory(false);  // nothing reads it
}

// Work of fixed shape: run as it is while memory and kernels are chosen, then recorded, then replayed.
class Repeated {
 public:
  explicit Repeated(bool recording) : recording_(recording) {}

  template <class Work>
  void run(const Work& work) {
    constexpr int kWarm = 3;
    if (recorded_) return recorded_->replay();
    if (!recording_ || runs_++ < kWarm) return work();
    try {
      recorded_ = record(work);
    } catch (const c10::Error& error) {
      give_up(error.what_without_backtrace());
    }
    if (recorded_)
      recorded_->replay();
    else
      work();
  }

  void restart() {
    recorded_.reset();
    runs_ = 0;
  }
  bool recorded() const { return recorded_ != nullptr; }

 private:
  void give_up(const std::string& why) {
    recording_ = false;
    core::log::warning("training goes on without recorded steps, which is slower: " + why.substr(0, why.find('\n')));
  }

  bool recording_;
  int runs_ = 0;
  std::unique_ptr<Recording> recorded_;
};

class DeviceLearner : public Learner {
 public:
  DeviceLearner(const LearnerSetup& setup, at::Device device, bool recording)
      : options_(setup.options),
        objective_(setup.objective),
        device_(device),
        amp_(amp_type(setup.options)),
        spec_(setup.spec),
        classes_(arch::sole_output_shape(spec_, "training").elements()),
        forward_(recording && device.is_cuda()),
        update_(recording && device.is_cuda()) {
    prepare(options_, device_);
    if (device_.is_cuda()) {  // recording wants another stream than the default one; everything happens on it
      const c10::impl::VirtualGuardImpl guard(device_.type());
      stream_.emplace(guard.getStreamFromGlobalPool(device_));
    }
    net_ = std::make_unique<nn::SpecNet>(spec_, setup.initial, nn::Kernels::Library, device_);
    examined_ = std::make_unique<nn::SpecNet>(spec_, setup.initial, nn::fastest_kernels(device_), device_);
    if (setup.teacher)
      teacher_ =
          std::make_unique<nn::SpecNet>(setup.teacher->spec, setup.teacher->weights, nn::Kernels::Library, device_);
    optimizer_.emplace(options_, net_->layout(), frozen_segments(options_, net_->layout()), net_->block());
    if (amp_ == at::kHalf) scale_.emplace(device_);
    if (options_.ema_decay > 0) average_ = net_->block().clone();
    if (!objective_.class_weights.empty()) {
      const std::vector<float> weights(objective_.class_weights.begin(), objective_.class_weights.end());
      class_weights_ = to_device(std::span(weights), {static_cast<int64_t>(weights.size())});
    }
  }

  const nn::BlockLayout& layout() const override { return examined_->layout(); }  // net_ may be another soon

  std::string execution() const override {
    return device_.str() + (amp_ ? ", " + options_.amp : "") + (forward_.recorded() ? ", recorded steps" : "");
  }

  void set_input(const arch::Shape& input) override {
    if (net_->spec().input == input) return;
    net_ = std::make_unique<nn::SpecNet>(at_input(spec_, input), net_->weights(), nn::Kernels::Library, device_);
    batch_ = {};
    restart();
  }

  LossSum accumulate(const Rows& rows, int64_t divisor) override {
    if (batch_.divisor == 0) batch_ = Batch(rows, divisor, classes_, net_->spec().input, device_);
    if (batch_.fits(rows, divisor)) {
      batch_.fill(rows, objective_);
      forward_.run([&] { sums_ = forward_and_backward(batch_, divisor); });
      return sum_of(sums_);
    }
    Batch remainder(rows, divisor, classes_, net_->spec().input, device_);
    remainder.fill(rows, objective_);
    return sum_of(forward_and_backward(remainder, divisor));
  }

  // With a loss scale they are that much larger.
  at::Tensor gradients() override { return net_->gradient_block(); }

  at::Tensor statistics() override {
    return net_->block().narrow(0, layout().trainable_size, layout().size - layout().trainable_size);
  }
  void synchronize(nn::SumOverRanks) override {
    throw core::ConfigError("train.sync_batch_norm needs train.device = cpu and train.amp = off, here it is " +
                            execution() + "; expected false");
  }

  void update(double lr, int64_t step) override {
    const at::NoGradGuard no_gradients;
    optimizer_->set(lr, step);
    update_.run([&] {
      const at::Tensor overflow = scale_ ? scale_->unscale(net_->gradient_block()) : at::Tensor();
      optimizer_->step(net_->block(), net_->gradient_block(), average_, overflow);
      if (scale_) scale_->update();
    });
  }

  void load(const Checkpoint& c) override {
    const at::NoGradGuard no_gradients;
    net_->block().copy_(to_device(std::span(c.values), {layout().size}));
    average_ = c.average.empty() ? at::Tensor() : to_device(std::span(c.average), {layout().size});
    if (!c.optimizer.first.empty()) {
      optimizer_->load(c.optimizer);
      if (scale_) scale_->load(c.optimizer);
    }
    restart();
  }

  void store(Checkpoint& c) const override {
    c.values = to_host(net_->block());
    c.average = average_.defined() ? to_host(average_) : std::vector<float>();
    optimizer_->store(c.optimizer);
    if (scale_) scale_->store(c.optimizer);
  }

  std::string first_non_finite(const Rows& rows) override {
    return train::first_non_finite(net_->spec(), net_->weights(), rows);
  }

  // In full precision: as the network will be exported.
  Evaluation evaluate(const data::Dataset& dataset, OnStop on_stop, const EvaluationShare& share) override {
    const at::NoGradGuard no_gradients;
    examined_->block().copy_(average_.defined() ? average_ : net_->block());
    return evaluate_net(*examined_, dataset, task_of(objective_, dataset), on_stop, share);
  }

  std::vector<float> result() const override { return to_host(average_.defined() ? average_ : net_->block()); }

 private:
  // One batch on the device; its memory stays where it is, for recordings.
  struct Batch {
    int64_t divisor = 0;  // 0: none yet
    at::Tensor x, labels, marks;
    at::Tensor host_x, host_labels, host_marks;  // page-locked for a GPU

    Batch() = default;
    Batch(const Rows& rows, int64_t d, int64_t classes, const arch::Shape& shape, at::Device device) : divisor(d) {
      const auto make = [&](at::IntArrayRef sizes, at::ScalarType type, at::Tensor& here, at::Tensor& there) {
        here = at::empty(sizes, at::dtype(type).pinned_memory(device.is_cuda()));
        there = at::empty(sizes, at::dtype(type).device(device));
      };
      make({rows.size, shape.c, shape.h, shape.w}, at::kFloat, host_x, x);
      make({rows.size}, at::kLong, host_labels, labels);
      make({rows.size, classes}, at::kFloat, host_marks, marks);
    }

    bool fits(const Rows& rows, int64_t d) const { return divisor == d && labels.size(0) == rows.size; }

    void fill(const Rows& rows, const Objective& objective) {
      std::copy(rows.x.begin(), rows.x.end(), host_x.mutable_data_ptr<float>());
      std::copy(rows.y.begin(), rows.y.end(), host_labels.mutable_data_ptr<int64_t>());
      const std::span<float> all(host_marks.mutable_data_ptr<float>(), static_cast<size_t>(host_marks.numel()));
      read_marks({.labels = rows.y, .marks = marks_of(objective, rows), .teacher = {}}, host_marks.size(1), all);
      x.copy_(host_x, /*non_blocking=*/true);
      labels.copy_(host_labels, true);
      marks.copy_(host_marks, true);
    }
  };

  // [2] sum of losses, number of right items.
  at::Tensor forward_and_backward(const Batch& batch, int64_t divisor) {
    const bool last_axis = device_.is_cpu() || amp_;  // the layout that these kernels want
    const at::Tensor x = batch.x.contiguous(last_axis ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
    const auto logits_of = [&](nn::SpecNet& net, nn::Mode mode) {
      const Autocast autocast(device_.type(), amp_);
      return net.forward(x, mode).flatten(1).to(at::kFloat);
    };
    at::Tensor teacher;
    if (teacher_) {
      const at::NoGradGuard no_gradients;
      teacher = logits_of(*teacher_, nn::Mode::Evaluation);
    }
    const DeviceLoss loss = device_loss(objective_, class_weights_, logits_of(*net_, nn::Mode::Training), batch.marks,
                                        batch.labels, teacher);
    const at::Tensor mean = loss.sum / static_cast<double>(divisor);
    (scale_ ? (mean * scale_->scale()).sum() : mean).backward();
    return at::stack({loss.sum.detach(), loss.correct.to(at::kFloat)});
  }

  static LossSum sum_of(const at::Tensor& sums) {  // waits for the device
    const at::Tensor host = sums.cpu();
    const float* both = host.const_data_ptr<float>();
    return {both[0], static_cast<int64_t>(both[1])};
  }

  void restart() { forward_.restart(), update_.restart(); }

  at::Tensor to_device(std::span<const float> values, at::IntArrayRef sizes) const {
    auto* data = const_cast<float*>(values.data());  // from_blob takes no const; the copy is made at once
    return at::from_blob(data, sizes).to(device_, at::kFloat, false, /*copy=*/true);
  }

  static std::vector<float> to_host(const at::Tensor& tensor) {
    const at::Tensor host = tensor.cpu();
    return {host.const_data_ptr<float>(), host.const_data_ptr<float>() + host.numel()};
  }

  const TrainOptions options_;
  const Objective objective_;
  const at::Device device_;
  const std::optional<at::ScalarType> amp_;
  const arch::Spec spec_;
  const int64_t classes_;  // outputs of an item
  std::optional<c10::StreamGuard> stream_;
  std::unique_ptr<nn::SpecNet> net_;       // learns, at the input of now
  std::unique_ptr<nn::SpecNet> examined_;  // at the full input
  std::unique_ptr<nn::SpecNet> teacher_;   // may be null
  std::optional<DeviceOptimizer> optimizer_;
  std::optional<LossScale> scale_;
  at::Tensor average_;        // [size]; undefined: off
  at::Tensor class_weights_;  // [classes]; undefined: all 1
  Batch batch_;               // of the usual shape
  at::Tensor sums_;           // of the last batch of that shape; a recording writes there
  Repeated forward_, update_;
};

}  // namespace

std::unique_ptr<Learner> make_device_learner(const LearnerSetup& setup, at::Device device, bool recording) {
  return std::make_unique<DeviceLearner>(setup, device, recording);
}

// A CUDA build may lack its libraries or a driver: both say so when asked for devices.
std::string gpu_missing() {
  if (!at::globalContext().hasCUDA()) {
    return can_record() ? "no GPU is found: no device, or no driver that this LibTorch can use"
                        : "this LibTorch was built without CUDA";
  }
  return c10::impl::VirtualGuardImpl(at::kCUDA).deviceCount() > 0 ? "" : "no GPU is found";
}

at::Device chosen_device(const TrainOptions& options, int local_rank) {
  const std::string missing = gpu_missing();
  if (options.device == "cuda" && !missing.empty())
    throw core::ConfigError("train.device = cuda, but " + missing +
                            "; expected cpu or auto; see condenser doctor --gpu");
  const bool cuda = missing.empty() && options.device != "cpu" && !options.portable;
  if (!cuda && options.amp == "fp16")
    throw core::ConfigError("train.amp = fp16 needs a GPU, and training runs on the processor; expected bf16 or off");
  if (!cuda) return at::kCPU;
  return {at::kCUDA, static_cast<at::DeviceIndex>(local_rank % c10::impl::VirtualGuardImpl(at::kCUDA).deviceCount())};
}

std::unique_ptr<Learner> make_learner(const LearnerSetup& setup, at::Device device) {
  if (device.is_cpu() && setup.options.amp == "off") return make_cpu_learner(setup);
  if (setup.ranges) throw core::Error("a network trains in its int8 form on the processor, in full precision, only");
  return make_device_learner(setup, device);
}

}  // namespace condenser::train
