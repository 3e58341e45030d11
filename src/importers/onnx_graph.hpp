#pragma once
// The graph of an ONNX file, walked once in its order. Every operator has a member function, which looks its inputs up
// by name and leaves what its output stands for: a node of the network with named axes, or a constant. Functions are in
// onnx_<what>.cpp; the table is in onnx.cpp.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "importers/axes.hpp"
#include "importers/net_builder.hpp"
#include "importers/onnx_model.hpp"

namespace condenser::importers {

// What a name of the file stands for.
struct Tensor {
  int node = 0;
  Axes axes;
  arch::Pad pad;          // zeros around it that the next window takes along
  int mirrored = 0;       // so many mirrored pixels on every side instead
  bool integers = false;  // between QuantizeLinear and DequantizeLinear
  bool shared = false;    // others read it too: its node may not be changed
  bool logits = false;    // in place of the probabilities that the file has here
};

class OnnxGraph {
 public:
  OnnxGraph(onnx_file::Model, std::string file, const std::string& network);
  Imported run();

 private:
  using Node = onnx_file::Node;
  using Array = onnx_file::Array;
  using Operator = void (OnnxGraph::*)(const Node&);
  static const std::map<std::string, Operator, std::less<>>& operators();

  // Input, liveness, outputs: onnx.cpp
  arch::Shape read_input(Axes& axes);
  void count_uses();
  void translate(const Node&);
  std::vector<int> read_outputs();
  const Node* sole_reader(const std::string& name) const;
  bool ends_here(std::string name) const;  // nothing but the output of the network follows

  [[noreturn]] void fail(const std::string& what) const;
  [[noreturn]] void fail(const Node&, const std::string& what) const;

  // Inputs and attributes of a node.
  bool has_input(const Node& node, size_t k) const { return k < node.inputs.size() && !node.inputs[k].empty(); }
  const Array* find_constant(const Node&, size_t k) const;
  const Array& constant(const Node&, size_t k, const char* what) const;
  const std::vector<float>& float_list(const Node&, size_t k, const char* what, int64_t size) const;
  float scalar(const Node&, size_t k, const char* what) const;
  Tensor any_tensor(const Node&, size_t k);                    // as it stands
  Tensor tensor(const Node&, size_t k = 0);                    // floats, not padded, channels in their order
  Tensor map(const Node&, size_t k = 0, bool padded = false);  // the same in standard order: [n, c, (h,) w]
  const arch::Shape& shape(const Tensor& t) const { return net_->shape(t.node); }
  const arch::Op& op(const Tensor& t) const { return net_->node(t.node).op; }
  int64_t integer(const Node&, const char* name, int64_t fallback) const;
  double number(const Node&, const char* name, double fallback) const;
  std::string text(const Node&, const char* name, const char* fallback) const;
  const std::vector<int64_t>* integers(const Node&, const char* name) const;  // null: not there
  // From the attribute, or from input `k` as in newer opsets; null: neither.
  const std::vector<int64_t>* list(const Node&, const char* name, size_t k) const;
  size_t axis_of(const Node&, int64_t axis, size_t rank) const;
  void expect_default(const Node&, const char* name, int64_t value) const;

  // Results.
  void give(const Node&, Tensor, size_t output = 0);
  void give(const Node&, Array);
  Tensor added(const Node&, const arch::Op&, const arch::Inputs&, const Axes& like);  // like: the rank
  int add(const Node&, const arch::Op&, const arch::Inputs&, const std::string& name = "");

  // Constants: onnx_constants.cpp
  bool fold(const Node&);
  bool fold_slice(const Node&, const Array&);
  static Array permuted_array(const Array&, const std::vector<size_t>& order);
  std::vector<float> floats_of(const Node&, const Array&) const;

  // Convolution and linear layers, pools: onnx_layers.cpp
  void conv(const Node&);
  void gemm(const Node&);
  void mat_mul(const Node&);
  void batch_normalization(const Node&);
  void max_pool(const Node&);
  void average_pool(const Node&);
  void global_average_pool(const Node&);
  void global_max_pool(const Node&);
  void reduce_mean(const Node&);
  void resize(const Node&);
  void softmax(const Node&);
  struct Window {
    arch::Size kernel, stride;
    arch::Pad pad;
    arch::Size dilation;
    bool extended = false;  // by ceil_mode
  };
  Window window(const Node&, const Tensor&, const std::vector<int64_t>& kernel) const;
  void put_weights(const Node&, int id, const Array& weight, const Array* bias, double factor = 1,
                   double bias_factor = 1);
  bool blur(const Node&, const Tensor&, const Array& weight);
  void fully_connected(const Node&, const Tensor&, const Array& weight, const Array* bias, double alpha, double beta);

  // Values one by one: onnx_elementwise.cpp
  void activation(const Node&);
  void clip(const Node&);
  void hard_sigmoid(const Node&);
  void leaky_relu(const Node&);
  void prelu(const Node&);
  void arithmetic(const Node&);
  void affine(const Node&, const Tensor&, const Array&, bool constant_first);
  void affine(const Node&, const Tensor&, const std::vector<float>& scale, const std::vector<float>& shift);
  void scaled(const Node&, const Tensor&, double factor);
  void product(const Node&, const Tensor&, const Tensor&);
  std::vector<float> per_channel(const Node&, const Tensor&, const Array&) const;  // one value, or one per channel
  int same_kind(const Tensor&, arch::ActivationKind) const;  // the node that this activation reads; -1: none such

  // Order and extent: onnx_layout.cpp
  void identity(const Node&);
  void cast(const Node&);
  void flatten(const Node&);
  void reshape(const Node&);
  void squeeze(const Node&);
  void unsqueeze(const Node&);
  void transpose(const Node&);
  void concat(const Node&);
  void slice(const Node&);
  void split(const Node&);
  void pad(const Node&);
  void regroup(const Node&, Tensor, const std::vector<int64_t>& extents);
  std::vector<int64_t> target_extents(const Node&, std::vector<int64_t> from) const;  // of a layout operator
  std::vector<size_t> order_of(const Node&, size_t rank) const;
  Tensor channels(const Node&, const Tensor&, size_t axis, int64_t begin, int64_t count, const std::string& name);
  void settle(const Node&, Tensor&);

  // Integers: onnx_quant.cpp
  void quantize_linear(const Node&);
  void dequantize_linear(const Node&);
  bool fold_quantization(const Node&);
  runtime::TensorQuant quant_of(const Node&) const;

  onnx_file::Model model_;
  std::string file_;
  std::optional<NetBuilder> net_;
  std::map<std::string, Tensor> tensors_;
  std::map<std::string, int> uses_;
  std::map<std::string, std::vector<const Node*>> readers_;
  std::set<const Node*> live_;
  std::set<int> three_more_, six_times_;  // nodes: x + 3, and 6 times a hard swish
  int64_t batch_ = 1;
  bool int8_ = false;
  std::string input_axes_;
  std::string network_;
};

}  // namespace condenser::importers
