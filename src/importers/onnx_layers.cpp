// Convolutions, linear layers, batch norm, pools, softmax.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "condenser/core/text.hpp"
#include "importers/onnx_graph.hpp"

namespace condenser::importers {
namespace {

using onnx_file::Array;
using onnx_file::Kind;

std::string text_of(const std::vector<int64_t>& values) {
  std::vector<std::string> texts;
  for (const int64_t v : values) texts.push_back(std::to_string(v));
  return "[" + core::join(texts) + "]";
}

// Symmetric int8: as it is, or from uint8 around 128.
std::optional<std::vector<int8_t>> symmetric(const Array& array) {
  const int64_t middle = array.kind == Kind::Uint8 ? 128 : 0;
  if (array.kind != Kind::Int8 && array.kind != Kind::Uint8) return std::nullopt;
  for (const int64_t zero : array.zero_points)
    if (zero != middle) return std::nullopt;
  std::vector<int8_t> values;
  for (const int64_t q : array.integers) {
    if (q - middle < -127 || q - middle > 127) return std::nullopt;
    values.push_back(static_cast<int8_t>(q - middle));
  }
  return values;
}

// Zeros between the values of a window, as a dilation reads it.
Array spread(const Array& weight, const arch::Size& dilation) {
  Array result = weight;
  const size_t rank = weight.dims.size();
  const int64_t kh = weight.dims[rank - 2], kw = weight.dims[rank - 1];
  const int64_t h = (kh - 1) * dilation.h + 1, w = (kw - 1) * dilation.w + 1;
  result.dims[rank - 2] = h;
  result.dims[rank - 1] = w;
  const int64_t windows = kh * kw == 0 ? 0 : static_cast<int64_t>(weight.size()) / (kh * kw);
  const auto fill = [&](const auto& from, auto& to, auto zero) {
    to.assign(static_cast<size_t>(windows * h * w), zero);
    for (int64_t i = 0; i < windows; ++i)
      for (int64_t y = 0; y < kh; ++y)
        for (int64_t x = 0; x < kw; ++x)
          to[static_cast<size_t>((i * h + y * dilation.h) * w + x * dilation.w)] =
              from[static_cast<size_t>((i * kh + y) * kw + x)];
  };
  if (weight.is_float())
    fill(weight.floats, result.floats, 0.0F);
  else
    fill(weight.integers, result.integers, weight.zero_points.empty() ? int64_t{0} : weight.zero_points[0]);
  return result;
}

}  // namespace

OnnxGraph::Window OnnxGraph::window(const Node& node, const Tensor& tensor, const std::vector<int64_t>& kernel) const {
  const size_t axes = tensor.axes.size() - 2;  // 1: width alone
  const auto pair = [&](const char* name, const std::vector<int64_t>* values, int fallback) {
    arch::Size size{fallback, fallback};
    if (axes == 1) size.h = 1;
    if (values == nullptr || values->empty()) return size;
    if (values->size() != axes)
      fail(node, std::string(name) + " " + text_of(*values) + "; expected " + std::to_string(axes) + " values");
    for (const int64_t v : *values)
      if (v < 1 || v > arch::kMaxWindow)
        fail(node, std::string(name) + " " + text_of(*values) + "; expected 1.." + std::to_string(arch::kMaxWindow));
    size.w = static_cast<int>(values->back());
    if (axes == 2) size.h = static_cast<int>(values->front());
    return size;
  };
  Window w;
  w.kernel = pair("kernel", &kernel, 1);
  w.stride = pair("strides", integers(node, "strides"), 1);
  w.dilation = pair("dilations", integers(node, "dilations"), 1);
  const arch::Size covered{(w.kernel.h - 1) * w.dilation.h + 1, (w.kernel.w - 1) * w.dilation.w + 1};
  if (covered.h > arch::kMaxWindow || covered.w > arch::kMaxWindow)
    fail(node, "a window of more than " + std::to_string(arch::kMaxWindow) + " pixels");
  const arch::Shape in = shape(tensor);
  const std::string automatic = text(node, "auto_pad", "NOTSET");
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    const bool lower = automatic == "SAME_LOWER";
    const auto same = [&](int64_t size, int cover, int stride, int& before, int& after) {
      const int64_t total = std::max<int64_t>(((size + stride - 1) / stride - 1) * stride + cover - size, 0);
      const auto small = static_cast<int>(total / 2), large = static_cast<int>(total - total / 2);
      before = lower ? large : small;
      after = lower ? small : large;
    };
    const arch::Pad& around = tensor.pad;  // belongs to what the window sees
    same(in.h + around.top + around.bottom, covered.h, w.stride.h, w.pad.top, w.pad.bottom);
    same(in.w + around.left + around.right, covered.w, w.stride.w, w.pad.left, w.pad.right);
  } else if (automatic == "NOTSET" || automatic.empty()) {
    if (const auto* pads = integers(node, "pads"); pads != nullptr && !pads->empty()) {
      if (pads->size() != 2 * axes)
        fail(node, "pads " + text_of(*pads) + "; expected " + std::to_string(2 * axes) + " values");
      for (const int64_t p : *pads)
        if (p < 0 || p > arch::kMaxWindow)
          fail(node, "pads " + text_of(*pads) + "; expected 0.." + std::to_string(arch::kMaxWindow));
      const auto at = [&](size_t k) { return static_cast<int>((*pads)[k]); };
      w.pad.left = at(axes - 1);
      w.pad.right = at(2 * axes - 1);
      if (axes == 2) w.pad.top = at(0);
      if (axes == 2) w.pad.bottom = at(2);
    }
  } else if (automatic != "VALID") {
    fail(node, "auto_pad " + core::printable(automatic) + "; expected NOTSET, VALID, SAME_UPPER or SAME_LOWER");
  }
  w.pad.top += tensor.pad.top;
  w.pad.bottom += tensor.pad.bottom;
  w.pad.left += tensor.pad.left;
  w.pad.right += tensor.pad.right;
  if (integer(node, "ceil_mode", 0) != 0) {  // the last window may stick out, if it begins inside
    const auto reach = [&](int64_t size, int cover, int stride, int before, int& after) {
      const int64_t room = size + before + after - cover;
      if (room < 0) return;
      int64_t out = (room + stride - 1) / stride + 1;
      if ((out - 1) * stride >= size + before) --out;
      const int64_t missing = (out - 1) * stride + cover - (size + before + after);
      if (missing <= 0) return;
      w.extended = true;
      after += static_cast<int>(missing);
    };
    reach(in.h, covered.h, w.stride.h, w.pad.top, w.pad.bottom);
    reach(in.w, covered.w, w.stride.w, w.pad.left, w.pad.right);
  }
  return w;
}

