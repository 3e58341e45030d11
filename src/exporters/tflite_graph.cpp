// A lowered Spec as a graph of TensorFlow Lite, in floats or in int8.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "condenser/arch/analysis.hpp"
#include "exporters/tflite.hpp"
#include "exporters/tflite_file.hpp"

namespace condenser::exporters {
namespace {

namespace format = core::tflite;
using arch::Shape;
using format::Type;

// The pads that SAME stands for: as many as a window at each stride-th pixel needs, the smaller part before.
arch::Pad same_pad(const Shape& in, const arch::Size& kernel, const arch::Size& stride) {
  const auto along = [](int64_t size, int window, int step, int& before, int& after) {
    const int64_t total = std::max<int64_t>(((size + step - 1) / step - 1) * step + window - size, 0);
    before = static_cast<int>(total / 2);
    after = static_cast<int>(total - total / 2);
  };
  arch::Pad pad;
  along(in.h, kernel.h, stride.h, pad.top, pad.bottom);
  along(in.w, kernel.w, stride.w, pad.left, pad.right);
  return pad;
}

// TensorFlow Lite finds the source of an output pixel in single precision.
bool same_neighbours(int64_t from, int64_t to) {
  const float step = static_cast<float>(from) / static_cast<float>(to);
  for (int64_t i = 0; i < to; ++i)
    if (std::min(static_cast<int64_t>(std::floor(static_cast<float>(i) * step)), from - 1) != i * from / to)
      return false;
  return true;
}

template <class T>
std::string bytes_of(std::span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

// [out, in / groups, h, w] -> [out, h, w, in / groups]; of depthwise filters [out, 1, h, w] -> [h, w, out].
template <class T>
std::vector<T> packed(std::span<const T> values, const std::vector<int64_t>& dims, bool depthwise) {
  const int64_t out = dims[0], in = dims.size() > 1 ? dims[1] : 1, area = dims.size() > 2 ? dims[2] * dims[3] : 1;
  std::vector<T> result(values.size());
  for (int64_t o = 0; o < out; ++o)
    for (int64_t i = 0; i < in; ++i)
      for (int64_t k = 0; k < area; ++k)
        result[static_cast<size_t>(depthwise ? k * out + o : (o * area + k) * in + i)] =
            values[static_cast<size_t>((o * in + i) * area + k)];
  return result;
}

class GraphWriter {
 public:
  GraphWriter(const arch::Spec& spec, const arch::Weights& weights, const runtime::QuantParams* quant)
      : spec_(spec), weights_(weights), quant_(quant), analysis_(arch::analyze(spec)), values_(spec.nodes.size(), -1) {
    model_.description = "condenser " + arch::hash(spec).hex();
  }

  TfliteModel run() {
    emit_all();
    model_.inputs = {values_[0]};
    for (size_t k = 0; k < spec_.output_count(); ++k) {
      id_ = spec_.output(k);
      int tensor = values_[static_cast<size_t>(id_)];
      if (shape(id_).h * shape(id_).w == 1) {  // a list for those who read it
        const auto c = static_cast<int32_t>(shape(id_).c);
        const int list = add_value(spec_.output_count() == 1 ? "output" : "output_" + std::to_string(k), {1, c}, id_);
        op("RESHAPE", {tensor, ints(step("shape"), {1, c})}, list);
        tensor = list;
      }
      model_.outputs.push_back(tensor);
    }
    return {tflite_file::to_bytes(model_), float_nodes_};
  }

  TfliteNodes run_apart() {
    apart_ = true;
    emit_all();
    nodes_.bytes = tflite_file::to_bytes(model_);
    return nodes_;
  }

 private:
  using Options = std::vector<std::pair<const char*, double>>;

  const Shape& shape(int id) const { return analysis_.node(id).shape; }
  const arch::Node& node() const { return spec_.node(id_); }
  const Shape& in_shape(size_t k = 0) const { return shape(node().inputs[k]); }
  const arch::Tensor& weight(const char* param) const { return weights_.at(node().name + "." + param); }
  std::string step(const char* what) const { return node().name + "_" + what; }
  const runtime::TensorQuant& quant_of(int id) const { return quant_->nodes.at(spec_.node(id).name).output; }

  static std::vector<int32_t> dims(const Shape& s) {
    return {1, static_cast<int32_t>(s.h), static_cast<int32_t>(s.w), static_cast<int32_t>(s.c)};
  }

  int add(tflite_file::Tensor tensor) {
    model_.tensors.push_back(std::move(tensor));
    return static_cast<int>(model_.tensors.size()) - 1;
  }

  int add_floats(const std::string& name, std::vector<int32_t> shape) {
    return add(
        {.name = name, .type = Type::Float32, .shape = std::move(shape), .data = "", .scales = {}, .zero_points = {}});
  }

  // Stored as the values of node `id` are.
  int add_value(const std::string& name, std::vector<int32_t> shape, int id) {
    if (quant_ == nullptr) return add_floats(name, std::move(shape));
    const runtime::TensorQuant& q = quant_of(id);
    return add({.name = name,
                .type = Type::Int8,
                .shape = std::move(shape),
                .data = "",
                .scales = {static_cast<float>(q.scale)},
                .zero_points = {q.zero_point}});
  }

  int constant(const std::string& name, Type type, std::vector<int32_t> shape, std::string data,
               std::vector<float> scales = {}, int axis = 0) {
    std::vector<int64_t> zeros(scales.size(), 0);
    return add({name, type, std::move(shape), std::move(data), std::move(scales), std::move(zeros), axis});
  }

  int ints(const std::string& name, const std::vector<int32_t>& values, std::vector<int32_t> shape = {}) {
    if (shape.empty()) shape = {static_cast<int32_t>(values.size())};
    return constant(name, Type::Int32, std::move(shape), bytes_of(std::span<const int32_t>(values)));
  }

  int number(const std::string& name, float value) {
    return constant(name, Type::Float32, {1}, bytes_of(std::span<const float>(&value, 1)));
  }

  void op(const char* name, std::vector<int> inputs, int output, Options options = {}) {
    model_.operators.push_back({name, std::move(inputs), {output}, std::move(options)});
  }

  void emit_all() {
    for (size_t i = 0; i < spec_.nodes.size(); ++i) {
      id_ = static_cast<int>(i);
      if (i > 0 || !apart_) result_ = add_value(node().name, dims(shape(id_)), id_);
      if (!apart_) values_[i] = result_;
      if (apart_ && i > 0) {
        nodes_.made.push_back(id_);
        model_.outputs.push_back(result_);
      }
      emit(node());
    }
  }

  // The value of a node that is read.
  int value(size_t k = 0) {
    const int id = node().inputs[k];
    int& tensor = values_[static_cast<size_t>(id)];
    if (tensor < 0) {
      tensor = add_value(spec_.node(id).name + "_given", dims(shape(id)), id);
      nodes_.read.push_back(id);
      model_.inputs.push_back(tensor);
    }
    return tensor;
  }

  // What TensorFlow Lite has no exact integers for: values in floats, from the node's inputs to its output.
  void in_floats(const std::function<void(const std::vector<int>& inputs, int output)>& compute) {
    std::vector<int> inputs;
    for (size_t k = 0; k < node().inputs.size(); ++k) inputs.push_back(value(k));
    if (quant_ == nullptr) return compute(inputs, result_);
    float_nodes_.push_back(node().name);
    for (size_t k = 0; k < inputs.size(); ++k) {
      const int floats = add_floats(step(k == 0 ? "floats" : "floats_2"), dims(in_shape(k)));
      op("DEQUANTIZE", {inputs[k]}, floats);
      inputs[k] = floats;
    }
    const int output = add_floats(step("result"), dims(shape(id_)));
    compute(inputs, output);
    op("QUANTIZE", {output}, result_);
  }

  static double activation(arch::Clamp clamp) {
    return clamp == arch::Clamp::None ? format::kNone : clamp == arch::Clamp::Relu ? format::kRelu : format::kRelu6;
  }

  int padding_list(const arch::Pad& pad) {
    return ints(step("pads"), {0, 0, pad.top, pad.bottom, pad.left, pad.right, 0, 0}, {4, 2});
  }

  // The input with its border, which holds zeros, or the least value where maxima are taken.
  int padded(const arch::Pad& pad, bool least) {
    const Shape& in = in_shape();
    const int from = value();
    const int to = add_value(step("padded"), dims({in.c, in.h + pad.top + pad.bottom, in.w + pad.left + pad.right}),
                             node().inputs[0]);
    if (!least) {
      op("PAD", {from, padding_list(pad)}, to);
      return to;
    }
    const float lowest = std::numeric_limits<float>::lowest();
    tflite_file::Tensor fill = model_.tensors[static_cast<size_t>(to)];
    fill.name = step("least");
    fill.shape = {1};
    fill.data = quant_ != nullptr ? std::string(1, '\x80') : bytes_of(std::span<const float>(&lowest, 1));
    op("PADV2", {from, padding_list(pad), add(std::move(fill))}, to);
    return to;
  }

  struct Placed {
    int input = 0;
    double padding = format::kValid;
  };

  template <class Window>
  Placed placed(const Window& w, bool least = false) {
    if (w.pad == arch::Pad{}) return {value(), format::kValid};
    if (w.pad == same_pad(in_shape(), w.kernel, w.stride)) return {value(), format::kSame};
    return {padded(w.pad, least), format::kValid};
  }

  // Weights and bias, which TensorFlow Lite asks for. `shape`: of the weights as they lie there.
  std::vector<int> parameters(std::vector<int32_t> shape, bool depthwise) {
    const arch::Tensor& w = weight("weight");
    const auto out = static_cast<int32_t>(w.shape[0]);
    const bool has_bias = weights_.tensors.contains(node().name + ".bias");
    if (quant_ == nullptr) {
      const std::vector<float> values = packed(w.f32(), w.shape, depthwise);
      std::vector<float> bias(static_cast<size_t>(out), 0.0F);
      if (has_bias) std::ranges::copy(weight("bias").f32(), bias.begin());
      return {constant(step("weight"), Type::Float32, std::move(shape), bytes_of(std::span<const float>(values))),
              constant(step("bias"), Type::Float32, {out}, bytes_of(std::span<const float>(bias)))};
    }
    const std::vector<int8_t> values = packed(w.i8(), w.shape, depthwise);
    std::vector<int32_t> bias(static_cast<size_t>(out), 0);
    if (has_bias) std::ranges::copy(weight("bias").i32(), bias.begin());
    const std::vector<double>& by_channel = quant_->nodes.at(node().name).weight_scales;
    const std::vector<float> scales(by_channel.begin(), by_channel.end());
    std::vector<float> bias_scales;
    for (const float scale : scales)
      bias_scales.push_back(static_cast<float>(quant_of(node().inputs[0]).scale) * scale);
    return {constant(step("weight"), Type::Int8, std::move(shape), bytes_of(std::span<const int8_t>(values)), scales,
                     depthwise ? 3 : 0),
            constant(step("bias"), Type::Int32, {out}, bytes_of(std::span<const int32_t>(bias)), bias_scales)};
  }

  void convolution(const arch::Conv2d& c) {
    const auto in = static_cast<int32_t>(in_shape().c);
    const bool depthwise = in > 1 && arch::depthwise(c, in_shape());
    const Placed from = placed(c);
    std::vector<int> inputs = depthwise ? parameters({1, c.kernel.h, c.kernel.w, c.out}, true)
                                        : parameters({c.out, c.kernel.h, c.kernel.w, in / c.groups}, false);
    inputs.insert(inputs.begin(), from.input);
    Options options{{"padding", from.padding},           {"stride_w", c.stride.w}, {"stride_h", c.stride.h},
                    {"activation", activation(c.clamp)}, {"dilation_w", 1},        {"dilation_h", 1}};
    if (depthwise) options.emplace_back("depth_multiplier", c.out / in);
    op(depthwise ? "DEPTHWISE_CONV_2D" : "CONV_2D", inputs, result_, options);
  }

  // As a convolution of one pixel, which has a scale per channel everywhere and rounds as all convolutions do.
  void linear(const arch::Linear& l) {
    std::vector<int> inputs = parameters({l.out, 1, 1, static_cast<int32_t>(in_shape().c)}, false);
    inputs.insert(inputs.begin(), value());
    op("CONV_2D", inputs, result_,
       {{"padding", format::kValid},
        {"stride_w", 1},
        {"stride_h", 1},
        {"activation", activation(l.clamp)},
        {"dilation_w", 1},
        {"dilation_h", 1}});
  }

  void pool(const char* name, const Placed& from, const arch::Size& kernel, const arch::Size& stride) {
    op(name, {from.input}, result_,
       {{"padding", from.padding},
        {"stride_w", stride.w},
        {"stride_h", stride.h},
        {"filter_w", kernel.w},
        {"filter_h", kernel.h}});
  }

  void average(const arch::AvgPool& pool) {
    const bool zeros_count = pool.count_include_pad && pool.pad != arch::Pad{};
    this->pool("AVERAGE_POOL_2D", zeros_count ? Placed{padded(pool.pad, false), format::kValid} : placed(pool),
               pool.kernel, pool.stride);
  }

  void activation(arch::ActivationKind kind) {
    using Kind = arch::ActivationKind;
    const bool clamps = kind == Kind::Relu || kind == Kind::Relu6;
    if (clamps && (quant_ == nullptr || quant_of(id_) == quant_of(node().inputs[0])))
      return op(kind == Kind::Relu ? "RELU" : "RELU6", {value()}, result_);
    in_floats([&](const std::vector<int>& x, int y) {
      const std::vector<int32_t> like = dims(shape(id_));
      switch (kind) {
        case Kind::Relu: return op("RELU", x, y);
        case Kind::Relu6: return op("RELU6", x, y);
        case Kind::Sigmoid: return op("LOGISTIC", x, y);
        case Kind::Tanh: return op("TANH", x, y);
        case Kind::HardSwish: return op("HARD_SWISH", x, y);
        case Kind::Silu: {
          const int gate = add_floats(step("gate"), like);
          op("LOGISTIC", x, gate);
          return op("MUL", {x[0], gate}, y);
        }
        case Kind::HardSigmoid: {
          const int raised = add_floats(step("raised"), like);
          op("ADD", {x[0], number(step("three"), 3)}, raised, {{"activation", format::kRelu6}});
          return op("MUL", {raised, number(step("sixth"), 1.0F / 6)}, y);
        }
      }
    });
  }

  // Probabilities, times the number of terms where the network wants that.
  void softmax(int from, int to, const Shape& s, arch::SoftmaxAxis axis, bool rescale) {
    const bool space = axis == arch::SoftmaxAxis::Space;
    const std::vector<int32_t> like = dims(s);
    const int whole = rescale ? add_floats(step("softmax"), like) : to;
    const Options options{{"beta", 1}};
    if (space) {
      const auto c = static_cast<int32_t>(s.c), h = static_cast<int32_t>(s.h), w = static_cast<int32_t>(s.w);
      const int planes = add_floats(step("planes"), {1, c, h, w}), lines = add_floats(step("lines"), {1, c, h * w}),
                soft = add_floats(step("soft_lines"), {1, c, h * w}),
                back = add_floats(step("soft_planes"), {1, c, h, w});
      op("TRANSPOSE", {from, ints(step("to_planes"), {0, 3, 1, 2})}, planes);
      op("RESHAPE", {planes, ints(step("line_shape"), {1, c, h * w})}, lines);
      op("SOFTMAX", {lines}, soft, options);
      op("RESHAPE", {soft, ints(step("plane_shape"), {1, c, h, w})}, back);
      op("TRANSPOSE", {back, ints(step("to_map"), {0, 2, 3, 1})}, whole);
    } else {
      op("SOFTMAX", {from}, whole, options);
    }
    const auto terms = static_cast<float>(space ? s.h * s.w : s.c);
    if (rescale) op("MUL", {whole, number(step("terms"), terms)}, to);
  }

  // Binomial weights are whole numbers, so that the sum is exact in integers too.
  void blur(const arch::BlurPool& blur) {
    const auto c = static_cast<int32_t>(in_shape().c);
    const int side = blur.taps / 2, pixels = blur.taps * blur.taps;
    const std::vector<int> line = blur.taps == 3 ? std::vector<int>{1, 2, 1} : std::vector<int>{1, 4, 6, 4, 1};
    const float norm = blur.taps == 3 ? 16.0F : 256.0F;
    const int from = value();
    const Shape wide{c, in_shape().h + 2 * side, in_shape().w + 2 * side};
    const int mirrored = add_value(step("mirrored"), dims(wide), node().inputs[0]);
    op("MIRROR_PAD", {from, padding_list(arch::pad_all(side))}, mirrored);
    std::vector<float> filter;
    std::vector<int8_t> integers;
    for (int k = 0; k < pixels; ++k)
      for (int i = 0; i < c; ++i) {
        const int w = line[static_cast<size_t>(k / blur.taps)] * line[static_cast<size_t>(k % blur.taps)];
        integers.push_back(static_cast<int8_t>(w));
        filter.push_back(static_cast<float>(w) / norm);
      }
    const std::vector<int32_t> filter_shape{1, blur.taps, blur.taps, c}, zeros(static_cast<size_t>(c), 0);
    int weights = 0, bias = 0;
    if (quant_ == nullptr) {
      weights = constant(step("filter"), Type::Float32, filter_shape, bytes_of(std::span<const float>(filter)));
      bias = constant(step("bias"), Type::Float32, {c}, std::string(static_cast<size_t>(c) * sizeof(float), '\0'));
    } else {
      const std::vector<float> scales(static_cast<size_t>(c), 1 / norm),
          units(static_cast<size_t>(c), static_cast<float>(quant_of(id_).scale) / norm);
      weights =
          constant(step("filter"), Type::Int8, filter_shape, bytes_of(std::span<const int8_t>(integers)), scales, 3);
      bias = constant(step("bias"), Type::Int32, {c}, bytes_of(std::span<const int32_t>(zeros)), units);
    }
    op("DEPTHWISE_CONV_2D", {mirrored, weights, bias}, result_,
       {{"padding", format::kValid},
        {"stride_w", blur.stride.w},
        {"stride_h", blur.stride.h},
        {"depth_multiplier", 1},
        {"dilation_w", 1},
        {"dilation_h", 1}});
  }

  void prelu() {
    const arch::Tensor& w = weight("weight");
    const std::vector<int32_t> like{1, 1, static_cast<int32_t>(in_shape().c)};
    const int slope = quant_ == nullptr
                          ? constant(step("slope"), Type::Float32, like, bytes_of(w.f32()))
                          : constant(step("slope"), Type::Int8, like, bytes_of(w.i8()),
                                     {static_cast<float>(quant_->nodes.at(node().name).weight_scales[0])});
    op("PRELU", {value(), slope}, result_);
  }

  // Integers under one scale: inputs of another go through QUANTIZE.
  void concat() {
    std::vector<int> parts;
    for (size_t k = 0; k < node().inputs.size(); ++k) {
      int part = value(k);
      if (quant_ != nullptr && quant_of(node().inputs[k]) != quant_of(id_)) {
        const int rescaled = add_value(step("part") + std::to_string(k), dims(in_shape(k)), id_);
        op("QUANTIZE", {part}, rescaled);
        part = rescaled;
      }
      parts.push_back(part);
    }
    op("CONCATENATION", parts, result_, {{"axis", 3}});
  }

  void shuffle(int groups) {
    const Shape& s = in_shape();
    const auto h = static_cast<int32_t>(s.h), w = static_cast<int32_t>(s.w), each = static_cast<int32_t>(s.c) / groups;
    const int apart = add_value(step("groups"), {1, h, w, groups, each}, node().inputs[0]),
              exchanged = add_value(step("exchanged"), {1, h, w, each, groups}, node().inputs[0]);
    op("RESHAPE", {value(), ints(step("groups_shape"), {1, h, w, groups, each})}, apart);
    op("TRANSPOSE", {apart, ints(step("order"), {0, 1, 2, 4, 3})}, exchanged);
    op("RESHAPE", {exchanged, ints(step("joined_shape"), dims(s))}, result_);
  }

  void emit(const arch::Node& n) {
    arch::visit(
        n.op,
        arch::Overloaded{
            [](const arch::Input&) {},
            [&](const arch::Conv2d& op) { convolution(op); },
            [&](const arch::BatchNorm&) {
              throw arch::SpecError(n.name, "batch norm is folded by lower(); lower the Spec first");
            },
            [&](const arch::Activation& op) { activation(op.kind); },
            [&](const arch::Softmax& soft) {
              in_floats(
                  [&](const std::vector<int>& x, int y) { softmax(x[0], y, in_shape(), soft.axis, soft.rescale); });
            },
            [&](const arch::SoftmaxMul& product) {
              in_floats([&](const std::vector<int>& x, int y) {
                const int factor = add_floats(step("factor"), dims(in_shape()));
                softmax(x[0], factor, in_shape(), product.axis, product.rescale);
                op("MUL", {factor, x[1]}, y, {{"activation", activation(product.clamp)}});
              });
            },
            [&](const arch::AvgPool& op) { average(op); },
            [&](const arch::MaxPool& op) { pool("MAX_POOL_2D", placed(op, true), op.kernel, op.stride); },
            [&](const arch::GlobalAvgPool&) {
              const arch::Size whole{static_cast<int>(in_shape().h), static_cast<int>(in_shape().w)};
              pool("AVERAGE_POOL_2D", {value(), format::kValid}, whole, whole);
            },
            [&](const arch::Linear& op) { linear(op); },
            [&](const arch::Add& add) {
              op("ADD", {value(0), value(1)}, result_, {{"activation", activation(add.clamp)}});
            },
            [&](const arch::Mul&) {
              op("MUL", {value(0), value(1)}, result_);
            },
            [&](const arch::PRelu&) { prelu(); },
            [&](const arch::Scale&) {
              in_floats([&](const std::vector<int>& x, int y) {
                op("MUL", {x[0], number(step("factor"), weight("weight").f32()[0])}, y);
              });
            },
            [&](const arch::BlurPool& op) { blur(op); },
            [&](const arch::Upsample& up) {
              op("RESIZE_NEAREST_NEIGHBOR", {value(), ints(step("size"), {up.size.h, up.size.w})}, result_);
            },
            [&](const arch::Concat&) { concat(); },
            [&](const arch::Slice& part) {
              std::vector<int32_t> size = dims(shape(id_));
              op("SLICE", {value(), ints(step("begin"), {0, 0, 0, part.begin}), ints(step("size"), size)}, result_);
            },
            [&](const arch::ChannelShuffle& op) { shuffle(op.groups); },
        });
  }

  const arch::Spec& spec_;
  const arch::Weights& weights_;
  const runtime::QuantParams* quant_;
  arch::Analysis analysis_;
  tflite_file::Model model_;
  std::vector<int> values_;  // tensors that readers of each node read; -1: not there yet
  std::vector<std::string> float_nodes_;
  bool apart_ = false;
  TfliteNodes nodes_;
  int id_ = 0;       // the node that is written
  int result_ = -1;  // the tensor that it writes
};

}  // namespace

TfliteModel tflite_model(const arch::Spec& spec, const arch::Weights& weights, const runtime::QuantParams* quant) {
  return GraphWriter(spec, weights, quant).run();
}

TfliteNodes tflite_nodes(const arch::Spec& spec, const arch::Weights& weights, const runtime::QuantParams& quant) {
  return GraphWriter(spec, weights, &quant).run_apart();
}

std::string tflite_refusal(const arch::Op& op, const std::vector<Shape>& inputs, const Shape& output) {
  if (std::holds_alternative<arch::Upsample>(op))
    if (!same_neighbours(inputs[0].h, output.h) || !same_neighbours(inputs[0].w, output.w))
      return "upsampling by a factor that TensorFlow Lite rounds in its own way";
  if (const auto* pool = std::get_if<arch::AvgPool>(&op))
    if (!pool->count_include_pad && pool->pad != arch::Pad{} &&
        pool->pad != same_pad(inputs[0], pool->kernel, pool->stride))
      return "an average that leaves its padding out, which TensorFlow Lite has for padding SAME only";
  return "";
}

}  // namespace condenser::exporters
