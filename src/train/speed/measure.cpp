// Rounds of timed blocks over all networks. One library call per node, for every network: kernels of our own exist for
// training only and would favour the networks they were written for.
#include "train/speed/measure.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>
#include <torch/cuda.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>

#include "condenser/arch/passes.hpp"
#include "condenser/core/rng.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/nn/spec_net.hpp"
#include "train/speed/measure_plan.hpp"

namespace condenser::train {
namespace {

struct Layout {
  const char* name;
  at::MemoryFormat format;
};
constexpr Layout kLayouts[] = {{"planes", at::MemoryFormat::Contiguous},
                               {"channels-last", at::MemoryFormat::ChannelsLast}};

struct Setting {
  at::Device device = at::kCPU;
  int batch = 1, threads = 0;
};

std::vector<Setting> settings_of(const SpeedRequest& request) {
  std::vector<Setting> settings;
  for (const int batch : request.batches)
    for (const int threads : request.threads) settings.push_back({at::kCPU, batch, threads});
  if (torch::cuda::is_available())
    for (const int batch : request.batches) settings.push_back({at::Device(at::kCUDA, 0), batch, 0});
  return settings;
}

std::string to_text(const Setting& s) {
  const std::string batch = "batch " + std::to_string(s.batch) + ", ";
  if (s.device.is_cuda()) return batch + "GPU";
  return batch + std::to_string(s.threads) + (s.threads == 1 ? " thread" : " threads");
}

std::unique_ptr<nn::SpecNet> deployed(const arch::Spec& spec) {
  arch::Weights weights = arch::random_weights(spec, 1);
  const arch::Spec lowered = arch::lower(spec, &weights);
  return std::make_unique<nn::SpecNet>(lowered, weights, nn::Kernels::Library);
}

// One image of noise, repeated: what it shows does not matter, and drawing a whole batch takes longer than running it.
at::Tensor noise(const arch::Shape& shape, const Setting& setting, at::MemoryFormat format) {
  at::Tensor image = at::empty({1, shape.c, shape.h, shape.w});
  core::Rng rng(1);
  for (int64_t i = 0; i < image.numel(); ++i) image.mutable_data_ptr<float>()[i] = static_cast<float>(rng.normal());
  return image.expand({setting.batch, -1, -1, -1}).contiguous(format).to(setting.device);
}

// A network at one setting.
class Runner {
 public:
  Runner(nn::SpecNet& net, const Setting& setting) : net_(net), setting_(setting) {}

  void use(const Layout& layout) {
    layout_ = &layout;
    net_.freeze(setting_.device, layout.format);
    input_ = noise(net_.spec().input, setting_, layout.format);
  }

  double seconds(int64_t passes) {
    const auto begin = std::chrono::steady_clock::now();
    for (int64_t i = 0; i < passes; ++i) {
      if (core::stop_requested()) throw core::Stopped("measuring stopped");
      net_.forward(input_, nn::Mode::Evaluation);
    }
    if (setting_.device.is_cuda()) torch::cuda::synchronize();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

  const Layout& layout() const { return *layout_; }

 private:
  nn::SpecNet& net_;
  Setting setting_;
  const Layout* layout_ = nullptr;
  at::Tensor input_;
};

// The first pass allocates memory and lets the libraries choose their kernels; the best of the next ones is taken, as
// a disturbance can only slow a pass down.
double warm_pass_seconds(Runner& runner, double seconds) {
  constexpr int kMost = 9, kWanted = 3;
  runner.seconds(1);
  double best = std::numeric_limits<double>::infinity(), spent = 0;
  for (int i = 0; i < kMost; ++i) {
    if (spent > (i < kWanted ? 1.0 : 0.1) * seconds) break;
    const double one = runner.seconds(1);
    best = std::min(best, one);
    spent += one;
  }
  return best;
}

// Leaves the runner in its faster layout; returns what a pass takes in it.
double warm_up(Runner& runner, double seconds) {
  double best = std::numeric_limits<double>::infinity();
  const Layout* fastest = nullptr;
  for (const Layout& layout : kLayouts) {
    runner.use(layout);
    const double pass = warm_pass_seconds(runner, seconds);
    if (pass >= best) continue;
    best = pass;
    fastest = &layout;
  }
  if (fastest != &runner.layout()) {
    runner.use(*fastest);
    runner.seconds(1);
  }
  return best;
}

using Nets = std::vector<std::unique_ptr<nn::SpecNet>>;
using Report = std::function<void(double fraction, const std::string& doing)>;  // fraction of one setting

std::vector<SpeedSample> measure_setting(const Nets& nets, const Setting& setting, double seconds,
                                         const Report& report) {
  constexpr double kWarmUp = 0.25;  // of the time, roughly
  if (!setting.device.is_cuda()) at::set_num_threads(setting.threads);
  std::vector<Runner> runners;
  std::vector<Share> shares;
  std::vector<SpeedSample> samples;
  int rounds = 0;
  for (size_t i = 0; i < nets.size(); ++i) {
    report(kWarmUp * static_cast<double>(i) / static_cast<double>(nets.size()), "warming up " + nets[i]->spec().name);
    Runner& runner = runners.emplace_back(*nets[i], setting);
    shares.push_back(plan_share(seconds, warm_up(runner, seconds)));
    rounds = std::max(rounds, shares.back().rounds);
    samples.push_back(
        {i, setting.device.is_cuda() ? "cuda" : "cpu", setting.batch, setting.threads, runner.layout().name, {}});
  }
  for (int round = 0; round < rounds; ++round) {
    report(kWarmUp + (1 - kWarmUp) * round / rounds,
           "round " + std::to_string(round + 1) + " of " + std::to_string(rounds));
    for (size_t i = 0; i < nets.size(); ++i) {
      const Share& share = shares[i];
      if (!takes_part(round, share.rounds, rounds)) continue;
      if (share.warm_passes > 0) runners[i].seconds(share.warm_passes);
      const double block = runners[i].seconds(share.passes);
      samples[i].images_per_s.push_back(static_cast<double>(share.passes * setting.batch) / block);
    }
  }
  return samples;
}

// The library's number of threads belongs to the process.
class KeepThreads {
 public:
  KeepThreads() : threads_(at::get_num_threads()) {}
  ~KeepThreads() { at::set_num_threads(threads_); }
  KeepThreads(const KeepThreads&) = delete;
  KeepThreads& operator=(const KeepThreads&) = delete;

 private:
  int threads_;
};

}  // namespace

std::vector<SpeedSample> measure_inference(const SpeedRequest& request) {
  const c10::InferenceMode no_gradients;
  const KeepThreads keep;
  Nets nets;
  for (const arch::Spec* spec : request.networks) nets.push_back(deployed(*spec));
  const std::vector<Setting> settings = settings_of(request);
  std::vector<SpeedSample> samples;
  for (size_t i = 0; i < settings.size(); ++i) {
    const Report report = [&](double fraction, const std::string& doing) {
      if (request.on_progress)
        request.on_progress((static_cast<double>(i) + fraction) / static_cast<double>(settings.size()),
                            to_text(settings[i]) + ": " + doing);
    };
    for (auto& sample : measure_setting(nets, settings[i], request.seconds, report))
      samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace condenser::train
