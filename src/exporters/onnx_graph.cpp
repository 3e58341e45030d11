// A lowered Spec as a graph of ONNX, in floats or in QDQ, and the checks of libonnx.
#include <onnx/checker.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <set>

#include "condenser/arch/analysis.hpp"
#include "exporters/onnx.hpp"

namespace condenser::exporters {
namespace {

using arch::Shape;

constexpr int kOpset = 13, kIr = 7;  // scales per channel need opset 13; libonnx of Debian 12 knows IR 8

template <class T>
void set_raw(onnx::TensorProto& tensor, std::span<const T> values) {
  tensor.set_raw_data(values.data(), values.size_bytes());
}

class GraphWriter {
 public:
  GraphWriter(const arch::Spec& spec, const arch::Weights& weights, const runtime::QuantParams* quant, bool is_unsigned)
      : spec_(spec), weights_(weights), quant_(quant), unsigned_(is_unsigned), analysis_(arch::analyze(spec)) {}

  std::string run() {
    begin();
    declare(*graph_->add_input(), "input", spec_.input, 4, onnx::TensorProto::FLOAT);
    emit_all();
    for (size_t k = 0; k < spec_.output_count(); ++k) {
      const int id = spec_.output(k);
      const size_t rank = shape(id).h * shape(id).w == 1 ? 2 : 4;
      const std::string name = spec_.output_count() == 1 ? "output" : "output_" + std::to_string(k);
      node("Identity", {read(id, rank)}, name);
      declare(*graph_->add_output(), name, shape(id), rank, onnx::TensorProto::FLOAT);
    }
    return model_.SerializeAsString();
  }

  OnnxNodes run_apart() {
    begin();
    apart_ = true;
    emit_all();
    nodes_.model = model_.SerializeAsString();
    return nodes_;
  }

 private:
  void begin() {
    model_.set_ir_version(kIr);
    model_.set_producer_name("condenser");
    model_.add_opset_import()->set_version(kOpset);
    auto* hash = model_.add_metadata_props();
    hash->set_key("lowered_hash");
    hash->set_value(arch::hash(spec_).hex());
    graph_ = model_.mutable_graph();
    graph_->set_name(spec_.name.empty() ? "network" : spec_.name);
  }

  void emit_all() {
    values_.resize(spec_.nodes.size());
    for (size_t i = 0; i < spec_.nodes.size(); ++i) {
      id_ = static_cast<int>(i);
      emit(spec_.nodes[i]);
    }
  }

  struct Value {
    std::string name;   // in QDQ of the integers
    size_t rank = 4;    // 2: [n, c]
    std::string other;  // the same in the other rank; empty: not made yet
  };

  const Shape& shape(int id) const { return analysis_.node(id).shape; }
  const std::string& name() const { return spec_.node(id_).name; }
  const arch::Inputs& inputs() const { return spec_.node(id_).inputs; }
  const arch::Tensor& weight(const char* param) const { return weights_.at(name() + "." + param); }
  bool has(const char* param) const { return weights_.tensors.contains(name() + "." + param); }

  static void declare(onnx::ValueInfoProto& info, const std::string& name, const Shape& s, size_t rank, int element) {
    info.set_name(name);
    auto* type = info.mutable_type()->mutable_tensor_type();
    type->set_elem_type(element);
    type->mutable_shape()->add_dim()->set_dim_param("n");
    for (const int64_t extent : {s.c, s.h, s.w})
      if (type->shape().dim_size() < static_cast<int>(rank)) type->mutable_shape()->add_dim()->set_dim_value(extent);
  }

  onnx::NodeProto& node(const char* op, const std::vector<std::string>& inputs, const std::string& output) {
    onnx::NodeProto& proto = *graph_->add_node();
    proto.set_op_type(op);
    proto.set_name(output);
    for (const std::string& input : inputs) proto.add_input(input);
    proto.add_output(output);
    return proto;
  }

