#pragma once
// What readers of all formats build with: nodes under legal names, their weights in floats, and of int8 files the
// integers and scales, brought together at the end into what the int8 executor takes.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "condenser/arch/analysis.hpp"
#include "condenser/importers/importer.hpp"

namespace condenser::importers {

// Integers of a convolution, linear or prelu node beside its floats.
struct Integers {
  std::vector<int8_t> weight;         // symmetric, in the order of the float tensor
  std::vector<double> weight_scales;  // one, or one per output channel
  std::vector<int32_t> bias;          // empty: the floats are rounded to input scale * weight scale
  std::vector<double> bias_scales;    // one, or one per output channel
};

class NetBuilder {
 public:
  NetBuilder(std::string name, arch::Shape input);  // of the network: the stem of the file's name

  // `name` as in the file: made legal and different from all before. Throws arch::SpecError where shapes do not fit.
  int add(const std::string& name, const arch::Op& op, const arch::Inputs& inputs);
  const arch::Shape& shape(int id) const { return shapes_[static_cast<size_t>(id)]; }
  arch::Node& node(int id) { return nodes_[static_cast<size_t>(id)]; }
  const arch::Node& node(int id) const { return nodes_[static_cast<size_t>(id)]; }

  void put(int id, const char* param, std::vector<int64_t> shape, std::vector<float> values);
  bool has(int id, const char* param) const;

  // Int8 files. `output`: how the values of a node are stored; a node that has another form already gets a node behind
  // it that changes scales, whose id is returned (else `id`).
  int quantize(int id, const runtime::TensorQuant& output);
  std::optional<runtime::TensorQuant> quant(int id) const;
  Integers& integers(int id) { return integers_[node(id).name]; }

  void note(std::string text);

  // Drops what does not lead to an output. With `int8` every node needs a form; throws core::Error naming one without.
  Imported finish(const std::vector<int>& outputs, bool int8);

 private:
  std::string legal(const std::string& name);
  arch::Spec live_spec(const std::vector<int>& outputs);
  void mean_as_convolution(int id);
  Int8Form int8_form(const arch::Spec& spec, const arch::Weights& floats);

  std::string name_;
  arch::Shape input_;
  std::vector<arch::Node> nodes_;
  std::vector<arch::Shape> shapes_;
  std::set<std::string> names_;
  arch::Weights weights_;
  std::map<std::string, runtime::TensorQuant> quants_;  // by node
  std::map<std::string, Integers> integers_;            // by node
  std::vector<std::string> notes_;
};

}  // namespace condenser::importers
