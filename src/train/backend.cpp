// The door of libcondenser_torch.so: hands out the interface of include/condenser/train/backend.hpp.
#include "condenser/train/backend.hpp"

#include <ATen/Context.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>
#include <torch/version.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#ifdef __GLIBC__
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

#include "build_id.hpp"
#include "condenser/arch/check_finite.hpp"
#include "condenser/nn/spec_net.hpp"
#include "train/device/check.hpp"
#include "train/evaluate.hpp"
#include "train/learner.hpp"
#include "train/loop.hpp"
#include "train/loss/objective.hpp"
#include "train/probes/probes.hpp"
#include "train/ranks/dist.hpp"
#include "train/speed/measure.hpp"
#include "train/speed/measure_training.hpp"

namespace condenser::train {
namespace {

// Activations of several megabytes would be mapped and unmapped, and their pages cleared, at every step: let malloc
// keep them. Its heap is grown once, untouched, so that the kernel may be asked to back it with huge pages (6 % more
// images per second with dcac_32 and resnet8). A caching allocator of our own would have nothing left to win: malloc
// and page faults take under 2 % of a step.
void tune_malloc() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, -1);  // never give back
  mallopt(M_TOP_PAD, 16 << 20);
#ifdef MADV_HUGEPAGE
  constexpr size_t kBlock = size_t{512} << 20, kPage = size_t{2} << 20, kMost = 8;
  const size_t memory = static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
  std::vector<void*> blocks;
  while (blocks.size() < std::min(kMost, memory / 2 / kBlock)) {
    void* block = std::malloc(kBlock);
    if (block == nullptr) break;
    const uintptr_t begin = (reinterpret_cast<uintptr_t>(block) + kPage - 1) / kPage * kPage;
    madvise(reinterpret_cast<void*>(begin), kBlock - kPage, MADV_HUGEPAGE);  // advice: may fail
    blocks.push_back(block);
  }
  for (void* block : blocks) std::free(block);
#endif
#endif
}

// LibTorch's own errors as errors of this program, without their stack.
template <class Work>
auto translated(const Work& work) {
  try {
    return work();
  } catch (const c10::Error& error) {
    throw core::Error(std::string("LibTorch: ") + error.what_without_backtrace());
  }
}

class TorchBackend : public Backend {
 public:
  std::string version() const override {
    return std::string("LibTorch ") + TORCH_VERSION + (at::hasCUDA() ? " (CUDA)" : " (CPU)");
  }

  void join(const Ranks& ranks, int timeout_seconds) override {
    translated([&] { group_ = std::make_unique<Group>(ranks, std::chrono::seconds(timeout_seconds)); });
  }

  std::string hand_out(const std::string& text) override {
    return translated([&] { return group_->hand_out(text); });
  }

  FitResult fit(const FitRequest& request) override {
    if (!request.all_ranks || !group_) return translated([&] { return train::fit(request); });
    try {
      FitResult result = translated([&] { return train::fit(request, group_.get()); });
      group_.reset();  // all ranks are done
      return result;
    } catch (const std::exception& error) {
      group_->give_up(error.what());
      throw;
    }
  }

  Evaluation evaluate(const arch::Spec& spec, const arch::Weights& weights, const data::Dataset& dataset,
                      const data::Task& task, int threads) override {
    return translated([&] {
      use_threads(threads);
      arch::check_finite(weights, "network " + spec.name);
      nn::SpecNet net(spec, weights);
      return evaluate_net(net, dataset, task, OnStop::Throw);
    });
  }

  std::vector<float> forward(const arch::Spec& spec, const arch::Weights& weights, const std::vector<float>& input,
                             int64_t n) override {
    const c10::InferenceMode no_gradients;
    if (n < 1 || static_cast<int64_t>(input.size()) != n * spec.input.elements())
      throw core::Error("forward: " + std::to_string(input.size()) + " values; expected " + std::to_string(n) + " x " +
                        arch::to_string(spec.input));
    return translated([&] {
      nn::SpecNet net(spec, weights);
      auto* pixels = const_cast<float*>(input.data());  // from_blob takes no const; forward does not write
      const at::Tensor x = at::from_blob(pixels, {n, spec.input.c, spec.input.h, spec.input.w});
      const at::Tensor y = net.forward(x, nn::Mode::Evaluation).contiguous();
      return std::vector<float>(y.const_data_ptr<float>(), y.const_data_ptr<float>() + y.numel());
    });
  }

  std::unique_ptr<search::Probe> make_probe(const ProbeRequest& request) override { return train::make_probe(request); }

  std::vector<SpeedSample> measure_inference(const SpeedRequest& request) override {
    return translated([&] { return train::measure_inference(request); });
  }

  std::vector<DeviceCheck> check_gpu(std::string& missing) override {
    return translated([&] {
      missing = gpu_missing();
      return missing.empty() ? check_device(at::Device(at::kCUDA, 0)) : std::vector<DeviceCheck>();
    });
  }

  void measure_training(const TrainingSpeedRequest& request) override {
    translated([&] { train::measure_training(request); });
  }

  TrainingStep training_step(const arch::Spec& spec, int batch, int threads) override {
    return translated([&] { return train::training_step(spec, batch, threads); });
  }

 private:
  std::unique_ptr<Group> group_;  // never closed after an error: its connections may wait for ranks that are gone
};

}  // namespace
}  // namespace condenser::train

extern "C" __attribute__((visibility("default"))) condenser::train::Backend* condenser_torch_backend(
    const char* build) {
  if (std::string_view(build) != condenser::kBuildId) return nullptr;
  condenser::train::tune_malloc();
  return new condenser::train::TorchBackend;
}
