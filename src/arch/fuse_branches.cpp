// fuse_branches(): a sum of linear branches becomes the one convolution that it computes (MobileOne, arXiv 2206.04040,
// section 3.2; RepVGG, arXiv 2101.03697, section 3.3). Batch norms outside such sums are left to lower().

#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "arch/affine.hpp"
#include "condenser/arch/analysis.hpp"
#include "condenser/arch/passes.hpp"

namespace condenser::arch {
namespace {

constexpr int kNone = -1;
constexpr int kAnyGroups = 0;  // of identities: a unit kernel exists for every number of groups

// One branch: a convolution and its batch norm, or a batch norm alone.
struct Branch {
  int conv = kNone;
  int norm = kNone;
};

// Branches that read one value and are added up. `form` is the convolution that can hold them all, without its bias.
struct Sum {
  int source = kNone;
  Conv2d form;
  std::vector<Branch> branches;
};

Conv2d unit_conv(int64_t channels, int groups) {
  return {.out = static_cast<int>(channels), .kernel = square(1), .stride = square(1), .pad = {}, .groups = groups};
}

// Whether the taps of `small`, which lie at -pad .. kernel - 1 - pad around each output, are among those of `large`.
bool holds(const Conv2d& large, const Conv2d& small) {
  const int down = large.pad.top - small.pad.top, right = large.pad.left - small.pad.left;
  return down >= 0 && right >= 0 && down + small.kernel.h <= large.kernel.h && right + small.kernel.w <= large.kernel.w;
}

// The one of both that can compute the sum. A window that is larger than either would cost more than it saves.
std::optional<Conv2d> common_form(const Conv2d& a, const Conv2d& b) {
  const bool groups_fit = a.groups == b.groups || a.groups == kAnyGroups || b.groups == kAnyGroups;
  if (a.stride != b.stride || a.out != b.out || !groups_fit) return std::nullopt;
  if (!holds(a, b) && !holds(b, a)) return std::nullopt;
  Conv2d form = holds(a, b) ? a : b;
  if (form.groups == kAnyGroups) form.groups = a.groups == kAnyGroups ? b.groups : a.groups;
  return form;
}

// The sums of a network, found from the leaves up: sums()[i] is what the Add i computes.
class Finder {
 public:
  Finder(const Spec& spec, const Analysis& analysis)
      : spec_(spec), analysis_(analysis), sums_(spec.nodes.size()), uses_(spec.nodes.size(), 0) {
    const Liveness live = live_nodes(spec);
    for (size_t i = 0; i < spec.nodes.size(); ++i) {
      if (!live[i]) continue;
      for (int input : spec.nodes[i].inputs) ++uses_[at(input)];
    }
    for (size_t k = 0; k < spec.output_count(); ++k) ++uses_[at(spec.output(k))];
    for (size_t i = 0; i < spec.nodes.size(); ++i)
      if (live[i]) visit(static_cast<int>(i));
    for (size_t i = 0; i < spec.nodes.size(); ++i)  // a batch norm that nobody adds to another branch
      if (!std::holds_alternative<Add>(spec.nodes[i].op)) sums_[i].reset();
  }

  const std::vector<std::optional<Sum>>& sums() const { return sums_; }

 private:
  static size_t at(int i) { return static_cast<size_t>(i); }
  const Node& node(int i) const { return spec_.nodes[at(i)]; }

  void visit(int i) {
    if (std::holds_alternative<BatchNorm>(node(i).op)) sums_[at(i)] = single(i);
    if (std::holds_alternative<Add>(node(i).op)) join(i, node(i).inputs[0], node(i).inputs[1]);
  }

  Sum single(int norm) const {
    const int producer = node(norm).inputs[0];
    const Conv2d* conv = std::get_if<Conv2d>(&node(producer).op);
    if (conv != nullptr && conv->clamp == Clamp::None && uses_[at(producer)] == 1) {
      Conv2d form = *conv;
      form.bias = false;  // in the form: nothing decides by it
      return {node(producer).inputs[0], form, {{producer, norm}}};
    }
    return {producer, unit_conv(analysis_.nodes[at(norm)].shape.c, kAnyGroups), {{kNone, norm}}};
  }