  static onnx::AttributeProto& attribute(onnx::NodeProto& node, const char* name,
                                         onnx::AttributeProto::AttributeType type) {
    onnx::AttributeProto& proto = *node.add_attribute();
    proto.set_name(name);
    proto.set_type(type);
    return proto;
  }
  static void set(onnx::NodeProto& node, const char* name, int64_t value) {
    attribute(node, name, onnx::AttributeProto::INT).set_i(value);
  }
  static void set(onnx::NodeProto& node, const char* name, double value) {
    attribute(node, name, onnx::AttributeProto::FLOAT).set_f(static_cast<float>(value));
  }
  static void set(onnx::NodeProto& node, const char* name, const char* value) {
    attribute(node, name, onnx::AttributeProto::STRING).set_s(value);
  }
  static void set(onnx::NodeProto& node, const char* name, std::initializer_list<int64_t> values) {
    onnx::AttributeProto& proto = attribute(node, name, onnx::AttributeProto::INTS);
    for (const int64_t v : values) proto.add_ints(v);
  }

  // Constants, named after the node where they are its own.
  onnx::TensorProto& constant(const std::string& name, int type, const std::vector<int64_t>& dims) {
    onnx::TensorProto& tensor = *graph_->add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(type);
    for (const int64_t n : dims) tensor.add_dims(n);
    return tensor;
  }
  std::string floats(const std::string& name, const std::vector<int64_t>& dims, const std::vector<float>& values) {
    set_raw(constant(name, onnx::TensorProto::FLOAT, dims), std::span<const float>(values));
    return name;
  }
  std::string integers(const std::string& name, const std::vector<int64_t>& values) {
    set_raw(constant(name, onnx::TensorProto::INT64, {static_cast<int64_t>(values.size())}),
            std::span<const int64_t>(values));
    return name;
  }

  // Scale and zero point of a node's values.
  std::vector<std::string> quant_of(int id) {
    const std::string& of = spec_.node(id).name;
    const std::string scale = of + "_scale", zero = of + "_zero_point";
    if (!made_.insert(of).second) return {scale, zero};
    const runtime::TensorQuant& q = quant_->nodes.at(of).output;
    floats(scale, {}, {static_cast<float>(q.scale)});
    const auto byte = static_cast<char>(unsigned_ ? q.zero_point + 128 : q.zero_point);
    constant(zero, unsigned_ ? onnx::TensorProto::UINT8 : onnx::TensorProto::INT8, {})
        .set_raw_data(std::string(1, byte));
    return {scale, zero};
  }

  std::string quantized(const std::string& floats, int id, const std::string& output) {
    const auto q = quant_of(id);
    node("QuantizeLinear", {floats, q[0], q[1]}, output);
    return output;
  }

  // Every reader has its own DequantizeLinear: then runtimes find the integer operators between them.
  std::string dequantized(const std::string& integers, int id) {
    const auto q = quant_of(id);
    const std::string output = integers + "_dq" + std::to_string(readers_++);
    node("DequantizeLinear", {integers, q[0], q[1]}, output);
    return output;
  }

  std::string ranked(const std::string& input, int id, size_t rank, const std::string& output) {
    const Shape& s = shape(id);
    if (rank == 2) {
      set(node("Flatten", {input}, output), "axis", int64_t{1});
    } else {
      node("Reshape", {input, integers(output + "_shape", {-1, s.c, s.h, s.w})}, output);
    }
    return output;
  }

  // The value of a node in floats.
  std::string read(int id, size_t rank = 4) {
    Value& value = values_[static_cast<size_t>(id)];
    if (apart_ && std::ranges::find(nodes_.read, id) == nodes_.read.end()) {
      nodes_.read.push_back(id);
      declare(*graph_->add_input(), value.name, shape(id), value.rank, element());
    }
    std::string stored = value.name;
    if (value.rank != rank) {
      if (value.other.empty()) {
        const std::string made = spec_.node(id).name + (rank == 2 ? "_vector" : "_map");
        if (quant_ != nullptr)
          value.other = quantized(ranked(dequantized(value.name, id), id, rank, made), id, made + "_q");
        else
          value.other = ranked(value.name, id, rank, made);
      }
      stored = value.other;
    }
    return quant_ != nullptr ? dequantized(stored, id) : stored;
  }

  int element() const { return unsigned_ ? onnx::TensorProto::UINT8 : onnx::TensorProto::INT8; }

  void keep(const std::string& floats, size_t rank = 4) {
    Value& value = values_[static_cast<size_t>(id_)];
    value = {floats, rank, ""};
    if (apart_) {
      value.name = step("given");
      if (id_ == 0) return;
      nodes_.made.push_back(id_);
      declare(*graph_->add_output(), quantized(floats, id_, step("q")), shape(id_), rank, element());
    } else if (quant_ != nullptr) {
      value.name = quantized(floats, id_, step("q"));
    }
  }

