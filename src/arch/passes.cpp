// lower(): after fuse_branches(), one walk in topological order that merges each node into its producer where the
// export allows it. Leaves the numbers of activations to quant, and the proof that lowering changes nothing to the
// float executor's tests.

#include "condenser/arch/passes.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "arch/affine.hpp"

namespace condenser::arch {
namespace {

// The tensors of a network while it is rewritten; without weights every step is empty.
class Parameters {
 public:
  explicit Parameters(std::optional<Weights> weights) : present_(weights.has_value()) {
    if (present_) weights_ = std::move(*weights);
  }

  bool present() const { return present_; }
  Weights& take() { return weights_; }
  Affine affine(const std::string& node, double eps) const { return affine_of(weights_, node, eps); }

  void drop(const std::string& node) {
    if (!present_) return;
    for (const char* param : {"weight", "bias", "running_mean", "running_var"})
      weights_.tensors.erase(key(node, param));
  }

  // affine(producer(x)) as one producer: rows of the weight scaled, bias scaled and shifted.
  void fold(const std::string& producer, bool has_bias, const Affine& affine) {
    const size_t channels = affine.scale.size();
    auto weight = weights_.tensors.at(key(producer, "weight")).f32();
    const size_t row = channels == 0 ? 0 : weight.size() / channels;
    for (size_t i = 0; i < weight.size(); ++i) weight[i] = static_cast<float>(weight[i] * affine.scale[i / row]);
    if (!has_bias) put(producer, "bias", make_tensor(DType::F32, {static_cast<int64_t>(channels)}));
    auto bias = weights_.tensors.at(key(producer, "bias")).f32();
    for (size_t c = 0; c < channels; ++c) {
      bias[c] = static_cast<float>(bias[c] * affine.scale[c] + affine.shift[c]);
    }
  }

  // The batch norm's own parameters become those of a depthwise 1x1 convolution of the same name.
  void replace_by_depthwise(const std::string& node, const Affine& affine) {
    drop(node);
    const auto channels = static_cast<int64_t>(affine.scale.size());
    put(node, "weight", make_f32({channels, 1, 1, 1}, std::vector<float>(affine.scale.begin(), affine.scale.end())));
    put(node, "bias", make_f32({channels}, std::vector<float>(affine.shift.begin(), affine.shift.end())));
  }

 private:
  static std::string key(const std::string& node, const char* param) { return node + "." + param; }
  void put(const std::string& node, const char* param, Tensor tensor) {
    weights_.tensors.insert_or_assign(key(node, param), std::move(tensor));
  }

  bool present_;
  Weights weights_;
};

class Lowering {
 public:
  Lowering(const Spec& spec, const Analysis& analysis, std::optional<Weights> weights)
      : spec_(spec),
        analysis_(analysis),
        live_(live_nodes(spec)),
        nodes_(spec.nodes),
        costs_(analysis.nodes),
        kept_(live_),
        stands_for_(spec.nodes.size()),
        uses_(spec.nodes.size(), 0),
        parameters_(std::move(weights)) {
    for (size_t i = 0; i < spec.nodes.size(); ++i) {
      stands_for_[i] = static_cast<int>(i);
      if (!live_[i]) continue;
      for (int input : spec.nodes[i].inputs) ++uses_[static_cast<size_t>(input)];
    }
  }

  // The lowered network; its costs go to `cost` when that is not null.
  Spec run(Analysis* cost) {
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (!live_[i]) {
        parameters_.drop(nodes_[i].name);
        continue;
      }
      for (int& input : nodes_[i].inputs) input = stands_for_[static_cast<size_t>(input)];
      rewrite(static_cast<int>(i));
    }
    return compact(cost);
  }

  Weights& weights() { return parameters_.take(); }

 private:
  Node& node(int i) { return nodes_[static_cast<size_t>(i)]; }

