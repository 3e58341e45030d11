#pragma once
// Runs a Spec with LibTorch: forward in training or evaluation mode, gradients by autograd, parameters named
// "<node>.<param>". Losses and optimizers are left to train/.

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "condenser/arch/spec.hpp"
#include "condenser/arch/weights.hpp"
#include "condenser/nn/weights_bridge.hpp"

namespace condenser::nn {

enum class Mode { Training, Evaluation };  // batch statistics and their running averages, or the averages only
enum class Fusion { On, Off };             // Off: one library call per node; the reference of the own kernels

// Adds up values over the processes that train together, in place. All of them must call it, in the same order.
using SumOverRanks = std::function<void(std::span<double>)>;

class SpecNet {
 public:
  // Copies both; checks names and shapes. Other devices than the processor need Fusion::Off.
  SpecNet(const arch::Spec&, const arch::Weights&, Fusion = Fusion::On, at::Device = at::kCPU);

  // x: [n, c, h, w] float32, any layout; Fusion::Off keeps channels-last. Returns the output node, [n, c, h, w]. Part
  // of an autograd graph unless gradients are switched off.
  // `watch` sees the value of every node that is computed, in order.
  using Watch = std::function<void(const arch::Node&, const at::Tensor&)>;
  at::Tensor forward(const at::Tensor& x, Mode, const Watch& watch = {});

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
  // Fusion::On.
  void synchronize(SumOverRanks);

  // For inference only, on that device: parameters become constants, kernels in that layout (inputs should have it
  // too), and the block is gone: values(), gradients() and weights() must not be called. May be repeated.
  void freeze(at::Device, at::MemoryFormat);

  arch::Weights weights() const;
  const arch::Spec& spec() const { return spec_; }

 private:
  struct Step;  // a node, or a batch norm with the nodes after it
  void plan_steps(Fusion);
  at::Tensor run(const Step&, const std::vector<at::Tensor>& outputs, bool training) const;
  template <class Make>
  const at::Tensor& constant(int node, size_t which, const Make& make) const;

  arch::Spec spec_;
  BlockLayout layout_;
  bool own_kernels_;
  at::Device device_;
  SumOverRanks over_ranks_;                                // empty: statistics of the own batch
  at::Tensor block_, gradient_block_;                      // [size], [trainable_size]
  std::vector<std::map<std::string, at::Tensor>> params_;  // per node, views of the block
  std::vector<Step> steps_;
  mutable std::map<std::pair<int, size_t>, at::Tensor> constants_;  // of nodes, on the device, made at the first run

 public:
  ~SpecNet();
  SpecNet(const SpecNet&) = delete;
  SpecNet& operator=(const SpecNet&) = delete;
};

}  // namespace condenser::nn
