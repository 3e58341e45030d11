#pragma once
// Runs a Spec with LibTorch: forward in training or evaluation mode, gradients by autograd, parameters named
// "<node>.<param>". Losses and optimizers are left to train/.

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "condenser/arch/spec.hpp"
#include "condenser/arch/weights.hpp"
#include "condenser/nn/weights_bridge.hpp"
#include "condenser/runtime/quant_params.hpp"

namespace condenser::nn {

struct Step;  // a node, or a batch norm with the nodes after it
struct ConvGeometry;
class FakeQuant;

enum class Mode { Training, Evaluation };  // batch statistics and their running averages, or the averages only

// Library: one call of LibTorch per node, on any device: the reference of the own kernels.
// Own: kernels of this module, and several nodes in one of them (nn/fuse_plan). They exist for the processor.
enum class Kernels { Library, Own };
Kernels fastest_kernels(at::Device);

// Adds up values over the processes that train together, in place. All of them must call it, in the same order.
using SumOverRanks = std::function<void(std::span<double>)>;

class SpecNet {
 public:
  // Copies both; checks names and shapes. Throws core::Error for own kernels where there are none. Numbers are float32;
  // the library's calls know double too: values() and weights() must not be called then.
  SpecNet(const arch::Spec&, const arch::Weights&, Kernels = Kernels::Own, at::Device = at::kCPU,
          at::ScalarType = at::kFloat);

  // x: [n, c, h, w] of the parameters' type, any layout; Kernels::Library keeps channels-last. Returns the outputs,
  // each [n, c, h, w]. Part of an autograd graph unless gradients are switched off. `watch` sees the value of every
  // node that is computed, in order.
  using Watch = std::function<void(const arch::Node&, const at::Tensor&)>;
  std::vector<at::Tensor> forward_all(const at::Tensor& x, Mode, const Watch& watch = {});
  at::Tensor forward(const at::Tensor& x, Mode,
                     const Watch& watch = {});  // the one output; throws SpecError for several

  // The parameters live in one block: trainable ones first, then running statistics. Gradients are added into
  // gradients() by backward(); the caller clears them.
  const BlockLayout& layout() const { return layout_; }
  std::span<float> values();                                            // on the processor only
  std::span<float> gradients();                                         // likewise
  const at::Tensor& block() const { return block_; }                    // the same as tensors, on any device: [size]
  const at::Tensor& gradient_block() const { return gradient_block_; }  // [trainable_size]

  // The trainable ones, in the order of the layout: leaves of autograd whose gradients are views of gradients().
  std::vector<at::Tensor> parameters() const;

  // From now on the batch norms' statistics are those of the batches of all ranks, in both directions. Needs
  // Kernels::Own.
  void synchronize(SumOverRanks);

  // From now on values and parameters are those of the int8 network with these ranges (nn/fake_quant.hpp). The spec is
  // lowered, the network on the processor.
  void round_as(const runtime::QuantParams& ranges);

  // For inference only, on that device: parameters become constants, kernels in that layout (inputs should have it
  // too), and the block is gone: values(), gradients() and weights() must not be called. May be repeated.
  void freeze(at::Device, at::MemoryFormat);

  arch::Weights weights() const;
  const arch::Spec& spec() const { return spec_; }

 private:
  using Values = std::vector<at::Tensor>;  // of nodes, as far as they are known and needed
  at::Tensor run(const Step&, const Values&, bool training) const;
  at::Tensor run_fused(const Step&, const Values&, bool training) const;
  at::Tensor run_alone(int node, const Values&, bool training) const;
  at::Tensor upsample_library(const arch::Upsample&, int node, const at::Tensor& x) const;
  at::Tensor parameter(int node, const char* name) const;  // undefined when the node has none of that name
  template <class Make>
  const at::Tensor& constant(int node, size_t which, const Make& make) const;

  arch::Spec spec_;
  BlockLayout layout_;
  Kernels kernels_;
  at::Device device_;
  SumOverRanks over_ranks_;                                // empty: statistics of the own batch
  at::Tensor block_, gradient_block_;                      // [size], [trainable_size]
  std::vector<std::map<std::string, at::Tensor>> params_;  // per node, views of the block
  std::vector<Step> steps_;
  std::unique_ptr<FakeQuant> rounding_;                             // null: floats
  std::vector<std::shared_ptr<const ConvGeometry>> convolutions_;   // per node; null where the library convolves
  mutable std::map<std::pair<int, size_t>, at::Tensor> constants_;  // of nodes, on the device, made at the first run

 public:
  ~SpecNet();
  SpecNet(const SpecNet&) = delete;
  SpecNet& operator=(const SpecNet&) = delete;
};

}  // namespace condenser::nn