// `weight`: [out, ...] in the order of ours. Factors are those of Gemm.
void OnnxGraph::put_weights(const Node& node, int id, const Array& weight, const Array* bias, double factor,
                            double bias_factor) {
  const int64_t out = weight.dims[0];
  std::vector<float> values = floats_of(node, weight);
  if (factor != 1)
    for (float& v : values) v = static_cast<float>(v * factor);
  const std::string& name = net_->node(id).name;
  std::vector<int64_t> dims = weight.dims;
  net_->put(id, "weight", dims, std::move(values));
  if (bias != nullptr) {
    std::vector<float> floats = floats_of(node, *bias);
    if (floats.size() == 1 && out > 1) floats.assign(static_cast<size_t>(out), floats[0]);
    if (std::cmp_not_equal(floats.size(), out))
      fail(node, "a bias of " + std::to_string(floats.size()) + " values; expected " + std::to_string(out));
    if (bias_factor != 1)
      for (float& v : floats) v = static_cast<float>(v * bias_factor);
    net_->put(id, "bias", {out}, std::move(floats));
  }
  if (weight.is_float()) return;
  const auto integers = symmetric(weight);
  if (!integers)
    fail(node,
         "weights of " + name +
             " are not symmetric int8 in -127..127; expected zero point 0 (quantize with symmetric int8 weights)");
  if (weight.scales.size() > 1 && weight.axis != 0)
    fail(node, "weights have a scale for each input; expected one for each output");
  Integers& kept = net_->integers(id);
  kept.weight = *integers;
  kept.weight_scales = weight.scales;
  for (double& scale : kept.weight_scales) scale *= factor;
  if (bias == nullptr || bias->is_float()) return;
  if (bias->integers.size() != static_cast<size_t>(out) ||
      std::ranges::any_of(bias->zero_points, [](int64_t z) { return z != 0; }))
    fail(node, "an integer bias of another length or zero point; expected " + std::to_string(out) + " values around 0");
  for (const int64_t b : bias->integers) kept.bias.push_back(static_cast<int32_t>(b));
  kept.bias_scales = bias->scales;
  for (double& scale : kept.bias_scales) scale *= bias_factor;
}

