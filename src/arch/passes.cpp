// lower(): after fuse_branches(), one walk in topological order that merges each node into its producer where the
// export allows it. Leaves the numbers of activations to quant, and the proof that lowering changes nothing to the
// float executor's tests.

#include "condenser/arch/passes.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "arch/affine.hpp"
#include "arch/lowering.hpp"
#include "condenser/arch/analysis.hpp"

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

// Nodes are taken in order and each is appended to the result, unless it merges into one that is there already.
class Lowering {
 public:
  Lowering(const Spec& spec, const Analysis& analysis, std::optional<Weights> weights)
      : spec_(spec),
        analysis_(analysis),
        live_(live_nodes(spec)),
        values_(spec.nodes.size()),
        parameters_(std::move(weights)) {
    for (size_t i = 0; i < spec.nodes.size(); ++i) {
      if (!live_[i]) continue;
      for (int input : spec.nodes[i].inputs) {
        ++values_[at(input)].uses;
        values_[at(input)].last_reader = static_cast<int>(i);
      }
    }
    for (size_t k = 0; k < spec.output_count(); ++k) ++values_[at(spec.output(k))].uses;  // nothing may swallow it
  }

  // The lowered network and its costs, as analyze() would compute them.
  Spec run(Analysis& cost) {
    result_.name = spec_.name;
    result_.input = spec_.input;
    result_.nodes.reserve(spec_.nodes.size());
    costs_.reserve(spec_.nodes.size());
    for (size_t i = 0; i < spec_.nodes.size(); ++i) {
      if (live_[i]) {
        values_[i].place = lowered(static_cast<int>(i));
      } else {
        parameters_.drop(spec_.nodes[i].name);
      }
    }
    if (spec_.names_outputs()) set_outputs(result_, outputs());
    for (size_t i = 0; i < costs_.size(); ++i) cost.count(result_.nodes[i].name, costs_[i]);
    cost.nodes = std::move(costs_);
    return std::move(result_);
  }

  Weights& weights() { return parameters_.take(); }

 private:
  static constexpr int kNowhere = -1;
  struct Value {   // of a given node
    int uses = 0;  // by inputs of live nodes, and as an output
    int last_reader = kNowhere;
    int place = kNowhere;  // in the result
  };

  static size_t at(int i) { return static_cast<size_t>(i); }
  const Node& node(int i) const { return spec_.node(i); }
  const Shape& shape(int i) const { return analysis_.nodes[at(i)].shape; }

  std::vector<int> outputs() const {
    std::vector<int> places;
    for (size_t k = 0; k < spec_.output_count(); ++k) places.push_back(values_[at(spec_.output(k))].place);
    return places;
  }

  // Place of the value of node i in the result: its own, or that of the node it merges into, which then computes what i
  // did. When i is the only output, that node is the last of the result: whatever lay between them did not lead to the
  // output except through it. A value that nobody reads in the result has no place.
  int lowered(int i) {
    return arch::visit(node(i).op, Overloaded{
                                       [&](const BatchNorm& norm) { return lowered_batch_norm(i, norm); },
                                       [&](const Activation& activation) { return lowered_activation(i, activation); },
                                       [&](const Mul&) { return lowered_mul(i); },
                                       [&](const Softmax&) { return joins_its_reader(i) ? kNowhere : keep(i); },
                                       [&](const Input&) { return keep(i); },
                                       [&](const Conv2d&) { return keep(i); },
                                       [&](const SoftmaxMul&) { return keep(i); },
                                       [&](const AvgPool&) { return keep(i); },
                                       [&](const MaxPool&) { return keep(i); },
                                       [&](const GlobalAvgPool&) { return keep(i); },
                                       [&](const Linear&) { return keep(i); },
                                       [&](const Add&) { return keep(i); },
                                       [&](const PRelu&) { return keep(i); },
                                       [&](const Scale&) { return keep(i); },
                                       [&](const BlurPool&) { return keep(i); },
                                       [&](const Upsample&) { return keep(i); },
                                       [&](const Concat&) { return keep(i); },
                                       [&](const Slice&) { return keep(i); },
                                       [&](const ChannelShuffle&) { return keep(i); },
                                   });
  }

  int append(int i, const Op& op, const Inputs& inputs, const NodeCost& cost) {
    Node& added = result_.nodes.emplace_back();
    added.name = node(i).name;
    added.op = op;
    added.inputs = inputs;
    for (int& input : added.inputs) input = values_[at(input)].place;
    costs_.push_back(cost);
    return static_cast<int>(result_.nodes.size()) - 1;
  }

  int keep(int i) { return append(i, node(i).op, node(i).inputs, analysis_.nodes[at(i)]); }

  int keep_as(int i, const Op& op, const Inputs& inputs) {
    std::array<Shape, kMaxInputs> shapes;
    for (size_t k = 0; k < inputs.size(); ++k) shapes[k] = shape(inputs[k]);
    return append(i, op, inputs, node_cost(node(i).name, op, std::span(shapes.data(), inputs.size())));
  }

