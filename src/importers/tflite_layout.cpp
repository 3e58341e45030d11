// Operators of TensorFlow Lite on values one by one, and those that move them.
#include <algorithm>
#include <limits>

#include "condenser/core/text.hpp"
#include "importers/tflite_graph.hpp"

namespace condenser::importers {

// QUANTIZE and DEQUANTIZE: how tensors are stored says the rest.
void TfliteGraph::same(const Operator& op) {
  if (at(input(op, 0)).is_constant)
    fail(op, "reads constant " + named(input(op, 0)) + " of " + core::tflite::type_name(at(input(op, 0)).type) +
                 "; expected weights in FLOAT32 or INT8 as they are");
  // A concatenation takes its inputs in scales of their own.
  const Operator* reader = sole_reader(output(op));
  if (reader != nullptr && reader->name == "CONCATENATION" && holds_integers(output(op)) &&
      holds_integers(input(op, 0)) && !reader->outputs.empty() && same_storage(output(op), reader->outputs[0])) {
    stands_for_[output(op)] = input(op, 0);
    return;
  }
  give(op, read(op, 0));
}

void TfliteGraph::elementwise(const Operator& op) {
  static const std::map<std::string, const char*> names{
      {"HARD_SWISH", "HardSwish"}, {"LOGISTIC", "Sigmoid"}, {"RELU", "Relu"}, {"TANH", "Tanh"}};
  const std::string x = read(op, 0);
  if (op.name == "RELU6") return give(op, made("Clip", {x, number(0), number(6)}));
  give(op, made(names.at(op.name), {x}));
}

void TfliteGraph::arithmetic(const Operator& op) {
  static const std::map<std::string, const char*> names{{"ADD", "Add"}, {"SUB", "Sub"}, {"MUL", "Mul"}, {"DIV", "Div"}};
  const std::string a = read(op, 0), b = read(op, 1);
  give(op, activated(op, made(names.at(op.name), {a, b})));
}

void TfliteGraph::leaky_relu(const Operator& op) {
  const std::string x = read(op, 0);
  onnx_file::Node& node = this->node("LeakyRelu", {x}, fresh());
  set(node, "alpha", option(op, "alpha"));
  give(op, node.outputs[0]);
}

void TfliteGraph::prelu(const Operator& op) {
  const std::string x = read(op, 0);
  give(op, made("PRelu", {x, constant(op, 1, "slope")}));
}

// RESHAPE, SQUEEZE and EXPAND_DIMS: to the extents that the file gives the output.
void TfliteGraph::reshape(const Operator& op) {
  std::vector<int64_t> extents = at(output(op)).dims;
  if (op.name == "RESHAPE" && has_input(op, 1) && at(op.inputs[1]).is_constant) {
    extents = ints(op, 1, "shape");
  } else if (const auto given = op.lists.find("new_shape"); given != op.lists.end() && !has_input(op, 1)) {
    extents = given->second;
  }
  give(op, reshaped(read(op, 0), extents));
}

void TfliteGraph::transpose(const Operator& op) {
  const std::vector<int64_t> order = ints(op, 1, "order");
  give(op, permuted(read(op, 0), order));
}

void TfliteGraph::concatenation(const Operator& op) {
  std::vector<std::string> parts;
  for (size_t k = 0; k < op.inputs.size(); ++k) {
    if (at(input(op, k)).is_constant) fail(op, "joins a constant; expected values that the network computes");
    parts.push_back(read(op, k));
  }
  onnx_file::Node& node = this->node("Concat", std::move(parts), fresh());
  set(node, "axis", integer(op, "axis"));
  give(op, activated(op, node.outputs[0]));
}

// SPLIT of (axis, value), SPLIT_V of (value, sizes, axis).
void TfliteGraph::split(const Operator& op) {
  const bool sized = op.name == "SPLIT_V";
  const std::vector<int64_t> axis = ints(op, sized ? 2 : 0, "axis");
  if (axis.size() != 1) fail(op, std::to_string(axis.size()) + " axes; expected one");
  std::vector<int64_t> sizes;
  if (sized) sizes = ints(op, 1, "sizes");
  const int from = input(op, sized ? 0 : 1);
  const std::vector<int64_t>& dims = at(from).dims;
  const int64_t all = dims.empty() ? 0 : dims[axis_of(op, axis[0], dims.size())];
  const auto count = static_cast<int64_t>(op.outputs.size());
  if (!sized) {
    if (count == 0 || all % count != 0)
      fail(op, std::to_string(count) + " parts of " + std::to_string(all) + " channels; expected equal ones");
    sizes.assign(op.outputs.size(), all / count);
  }
  const auto open = std::ranges::find(sizes, -1);
  if (open != sizes.end()) {
    int64_t known = 1;  // takes the -1 away
    for (const int64_t size : sizes)
      if (__builtin_add_overflow(known, size, &known)) fail(op, "parts that are too large");
    *open = all - known;
  }
  const std::string x = read(op, sized ? 0 : 1);
  onnx_file::Node& node = this->node("Split", {x}, fresh());
  set(node, "axis", axis[0]);
  set(node, "split", sizes);
  while (node.outputs.size() < op.outputs.size()) node.outputs.push_back(fresh());
  const std::vector<std::string> parts = node.outputs;
  for (size_t k = 0; k < op.outputs.size(); ++k) give(op, parts[k], k);
}

void TfliteGraph::sliced(const Operator& op, const std::vector<int64_t>& starts, const std::vector<int64_t>& ends) {
  const std::string x = read(op, 0);
  onnx_file::Node& node = this->node("Slice", {x}, fresh());
  set(node, "starts", starts);
  set(node, "ends", ends);
  give(op, node.outputs[0]);
}

void TfliteGraph::slice(const Operator& op) {
  const std::vector<int64_t> starts = ints(op, 1, "begin");
  std::vector<int64_t> ends = ints(op, 2, "size");
  if (starts.size() != ends.size()) fail(op, "begin and size of different lengths");
  for (size_t k = 0; k < ends.size(); ++k) {
    if (ends[k] == -1)
      ends[k] = std::numeric_limits<int64_t>::max();
    else if (starts[k] < 0 || __builtin_add_overflow(starts[k], ends[k], &ends[k]))
      fail(op, "begin " + std::to_string(starts[k]));
  }
  sliced(op, starts, ends);
}

void TfliteGraph::strided_slice(const Operator& op) {
  std::vector<int64_t> starts = ints(op, 1, "begin"), ends = ints(op, 2, "end");
  const std::vector<int64_t> strides = ints(op, 3, "strides");
  for (const char* mask : {"ellipsis_mask", "new_axis_mask", "shrink_axis_mask"})
    if (integer(op, mask) != 0) fail(op, std::string(mask) + "; expected a part of each axis, in its place");
  if (starts.size() != ends.size() || std::ranges::any_of(strides, [](int64_t s) { return s != 1; }) ||
      starts.size() > 8)
    fail(op, "takes steps, or begin and end of different lengths; expected steps of 1");
  for (size_t k = 0; k < starts.size(); ++k) {
    if ((integer(op, "begin_mask") >> k & 1) != 0) starts[k] = 0;
    if ((integer(op, "end_mask") >> k & 1) != 0) ends[k] = std::numeric_limits<int64_t>::max();
  }
  sliced(op, starts, ends);
}

// PAD, PADV2 with a value, MIRROR_PAD.
void TfliteGraph::pad(const Operator& op) {
  const std::vector<int64_t> pads = ints(op, 1, "paddings");  // before and after, by axis
  if (pads.size() != 8) fail(op, "pads " + std::to_string(pads.size() / 2) + " axes; expected those of a map");
  std::vector<std::string> inputs{read_map(op, 0)};
  const bool mirrors = op.name == "MIRROR_PAD";
  if (mirrors && integer(op, "mode") != 0) fail(op, "mirrors the border itself; expected mode REFLECT");
  if (op.name == "PADV2") inputs.insert(inputs.end(), {"", constant(op, 2, "value")});
  onnx_file::Node& node = this->node("Pad", std::move(inputs), fresh());
  set(node, "pads", {pads[0], pads[6], pads[2], pads[4], pads[1], pads[7], pads[3], pads[5]});
  set(node, "mode", mirrors ? "reflect" : "constant");
  give_map(op, node.outputs[0]);
}

}  // namespace condenser::importers