namespace {

// "layer1.conv2.weight" -> "layer1.conv2": what people called it. Empty where the file has only numbers.
std::string name_by_weight(const std::string& tensor) {
  const size_t end = tensor.rfind(".weight");
  return end != std::string::npos && end > 0 && tensor.find("::") == std::string::npos ? tensor.substr(0, end) : "";
}

}  // namespace

// Our own form of an anti-aliasing filter: mirrored borders and binomial weights.
bool OnnxGraph::blur(const Node& node, const Tensor& input, const Array& weight) {
  if (input.mirrored == 0) return false;
  const arch::Shape in = shape(input);
  const int taps = 2 * input.mirrored + 1;
  const std::vector<float> line = taps == 3 ? std::vector<float>{1, 2, 1} : std::vector<float>{1, 4, 6, 4, 1};
  const Window w = window(node, input, {weight.dims[2], weight.dims[3]});
  const std::vector<float> filter = floats_of(node, weight);
  bool same = (taps == 3 || taps == 5) && w.kernel == arch::square(taps) && w.pad == arch::Pad{} &&
              weight.dims[0] == in.c && integer(node, "group", 1) == in.c && w.dilation == arch::square(1);
  if (has_input(node, 2)) {
    const std::vector<float> bias = floats_of(node, constant(node, 2, "bias"));
    same = same && std::ranges::all_of(bias, [](float b) { return b == 0; });
  }
  const float norm = taps == 3 ? 16 : 256;
  for (size_t i = 0; same && i < filter.size(); ++i) {
    const size_t y = i / static_cast<size_t>(taps) % static_cast<size_t>(taps), x = i % static_cast<size_t>(taps);
    same = std::abs(filter[i] - line[y] * line[x] / norm) < 1e-6F;
  }
  if (!same)
    fail(node,
         "reads mirrored borders; expected zeros, or a depthwise filter [1 2 1] or [1 4 6 4 1] in both directions");
  give(node, added(node, arch::BlurPool{taps, w.stride}, {input.node}, input.axes));
  return true;
}