  // The name of a step on the way to the node's value.
  std::string step(const char* what) const { return name() + "_" + what; }

  std::string clamped(std::string value, arch::Clamp clamp) {
    if (clamp == arch::Clamp::None) return value;
    if (clamp == arch::Clamp::Relu) {
      node("Relu", {value}, step("relu"));
      return step("relu");
    }
    node("Clip", {value, floats(step("low"), {}, {0}), floats(step("high"), {}, {6})}, step("clip"));
    return step("clip");
  }

  // Weights and bias as the operator reads them.
  std::vector<std::string> parameters(int input) {
    std::vector<std::string> names;
    const arch::Tensor& w = weight("weight");
    if (quant_ == nullptr) {
      for (const char* param : {"weight", "bias"})
        if (has(param)) {
          const auto values = weight(param).f32();
          names.push_back(floats(name() + "." + param, weight(param).shape, {values.begin(), values.end()}));
        }
      return names;
    }
    const std::vector<double>& scales = quant_->nodes.at(name()).weight_scales;
    const auto channels = static_cast<int64_t>(scales.size());
    set_raw(constant(name() + ".weight", onnx::TensorProto::INT8, w.shape), w.i8());
    names.push_back(scaled_constant("weight", onnx::TensorProto::INT8, channels, {scales.begin(), scales.end()}));
    if (!has("bias")) return names;
    set_raw(constant(name() + ".bias", onnx::TensorProto::INT32, {channels}), weight("bias").i32());
    std::vector<float> bias_scales;
    const auto in = static_cast<float>(quant_->nodes.at(spec_.node(input).name).output.scale);
    for (const double s : scales) bias_scales.push_back(in * static_cast<float>(s));
    names.push_back(scaled_constant("bias", onnx::TensorProto::INT32, channels, bias_scales));
    return names;
  }

  std::string scaled_constant(const char* param, int type, int64_t channels, const std::vector<float>& scales) {
    const std::string of = name() + "." + param;
    floats(of + "_scale", {channels}, scales);
    const size_t bytes = static_cast<size_t>(channels) * (type == onnx::TensorProto::INT32 ? 4 : 1);
    constant(of + "_zero_point", type, {channels}).set_raw_data(std::string(bytes, '\0'));
    set(node("DequantizeLinear", {of, of + "_scale", of + "_zero_point"}, of + "_dq"), "axis", int64_t{0});
    return of + "_dq";
  }

  template <class Window>
  static void set_window(onnx::NodeProto& proto, const Window& w) {
    set(proto, "kernel_shape", {w.kernel.h, w.kernel.w});
    set(proto, "strides", {w.stride.h, w.stride.w});
    set(proto, "pads", {w.pad.top, w.pad.left, w.pad.bottom, w.pad.right});
  }

  void with_parameters(const char* op, const std::string& input, std::string output,
                       const std::function<void(onnx::NodeProto&)>& attributes) {
    std::vector<std::string> names = parameters(inputs()[0]);
    names.insert(names.begin(), input);
    attributes(node(op, names, output));
  }

  std::string gate(const char* op, const std::string& input) {
    onnx::NodeProto& proto = node(op, {input}, step("gate"));
    if (std::strcmp(op, "HardSigmoid") == 0) {
      set(proto, "alpha", 1.0 / 6);
      set(proto, "beta", 0.5);
    }
    return step("gate");
  }

  void activation(arch::ActivationKind kind) {
    using Kind = arch::ActivationKind;
    const size_t rank = values_[static_cast<size_t>(inputs()[0])].rank;
    const std::string input = read(inputs()[0], rank);
    const auto plain = [&](const char* op) { node(op, {input}, name()); };
    const auto gated = [&](const char* op) { node("Mul", {input, gate(op, input)}, name()); };
    switch (kind) {
      case Kind::Relu: plain("Relu"); break;
      case Kind::Relu6: return keep(clamped(input, arch::Clamp::Relu6), rank);
      case Kind::Silu: gated("Sigmoid"); break;
      case Kind::Sigmoid: plain("Sigmoid"); break;
      case Kind::HardSwish: gated("HardSigmoid"); break;
      case Kind::HardSigmoid: return keep(gate("HardSigmoid", input), rank);
      case Kind::Tanh: plain("Tanh"); break;
    }
    keep(name(), rank);
  }