  void rewrite(int i) {
    const auto keep = [](const auto&) {};
    // Copies: the cases assign to the node's op, which would end the life of the visited alternative.
    const Op op = node(i).op;
    std::visit(Overloaded{
                   [&](const BatchNorm& norm) { rewrite_batch_norm(i, norm); },
                   [&](const Activation& activation) { rewrite_activation(i, activation); },
                   [&](const Mul&) { rewrite_mul(i); },
                   [&](const Input& kept) { keep(kept); },
                   [&](const Conv2d& kept) { keep(kept); },
                   [&](const Softmax& kept) { keep(kept); },
                   [&](const SoftmaxMul& kept) { keep(kept); },
                   [&](const AvgPool& kept) { keep(kept); },
                   [&](const MaxPool& kept) { keep(kept); },
                   [&](const GlobalAvgPool& kept) { keep(kept); },
                   [&](const Linear& kept) { keep(kept); },
                   [&](const Add& kept) { keep(kept); },
                   [&](const PRelu& kept) { keep(kept); },
                   [&](const Scale& kept) { keep(kept); },
                   [&](const BlurPool& kept) { keep(kept); },
                   [&](const Upsample& kept) { keep(kept); },
                   [&](const Concat& kept) { keep(kept); },
                   [&](const Slice& kept) { keep(kept); },
                   [&](const ChannelShuffle& kept) { keep(kept); },
               },
               op);
  }

  const Shape& shape(int i) const { return analysis_.nodes[static_cast<size_t>(i)].shape; }

  // The node that i reads, when i is the only one to read it.
  int sole_producer(int i) {
    const int producer = node(i).inputs[0];
    return uses_[static_cast<size_t>(producer)] == 1 ? producer : -1;
  }

  // i disappears; who read it reads `producer`. When i was the output, the producer is now the last live node: whatever
  // lay between them did not lead to the output except through the producer.
  void merge_into(int producer, int i) {
    kept_[static_cast<size_t>(i)] = false;
    stands_for_[static_cast<size_t>(i)] = producer;
    uses_[static_cast<size_t>(producer)] = uses_[static_cast<size_t>(i)];
  }

  void rewrite_batch_norm(int i, const BatchNorm& norm) {
    const std::string& name = spec_.nodes[static_cast<size_t>(i)].name;
    const Affine affine = parameters_.present() ? parameters_.affine(name, norm.eps) : Affine{};
    const int producer = sole_producer(i);
    if (producer >= 0 && fold_into(producer, affine)) {
      parameters_.drop(name);
      merge_into(producer, i);
      return;
    }
    const auto channels = static_cast<int>(analysis_.nodes[static_cast<size_t>(i)].shape.c);
    node(i).op =
        Conv2d{.out = channels, .kernel = square(1), .stride = square(1), .pad = {}, .groups = channels, .bias = true};
    if (parameters_.present()) parameters_.replace_by_depthwise(name, affine);
    recount(i);
  }

  void recount(int i) {
    const Inputs& from = node(i).inputs;
    std::array<Shape, kMaxInputs> shapes;
    for (size_t k = 0; k < from.size(); ++k) shapes[k] = shape(from[k]);
    costs_[static_cast<size_t>(i)] = node_cost(node(i).name, node(i).op, std::span(shapes.data(), from.size()));
  }

  bool fold_into(int producer, const Affine& affine) {
    Node& target = node(producer);
    const auto fold = [&](auto& op) {
      if (op.clamp != Clamp::None) return false;  // the clamp stands between them
      if (parameters_.present()) parameters_.fold(target.name, op.bias, affine);
      if (!op.bias) costs_[static_cast<size_t>(producer)].params += op.out;
      op.bias = true;
      return true;
    };
    if (auto* conv = std::get_if<Conv2d>(&target.op)) return fold(*conv);
    if (auto* linear = std::get_if<Linear>(&target.op)) return fold(*linear);
    return false;
  }

  Clamp* clamp_of(int producer) {
    Op& op = node(producer).op;
    if (auto* conv = std::get_if<Conv2d>(&op)) return &conv->clamp;
    if (auto* linear = std::get_if<Linear>(&op)) return &linear->clamp;
    if (auto* add = std::get_if<Add>(&op)) return &add->clamp;
    return nullptr;
  }

