// Convolutions, linear layers, pools, means, softmax of TensorFlow Lite.
#include <algorithm>
#include <cmath>

#include "condenser/core/text.hpp"
#include "importers/tflite_graph.hpp"

namespace condenser::importers {

using onnx_file::Array;
using onnx_file::Kind;

void TfliteGraph::set_window(const Operator& op, onnx_file::Node& window, bool dilated) const {
  const int64_t padding = integer(op, "padding");
  if (padding != core::tflite::kSame && padding != core::tflite::kValid)
    fail(op, "padding " + std::to_string(padding) + "; expected SAME or VALID");
  set(window, "auto_pad", padding == core::tflite::kSame ? "SAME_UPPER" : "VALID");
  set(window, "strides", {integer(op, "stride_h"), integer(op, "stride_w")});
  if (dilated) set(window, "dilations", {integer(op, "dilation_h", 1), integer(op, "dilation_w", 1)});
}

// In units of input scale times weight scale, whatever the file says of its scale: so do the kernels of TensorFlow
// Lite.
std::string TfliteGraph::bias(const Operator& op, const Array& weight) {
  Array bias = array(op, 2, "bias");
  if (bias.is_float() || weight.is_float() || !holds_integers(input(op, 0))) return keep(std::move(bias));
  if (bias.kind != Kind::Int32) fail(op, "a bias of another type; expected INT32");
  const double in = scale_of(input(op, 0));
  std::vector<double> scales = weight.scales;
  for (double& scale : scales) scale *= in;
  for (size_t c = 0; c < bias.scales.size(); ++c) {
    const double unit = scales[scales.size() == 1 ? 0 : std::min(c, scales.size() - 1)];
    if (std::abs(bias.scales[c] / unit - 1) > 0.01)
      fail(op, "its bias has scale " + core::number(bias.scales[c]) + "; expected input scale times weight scale, " +
                   core::number(unit));
  }
  bias.scales = scales;
  if (bias.zero_points.empty()) bias.zero_points = {0};
  return keep(std::move(bias));
}

// `order`: of the weight's axes, to [out, in / groups, h, w].
void TfliteGraph::convolved(const Operator& op, const std::vector<int64_t>& order, int64_t groups) {
  Array weight = array(op, 1, "weight");
  if (!weight.is_float() && weight.scales.empty())
    fail(op, "integer weights without a scale; expected one per channel");
  if (!weight.is_float() && !holds_integers(input(op, 0)))
    notes_.push_back(
        "weights that the file holds in 8 bits beside values in floats are the floats that they stand for; TensorFlow "
        "Lite rounds the values of such a layer to 8 bits while it runs");
  const std::string x = read_map(op, 0);
  std::vector<std::string> inputs{x, ""};
  if (has_input(op, 2)) inputs.push_back(bias(op, weight));
  inputs[1] = permuted(keep(std::move(weight)), order);
  onnx_file::Node& node = this->node("Conv", std::move(inputs), fresh());
  set_window(op, node, true);
  set(node, "group", groups);
  give_map(op, activated(op, node.outputs[0]));
}

void TfliteGraph::conv(const Operator& op) {
  const Tensor &x = at(input(op, 0)), &w = at(input(op, 1));
  if (w.dims.size() != 4 || x.dims.size() != 4 || w.dims[3] < 1)
    fail(op, "a weight of " + std::to_string(w.dims.size()) + " axes; expected out, height, width and in");
  convolved(op, {0, 3, 1, 2}, std::max<int64_t>(x.dims[3] / w.dims[3], 1));
}

void TfliteGraph::depthwise(const Operator& op) {
  const Tensor &x = at(input(op, 0)), &w = at(input(op, 1));
  if (w.dims.size() != 4 || x.dims.size() != 4 || w.dims[0] != 1)
    fail(op, "a weight of " + std::to_string(w.dims.size()) + " axes; expected 1, height, width and out");
  const int64_t multiplier = integer(op, "depth_multiplier");
  if (multiplier != 0 && multiplier * x.dims[3] != w.dims[3])
    fail(op, "depth_multiplier " + std::to_string(multiplier) + " for " + std::to_string(x.dims[3]) + " channels and " +
                 std::to_string(w.dims[3]) + " filters");
  convolved(op, {3, 0, 1, 2}, x.dims[3]);
}

void TfliteGraph::fully_connected(const Operator& op) {
  if (integer(op, "weights_format") != 0) fail(op, "weights in a shuffled order; expected the default one");
  Array weight = array(op, 1, "weight");
  if (weight.dims.size() != 2) fail(op, "a weight of " + std::to_string(weight.dims.size()) + " axes; expected two");
  const int x = input(op, 0), y = output(op);
  if (!weight.is_float() && weight.scales.empty()) fail(op, "integer weights without a scale; expected one");
  if (!weight.is_float() && holds_integers(x) && weight.scales.size() == 1) {
    // One scale for all: kernels multiply it with the input's in single precision.
    const auto product = static_cast<float>(weight.scales[0]) * static_cast<float>(scale_of(x));
    weight.scales[0] = double{product} / scale_of(x);
  }
  const int64_t in = weight.dims[1];
  std::string edge = read(op, 0);
  const bool by_pixel = at(x).dims.size() > 2 && at(x).dims.back() == in && at(y).dims.size() == at(x).dims.size();
  std::vector<std::string> inputs{edge, ""};
  if (!by_pixel && at(x).dims.size() != 2) inputs[0] = reshaped(edge, {-1, in});
  if (has_input(op, 2) && !by_pixel) inputs.push_back(bias(op, weight));
  std::string added;
  if (has_input(op, 2) && by_pixel) added = bias(op, weight);
  inputs[1] = keep(std::move(weight));
  if (by_pixel) {  // the same layer at every place
    inputs[1] = permuted(inputs[1], {1, 0});
    edge = made("MatMul", std::move(inputs));
    if (!added.empty()) edge = made("Add", {edge, added});
  } else {
    onnx_file::Node& node = this->node("Gemm", std::move(inputs), fresh());
    set(node, "transB", int64_t{1});
    edge = node.outputs[0];
    if (at(y).dims.size() != 2) edge = reshaped(edge, at(y).dims);
  }
  give(op, activated(op, edge));
}

void TfliteGraph::pool(const Operator& op) {
  const std::string x = read_map(op, 0);
  onnx_file::Node& node = this->node(op.name == "MAX_POOL_2D" ? "MaxPool" : "AveragePool", {x}, fresh());
  set_window(op, node, false);
  set(node, "kernel_shape", {integer(op, "filter_h"), integer(op, "filter_w")});
  give_map(op, activated(op, node.outputs[0]));
}

void TfliteGraph::mean(const Operator& op) {
  const std::vector<int64_t> axes = ints(op, 1, "axes");
  const std::string x = read(op, 0);
  onnx_file::Node& node = this->node("ReduceMean", {x}, fresh());
  set(node, "axes", axes);
  set(node, "keepdims", integer(op, "keep_dims"));
  give(op, node.outputs[0]);
}

void TfliteGraph::softmax(const Operator& op) {
  if (const double beta = option(op, "beta"); beta != 1) fail(op, "beta " + core::number(beta) + "; expected 1");
  const std::string x = read(op, 0);
  onnx_file::Node& node = this->node("Softmax", {x}, fresh());
  set(node, "axis", int64_t{-1});
  give(op, node.outputs[0]);
}

void TfliteGraph::resize(const Operator& op) {
  const std::vector<int64_t> size = ints(op, 1, "size");
  const std::vector<int64_t>& dims = at(input(op, 0)).dims;
  if (size.size() != 2 || dims.size() != 4) fail(op, "expected a size of height and width");
  if (integer(op, "align_corners") != 0) fail(op, "aligns corners; expected places without align_corners");
  const bool centred = integer(op, "half_pixel_centers") != 0;
  Array sizes;
  sizes.kind = Kind::Int64;
  sizes.integers = {dims[0], dims[3], size[0], size[1]};
  sizes.dims = {4};
  const std::string x = read_map(op, 0);
  onnx_file::Node& node = this->node("Resize", {x, "", "", keep(std::move(sizes))}, fresh());
  set(node, "mode", "nearest");
  set(node, "coordinate_transformation_mode", centred ? "half_pixel" : "asymmetric");
  set(node, "nearest_mode", centred ? "round_prefer_ceil" : "floor");
  give_map(op, node.outputs[0]);
}

}  // namespace condenser::importers