  // Probabilities, times the number of terms where the network wants that.
  std::string softmax(const std::string& input, const Shape& s, arch::SoftmaxAxis axis, bool rescale) {
    std::string value = step("softmax");
    if (axis == arch::SoftmaxAxis::Channels) {
      set(node("Softmax", {input}, value), "axis", int64_t{1});
    } else {
      node("Reshape", {input, integers(step("lines_shape"), {-1, s.c, s.h * s.w})}, step("lines"));
      set(node("Softmax", {step("lines")}, step("line_softmax")), "axis", int64_t{2});
      node("Reshape", {step("line_softmax"), integers(step("map_shape"), {-1, s.c, s.h, s.w})}, value);
    }
    if (!rescale) return value;
    const auto terms = static_cast<float>(axis == arch::SoftmaxAxis::Channels ? s.c : s.h * s.w);
    node("Mul", {value, floats(step("terms"), {}, {terms})}, step("rescaled"));
    return step("rescaled");
  }

  void blur(const arch::BlurPool& op) {
    const int64_t c = shape(inputs()[0]).c, side = op.taps / 2;
    const std::vector<float> line = op.taps == 3 ? std::vector<float>{1, 2, 1} : std::vector<float>{1, 4, 6, 4, 1};
    const float norm = op.taps == 3 ? 16.0F : 256.0F;
    std::vector<float> filter;
    for (int64_t k = 0; k < c; ++k)
      for (const float y : line)
        for (const float x : line) filter.push_back(y * x / norm);
    set(node("Pad", {read(inputs()[0]), integers(step("pads"), {0, 0, side, side, 0, 0, side, side})},
             step("mirrored")),
        "mode", "reflect");
    onnx::NodeProto& conv =
        node("Conv", {step("mirrored"), floats(step("filter"), {c, 1, op.taps, op.taps}, filter)}, name());
    set(conv, "group", c);
    set(conv, "strides", {op.stride.h, op.stride.w});
    keep(name());
  }

