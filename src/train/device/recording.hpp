#pragma once
// Work of fixed shape on a GPU, recorded as a CUDA graph: a replay is one launch instead of hundreds.

#include <functional>
#include <memory>

namespace condenser::train {

class Recording {
 public:
  virtual ~Recording() = default;
  virtual void replay() = 0;
};

// Records what `work` launches on the current stream, which must not be the default one, without running it. Throws
// c10::Error when something in it cannot be recorded, or core::Error when LibTorch was built without CUDA.
std::unique_ptr<Recording> record(const std::function<void()>& work);
bool can_record();  // LibTorch was built with CUDA

}  // namespace condenser::train