void OnnxGraph::conv(const Node& node) {
  const Tensor input = map(node, 0, true);
  const arch::Shape in = shape(input);
  Array weight = constant(node, 1, "weight");
  const Array* bias = has_input(node, 2) ? &constant(node, 2, "bias") : nullptr;
  if (input.axes.size() < 3 || weight.dims.size() != input.axes.size())
    fail(node, "a weight of shape " + text_of(weight.dims) + " on " + std::to_string(input.axes.size()) +
                   " axes; expected one axis or two beside channels");
  if (weight.dims.size() == 3) {
    weight.dims.insert(weight.dims.begin() + 2, 1);
    if (weight.axis > 1) ++weight.axis;
  }
  const int64_t groups = integer(node, "group", 1), out = weight.dims[0];
  if (groups < 1 || in.c % groups != 0 || weight.dims[1] != in.c / groups || out < 1 || out > arch::kMaxChannels)
    fail(node, "a weight of shape " + text_of(weight.dims) + " in " + std::to_string(groups) + " groups for " +
                   arch::to_string(in));
  if (const auto* kernel = integers(node, "kernel_shape")) {
    std::vector<int64_t> expected(weight.dims.end() - static_cast<std::ptrdiff_t>(input.axes.size() - 2),
                                  weight.dims.end());
    if (!kernel->empty() && *kernel != expected)
      fail(node, "kernel_shape " + text_of(*kernel) + " for a weight of shape " + text_of(weight.dims));
  }
  if (blur(node, input, weight)) return;
  std::vector<int64_t> kernel{weight.dims[2], weight.dims[3]};
  if (input.axes.size() == 3) kernel = {weight.dims[3]};
  const Window w = window(node, input, kernel);
  if (w.dilation != arch::Size{}) {
    weight = spread(weight, w.dilation);
    net_->note("dilated convolutions are written with zeros between their weights");
  }
  const arch::Conv2d op{.out = static_cast<int>(out),
                        .kernel = {static_cast<int>(weight.dims[2]), static_cast<int>(weight.dims[3])},
                        .stride = w.stride,
                        .pad = w.pad,
                        .groups = static_cast<int>(groups),
                        .bias = bias != nullptr};
  const int id = add(node, op, {input.node}, name_by_weight(node.inputs[1]));
  put_weights(node, id, weight, bias);
  give(node, {.node = id, .axes = standard_axes(net_->shape(id), batch_, input.axes.size())});
}

// `weight`: [out, in]. Where the input is a flattened map, a convolution whose window is the map.
void OnnxGraph::fully_connected(const Node& node, const Tensor& input, const Array& weight, const Array* bias,
                                double alpha, double beta) {
  const arch::Shape in = shape(input);
  const int64_t out = weight.dims[0];
  const Axis& last = input.axes.back();
  if (weight.dims[1] != extent(last) || out < 1 || out > arch::kMaxChannels)
    fail(node, "a weight of shape " + text_of(weight.dims) + " for " + std::to_string(extent(last)) + " values");
  const std::string name = name_by_weight(node.inputs[1]);
  Tensor result{.node = 0, .axes = input.axes};
  if (is_whole(last, 'c', in.c) && in.h * in.w == 1) {
    result.node = add(node, arch::Linear{.out = static_cast<int>(out), .bias = bias != nullptr}, {input.node}, name);
    put_weights(node, result.node, weight, bias, alpha, beta);
  } else if (is_whole(last, 'c', in.c)) {  // the same layer for every pixel
    Array kernel = weight;
    kernel.dims = {out, in.c, 1, 1};
    result.node = add(node,
                      arch::Conv2d{.out = static_cast<int>(out),
                                   .kernel = arch::square(1),
                                   .stride = arch::square(1),
                                   .bias = bias != nullptr},
                      {input.node}, name);
    put_weights(node, result.node, kernel, bias, alpha, beta);
  } else {
    Array kernel = weight;  // [out, the axes of the map in their order]
    kernel.dims = {out};
    int64_t sizes[3] = {in.c, in.h, in.w};
    std::vector<size_t> order{0, 0, 0, 0};
    const std::string names = "chw";
    size_t next = 1;
    for (const Atom& atom : last) {
      const size_t which = names.find(atom.axis);
      if (which == std::string::npos || atom.size != sizes[which] || atom.stride != 1)
        fail(node, "reads axes " + to_string(input.axes) + " of " + arch::to_string(in) +
                       "; expected all of a map, or its channels");
      kernel.dims.push_back(atom.size);
      order[which + 1] = next++;
    }
    for (size_t which = 0; which < 3; ++which) {
      if (order[which + 1] != 0) continue;
      if (sizes[which] != 1)
        fail(node, "reads axes " + to_string(input.axes) + " of " + arch::to_string(in) +
                       "; expected all of a map, or its channels");
      kernel.dims.push_back(1);
      order[which + 1] = next++;
    }
    if (in.h > arch::kMaxWindow || in.w > arch::kMaxWindow)
      fail(node, "reads a whole map of " + arch::to_string(in) + "; expected at most " +
                     std::to_string(arch::kMaxWindow) + " rows and columns");
    kernel = permuted_array(kernel, order);
    result.node = add(node,
                      arch::Conv2d{.out = static_cast<int>(out),
                                   .kernel = {static_cast<int>(in.h), static_cast<int>(in.w)},
                                   .stride = arch::square(1),
                                   .bias = bias != nullptr},
                      {input.node}, name);
    put_weights(node, result.node, kernel, bias, alpha, beta);
    net_->note("linear layers on a whole map are convolutions whose window is the map");
  }
  result.axes.back() = out == 1 ? Axis{} : Axis{{'c', out, 1}};
  give(node, result);
}