  void emit(const arch::Node& n) {
    const auto in = [&](size_t k = 0) { return read(n.inputs[k]); };
    const auto in_shape = [&](size_t k = 0) { return shape(n.inputs[k]); };
    arch::visit(
        n.op,
        arch::Overloaded{
            [&](const arch::Input&) { keep("input"); },
            [&](const arch::Conv2d& op) {
              with_parameters("Conv", in(), name(), [&](onnx::NodeProto& proto) {
                set_window(proto, op);
                set(proto, "group", int64_t{op.groups});
              });
              keep(clamped(name(), op.clamp));
            },
            [&](const arch::BatchNorm&) {
              throw arch::SpecError(n.name, "batch norm is folded by lower(); lower the Spec first");
            },
            [&](const arch::Activation& op) { activation(op.kind); },
            [&](const arch::Softmax& op) { keep(softmax(in(), in_shape(), op.axis, op.rescale)); },
            [&](const arch::SoftmaxMul& op) {
              const std::string factor = softmax(in(0), in_shape(), op.axis, op.rescale);
              node("Mul", {factor, in(1)}, name());
              keep(clamped(name(), op.clamp));
            },
            [&](const arch::AvgPool& op) {
              onnx::NodeProto& proto = node("AveragePool", {in()}, name());
              set_window(proto, op);
              set(proto, "count_include_pad", int64_t{op.count_include_pad});
              keep(name());
            },
            [&](const arch::MaxPool& op) {
              set_window(node("MaxPool", {in()}, name()), op);
              keep(name());
            },
            [&](const arch::GlobalAvgPool&) {
              node("GlobalAveragePool", {in()}, name());
              keep(name());
            },
            [&](const arch::Linear& op) {
              with_parameters("Gemm", read(n.inputs[0], 2), name(),
                              [&](onnx::NodeProto& proto) { set(proto, "transB", int64_t{1}); });
              keep(clamped(name(), op.clamp), 2);
            },
            [&](const arch::Add& op) {
              node("Add", {in(0), in(1)}, name());
              keep(clamped(name(), op.clamp));
            },
            [&](const arch::Mul&) {
              node("Mul", {in(0), in(1)}, name());
              keep(name());
            },
            [&](const arch::PRelu&) {
              const int64_t c = in_shape().c;
              std::vector<float> slopes;
              if (quant_ == nullptr) {
                slopes.assign(weight("weight").f32().begin(), weight("weight").f32().end());
                node("PRelu", {in(), floats(n.name + ".weight", {c, 1, 1}, slopes)}, name());
              } else {
                const std::string of = n.name + ".weight";
                set_raw(constant(of, onnx::TensorProto::INT8, {c, 1, 1}), weight("weight").i8());
                floats(of + "_scale", {}, {static_cast<float>(quant_->nodes.at(n.name).weight_scales[0])});
                constant(of + "_zero_point", onnx::TensorProto::INT8, {}).set_raw_data(std::string(1, '\0'));
                node("DequantizeLinear", {of, of + "_scale", of + "_zero_point"}, of + "_dq");
                node("PRelu", {in(), of + "_dq"}, name());
              }
              keep(name());
            },
            [&](const arch::Scale&) {
              node("Mul", {in(), floats(n.name + ".weight", {}, {weight("weight").f32()[0]})}, name());
              keep(name());
            },
            [&](const arch::BlurPool& op) { blur(op); },
            [&](const arch::Upsample& op) {
              const auto factor = [](int64_t to, int64_t from) {
                return static_cast<float>(to) / static_cast<float>(from);
              };
              const Shape s = in_shape();
              onnx::NodeProto& proto =
                  node("Resize",
                       {in(), "", floats(step("factors"), {4}, {1, 1, factor(op.size.h, s.h), factor(op.size.w, s.w)})},
                       name());
              set(proto, "mode", "nearest");
              set(proto, "coordinate_transformation_mode", "asymmetric");
              set(proto, "nearest_mode", "floor");
              keep(name());
            },
            [&](const arch::Concat&) {
              std::vector<std::string> parts;
              for (size_t k = 0; k < n.inputs.size(); ++k) parts.push_back(in(k));
              set(node("Concat", parts, name()), "axis", int64_t{1});
              keep(name());
            },
            [&](const arch::Slice& op) {
              const std::string begin = integers(step("begin"), {op.begin}),
                                end = integers(step("end"), {op.begin + op.count});
              node("Slice", {in(), begin, end, integers(step("axis"), {1})}, name());
              keep(name());
            },
            [&](const arch::ChannelShuffle& op) {
              const Shape s = in_shape();
              node("Reshape", {in(), integers(step("groups_shape"), {-1, op.groups, s.c / op.groups, s.h, s.w})},
                   step("groups"));
              set(node("Transpose", {step("groups")}, step("exchanged")), "perm", {0, 2, 1, 3, 4});
              node("Reshape", {step("exchanged"), integers(step("joined_shape"), {-1, s.c, s.h, s.w})}, name());
              keep(name());
            },
        });
  }

  const arch::Spec& spec_;
  const arch::Weights& weights_;
  const runtime::QuantParams* quant_;
  bool unsigned_;
  arch::Analysis analysis_;
  onnx::ModelProto model_;
  onnx::GraphProto* graph_ = nullptr;
  std::vector<Value> values_;
  std::set<std::string> made_;
  int readers_ = 0;
  bool apart_ = false;
  OnnxNodes nodes_;
  int id_ = 0;  // of the node that is written
};

}  // namespace

std::string onnx_model(const arch::Spec& spec, const arch::Weights& weights, const runtime::QuantParams* quant,
                       const std::string& activations) {
  return GraphWriter(spec, weights, quant, activations == "uint8").run();
}

OnnxNodes onnx_nodes(const arch::Spec& spec, const arch::Weights& weights, const runtime::QuantParams& quant,
                     const std::string& activations) {
  return GraphWriter(spec, weights, &quant, activations == "uint8").run_apart();
}

void check_onnx(const std::string& bytes) {
  onnx::ModelProto model;
  if (!model.ParseFromString(bytes)) throw core::Error("an ONNX model that was written cannot be read");
  try {
    onnx::checker::check_model(model);
    const onnx::ShapeInferenceOptions strict{true, 1, true};
    onnx::shape_inference::InferShapes(model, onnx::OpSchemaRegistry::Instance(), strict);
  } catch (const std::exception& e) {
    throw core::Error(std::string("an ONNX model that was written is not valid: ") + e.what());
  }
}

}  // namespace condenser::exporters
