// Reads a TensorFlow Lite file: its input, its operators in order, its outputs; and the table of operators.
#include "importers/tflite.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "condenser/core/files.hpp"
#include "condenser/core/text.hpp"
#include "importers/onnx_graph.hpp"
#include "importers/tflite_graph.hpp"

namespace condenser::importers {

using core::tflite::Type;
using onnx_file::Kind;

namespace {

constexpr int64_t kLeastZero = -128, kMostZero = 255;  // of int8 and uint8

}  // namespace

const std::map<std::string, TfliteGraph::Row, std::less<>>& TfliteGraph::rows() {
  using G = TfliteGraph;
  constexpr bool kKeepsScale = true;
  static const std::map<std::string, Row, std::less<>> table{
      {"ADD", {&G::arithmetic}},
      {"AVERAGE_POOL_2D", {&G::pool, kKeepsScale}},
      {"CONCATENATION", {&G::concatenation}},
      {"CONV_2D", {&G::conv}},
      {"DEPTHWISE_CONV_2D", {&G::depthwise}},
      {"DEQUANTIZE", {&G::same}},
      {"DIV", {&G::arithmetic}},
      {"EXPAND_DIMS", {&G::reshape, kKeepsScale}},
      {"FULLY_CONNECTED", {&G::fully_connected}},
      {"HARD_SWISH", {&G::elementwise}},
      {"LEAKY_RELU", {&G::leaky_relu}},
      {"LOGISTIC", {&G::elementwise}},
      {"MAX_POOL_2D", {&G::pool, kKeepsScale}},
      {"MEAN", {&G::mean}},
      {"MIRROR_PAD", {&G::pad, kKeepsScale}},
      {"MUL", {&G::arithmetic}},
      {"PAD", {&G::pad, kKeepsScale}},
      {"PADV2", {&G::pad, kKeepsScale}},
      {"PRELU", {&G::prelu}},
      {"QUANTIZE", {&G::same}},
      {"RELU", {&G::elementwise}},
      {"RELU6", {&G::elementwise}},
      {"RESHAPE", {&G::reshape, kKeepsScale}},
      {"RESIZE_NEAREST_NEIGHBOR", {&G::resize, kKeepsScale}},
      {"SLICE", {&G::slice, kKeepsScale}},
      {"SOFTMAX", {&G::softmax}},
      {"SPLIT", {&G::split, kKeepsScale}},
      {"SPLIT_V", {&G::split, kKeepsScale}},
      {"SQUEEZE", {&G::reshape, kKeepsScale}},
      {"STRIDED_SLICE", {&G::strided_slice, kKeepsScale}},
      {"SUB", {&G::arithmetic}},
      {"TANH", {&G::elementwise}},
      {"TRANSPOSE", {&G::transpose, kKeepsScale}},
  };
  return table;
}

TfliteGraph::TfliteGraph(tflite_file::Model model, std::string file, size_t file_bytes)
    : model_(std::move(model)), file_(std::move(file)), constants_left_(16 * file_bytes + 1'000'000) {}

void TfliteGraph::fail(const std::string& what) const { throw core::Error(file_ + ": " + what); }
void TfliteGraph::fail(const Operator& op, const std::string& what) const {
  fail("node '" + core::printable(name_of(op)) + "' (" + core::printable(op.name) + "): " + what);
}

std::string TfliteGraph::named(int tensor) const { return "'" + core::printable(at(tensor).name.substr(0, 100)) + "'"; }

// "model/conv2d_3/Relu;model/bn_3/FusedBatchNormV3;..." -> "conv2d_3": what people called the layer.
std::string TfliteGraph::name_of(const Operator& op) const {
  if (op.outputs.empty()) return "";
  std::string name = at(op.outputs[0]).name;
  name = name.substr(0, name.find(';'));
  const size_t last = name.rfind('/');
  if (last == std::string::npos || last == 0) return name.substr(0, 100);
  const size_t before = name.rfind('/', last - 1);
  return name.substr(before == std::string::npos ? 0 : before + 1)
      .substr(0, last - (before == std::string::npos ? 0 : before + 1))
      .substr(0, 100);
}

int TfliteGraph::input(const Operator& op, size_t k) const {
  if (!has_input(op, k)) fail(op, "input " + std::to_string(k) + " is missing");
  return op.inputs[k];
}

int TfliteGraph::output(const Operator& op, size_t k) const {
  if (k >= op.outputs.size()) fail(op, "output " + std::to_string(k) + " is missing");
  return op.outputs[k];
}

double TfliteGraph::option(const Operator& op, const char* name, double fallback) {
  const auto found = op.options.find(name);
  return found == op.options.end() ? fallback : found->second;
}

size_t TfliteGraph::axis_of(const Operator& op, int64_t axis, size_t rank) const {
  const auto all = static_cast<int64_t>(rank);
  if (axis < -all || axis >= all) fail(op, "axis " + std::to_string(axis) + " of " + std::to_string(rank) + " axes");
  return static_cast<size_t>(axis < 0 ? axis + all : axis);
}

bool TfliteGraph::holds_integers(int tensor) const { return at(tensor).type != static_cast<int>(Type::Float32); }
double TfliteGraph::scale_of(int tensor) const { return double{at(tensor).scales.at(0)}; }

// That a value which the network computes is of a kind that there is here.
void TfliteGraph::check_value(int tensor) const {
  const Tensor& t = at(tensor);
  const std::string where = "tensor " + named(tensor);
  if (!t.trouble.empty()) fail(where + " " + t.trouble);
  if (t.is_variable) fail(where + " keeps its value from one run to the next; expected a network without memory");
  if (t.type == static_cast<int>(Type::Float32)) return;
  if (t.type != static_cast<int>(Type::Int8) && t.type != static_cast<int>(Type::Uint8))
    fail(where + " holds " + core::tflite::type_name(t.type) + "; expected FLOAT32 or INT8");
  for (const int64_t zero : t.zero_points)
    if (zero < kLeastZero || zero > kMostZero)
      fail(where + " has zero point " + std::to_string(zero) + "; expected one of 8 bits");
  if (t.scales.size() != 1 || t.zero_points.size() > 1 || !(t.scales[0] > 0) || !std::isfinite(t.scales[0]))
    fail(where + " holds " + core::tflite::type_name(t.type) + " with " +
         (t.scales.size() == 1 ? "scale " + core::number(double{t.scales[0]})
                               : std::to_string(t.scales.size()) + " scales") +
         "; expected one scale above 0 and one zero point");
}

bool TfliteGraph::same_storage(int a, int b) const {
  return at(a).type == at(b).type && at(a).scales == at(b).scales && at(a).zero_points == at(b).zero_points;
}

void TfliteGraph::check_same_scale(const Operator& op) const {
  const bool axis_first = op.name == "SPLIT";
  const int from = input(op, axis_first ? 1 : 0);
  for (const int to : op.outputs) {
    if (!holds_integers(to) && !holds_integers(from)) continue;
    if (!same_storage(from, to))
      fail(op, "moves integers, but its output " + named(to) +
                   " has another type, scale or zero point than its input " + named(from) + "; expected the same");
  }
}

onnx_file::Node& TfliteGraph::node(const char* op, std::vector<std::string> inputs, std::string output) {
  onnx_file::Node& made = result_.nodes.emplace_back();
  made.op = op;
  made.name = current_ != nullptr ? name_of(*current_) : "";
  made.origin = current_ != nullptr ? current_->name : "";
  made.inputs = std::move(inputs);
  made.outputs = {std::move(output)};
  return made;
}

std::string TfliteGraph::made(const char* op, std::vector<std::string> inputs) {
  return node(op, std::move(inputs), fresh()).outputs[0];
}

void TfliteGraph::set(onnx_file::Node& node, const char* name, int64_t value) { node.attributes[name].integer = value; }
void TfliteGraph::set(onnx_file::Node& node, const char* name, double value) {
  node.attributes[name].number = static_cast<float>(value);
}
void TfliteGraph::set(onnx_file::Node& node, const char* name, const char* value) {
  node.attributes[name].text = value;
}
void TfliteGraph::set(onnx_file::Node& node, const char* name, std::vector<int64_t> values) {
  node.attributes[name].integers = std::move(values);
}

std::string TfliteGraph::permuted(const std::string& edge, std::vector<int64_t> order) {
  onnx_file::Node& transpose = node("Transpose", {edge}, fresh());
  set(transpose, "perm", std::move(order));
  return transpose.outputs[0];
}

std::string TfliteGraph::reshaped(const std::string& edge, std::vector<int64_t> extents) {
  onnx_file::Node& reshape = node("Reshape", {edge}, fresh());
  set(reshape, "shape", std::move(extents));
  set(reshape, "allowzero", int64_t{1});
  return reshape.outputs[0];
}

std::string TfliteGraph::keep(Array array) {
  const std::string name = fresh();
  result_.constants.emplace(name, std::move(array));
  return name;
}

std::string TfliteGraph::number(float value) {
  Array array;
  array.floats = {value};
  return keep(std::move(array));
}

onnx_file::Array TfliteGraph::array(const Operator& op, size_t k, const char* what) {
  const int place = input(op, k);
  const Tensor& t = at(place);
  if (!t.trouble.empty()) fail(op, std::string(what) + " " + named(place) + " " + t.trouble);
  if (!t.is_constant) fail(op, std::string(what) + " " + named(place) + " is computed; expected a constant");
  if (t.bytes.empty())
    fail(op, std::string(what) + " " + named(place) + " holds " + core::tflite::type_name(t.type) +
                 "; expected FLOAT32, INT8 or INT32");
  if (t.bytes.size() > constants_left_)
    fail("its operators read the same constants again and again; expected a model as converters write it");
  constants_left_ -= t.bytes.size();
  Array array;
  array.dims = t.dims;
  const auto copy = [&](auto kind, auto& out) {
    out.resize(t.bytes.size() / sizeof(kind));
    for (size_t i = 0; i < out.size(); ++i) {
      std::memcpy(&kind, t.bytes.data() + i * sizeof(kind), sizeof(kind));
      out[i] = kind;
    }
  };
  switch (static_cast<Type>(t.type)) {
    case Type::Float32: copy(float{}, array.floats); return array;
    case Type::Int8: array.kind = Kind::Int8, copy(int8_t{}, array.integers); break;
    case Type::Uint8: array.kind = Kind::Uint8, copy(uint8_t{}, array.integers); break;
    case Type::Int32: array.kind = Kind::Int32, copy(int32_t{}, array.integers); break;
    case Type::Int64: array.kind = Kind::Int64, copy(int64_t{}, array.integers); break;
  }
  if (t.scales.empty()) return array;
  array.scales.assign(t.scales.begin(), t.scales.end());
  array.zero_points = t.zero_points;
  if (array.scales.size() > 1) array.axis = axis_of(op, t.axis, t.dims.size());
  if (array.zero_points.empty()) array.zero_points.assign(1, 0);
  const bool fits = array.scales.size() == 1 || std::cmp_equal(array.scales.size(), t.dims[array.axis]);
  if (!fits || (array.zero_points.size() != 1 && array.zero_points.size() != array.scales.size()))
    fail(op, std::string(what) + " " + named(place) + " has " + std::to_string(array.scales.size()) + " scales and " +
                 std::to_string(array.zero_points.size()) + " zero points; expected one, or one per channel");
  for (const int64_t zero : array.zero_points)
    if (zero < kLeastZero || zero > kMostZero)
      fail(op, std::string(what) + " " + named(place) + " has zero point " + std::to_string(zero) +
                   "; expected one of 8 bits");
  for (const double scale : array.scales)
    if (!(scale > 0) || !std::isfinite(scale))
      fail(op, std::string(what) + " " + named(place) + " has scale " + core::number(scale) + "; expected more than 0");
  return array;
}

std::string TfliteGraph::constant(const Operator& op, size_t k, const char* what) { return keep(array(op, k, what)); }

std::vector<int64_t> TfliteGraph::ints(const Operator& op, size_t k, const char* what) {
  const Array values = array(op, k, what);
  if (values.is_float()) fail(op, std::string(what) + " holds floats; expected integers");
  return values.integers;
}

std::vector<std::string> TfliteGraph::quantization(const std::string& edge, int tensor) {
  const Tensor& t = at(tensor);
  Array zero;
  zero.kind = t.type == static_cast<int>(Type::Uint8) ? Kind::Uint8 : Kind::Int8;
  zero.integers = {t.zero_points.empty() ? 0 : t.zero_points[0]};
  return {edge, number(t.scales[0]), keep(std::move(zero))};
}

std::string TfliteGraph::quantized(const std::string& edge, int tensor, std::string output) {
  return node("QuantizeLinear", quantization(edge, tensor), std::move(output)).outputs[0];
}

std::string TfliteGraph::dequantized(const std::string& edge, int tensor) {
  return node("DequantizeLinear", quantization(edge, tensor), fresh()).outputs[0];
}

std::string TfliteGraph::read(const Operator& op, size_t k) {
  int tensor = input(op, k);
  if (const auto other = stands_for_.find(tensor); other != stands_for_.end()) tensor = other->second;
  if (at(tensor).is_constant) return constant(op, k, "input");
  Value& value = values_[static_cast<size_t>(tensor)];
  if (value.plain.empty() && value.map.empty())
    fail(op, "reads " + named(tensor) + ", which no earlier operator writes");
  if (value.plain.empty()) value.plain = permuted(value.map, {0, 2, 3, 1});
  return holds_integers(tensor) ? dequantized(value.plain, tensor) : value.plain;
}

std::string TfliteGraph::read_map(const Operator& op, size_t k) {
  const int tensor = input(op, k);
  if (at(tensor).dims.size() != 4)
    fail(op, "reads " + named(tensor) + " of " + std::to_string(at(tensor).dims.size()) +
                 " axes; expected batch, height, width and channels");
  Value& value = values_[static_cast<size_t>(tensor)];
  if (at(tensor).is_constant || value.map.empty()) return permuted(read(op, k), {0, 3, 1, 2});
  return holds_integers(tensor) ? dequantized(value.map, tensor) : value.map;
}

void TfliteGraph::give(const Operator& op, const std::string& edge, size_t k) {
  const int tensor = output(op, k);
  check_value(tensor);
  const std::string name = at(tensor).name + "#t" + std::to_string(tensor);
  values_[static_cast<size_t>(tensor)].plain = name;
  if (holds_integers(tensor))
    quantized(edge, tensor, name);
  else
    node("Identity", {edge}, name);
}

void TfliteGraph::give_map(const Operator& op, const std::string& edge) {
  give(op, edge);
  Value& value = values_[static_cast<size_t>(output(op))];
  std::swap(value.plain, value.map);
}

std::string TfliteGraph::activated(const Operator& op, const std::string& edge) {
  const auto kind = static_cast<int>(integer(op, "activation"));
  if (kind == core::tflite::kNone) return edge;
  if (kind == core::tflite::kRelu) return made("Relu", {edge});
  if (kind == core::tflite::kRelu6) return made("Clip", {edge, number(0), number(6)});
  fail(op, "ends in " + core::tflite::activation_name(kind) + "; expected RELU or RELU6");
}

const tflite_file::Operator* TfliteGraph::sole_reader(int tensor) const {
  const Operator* found = nullptr;
  for (const Operator* op : live_)
    for (const int place : op->inputs)
      if (place == tensor) {
        if (found != nullptr) return nullptr;
        found = op;
      }
  return std::ranges::find(model_.outputs, tensor) == model_.outputs.end() ? found : nullptr;
}

// Operators that lead to an output. What computes the extents of a reshape does not count: they are known.
void TfliteGraph::find_live() {
  std::map<int, const Operator*> makers;
  for (const Operator& op : model_.operators)
    for (const int place : op.outputs)
      if (!makers.emplace(place, &op).second)
        fail(op, "writes " + named(place) + ", which another operator writes too");
  std::vector<int> wanted = model_.outputs;
  while (!wanted.empty()) {
    const auto maker = makers.find(wanted.back());
    wanted.pop_back();
    if (maker == makers.end() || !live_.insert(maker->second).second) continue;
    const Operator& op = *maker->second;
    const bool first_only = op.name == "RESHAPE" || op.name == "EXPAND_DIMS";
    for (size_t k = 0; k < op.inputs.size() && !(first_only && k > 0); ++k)
      if (op.inputs[k] >= 0) wanted.push_back(op.inputs[k]);
  }
}

// The input is a map of [n, h, w, c]. Where it is a list that becomes a map at once, it is that map.
void TfliteGraph::begin(int place) {
  const Tensor& t = at(place);
  check_value(place);
  std::vector<int64_t> dims = t.dims;
  const Operator* reader = sole_reader(place);
  if (dims.size() < 4 && reader != nullptr && (reader->name == "RESHAPE" || reader->name == "EXPAND_DIMS") &&
      !reader->outputs.empty() && at(reader->outputs[0]).dims.size() == 4)
    dims = at(reader->outputs[0]).dims;
  onnx_file::Value value{t.name,
                         t.type == static_cast<int>(Type::Float32) ? "FLOAT"
                         : t.type == static_cast<int>(Type::Int8)  ? "INT8"
                                                                   : "UINT8",
                         true, dims};
  if (dims == t.dims && t.signature.size() == dims.size())
    for (size_t k = 0; k < dims.size(); ++k)
      if (t.signature[k] < 0) value.dims[k] = onnx_file::kAnySize;
  result_.inputs.push_back(value);
  std::string edge = t.name;
  if (holds_integers(place)) edge = dequantized(edge, place);
  if (dims.size() == 4) edge = permuted(permuted(edge, {0, 3, 1, 2}), {0, 2, 3, 1});
  if (dims.size() == 3) edge = permuted(permuted(edge, {0, 2, 1}), {0, 2, 1});
  if (dims.size() != t.dims.size()) edge = reshaped(edge, t.dims);
  const std::string name = t.name + "#t" + std::to_string(place);
  values_[static_cast<size_t>(place)].plain =
      holds_integers(place) ? quantized(edge, place, name) : node("Identity", {edge}, name).outputs[0];
}

void TfliteGraph::translate(const Operator& op) {
  const auto row = op.custom ? rows().end() : rows().find(op.name);
  if (row == rows().end())
    fail(op, std::string(op.custom ? "a custom operator, which" : "the operator") +
                 " is not known here; src/importers/README.md lists those that are");
  for (const int place : op.outputs) check_value(place);
  if (row->second.keeps_scale) check_same_scale(op);
  (this->*row->second.translate)(op);
}

onnx_file::Model TfliteGraph::run() {
  result_.opset = 13;
  values_.resize(model_.tensors.size());
  find_live();
  for (const int place : model_.inputs)
    if (sole_reader(place) != nullptr || model_.inputs.size() == 1 ||
        std::ranges::any_of(
            live_, [&](const Operator* op) { return std::ranges::find(op->inputs, place) != op->inputs.end(); }))
      begin(place);
  for (const Operator& op : model_.operators) {
    if (!live_.contains(&op)) continue;
    current_ = &op;
    translate(op);
  }
  current_ = nullptr;
  for (const int place : model_.outputs) {
    const Value& value = values_[static_cast<size_t>(place)];
    if (value.plain.empty() && value.map.empty())
      fail("output " + named(place) + " is computed by no operator from the input");
    result_.outputs.push_back({value.map.empty() ? value.plain : value.map, "", false, {}});
  }
  return std::move(result_);
}

Imported parse_tflite(std::string_view bytes, const std::string& name) {
  const std::string file = core::printable(name);
  const std::string network = std::filesystem::path(name).stem().string();
  TfliteGraph reader(tflite_file::read(bytes, file), file, bytes.size());
  OnnxGraph graph(reader.run(), file, network.empty() ? "imported" : core::printable(network));
  Imported imported = graph.run();
  imported.notes.insert(imported.notes.end(), reader.notes().begin(), reader.notes().end());
  return imported;
}

Imported read_tflite(const std::filesystem::path& file) { return parse_tflite(core::read_file(file), file.string()); }

}  // namespace condenser::importers
