// quantize(): from a lowered float network and calibration samples to int8 weights, biases and scales.
// Ranges come from calibrate.cpp, rounding of weights from weight_rounding.cpp, arithmetic belongs to the kernels.
#include "condenser/quant/quantize.hpp"

#include <algorithm>
#include <cmath>

#include "condenser/arch/check_finite.hpp"
#include "condenser/core/text.hpp"
#include "quant/calibrate.hpp"
#include "quant/weight_rounding.hpp"

namespace condenser::quant {
namespace {

// Kernels multiply sums by in * w / out as a Q31 number and a shift. Above 4096 an output step would be far finer than
// a step of the sum and carry nothing; below 2^-30 no sum of int32 reaches half an output step.
constexpr double kMaxMultiplier = 4096.0;
constexpr double kMinMultiplier = 1.0 / 1073741824.0;

// Of 16 bits: symmetric.
runtime::TensorQuant grid_of(const Range& r, int bits) { return bits == 16 ? symmetric_16(r) : affine(r); }

// The same range, widened until its scale reaches `least`.
runtime::TensorQuant grid_at_least(const Range& r, int bits, double least) {
  const runtime::TensorQuant q = grid_of(r, bits);
  if (q.scale >= least) return q;
  const double factor = least / q.scale;
  runtime::TensorQuant wide = grid_of({r.low * factor, r.high * factor}, bits);
  wide.scale = std::max(wide.scale, single_precision_above(least));
  return wide;
}

class Quantizer {
 public:
  // `given`: outputs as they are there, instead of those of the calibration; may be null.
  Quantizer(const arch::Spec& lowered, const std::vector<arch::NodeCost>& costs, arch::Int16Nodes wide,
            const arch::Weights& weights, const Calibration& calibration, const runtime::QuantParams* given = nullptr)
      : spec_(lowered),
        costs_(costs),
        wide_(std::move(wide)),
        weights_(weights),
        calibration_(calibration),
        given_(given) {}

  Quantized run() {
    for (size_t i = 0; i < spec_.nodes.size(); ++i) {
      runtime::NodeQuant entry = quantize_node(i);
      result_.quant.nodes[spec_.nodes[i].name] = std::move(entry);
    }
    result_.weights.metadata = weights_.metadata;
    runtime::check_quantized(spec_, result_.weights, result_.quant);
    return std::move(result_);
  }

 private:
  runtime::NodeQuant quantize_node(size_t i) {
    const arch::Node& node = spec_.nodes[i];
    return arch::visit(node.op, arch::Overloaded{
                                    [&](const arch::Input&) { return plain(chosen(i, 0)); },
                                    [&](const arch::Conv2d& op) { return with_weights(i, op.bias, op.groups); },
                                    [&](const arch::BatchNorm&) { return plain(chosen(i, 0)); },  // lowered before
                                    [&](const arch::Activation&) { return plain(chosen(i, 0)); },
                                    // Probabilities: the whole of [0, 1) in steps of 1/256.
                                    [&](const arch::Softmax&) {
                                      return plain({1.0 / 256.0, -128});
                                    },
                                    [&](const arch::SoftmaxMul&) { return plain(chosen(i, step(node.inputs[1]))); },
                                    [&](const arch::AvgPool&) { return plain(output(node.inputs[0])); },
                                    [&](const arch::MaxPool&) { return plain(output(node.inputs[0])); },
                                    [&](const arch::GlobalAvgPool&) { return plain(output(node.inputs[0])); },
                                    [&](const arch::Linear& op) { return with_weights(i, op.bias, 1); },
                                    [&](const arch::Add&) {
                                      const double least = std::max(step(node.inputs[0]), step(node.inputs[1]));
                                      return plain(chosen(i, least));
                                    },
                                    [&](const arch::Mul&) {
                                      const double least = step(node.inputs[0]) * output(node.inputs[1]).scale;
                                      return plain(chosen(i, least));
                                    },
                                    [&](const arch::PRelu&) { return prelu(i); },
                                    [&](const arch::Scale&) { return scale(i); },
                                    [&](const arch::BlurPool&) { return plain(output(node.inputs[0])); },
                                    [&](const arch::Upsample&) { return plain(output(node.inputs[0])); },
                                    [&](const arch::Concat&) { return concat(i); },
                                    [&](const arch::Slice&) { return plain(output(node.inputs[0])); },
                                    [&](const arch::ChannelShuffle&) { return plain(output(node.inputs[0])); },
                                });
  }

