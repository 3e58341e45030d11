// Reads an ONNX file: its input, its nodes in order, its outputs; and the table of operators.
#include "importers/onnx.hpp"

#include <algorithm>

#include "condenser/core/files.hpp"
#include "condenser/core/text.hpp"
#include "importers/onnx_graph.hpp"

namespace condenser::importers {

const std::map<std::string, OnnxGraph::Operator, std::less<>>& OnnxGraph::operators() {
  using G = OnnxGraph;
  static const std::map<std::string, Operator, std::less<>> table{
      {"Add", &G::arithmetic},
      {"AveragePool", &G::average_pool},
      {"BatchNormalization", &G::batch_normalization},
      {"Cast", &G::cast},
      {"Clip", &G::clip},
      {"Concat", &G::concat},
      {"Conv", &G::conv},
      {"DequantizeLinear", &G::dequantize_linear},
      {"Div", &G::arithmetic},
      {"Dropout", &G::identity},
      {"Flatten", &G::flatten},
      {"Gemm", &G::gemm},
      {"GlobalAveragePool", &G::global_average_pool},
      {"GlobalMaxPool", &G::global_max_pool},
      {"HardSigmoid", &G::hard_sigmoid},
      {"HardSwish", &G::activation},
      {"Identity", &G::identity},
      {"LeakyRelu", &G::leaky_relu},
      {"LogSoftmax", &G::softmax},
      {"MatMul", &G::mat_mul},
      {"MaxPool", &G::max_pool},
      {"Mul", &G::arithmetic},
      {"PRelu", &G::prelu},
      {"Pad", &G::pad},
      {"QuantizeLinear", &G::quantize_linear},
      {"ReduceMean", &G::reduce_mean},
      {"Relu", &G::activation},
      {"Reshape", &G::reshape},
      {"Resize", &G::resize},
      {"Sigmoid", &G::activation},
      {"Slice", &G::slice},
      {"Softmax", &G::softmax},
      {"Split", &G::split},
      {"Squeeze", &G::squeeze},
      {"Sub", &G::arithmetic},
      {"Tanh", &G::activation},
      {"Transpose", &G::transpose},
      {"Unsqueeze", &G::unsqueeze},
      {"Upsample", &G::resize},
  };
  return table;
}

OnnxGraph::OnnxGraph(onnx_file::Model model, std::string file, const std::string& network)
    : model_(std::move(model)), file_(std::move(file)), network_(network) {}

void OnnxGraph::fail(const std::string& what) const { throw core::Error(file_ + ": " + what); }
void OnnxGraph::fail(const Node& node, const std::string& what) const { fail(node.shown() + ": " + what); }

namespace {

std::string names_of(const std::vector<onnx_file::Value>& values) {
  std::vector<std::string> names;
  for (const auto& value : values) {
    if (names.size() == 8) break;
    names.push_back(core::printable(value.name.substr(0, 60)));
  }
  return core::join(names);
}

std::string shape_text(const std::vector<int64_t>& dims) {
  std::vector<std::string> texts;
  for (const int64_t n : dims) texts.push_back(n == onnx_file::kAnySize ? "?" : std::to_string(n));
  return "[" + core::join(texts) + "]";
}

bool keeps_place(const std::string& op) {  // values stay one by one where they are
  return op == "QuantizeLinear" || op == "DequantizeLinear" || op == "Identity" || op == "Cast" || op == "Relu" ||
         op == "Clip" || op == "Mul" || op == "Add" || op == "Sub" || op == "Div" || op == "Dropout";
}

}  // namespace

void OnnxGraph::count_uses() {
  std::map<std::string, const Node*> makers;
  for (const Node& node : model_.nodes)
    for (const std::string& output : node.outputs)
      if (!output.empty() && !makers.emplace(output, &node).second)
        fail(node, "writes '" + core::printable(output) + "', which another node writes too");
  std::vector<std::string> wanted;
  for (const auto& output : model_.outputs) {
    ++uses_[output.name];
    wanted.push_back(output.name);
  }
  while (!wanted.empty()) {
    const auto maker = makers.find(wanted.back());
    wanted.pop_back();
    if (maker == makers.end() || !live_.insert(maker->second).second) continue;
    for (const std::string& input : maker->second->inputs) {
      if (input.empty()) continue;
      ++uses_[input];
      readers_[input].push_back(maker->second);
      wanted.push_back(input);
    }
  }
}

const onnx_file::Node* OnnxGraph::sole_reader(const std::string& name) const {
  const auto uses = uses_.find(name);
  const auto readers = readers_.find(name);
  return uses != uses_.end() && uses->second == 1 && readers != readers_.end() ? readers->second[0] : nullptr;
}

bool OnnxGraph::ends_here(std::string name) const {
  const auto is_output = [&](const auto& output) { return output.name == name; };
  for (size_t steps = 0; steps <= model_.nodes.size(); ++steps) {
    if (std::ranges::any_of(model_.outputs, is_output)) return uses_.at(name) == 1;
    const Node* reader = sole_reader(name);
    static const std::set<std::string> kAliases{"QuantizeLinear", "DequantizeLinear", "Identity", "Reshape",
                                                "Squeeze",        "Flatten",          "Cast"};
    if (reader == nullptr || !kAliases.contains(reader->op) || reader->outputs.empty()) return false;
    name = reader->outputs[0];
  }
  return false;
}

// The shape of the network's input. A transposition or a change of extents that the file begins with decides what its
// axes are.
arch::Shape OnnxGraph::read_input(Axes& axes) {
  std::vector<onnx_file::Value> used;
  for (const auto& input : model_.inputs)
    if (uses_.contains(input.name)) used.push_back(input);
  if (used.size() != 1)
    fail(used.empty() ? std::string("its outputs read no input; expected one")
                      : "has " + std::to_string(used.size()) + " inputs (" + names_of(used) +
                            "); expected one: networks here take a single picture, sound or vector");
  const onnx_file::Value& input = used[0];
  const std::string where = "input '" + core::printable(input.name) + "' ";
  if (input.type != "FLOAT" && input.type != "INT8" && input.type != "UINT8")
    fail(where + "holds " + core::printable(input.type) + "; expected FLOAT");
  std::vector<int64_t> dims = input.dims;
  if (!input.has_shape || dims.size() < 2 || dims.size() > 4)
    fail(where + (input.has_shape ? "has shape " + shape_text(dims) : "has no shape") +
         "; expected [n, c, h, w], [n, h, w, c], [n, c, w] or [n, c]");
  batch_ = std::max<int64_t>(dims[0], 1);
  dims[0] = batch_;
  for (const int64_t n : dims)
    if (n < 1 || n > arch::kMaxExtent)
      fail(where + "has shape " + shape_text(input.dims) + "; expected fixed extents of 1.." +
           std::to_string(arch::kMaxExtent) + " behind the batch: export it with the size that it will be used with");
  std::string name = input.name;
  const Node* first = nullptr;
  while ((first = sole_reader(name)) != nullptr && keeps_place(first->op) && !first->outputs.empty())
    name = first->outputs[0];
  std::vector<int64_t> standard = dims;
  std::vector<size_t> order;
  if (first != nullptr && first->op == "Transpose" && dims.size() > 2) {
    order = order_of(*first, dims.size());
    for (size_t k = 0; k < order.size(); ++k) standard[k] = dims[order[k]];
    if (standard[0] != batch_) fail(*first, "moves the batch; expected it to stay first");
  } else if (first != nullptr && (first->op == "Reshape" || first->op == "Unsqueeze" || first->op == "Squeeze")) {
    const std::vector<int64_t> target = target_extents(*first, dims);
    if (target.size() >= 2 && target.size() <= 4 && target[0] == batch_) standard = target;
  }
  for (const int64_t n : standard)
    if (n < 1 || n > arch::kMaxExtent)
      fail(where + "has shape " + shape_text(standard) + "; expected 1.." + std::to_string(arch::kMaxExtent));
  const size_t rank = standard.size();
  const arch::Shape shape{standard[1], rank > 3 ? standard[2] : 1, rank > 2 ? standard[rank - 1] : 1};
  axes = standard_axes(shape, batch_, rank);
  Axes named = standard_axes({2, 2, 2}, 2, rank);  // with a name for axes of one index too
  if (!order.empty()) {
    Axes before(rank), names(rank);
    for (size_t k = 0; k < rank; ++k) {
      before[order[k]] = axes[k];
      names[order[k]] = named[k];
    }
    axes = before;
    named = names;
  } else if (standard != dims) {
    const auto before = regrouped(axes, dims);
    if (!before) fail(where + "has shape " + shape_text(dims) + ", which cannot become " + shape_text(standard));
    axes = *before;
    named = axes;
  }
  input_axes_ = to_string(named);
  return shape;
}

const onnx_file::Array* OnnxGraph::find_constant(const Node& node, size_t k) const {
  if (!has_input(node, k)) return nullptr;
  const auto found = model_.constants.find(node.inputs[k]);
  return found == model_.constants.end() ? nullptr : &found->second;
}

const onnx_file::Array& OnnxGraph::constant(const Node& node, size_t k, const char* what) const {
  if (const Array* array = find_constant(node, k)) return *array;
  fail(node, std::string(what) +
                 (has_input(node, k) ? " '" + core::printable(node.inputs[k]) + "' is computed" : " is missing") +
                 "; expected a constant");
}

Tensor OnnxGraph::any_tensor(const Node& node, size_t k) {
  if (!has_input(node, k)) fail(node, "input " + std::to_string(k) + " is missing");
  const auto found = tensors_.find(node.inputs[k]);
  if (found == tensors_.end())
    fail(node, "reads '" + core::printable(node.inputs[k]) + "', " +
                   (model_.constants.contains(node.inputs[k]) ? "a constant; expected a value that the network computes"
                                                              : "which no earlier node writes"));
  Tensor tensor = found->second;
  tensor.shared = tensor.shared || uses_[node.inputs[k]] > 1;
  return tensor;
}

Tensor OnnxGraph::tensor(const Node& node, size_t k) {
  Tensor tensor = any_tensor(node, k);
  if (tensor.integers) fail(node, "computes with integers; expected DequantizeLinear before it (format QDQ)");
  if (tensor.logits)
    fail(node, "computes with probabilities; expected a softmax at the very end, or in a product with another value");
  if (tensor.pad != arch::Pad{} || tensor.mirrored > 0)
    fail(node, "reads what a Pad made; expected a Conv behind a Pad");
  settle(node, tensor);
  return tensor;
}

Tensor OnnxGraph::map(const Node& node, size_t k, bool padded) {
  Tensor tensor = any_tensor(node, k);
  const arch::Pad pad = tensor.pad;
  const int mirrored = tensor.mirrored;
  if (padded && !tensor.integers && !tensor.logits) {
    settle(node, tensor);
  } else {
    tensor = this->tensor(node, k);
  }
  tensor.pad = pad;
  tensor.mirrored = mirrored;
  if (!is_standard(tensor.axes, shape(tensor), batch_))
    fail(node, "reads axes " + to_string(tensor.axes) + " of " + arch::to_string(shape(tensor)) +
                   "; expected batch, channels, height and width in this order");
  return tensor;
}

int64_t OnnxGraph::integer(const Node& node, const char* name, int64_t fallback) const {
  const auto found = node.attributes.find(name);
  return found == node.attributes.end() ? fallback : found->second.integer.value_or(fallback);
}

double OnnxGraph::number(const Node& node, const char* name, double fallback) const {
  const auto found = node.attributes.find(name);
  return found == node.attributes.end() || !found->second.number ? fallback : double{*found->second.number};
}

std::string OnnxGraph::text(const Node& node, const char* name, const char* fallback) const {
  const auto found = node.attributes.find(name);
  return found == node.attributes.end() ? fallback : found->second.text.value_or(fallback);
}

const std::vector<int64_t>* OnnxGraph::integers(const Node& node, const char* name) const {
  const auto found = node.attributes.find(name);
  return found == node.attributes.end() ? nullptr : &found->second.integers;
}

const std::vector<int64_t>* OnnxGraph::list(const Node& node, const char* name, size_t k) const {
  if (const auto* values = integers(node, name)) return values;
  if (!has_input(node, k)) return nullptr;
  const Array& array = constant(node, k, name);
  if (array.is_float()) fail(node, std::string(name) + " are floats; expected integers");
  return &array.integers;
}

size_t OnnxGraph::axis_of(const Node& node, int64_t axis, size_t rank) const {
  const auto all = static_cast<int64_t>(rank);
  if (axis < -all || axis >= all) fail(node, "axis " + std::to_string(axis) + " of " + std::to_string(rank) + " axes");
  return static_cast<size_t>(axis < 0 ? axis + all : axis);
}

void OnnxGraph::expect_default(const Node& node, const char* name, int64_t value) const {
  const int64_t found = integer(node, name, value);
  if (found != value)
    fail(node, std::string(name) + " = " + std::to_string(found) + "; expected " + std::to_string(value));
}

void OnnxGraph::give(const Node& node, Tensor tensor, size_t output) {
  if (output >= node.outputs.size() || node.outputs[output].empty()) return;
  tensors_.insert_or_assign(node.outputs[output], std::move(tensor));
}

void OnnxGraph::give(const Node& node, Array array) {
  if (!node.outputs.empty()) model_.constants.insert_or_assign(node.outputs[0], std::move(array));
}

int OnnxGraph::add(const Node& node, const arch::Op& op, const arch::Inputs& inputs, const std::string& name) {
  return net_->add(!name.empty()                                ? name
                   : !node.name.empty() || node.outputs.empty() ? node.name
                                                                : node.outputs[0],
                   op, inputs);
}

Tensor OnnxGraph::added(const Node& node, const arch::Op& op, const arch::Inputs& inputs, const Axes& like) {
  const int id = add(node, op, inputs);
  return {.node = id, .axes = standard_axes(net_->shape(id), batch_, like.size())};
}

void OnnxGraph::translate(const Node& node) {
  const bool ours = node.domain.empty() || node.domain == "ai.onnx" ||
                    (node.domain == "com.microsoft" && node.op.ends_with("quantizeLinear"));
  const bool quantize = node.op == "QuantizeLinear";
  if (ours || (quantize && node.domain == "com.microsoft")) {
    if (fold(node)) return;
    const auto found = operators().find(node.op);
    if (found != operators().end()) return (this->*found->second)(node);
  }
  if (node.op.starts_with("QLinear") || node.op == "ConvInteger" || node.op == "MatMulInteger")
    fail(node,
         "holds integers in the operator; expected an int8 model in the format QDQ (QuantizeLinear and "
         "DequantizeLinear around float operators)");
  fail(node, "the operator" + (ours ? "" : " of domain '" + core::printable(node.domain) + "'") +
                 " is not known here; src/importers/README.md lists those that are");
}

std::vector<int> OnnxGraph::read_outputs() {
  std::vector<int> ids;
  for (const auto& output : model_.outputs) {
    const auto found = tensors_.find(output.name);
    if (found == tensors_.end())
      fail("output '" + core::printable(output.name) + "' is computed by no node from the input");
    Tensor tensor = found->second;
    Node end{"", "output", "", {}, {output.name}, {}};
    settle(end, tensor);
    if (tensor.pad != arch::Pad{} || tensor.mirrored > 0)
      fail("output '" + core::printable(output.name) + "' is padded; expected a Conv behind a Pad");
    if (!is_standard(tensor.axes, shape(tensor), batch_) && shape(tensor).elements() != shape(tensor).c)
      net_->note("output " + core::printable(output.name) + " has the axes " + to_string(tensor.axes) +
                 " in the file; here it is chw");
    if (std::ranges::find(ids, tensor.node) != ids.end())
      fail("output '" + core::printable(output.name) +
           "' is the same value as another output; expected every value once");
    ids.push_back(tensor.node);
  }
  if (ids.empty()) fail("has no output");
  return ids;
}

Imported OnnxGraph::run() {
  count_uses();
  Tensor input;
  const arch::Shape shape = read_input(input.axes);
  net_.emplace(network_, shape);
  std::string name;
  for (const auto& value : model_.inputs)
    if (uses_.contains(value.name)) {
      name = value.name;
      input.integers = value.type != "FLOAT";
    }
  tensors_[name] = input;
  for (const Node& node : model_.nodes) {
    if (!live_.contains(&node)) continue;
    try {
      translate(node);
    } catch (const arch::SpecError& e) {
      fail(node, e.what());
    }
  }
  try {
    Imported imported = net_->finish(read_outputs(), int8_);
    imported.input_name = name;
    imported.input_axes = input_axes_;
    return imported;
  } catch (const arch::SpecError& e) {
    fail(e.what());
  }
}

Imported parse_onnx(std::string_view bytes, const std::string& name, const std::filesystem::path& folder) {
  const std::string file = core::printable(name);
  std::string network = std::filesystem::path(name).stem().string();
  OnnxGraph graph(onnx_file::read(bytes, file, folder), file, network.empty() ? "imported" : core::printable(network));
  return graph.run();
}

Imported read_onnx(const std::filesystem::path& file) {
  return parse_onnx(core::read_file(file), file.string(), file.has_parent_path() ? file.parent_path() : ".");
}

}  // namespace condenser::importers