  // Whether the value of i may disappear into the sum that reads it.
  bool absorbable(int i) const {
    const Add* add = std::get_if<Add>(&node(i).op);
    return sums_[at(i)] && uses_[at(i)] == 1 && (add == nullptr || add->clamp == Clamp::None);
  }

  void join(int i, int left, int right) {
    if (!absorbable(left) || !absorbable(right)) return;
    Sum &a = *sums_[at(left)], &b = *sums_[at(right)];
    const auto form = common_form(a.form, b.form);
    if (a.source != b.source || !form) return;
    a.form = *form;
    a.branches.insert(a.branches.end(), b.branches.begin(), b.branches.end());
    sums_[at(i)] = std::move(a);
    sums_[at(left)].reset();
    sums_[at(right)].reset();
  }

  const Spec& spec_;
  const Analysis& analysis_;
  std::vector<std::optional<Sum>> sums_;
  std::vector<int> uses_;  // how many inputs of live nodes read it; an output counts one more
};

// Weight and bias of the convolution that computes a sum, in double until all branches are in.
class Kernel {
 public:
  Kernel(const Conv2d& form, int64_t in)
      : form_(form),
        in_per_group_(in / form.groups),
        weight_(static_cast<size_t>(form.out * in_per_group_ * form.kernel.h * form.kernel.w), 0.0),
        bias_(static_cast<size_t>(form.out), 0.0) {}

  void add_convolution(const Conv2d& conv, std::span<const float> weight, const Affine& affine) {
    size_t from = 0;
    for (int o = 0; o < form_.out; ++o)
      for (int64_t i = 0; i < in_per_group_; ++i)
        for (int y = 0; y < conv.kernel.h; ++y)
          for (int x = 0; x < conv.kernel.w; ++x)
            tap(o, i, y - conv.pad.top, x - conv.pad.left) += affine.scale[static_cast<size_t>(o)] * weight[from++];
  }

  // Output o of an identity reads input o: the place o mod (inputs per group) of its group.
  void add_identity(const Affine& affine) {
    for (int o = 0; o < form_.out; ++o) tap(o, o % in_per_group_, 0, 0) += affine.scale[static_cast<size_t>(o)];
  }

  void add_bias(std::span<const float> bias, const Affine& affine) {  // empty: none before the batch norm
    for (size_t o = 0; o < bias_.size(); ++o)
      bias_[o] += affine.shift[o] + (bias.empty() ? 0.0 : affine.scale[o] * bias[o]);
  }

  Tensor weight() const { return rounded({form_.out, in_per_group_, form_.kernel.h, form_.kernel.w}, weight_); }
  Tensor bias() const { return rounded({form_.out}, bias_); }

 private:
  static Tensor rounded(std::vector<int64_t> shape, const std::vector<double>& values) {
    return make_f32(std::move(shape), std::vector<float>(values.begin(), values.end()));
  }

  // y, x: distance from the pixel that the output lies on.
  double& tap(int o, int64_t i, int y, int x) {
    const int64_t row = (o * in_per_group_ + i) * form_.kernel.h + y + form_.pad.top;
    return weight_[static_cast<size_t>(row * form_.kernel.w + x + form_.pad.left)];
  }

