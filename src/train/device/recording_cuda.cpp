// For CUDA builds of LibTorch: the only source that includes CUDA's headers.
#include <ATen/cuda/CUDAGraph.h>

#include "train/device/recording.hpp"

namespace condenser::train {
namespace {

class CudaRecording : public Recording {
 public:
  explicit CudaRecording(const std::function<void()>& work) {
    // Other threads, such as those that load data, may call CUDA meanwhile.
    graph_.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
    try {
      work();
    } catch (...) {
      end_quietly();
      throw;
    }
    graph_.capture_end();
  }

  void replay() override { graph_.replay(); }

 private:
  // After a failure the stream has to leave the capture, which is an error of its own.
  void end_quietly() {
    try {
      graph_.capture_end();
    } catch (const c10::Error&) {
      cudaGetLastError();
    }
  }

  at::cuda::CUDAGraph graph_;
};

}  // namespace

bool can_record() { return true; }

std::unique_ptr<Recording> record(const std::function<void()>& work) { return std::make_unique<CudaRecording>(work); }

}  // namespace condenser::train
