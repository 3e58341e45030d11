#pragma once
// The graph of a TensorFlow Lite file as the graph of ONNX operators that computes the same, which OnnxGraph then
// walks: one place knows patterns, names of axes and integers. Maps are [n, h, w, c] here and [n, c, h, w] there;
// transpositions between them cost nothing. Every operator has a member function, in tflite_layers.cpp and
// tflite_layout.cpp; the table is in tflite.cpp.

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "importers/onnx_model.hpp"
#include "importers/tflite_model.hpp"

namespace condenser::importers {

class TfliteGraph {
 public:
  TfliteGraph(tflite_file::Model model, std::string file, size_t file_bytes);
  onnx_file::Model run();
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  using Operator = tflite_file::Operator;
  using Tensor = tflite_file::Tensor;
  using Array = onnx_file::Array;
  struct Row {
    void (TfliteGraph::*translate)(const Operator&);
    bool keeps_scale = false;  // moves integers as they are: output and input are stored alike
  };
  static const std::map<std::string, Row, std::less<>>& rows();

  // Input, outputs, liveness: tflite.cpp
  void begin(int input);
  void find_live();
  void translate(const Operator&);
  const Operator* sole_reader(int tensor) const;
  bool same_storage(int a, int b) const;  // type, scale and zero point

  [[noreturn]] void fail(const std::string& what) const;
  [[noreturn]] void fail(const Operator&, const std::string& what) const;

  // Inputs and options of an operator.
  const Tensor& at(int tensor) const { return model_.tensors[static_cast<size_t>(tensor)]; }
  bool has_input(const Operator& op, size_t k) const { return k < op.inputs.size() && op.inputs[k] >= 0; }
  int input(const Operator&, size_t k) const;
  int output(const Operator&, size_t k = 0) const;
  static double option(const Operator&, const char* name, double fallback = 0);
  static int64_t integer(const Operator& op, const char* name, int64_t fallback = 0) {
    return static_cast<int64_t>(option(op, name, static_cast<double>(fallback)));
  }
  std::vector<int64_t> ints(const Operator&, size_t k, const char* what);  // of a constant
  size_t axis_of(const Operator&, int64_t axis, size_t rank) const;
  std::string named(int tensor) const;  // for people
  std::string name_of(const Operator&) const;

  // Values as edges of ONNX: those of a tensor in its own order of axes, or as a map. Always floats; a tensor that
  // holds integers has DequantizeLinear behind it and QuantizeLinear before it.
  std::string read(const Operator&, size_t k);
  std::string read_map(const Operator&, size_t k);
  void give(const Operator&, const std::string& edge, size_t k = 0);
  void give_map(const Operator&, const std::string& edge);
  std::string activated(const Operator&, const std::string& edge);  // by the activation that is fused into it
  bool holds_integers(int tensor) const;
  double scale_of(int tensor) const;  // of one that holds integers
  void check_value(int tensor) const;
  void check_same_scale(const Operator&) const;

  // Constants.
  std::string constant(const Operator&, size_t k, const char* what);  // as it is in the file
  Array array(const Operator&, size_t k, const char* what);
  std::string keep(Array);
  std::string number(float value);

  // Nodes of ONNX under the name of the operator that is translated.
  onnx_file::Node& node(const char* op, std::vector<std::string> inputs, std::string output);
  std::string made(const char* op, std::vector<std::string> inputs);
  std::string permuted(const std::string& edge, std::vector<int64_t> order);
  std::string reshaped(const std::string& edge, std::vector<int64_t> extents);
  static void set(onnx_file::Node&, const char* name, int64_t value);
  static void set(onnx_file::Node&, const char* name, double value);
  static void set(onnx_file::Node&, const char* name, const char* value);
  static void set(onnx_file::Node&, const char* name, std::vector<int64_t> values);
  std::string fresh() { return "#" + std::to_string(++edges_); }
  std::string quantized(const std::string& edge, int tensor, std::string output);
  std::string dequantized(const std::string& edge, int tensor);
  std::vector<std::string> quantization(const std::string& edge, int tensor);

  // tflite_layers.cpp
  void conv(const Operator&);
  void depthwise(const Operator&);
  void fully_connected(const Operator&);
  void pool(const Operator&);
  void mean(const Operator&);
  void softmax(const Operator&);
  void resize(const Operator&);
  void convolved(const Operator&, const std::vector<int64_t>& order, int64_t groups);
  std::string bias(const Operator&, const Array& weight);
  void set_window(const Operator&, onnx_file::Node&, bool dilated) const;

  // tflite_layout.cpp
  void same(const Operator&);
  void elementwise(const Operator&);
  void arithmetic(const Operator&);
  void leaky_relu(const Operator&);
  void prelu(const Operator&);
  void reshape(const Operator&);
  void transpose(const Operator&);
  void concatenation(const Operator&);
  void split(const Operator&);
  void slice(const Operator&);
  void strided_slice(const Operator&);
  void pad(const Operator&);
  void sliced(const Operator&, const std::vector<int64_t>& starts, const std::vector<int64_t>& ends);

  struct Value {
    std::string plain, map;  // edges; "": not made yet
  };

  tflite_file::Model model_;
  std::string file_;
  size_t constants_left_;  // bytes that operators may still read of constants, which they may share
  onnx_file::Model result_;
  std::vector<Value> values_;
  std::map<int, int> stands_for_;  // tensors that are read as another one
  std::set<const Operator*> live_;
  const Operator* current_ = nullptr;
  size_t edges_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace condenser::importers