  // Of node i's output, its scale no finer than `least`.
  runtime::TensorQuant chosen(size_t i, double least) const {
    if (given_ != nullptr) return given_->nodes.at(spec_.nodes[i].name).output;
    return grid_at_least(calibration_.ranges[i], bits(i), least);
  }

  int bits(size_t i) const { return arch::is_int16(wide_, static_cast<int>(i)) ? 16 : 8; }

  static runtime::NodeQuant plain(const runtime::TensorQuant& output) { return {output, {}}; }

  const runtime::TensorQuant& output(int i) const { return result_.quant.nodes.at(spec_.node(i).name).output; }
  double step(int i) const { return output(i).scale / kMaxMultiplier; }

  // Slopes are symmetric under one scale, as TFLite's PRELU has them.
  runtime::NodeQuant prelu(size_t i) {
    const arch::Node& node = spec_.nodes[i];
    const arch::Tensor& weight = weights_.at(node.name + ".weight");
    const WeightRows row{node.name, 1, weight.elements(), weight.f32(), {0.0f}};
    runtime::NodeQuant entry;
    entry.weight_scales = weight_scales(row, output(node.inputs[0]).scale);
    entry.output = chosen(i, step(node.inputs[0]) * std::max(1.0, entry.weight_scales[0]));
    entry.weight_scales[0] =
        single_precision(std::min(entry.weight_scales[0], entry.output.scale / step(node.inputs[0])));
    arch::Tensor slope = arch::make_tensor(arch::DType::I8, weight.shape);
    std::ranges::copy(round_weights(row, entry.weight_scales), slope.i8().begin());
    result_.weights.tensors[node.name + ".weight"] = std::move(slope);
    return entry;
  }

  // The factor stays as it is: it only goes into a table.
  runtime::NodeQuant scale(size_t i) {
    const std::string name = spec_.nodes[i].name + ".weight";
    result_.weights.tensors[name] = weights_.at(name);
    return plain(chosen(i, 0));
  }

  // Inputs of one scale are copied, which loses nothing.
  runtime::NodeQuant concat(size_t i) const {
    const arch::Inputs& inputs = spec_.nodes[i].inputs;
    const runtime::TensorQuant& first = output(inputs[0]);
    double largest = 0;
    bool equal = first.bits == bits(i);
    for (const int input : inputs) {
      largest = std::max(largest, step(input));
      equal = equal && output(input) == first;
    }
    return plain(equal ? first : chosen(i, largest));
  }

  runtime::NodeQuant with_weights(size_t i, bool has_bias, int64_t groups) {
    const arch::Node& node = spec_.nodes[i];
    const auto source = static_cast<size_t>(node.inputs[0]);
    const double input_scale = output(node.inputs[0]).scale;
    const arch::Tensor& weight = weights_.at(node.name + ".weight");
    WeightRows rows{node.name,    weight.shape[0],      weight.elements() / weight.shape[0],
                    weight.f32(), std::vector<float>(), arch::weight_bits(node.op)};
    rows.bias.resize(static_cast<size_t>(rows.rows));
    if (has_bias) std::ranges::copy(weights_.at(node.name + ".bias").f32(), rows.bias.begin());

    runtime::NodeQuant entry;
    entry.weight_scales = weight_scales(rows, input_scale);
    const double largest = *std::ranges::max_element(entry.weight_scales);
    entry.output = chosen(i, input_scale * largest / kMaxMultiplier);
    const double per_step = entry.output.scale / input_scale;
    for (double& scale : entry.weight_scales)
      scale = single_precision(std::clamp(scale, kMinMultiplier * per_step, kMaxMultiplier * per_step));
    const std::vector<double>& mean = calibration_.means[source];
    const PatchMoments& moments = calibration_.moments[i];
    const std::vector<int8_t> rounded = moments.empty()
                                            ? round_weights(rows, entry.weight_scales)
                                            : learn_weights(rows, entry.weight_scales, moments, !mean.empty());
    std::vector<double> correction;
    if (!mean.empty())
      correction = mean_errors(rows, rounded, entry.weight_scales,
                               mean_patches(node.op, costs_[source].shape, costs_[i].shape, mean), groups);
    store(node.name, weight.shape, rounded, round_biases(rows, entry.weight_scales, input_scale, correction));
    return entry;
  }