void OnnxGraph::gemm(const Node& node) {
  const Tensor input = tensor(node);
  Array weight = constant(node, 1, "weight");
  const Array* bias = has_input(node, 2) ? &constant(node, 2, "bias") : nullptr;
  expect_default(node, "transA", 0);
  if (input.axes.size() != 2 || weight.dims.size() != 2)
    fail(node, "expected two axes and a weight of two, found " + std::to_string(input.axes.size()) + " and " +
                   std::to_string(weight.dims.size()));
  if (!is_whole(input.axes[0], 'n', batch_))
    fail(node, "reads axes " + to_string(input.axes) + "; expected the batch first");
  if (integer(node, "transB", 0) == 0) weight = permuted_array(weight, {1, 0});
  fully_connected(node, input, weight, bias, number(node, "alpha", 1), number(node, "beta", 1));
}

void OnnxGraph::mat_mul(const Node& node) {
  const Tensor input = tensor(node);
  const Array& weight = constant(node, 1, "second factor");
  if (input.axes.size() < 2 || weight.dims.size() != 2)
    fail(node, "a second factor of shape " + text_of(weight.dims) + "; expected a weight [in, out]");
  fully_connected(node, input, permuted_array(weight, {1, 0}), nullptr, 1, 1);
}

const std::vector<float>& OnnxGraph::float_list(const Node& node, size_t k, const char* what, int64_t size) const {
  const Array& array = constant(node, k, what);
  if (!array.is_float() || std::cmp_not_equal(array.floats.size(), size))
    fail(node, std::string(what) + " of " + std::to_string(array.size()) + " values; expected " + std::to_string(size) +
                   " floats");
  return array.floats;
}

float OnnxGraph::scalar(const Node& node, size_t k, const char* what) const {
  const Array& array = constant(node, k, what);
  if (array.size() != 1) fail(node, std::string(what) + " of " + std::to_string(array.size()) + " values; expected 1");
  return floats_of(node, array)[0];
}

void OnnxGraph::batch_normalization(const Node& node) {
  const Tensor input = tensor(node);
  expect_default(node, "training_mode", 0);
  const int64_t c = shape(input).c;
  if (input.axes.size() < 2 || !is_whole(input.axes[1], 'c', c))
    fail(node, "reads axes " + to_string(input.axes) + "; expected channels behind the batch");
  const double eps = number(node, "epsilon", 1e-5);
  const char* params[] = {"weight", "bias", "running_mean", "running_var"};
  for (size_t k = 0; k < 4; ++k) float_list(node, k + 1, params[k], c);
  const int id =
      add(node, arch::BatchNorm{.eps = eps}, {input.node}, name_by_weight(has_input(node, 1) ? node.inputs[1] : ""));
  for (size_t k = 0; k < 4; ++k) net_->put(id, params[k], {c}, float_list(node, k + 1, params[k], c));
  give(node, {.node = id, .axes = input.axes});
}

void OnnxGraph::max_pool(const Node& node) {
  Tensor input = map(node);
  if (node.outputs.size() > 1 && uses_.contains(node.outputs[1]))
    fail(node, "its places are read; expected its values alone");
  const auto* kernel = integers(node, "kernel_shape");
  if (kernel == nullptr || kernel->empty() || input.axes.size() < 3)
    fail(node, "expected a kernel_shape and axes behind the channels");
  const Window w = window(node, input, *kernel);
  if (w.dilation != arch::Size{}) fail(node, "dilations; expected 1");
  give(node, added(node, arch::MaxPool{w.kernel, w.stride, w.pad}, {input.node}, input.axes));
}