  // The node of the result that computes what i reads, when i is the only one to read it.
  int sole_producer(int i) const {
    const Value& read = values_[at(node(i).inputs[0])];
    return read.uses == 1 ? read.place : kNowhere;
  }

  int lowered_batch_norm(int i, const BatchNorm& norm) {
    const std::string& name = node(i).name;
    const Affine affine = parameters_.present() ? parameters_.affine(name, norm.eps) : Affine{};
    const int producer = sole_producer(i);
    if (producer >= 0 && fold_into(producer, affine)) {
      parameters_.drop(name);
      return producer;
    }
    const auto channels = static_cast<int>(shape(i).c);
    if (parameters_.present()) parameters_.replace_by_depthwise(name, affine);
    return keep_as(
        i,
        Conv2d{.out = channels, .kernel = square(1), .stride = square(1), .pad = {}, .groups = channels, .bias = true},
        node(i).inputs);
  }

  bool fold_into(int producer, const Affine& affine) {
    Node& target = result_.nodes[at(producer)];
    const auto fold = [&](auto& op) {
      if (op.clamp != Clamp::None) return false;  // the clamp stands between them
      if (parameters_.present()) parameters_.fold(target.name, op.bias, affine);
      if (!op.bias) costs_[at(producer)].params += op.out;
      op.bias = true;
      return true;
    };
    if (auto* conv = std::get_if<Conv2d>(&target.op)) return fold(*conv);
    if (auto* linear = std::get_if<Linear>(&target.op)) return fold(*linear);
    return false;
  }

  Clamp* clamp_of(int producer) {
    Op& op = result_.nodes[at(producer)].op;
    if (auto* conv = std::get_if<Conv2d>(&op)) return &conv->clamp;
    if (auto* linear = std::get_if<Linear>(&op)) return &linear->clamp;
    if (auto* add = std::get_if<Add>(&op)) return &add->clamp;
    if (auto* product = std::get_if<SoftmaxMul>(&op)) return &product->clamp;
    return nullptr;
  }

  int lowered_activation(int i, const Activation& activation) {
    if (activation.kind != ActivationKind::Relu && activation.kind != ActivationKind::Relu6) return keep(i);
    const int producer = sole_producer(i);
    Clamp* clamp = producer >= 0 ? clamp_of(producer) : nullptr;
    if (clamp == nullptr) return keep(i);
    // One after the other, the tighter clamp wins: min(6, max(0, max(0, x))) = min(6, max(0, x)).
    if (*clamp != Clamp::Relu6) *clamp = activation.kind == ActivationKind::Relu ? Clamp::Relu : Clamp::Relu6;
    return producer;
  }

  // Which input of a product is a softmax that nobody else reads, of the shape of the other input; -1: none.
  int attention_side(const Node& mul) const {
    for (const size_t side : {0, 1}) {
      const int attention = mul.inputs[side], value = mul.inputs[1 - side];
      if (std::holds_alternative<Softmax>(node(attention).op) && values_[at(attention)].uses == 1 &&
          shape(attention) == shape(value))
        return static_cast<int>(side);
    }
    return -1;
  }

  bool joins_its_reader(int softmax) const {
    if (values_[at(softmax)].uses != 1 || spec_.is_output(softmax)) return false;
    const Node& reader = node(values_[at(softmax)].last_reader);
    if (!std::holds_alternative<Mul>(reader.op)) return false;
    const int side = attention_side(reader);
    return side >= 0 && reader.inputs[at(side)] == softmax;
  }

  int lowered_mul(int i) {
    const Inputs& inputs = node(i).inputs;
    const int side = attention_side(node(i));
    if (side < 0) return keep(i);
    const Node& attention = node(inputs[at(side)]);
    const auto& softmax = std::get<Softmax>(attention.op);
    return keep_as(i, SoftmaxMul{softmax.axis, softmax.rescale, Clamp::None},
                   {attention.inputs[0], inputs[at(1 - side)]});
  }

  const Spec& spec_;
  const Analysis& analysis_;
  Liveness live_;
  std::vector<Value> values_;
  Spec result_;
  std::vector<NodeCost> costs_;  // of the result
  Parameters parameters_;
};

// Cheap: fuse_branches() finds nothing unless two batch norms that go back to one value meet in a sum.
bool may_have_branches(const Spec& spec) {
  const auto source = [&](int i) {  // of the branch that ends in node i; -1: no branch
    if (!std::holds_alternative<BatchNorm>(spec.node(i).op)) return -1;
    const int producer = spec.node(i).inputs[0];
    return std::holds_alternative<Conv2d>(spec.node(producer).op) ? spec.node(producer).inputs[0] : producer;
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
  Analysis cost;
  Spec result = lowering.run(cost);
  validate(result);
  if (weights != nullptr) *weights = std::move(lowering.weights());
  return result;
}

Spec lowered_structure(const Spec& spec, const Analysis& given, Analysis& cost) {
  if (!may_have_branches(spec)) return Lowering(spec, given, std::nullopt).run(cost);
  const Spec fused = fuse_branches(spec, nullptr);
  const Analysis analysis = analyze(fused);
  return Lowering(fused, analysis, std::nullopt).run(cost);
}

}  // namespace condenser::arch