  void store(const std::string& name, const std::vector<int64_t>& shape, std::span<const int8_t> weights,
             std::span<const int32_t> biases) {
    arch::Tensor weight = arch::make_tensor(arch::DType::I8, shape);
    std::ranges::copy(weights, weight.i8().begin());
    arch::Tensor bias = arch::make_tensor(arch::DType::I32, {shape[0]});
    std::ranges::copy(biases, bias.i32().begin());
    result_.weights.tensors[name + ".weight"] = std::move(weight);
    result_.weights.tensors[name + ".bias"] = std::move(bias);
  }

  const arch::Spec& spec_;
  const std::vector<arch::NodeCost>& costs_;  // parallel to its nodes
  const arch::Int16Nodes wide_;
  const arch::Weights& weights_;
  const Calibration& calibration_;
  const runtime::QuantParams* given_;
  Quantized result_;
};

}  // namespace

std::string way_text(const QuantOptions& o) {
  return o.observer + (o.observer == "percentile" ? " " + core::number(o.percentile) : "") + ", " + o.weight_rounding +
         " rounding" + (o.equalize ? ", equalized" : "");
}

void read_options(core::config::Reader& reader, QuantOptions& o) {
  reader.choice("observer", o.observer, observer_names(), "how activation ranges are chosen");
  reader.number("percentile", o.percentile, 50.0, 100.0, "percent of |x| that observer percentile keeps");
  reader.integer("calibration_samples", o.calibration_samples, 1, 1000000, "stratified samples of the training part");
  reader.integer("calibration_seed", o.calibration_seed, 0, UINT64_MAX, "chooses the calibration samples");
  reader.boolean("bias_correction", o.bias_correction, "move biases by the mean error of weight rounding");
  reader.choice(
      "weight_rounding", o.weight_rounding, {"nearest", "learned"},
      "learned: weights are rounded one after the other, each making up for those before it on the calibration "
      "samples");
  reader.boolean("equalize", o.equalize,
                 "share the sizes of channels out between layers first, where only ReLU or pooling lies between");
  reader.texts("int4", o.int4,
               "layers whose weights have 4 bits, two in a byte: all, inner (all but the first and the last), or names "
               "with * for anything; a minus before takes out: [inner, -s2_*]");
  reader.texts(
      "int16", o.int16,
      "nodes whose values have 16 bits, with weights of 8: names with * for anything, or all that can; a minus "
      "before takes out. What passes values on (pools, slices) has as many bits as its input");
  reader.boolean(
      "auto", o.automatic,
      "of the winner: try observers, weight_rounding and equalize on the validation part and take what serves "
      "best; their values count for candidates of a search alone");
  reader.integer("sensitivity", o.sensitivity, 0, 1000000,
                 "samples of the validation part on which each node is tried alone in floats, to see where int8 loses; "
                 "0: none",
                 core::config::Decides::Nothing);
  reader.number("max_loss", o.max_loss, 0, 100,
                "points of accuracy that int8 may fall behind float on the test part; more, and the run ends with exit "
                "code 7",
                core::config::Decides::Nothing);
  auto qat = reader.section("qat",
                            "train on in int8 form, from where the quantization stands; batch, augmentation and "
                            "loss are those of train");
  qat.integer("epochs", o.qat.epochs, 0, 10000, "0: none");
  qat.number("lr", o.qat.lr, 1e-8, 1, "of adamw, falling along a cosine");
  qat.number("teacher", o.qat.teacher, 0, 1, "share in the loss of the network in floats; 0: the labels alone");
}

Quantized quantize(const arch::Design& design, const arch::Weights& weights, const data::Dataset& calibration,
                   const QuantOptions& options) {
  arch::check_finite(weights, "network " + design.lowered.name);
  return Quantizer(design.lowered, design.lowered_cost.nodes,
                   arch::int16_nodes(design.lowered, design.lowered_cost, options.int16), weights,
                   calibrate(design.lowered, weights, calibration, options))
      .run();
}

Quantized quantize(const arch::Spec& lowered, const arch::Analysis& costs, const arch::Weights& weights,
                   const runtime::QuantParams& outputs) {
  const size_t nodes = lowered.nodes.size();
  const Calibration none{std::vector<Range>(nodes), std::vector<std::vector<double>>(nodes),
                         std::vector<PatchMoments>(nodes)};
  return Quantizer(lowered, costs.nodes, runtime::int16_nodes(lowered, outputs), weights, none, &outputs).run();
}

}  // namespace condenser::quant