void OnnxGraph::average_pool(const Node& node) {
  const Tensor input = map(node, 0, true);
  const auto* kernel = integers(node, "kernel_shape");
  if (kernel == nullptr || kernel->empty() || input.axes.size() < 3)
    fail(node, "expected a kernel_shape and axes behind the channels");
  if (input.mirrored > 0) fail(node, "reads mirrored borders; expected zeros");
  const Window w = window(node, input, *kernel);
  if (w.dilation != arch::Size{}) fail(node, "dilations; expected 1");
  Tensor unpadded = input;
  unpadded.pad = {};
  const Window own = window(node, unpadded, *kernel);
  const bool from_pad = input.pad != arch::Pad{};  // zeros of a Pad are values like others
  const bool own_pads = own.pad != arch::Pad{} && !own.extended;
  bool include = integer(node, "count_include_pad", 0) != 0 && (w.pad != arch::Pad{});
  if (from_pad) {
    if (w.extended || (own_pads && !include)) fail(node, "padded by a Pad and by itself; expected one of them");
    include = true;
  } else if (include && w.extended) {
    const auto* pads = integers(node, "pads");
    const bool none = pads == nullptr || std::ranges::all_of(*pads, [](int64_t p) { return p == 0; });
    if (!none || text(node, "auto_pad", "NOTSET").starts_with("SAME"))
      fail(node,
           "count_include_pad with ceil_mode and pads, in which some zeros count and others do not; expected one of "
           "the three");
    include = false;
  }
  give(node, added(node, arch::AvgPool{w.kernel, w.stride, w.pad, include}, {input.node}, input.axes));
}

void OnnxGraph::global_average_pool(const Node& node) {
  const Tensor input = map(node);
  give(node, added(node, arch::GlobalAvgPool{}, {input.node}, input.axes));
}

void OnnxGraph::global_max_pool(const Node& node) {
  const Tensor input = map(node);
  const arch::Shape in = shape(input);
  const arch::Size whole{static_cast<int>(in.h), static_cast<int>(in.w)};
  give(node, added(node, arch::MaxPool{whole, whole, {}}, {input.node}, input.axes));
}

void OnnxGraph::reduce_mean(const Node& node) {
  const Tensor input = tensor(node);
  const auto* axes = list(node, "axes", 1);
  if (axes == nullptr || axes->empty()) fail(node, "is over all axes; expected height and width");
  std::set<size_t> places;
  for (const int64_t axis : *axes) places.insert(axis_of(node, axis, input.axes.size()));
  const bool keep = integer(node, "keepdims", 1) != 0;
  Tensor result{.node = input.node, .axes = {}, .shared = true};
  int64_t pixels = 1;
  for (size_t k = 0; k < input.axes.size(); ++k) {
    if (!places.contains(k)) {
      result.axes.push_back(input.axes[k]);
      continue;
    }
    for (const Atom& atom : input.axes[k]) {
      if (atom.axis != 'h' && atom.axis != 'w')
        fail(node, "is over axes " + text_of(*axes) + " of " + to_string(input.axes) + "; expected height and width");
      pixels *= atom.size;
    }
    if (keep) result.axes.emplace_back();
  }
  const arch::Shape in = shape(input);
  if (pixels != in.h * in.w)
    fail(node, "is over a part of the " + std::to_string(in.h * in.w) + " pixels; expected all of them");
  if (pixels > 1) result.node = add(node, arch::GlobalAvgPool{}, {input.node});
  give(node, result);
}