  void rewrite_activation(int i, const Activation& activation) {
    if (activation.kind != ActivationKind::Relu && activation.kind != ActivationKind::Relu6) return;
    const int producer = sole_producer(i);
    Clamp* clamp = producer >= 0 ? clamp_of(producer) : nullptr;
    if (clamp == nullptr) return;
    // One after the other, the tighter clamp wins: min(6, max(0, max(0, x))) = min(6, max(0, x)).
    if (*clamp != Clamp::Relu6) *clamp = activation.kind == ActivationKind::Relu ? Clamp::Relu : Clamp::Relu6;
    merge_into(producer, i);
  }

  void rewrite_mul(int i) {
    Node& mul = node(i);
    for (const int side : {0, 1}) {
      const int attention = mul.inputs[static_cast<size_t>(side)], value = mul.inputs[static_cast<size_t>(1 - side)];
      const Softmax* softmax = std::get_if<Softmax>(&node(attention).op);
      if (!softmax || uses_[static_cast<size_t>(attention)] != 1 || shape(attention) != shape(value)) continue;
      mul.op = SoftmaxMul{softmax->axis, softmax->rescale};
      mul.inputs = {node(attention).inputs[0], mul.inputs[static_cast<size_t>(1 - side)]};
      kept_[static_cast<size_t>(attention)] = false;
      recount(i);
      return;
    }
  }

  Spec compact(Analysis* cost) {
    Spec result{spec_.name, spec_.input, {}};
    result.nodes.reserve(static_cast<size_t>(std::count(kept_.begin(), kept_.end(), true)));
    std::vector<int> place(nodes_.size(), -1);
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (!kept_[i]) continue;
      for (int& input : nodes_[i].inputs) input = place[static_cast<size_t>(input)];
      place[i] = static_cast<int>(result.nodes.size());
      if (cost != nullptr) cost->add(nodes_[i].name, costs_[i]);
      result.nodes.push_back(std::move(nodes_[i]));
    }
    return result;
  }

  const Spec& spec_;
  const Analysis& analysis_;
  Liveness live_;
  std::vector<Node> nodes_;
  std::vector<NodeCost> costs_;  // of nodes_, kept as analyze() would compute them
  Liveness kept_;
  std::vector<int> stands_for_;  // where the value of a node is now computed
  std::vector<int> uses_;        // how many inputs of live nodes read it
  Parameters parameters_;
};

// Cheap, for examine(): fuse_branches() finds nothing unless two batch norms that go back to one value meet in a sum.
bool may_have_branches(const Spec& spec) {
  const auto node = [&](int i) -> const Node& { return spec.nodes[static_cast<size_t>(i)]; };
  const auto source = [&](int i) {  // of the branch that ends in node i; -1: no branch
    if (!std::holds_alternative<BatchNorm>(node(i).op)) return -1;
    const int producer = node(i).inputs[0];
    return std::holds_alternative<Conv2d>(node(producer).op) ? node(producer).inputs[0] : producer;
  };
  return std::any_of(spec.nodes.begin(), spec.nodes.end(), [&](const Node& sum) {
    if (!std::holds_alternative<Add>(sum.op)) return false;
    const int left = source(sum.inputs[0]);
    return left >= 0 && left == source(sum.inputs[1]);
  });
}

}  // namespace

Spec lower(const Spec& spec, Weights* weights) {
  std::optional<Weights> fused_weights;
  if (weights != nullptr) fused_weights = *weights;
  const Spec fused = fuse_branches(spec, fused_weights ? &*fused_weights : nullptr);
  const Analysis analysis = analyze(fused);
  Lowering lowering(fused, analysis, std::move(fused_weights));
  Spec result = lowering.run(nullptr);
  validate(result);
  if (weights != nullptr) *weights = std::move(lowering.weights());
  return result;
}

Examination examine(const Spec& spec) { return examine(spec, analyze(spec)); }

Examination examine(const Spec& spec, Analysis given) {
  Examination e;
  e.given = std::move(given);
  if (may_have_branches(spec)) {
    const Spec fused = fuse_branches(spec, nullptr);
    const Analysis analysis = analyze(fused);
    e.lowered = Lowering(fused, analysis, std::nullopt).run(&e.cost);
  } else {
    e.lowered = Lowering(spec, e.given, std::nullopt).run(&e.cost);
  }
  e.plan = plan_memory(e.lowered, e.cost);
  return e;
}

}  // namespace condenser::arch
