// QuantizeLinear and DequantizeLinear: how values are stored, and integers of weights.
#include <algorithm>
#include <cmath>

#include "condenser/core/text.hpp"
#include "importers/onnx_graph.hpp"

namespace condenser::importers {

using onnx_file::Array;
using onnx_file::Kind;

// Of a value: one scale, in int8; uint8 is the same 128 lower.
runtime::TensorQuant OnnxGraph::quant_of(const Node& node) const {
  const float scale = scalar(node, 1, "scale");
  const Array* zero = find_constant(node, 2);
  if (has_input(node, 2) && zero == nullptr) fail(node, "its zero point is computed; expected a constant");
  const int64_t type = integer(node, "output_dtype", 0);
  const Kind kind = zero != nullptr ? zero->kind : type == 3 ? Kind::Int8 : Kind::Uint8;
  if (kind != Kind::Int8 && kind != Kind::Uint8) fail(node, "stores values in another type; expected INT8 or UINT8");
  if (zero != nullptr && zero->size() != 1) fail(node, "several zero points for values; expected 1");
  if (!(scale > 0) || !std::isfinite(scale))
    fail(node, "scale " + core::number(double{scale}) + "; expected more than 0");
  const int64_t point = (zero != nullptr ? zero->integers[0] : 0) - (kind == Kind::Uint8 ? 128 : 0);
  if (point < -128 || point > 127) fail(node, "zero point " + std::to_string(zero->integers[0]));
  return {.scale = double{scale}, .zero_point = static_cast<int>(point)};
}

void OnnxGraph::quantize_linear(const Node& node) {
  Tensor input = any_tensor(node, 0);
  if (input.integers) fail(node, "quantizes integers; expected floats");
  if (!input.logits) {  // those have the form of what came before the softmax
    settle(node, input);
    input.node = net_->quantize(input.node, quant_of(node));
  }
  int8_ = true;
  input.integers = true;
  give(node, input);
}

void OnnxGraph::dequantize_linear(const Node& node) {
  Tensor input = any_tensor(node, 0);
  if (!input.integers) fail(node, "reads floats; expected integers");
  if (!input.logits) {
    const runtime::TensorQuant wanted = quant_of(node);
    const auto there = net_->quant(input.node);
    if (!there) input.node = net_->quantize(input.node, wanted);  // the input of the network, in integers
    if (there && there != wanted)
      fail(
          node,
          "reads integers in another scale than QuantizeLinear stored them in; expected the same scale and zero point");
  }
  int8_ = true;
  input.integers = false;
  give(node, input);
}

// Of constants: integers keep their scales, floats become integers.
bool OnnxGraph::fold_quantization(const Node& node) {
  const Array &input = constant(node, 0, "input"), &scale = constant(node, 1, "scale");
  const Array* zero = find_constant(node, 2);
  if (!scale.is_float() || scale.size() == 0 || integer(node, "block_size", 0) != 0)
    fail(node, "scales that are no floats, or in blocks; expected one, or one per channel");
  Array result = input;
  result.scales.assign(scale.floats.begin(), scale.floats.end());
  for (const double s : result.scales)
    if (!(s > 0) || !std::isfinite(s)) fail(node, "scale " + core::number(s) + "; expected more than 0");
  result.axis = 0;
  if (scale.size() > 1 || scale.dims.size() == 1) {
    if (scale.size() > 1) result.axis = axis_of(node, integer(node, "axis", 1), input.dims.size());
    if (scale.size() > 1 && input.dims[result.axis] != static_cast<int64_t>(scale.size()))
      fail(node, std::to_string(scale.size()) + " scales for axis " + std::to_string(result.axis));
  }
  result.zero_points.assign(result.scales.size(), 0);
  if (zero != nullptr) {
    if (zero->is_float() || (zero->size() != 1 && zero->size() != scale.size()))
      fail(node, "zero points of another count than scales");
    for (size_t k = 0; k < result.zero_points.size(); ++k)
      result.zero_points[k] = zero->integers[zero->size() == 1 ? 0 : k];
  }
  if (node.op == "DequantizeLinear") {
    if (input.is_float() && input.scales.empty()) fail(node, "reads floats; expected integers");
    return give(node, result), true;
  }
  if (!input.is_float()) fail(node, "quantizes integers; expected floats");
  result.kind = zero != nullptr ? zero->kind : Kind::Uint8;
  if (result.kind != Kind::Int8 && result.kind != Kind::Uint8 && result.kind != Kind::Int32)
    fail(node, "stores a weight in another type; expected INT8");
  const double low = result.kind == Kind::Int8 ? -128 : result.kind == Kind::Uint8 ? 0 : -2147483648.0;
  const double high = result.kind == Kind::Int8 ? 127 : result.kind == Kind::Uint8 ? 255 : 2147483647.0;
  int64_t inner = 1;
  for (size_t k = result.axis + 1; k < input.dims.size(); ++k) inner *= input.dims[k];
  for (size_t i = 0; i < input.floats.size(); ++i) {
    const size_t c = result.scales.size() == 1 ? 0 : i / static_cast<size_t>(inner) % result.scales.size();
    const double q =
        std::nearbyint(double{input.floats[i]} / result.scales[c]) + static_cast<double>(result.zero_points[c]);
    if (std::isnan(q)) fail(node, "quantizes what is no number");
    result.integers.push_back(static_cast<int64_t>(std::clamp(q, low, high)));
  }
  result.floats.clear();
  return give(node, result), true;
}

}  // namespace condenser::importers