void OnnxGraph::resize(const Node& node) {
  const Tensor input = map(node);
  if (input.axes.size() != 4) fail(node, "expected height and width");
  const std::string mode = text(node, "mode", "nearest"),
                    place = text(node, "coordinate_transformation_mode",
                                 node.op == "Upsample" ? "asymmetric" : "half_pixel"),
                    rounding = text(node, "nearest_mode", node.op == "Upsample" ? "floor" : "round_prefer_floor");
  if (mode != "nearest") fail(node, "mode " + core::printable(mode) + "; expected nearest");
  const arch::Shape in = shape(input);
  const size_t sizes_input = 3, scales_input = node.op == "Upsample" || model_.opset < 11 ? 1 : 2;
  arch::Size size;
  if (node.op == "Resize" && has_input(node, sizes_input)) {
    const Array& sizes = constant(node, sizes_input, "sizes");
    if (sizes.is_float() || sizes.size() != 4 || sizes.integers[1] != in.c)
      fail(node, "sizes; expected 4, with the channels that there are");
    for (const int64_t n : {sizes.integers[2], sizes.integers[3]})
      if (n < 1 || n > arch::kMaxExtent) fail(node, "size " + std::to_string(n));
    size = {static_cast<int>(sizes.integers[2]), static_cast<int>(sizes.integers[3])};
  } else {
    std::vector<float> scales;
    if (const auto found = node.attributes.find("scales"); found != node.attributes.end())
      scales = found->second.numbers;
    if (scales.empty()) scales = float_list(node, scales_input, "scales", 4);
    if (scales.size() != 4 || scales[0] != 1 || scales[1] != 1)
      fail(node, "scales; expected 1, 1 and those of height and width");
    const auto scaled = [&](int64_t from, float scale) {
      const double to = std::floor(static_cast<double>(from) * double{scale});
      if (!(to >= 1 && to <= arch::kMaxExtent)) fail(node, "scale " + core::number(double{scale}));
      return static_cast<int>(to);
    };
    size = {scaled(in.h, scales[2]), scaled(in.w, scales[3])};
  }
  const bool whole = size.h % in.h == 0 && size.w % in.w == 0;
  const bool asymmetric = place == "asymmetric" && rounding == "floor";
  const bool centred = (place == "half_pixel" || place == "pytorch_half_pixel") && rounding.starts_with("round_prefer");
  if (!asymmetric && !(whole && centred))
    fail(node, "coordinates " + core::printable(place) + " with " + core::printable(rounding) +
                   "; expected asymmetric with floor, or whole factors");
  give(node, added(node, arch::Upsample{size}, {input.node}, input.axes));
}

// Over the channels of a pixel, or over the pixels of a channel. One that ends the network is left out.
void OnnxGraph::softmax(const Node& node) {
  const Tensor input = tensor(node);
  const size_t rank = input.axes.size();
  const bool joins = model_.opset < 13;  // then all axes from `axis` on are one
  const size_t axis = axis_of(node, integer(node, "axis", joins ? 1 : -1), rank);
  const arch::Shape in = shape(input);
  int64_t c = 1, pixels = 1;
  for (size_t k = axis; k < (joins ? rank : axis + 1); ++k)
    for (const Atom& atom : input.axes[k]) (atom.axis == 'c' ? c : atom.axis == 'n' ? c : pixels) *= atom.size;
  const bool channels = pixels == 1 && c == in.c, space = c == 1 && pixels == in.h * in.w && pixels > 1;
  if (channels && in.h * in.w == 1 && !node.outputs.empty() && ends_here(node.outputs[0])) {
    Tensor logits = input;
    logits.logits = true;
    net_->note("the softmax at the end is left out: outputs are logits, in the same order of size");
    return give(node, logits);
  }
  if (node.op == "LogSoftmax") fail(node, "is not at the end; expected softmax");
  if (!channels && !space)
    fail(node, "is over axis " + std::to_string(axis) + " of " + to_string(input.axes) +
                   "; expected all channels or all pixels");
  const int id =
      add(node, arch::Softmax{channels ? arch::SoftmaxAxis::Channels : arch::SoftmaxAxis::Space}, {input.node});
  give(node, {.node = id, .axes = input.axes});
}

}  // namespace condenser::importers