  Conv2d form_;
  int64_t in_per_group_;
  std::vector<double> weight_, bias_;
};

Kernel kernel_of(const Spec& spec, const Sum& sum, const Weights& weights, int64_t in) {
  Kernel kernel(sum.form, in);
  for (const Branch& branch : sum.branches) {
    const Node& norm = spec.node(branch.norm);
    const Affine affine = affine_of(weights, norm.name, std::get<BatchNorm>(norm.op).eps);
    if (branch.conv == kNone) {
      kernel.add_identity(affine);
      kernel.add_bias({}, affine);
      continue;
    }
    const Node& node = spec.node(branch.conv);
    const Conv2d& conv = std::get<Conv2d>(node.op);
    kernel.add_convolution(conv, weights.at(node.name + ".weight").f32(), affine);
    kernel.add_bias(conv.bias ? weights.at(node.name + ".bias").f32() : std::span<const float>(), affine);
  }
  return kernel;
}

// The name of the branch whose window stays; a convolution's rather than an identity's.
std::string name_of(const Spec& spec, const Sum& sum) {
  for (const Branch& branch : sum.branches) {
    if (branch.conv == kNone) continue;
    const Node& node = spec.node(branch.conv);
    if (holds(std::get<Conv2d>(node.op), sum.form)) return node.name;
  }
  return spec.node(sum.branches.front().norm).name;
}

// Puts the convolution in the place of the last Add, so that the branches are dead.
void replace(Spec& result, size_t i, const Sum& sum, const std::string& name) {
  Conv2d conv = sum.form;
  conv.bias = true;
  conv.clamp = std::get<Add>(result.nodes[i].op).clamp;
  result.nodes[i] = {name, conv, {sum.source}};
}

void drop_parameters(Weights& weights, const std::string& node) {
  for (const char* param : {".weight", ".bias", ".running_mean", ".running_var"}) weights.tensors.erase(node + param);
}

Spec without_dead(Spec spec) {
  const Liveness live = live_nodes(spec);
  std::vector<int> place(spec.nodes.size(), kNone);
  size_t count = 0;
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    if (!live[i]) continue;
    for (int& input : spec.nodes[i].inputs) input = place[static_cast<size_t>(input)];
    place[i] = static_cast<int>(count);
    if (count != i) spec.nodes[count] = std::move(spec.nodes[i]);
    ++count;
  }
  spec.nodes.resize(count);
  for (int& output : spec.outputs) output = place[static_cast<size_t>(output)];
  if (!spec.outputs.empty()) set_outputs(spec, spec.outputs);
  return spec;
}

// The parameters of `fused`: those of the nodes that stay, and `kernels` by the name of their node.
Weights fused_weights(const Spec& spec, const Spec& fused, const Weights& weights,
                      std::vector<std::pair<std::string, Kernel>> kernels) {
  Weights result = weights;
  std::set<std::string> kept;
  for (const Node& node : fused.nodes) kept.insert(node.name);
  for (const auto& kernel : kernels) kept.erase(kernel.first);
  for (const Node& node : spec.nodes)
    if (!kept.contains(node.name)) drop_parameters(result, node.name);
  for (const auto& [name, kernel] : kernels) {
    result.tensors.insert_or_assign(name + ".weight", kernel.weight());
    result.tensors.insert_or_assign(name + ".bias", kernel.bias());
  }
  return result;
}

}  // namespace

Spec fuse_branches(const Spec& spec, Weights* weights) {
  const Analysis analysis = analyze(spec);
  if (weights != nullptr) check_weights(spec, *weights);
  const Finder finder(spec, analysis);
  Spec result = spec;
  std::vector<std::pair<std::string, Kernel>> kernels;
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    if (!finder.sums()[i]) continue;
    Sum sum = *finder.sums()[i];
    const int64_t in = analysis.node(sum.source).shape.c;
    if (sum.form.groups == kAnyGroups) sum.form.groups = static_cast<int>(in);
    const std::string name = name_of(spec, sum);
    if (weights != nullptr) kernels.emplace_back(name, kernel_of(spec, sum, *weights, in));
    replace(result, i, sum, name);
  }
  result = without_dead(std::move(result));
  validate(result);
  if (weights != nullptr) *weights = fused_weights(spec, result, *weights, std::move(kernels));
  return result;
}

}  // namespace condenser::arch
