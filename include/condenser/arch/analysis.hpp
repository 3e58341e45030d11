#pragma once
// One pass over a Spec: shapes, parameters, multiply-accumulates, int8 constants, per node and in total.

#include <initializer_list>
#include <span>
#include <vector>

#include "condenser/arch/spec.hpp"

namespace condenser::arch {

struct NodeCost {
  Shape shape;         // of the output
  int64_t params = 0;  // trainable: weights, biases, batch-norm scale and shift (running statistics not counted)
  int64_t macs = 0;    // convolution (the fixed one of blur_pool too) and linear, the convention of the published
                       // 318,952,524
  int64_t constant_bytes = 0;  // int8 flash of this node's constants after lowering (see below)
  bool operator==(const NodeCost&) const = default;
};

struct Analysis {
  std::vector<NodeCost> nodes;  // parallel to spec.nodes
  int64_t params = 0;
  int64_t macs = 0;
  int64_t constant_bytes = 0;

  const NodeCost& node(int id) const { return nodes[static_cast<size_t>(id)]; }  // `id` as in Inputs
  void count(const std::string& name, const NodeCost&);  // in the sums; throws SpecError(name, ...) past 64 bits
  void add(const std::string& name, const NodeCost&);    // count() and append
  bool operator==(const Analysis&) const = default;
};

// Throws SpecError naming the node whose inputs do not fit.
Analysis analyze(const Spec&);

inline const Shape& output_shape(const Spec& spec, const Analysis& analysis, size_t k = 0) {
  return analysis.nodes[static_cast<size_t>(spec.output(k))].shape;
}
// Of the one output; throws SpecError as sole_output() does.
Shape sole_output_shape(const Spec&, const std::string& purpose);

// Shape and cost of one operator; used by analyze() and Builder. Throws SpecError(name, ...).
// Constants of the int8 form: conv and linear: weights (1 byte; of 4 bits, one for two channels) + per output channel
// bias (4), multiplier (4), shift (1); activation and scale: table of 256; softmax_mul: exponential table of 256 x 2;
// prelu: slope (1) per channel; everything else: 0 (scalars live in code). The C99 target emits exactly these arrays
// (tested as equality on lowered Specs).
NodeCost node_cost(const std::string& name, const Op&, std::span<const Shape> inputs);
inline NodeCost node_cost(const std::string& name, const Op& op, std::initializer_list<Shape> inputs) {
  return node_cost(name, op, std::span(inputs.begin(), inputs.size()));
}

// NetScore 20 log10(a^2 / sqrt(p m)), accuracy in percent, params in millions, MACs in billions (arXiv 1806.05512).
double netscore(double accuracy_percent, int64_t params, int64_t macs);

}  // namespace condenser::arch
