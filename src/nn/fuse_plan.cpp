#include "nn/fuse_plan.hpp"

#include <algorithm>

#include "condenser/arch/analysis.hpp"
#include "condenser/core/error.hpp"

namespace condenser::nn {
namespace {

Squash to_squash(arch::ActivationKind kind) {
  switch (kind) {
    case arch::ActivationKind::Relu: return Squash::Relu;
    case arch::ActivationKind::Relu6: return Squash::Relu6;
    case arch::ActivationKind::Silu: return Squash::Silu;
    case arch::ActivationKind::Sigmoid: return Squash::Sigmoid;
    case arch::ActivationKind::HardSwish: return Squash::HardSwish;
    case arch::ActivationKind::HardSigmoid: return Squash::HardSigmoid;
    case arch::ActivationKind::Tanh: return Squash::Tanh;
  }
  throw core::Error("unknown activation");
}

Step plain_step(const arch::Spec& spec, int node) {
  const arch::Inputs& inputs = spec.node(node).inputs;
  return {.output = node, .inputs = {inputs.begin(), inputs.end()}};
}

class Fuser {
 public:
  explicit Fuser(const arch::Spec& spec)
      : spec_(spec), readers_(arch::consumers(spec)), analysis_(arch::analyze(spec)) {}

  Step step(int node) const {
    Step s{.output = node};
    if (const auto* activation = std::get_if<arch::Activation>(&op(node))) {
      s.fused = true;
      s.squash = to_squash(activation->kind);
      if (!sole(input(node, 0)) || !ends(s, input(node, 0))) s.inputs = {input(node, 0)};
      return s;
    }
    s.fused = ends(s, node);
    return s.fused ? s : plain_step(spec_, node);
  }

 private:
  const arch::Op& op(int node) const { return spec_.node(node).op; }
  int input(int node, int i) const { return spec_.node(node).inputs[static_cast<size_t>(i)]; }
  bool sole(int node) const { return readers_[static_cast<size_t>(node)].size() == 1 && !spec_.is_output(node); }
  arch::Shape shape(int node) const { return analysis_.node(node).shape; }
  bool is_norm(int node) const { return std::holds_alternative<arch::BatchNorm>(op(node)); }
  bool is_sum(int node) const {
    const auto* add = std::get_if<arch::Add>(&op(node));
    return add != nullptr && add->clamp == arch::Clamp::None;
  }

  // Fills in `s` when `node` (a norm, a sum or a product) is the end of a chain worth fusing.
  bool ends(Step& s, int node) const {
    if (is_norm(node)) {
      s.norm_a = node;
      s.inputs = {input(node, 0)};
      return true;
    }
    const bool sum = is_sum(node);
    if (!sum && !std::holds_alternative<arch::Mul>(op(node))) return false;
    if (input(node, 0) == input(node, 1)) return false;  // one norm on both sides would move its statistics twice
    for (const int side : {0, 1})
      if (sum ? joins(s, Join::Add, input(node, side), input(node, 1 - side)) : gates(s, node, side)) return true;
    if (!sum) return false;
    s.join = Join::Add;
    s.inputs = {input(node, 0), input(node, 1)};
    return true;
  }

  // The product's input on this side is a plain softmax that only it reads.
  bool gates(Step& s, int node, int side) const {
    const int a = input(node, side), b = input(node, 1 - side);
    const auto* softmax = std::get_if<arch::Softmax>(&op(a));
    if (!sole(a) || softmax == nullptr || *softmax != arch::Softmax{} || shape(a) != shape(b)) return false;
    return joins(s, Join::Gate, input(a, 0), b);
  }

  // `a` is a norm that nothing else reads.
  bool joins(Step& s, Join join, int a, int b) const {
    if (!sole(a) || !is_norm(a)) return false;
    s.join = join;
    s.norm_a = a;
    s.norm_b = sole(b) && is_norm(b) ? b : -1;
    s.inputs = {input(a, 0), s.norm_b >= 0 ? input(b, 0) : b};
    return true;
  }

  const arch::Spec& spec_;
  const std::vector<std::vector<int>> readers_;
  const arch::Analysis analysis_;
};

// From the last node to the input, as only then is known which values anybody needs.
template <class Make>
std::vector<Step> plan(const arch::Spec& spec, const Make& make) {
  std::vector<bool> wanted(spec.nodes.size(), false);
  for (size_t k = 0; k < spec.output_count(); ++k) wanted[static_cast<size_t>(spec.output(k))] = true;
  std::vector<Step> steps;
  for (int node = static_cast<int>(spec.nodes.size()) - 1; node > 0; --node) {
    if (!wanted[static_cast<size_t>(node)]) continue;
    Step step = make(node);
    for (const int needed : step.inputs) {
      if (wanted[static_cast<size_t>(needed)]) continue;
      wanted[static_cast<size_t>(needed)] = true;
      step.last_uses.push_back(needed);
    }
    steps.push_back(std::move(step));
  }
  std::reverse(steps.begin(), steps.end());
  return steps;
}

}  // namespace

std::vector<Step> plain_steps(const arch::Spec& spec) {
  return plan(spec, [&](int node) { return plain_step(spec, node); });
}

std::vector<Step> fused_steps(const arch::Spec& spec) {
  const Fuser fuser(spec);
  return plan(spec, [&](int node) { return fuser.step(node); });
}

}  // namespace condenser::nn
