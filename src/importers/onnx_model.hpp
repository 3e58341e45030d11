#pragma once
// An ONNX file as plain data: what protobuf read, checked for sizes, without its types. Only onnx_model.cpp sees
// protobuf.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace condenser::importers::onnx_file {

enum class Kind { Float, Int8, Uint8, Int32, Int64, Other };

struct Array {
  Kind kind = Kind::Float;
  std::vector<int64_t> dims;
  std::vector<float> floats;      // of kind Float
  std::vector<int64_t> integers;  // of the other kinds
  // Of integers that stand for floats (DequantizeLinear): one scale, or one for each index along `axis`.
  std::vector<double> scales;
  std::vector<int64_t> zero_points;
  size_t axis = 0;

  bool is_float() const { return kind == Kind::Float; }
  size_t size() const { return is_float() ? floats.size() : integers.size(); }
};

struct Attribute {
  std::optional<int64_t> integer;
  std::optional<float> number;
  std::optional<std::string> text;
  std::vector<int64_t> integers;
  std::vector<float> numbers;
  std::optional<Array> array;
  bool has_graph = false;
};

struct Node {
  std::string name, op, domain;
  std::vector<std::string> inputs, outputs;  // "": left out
  std::map<std::string, Attribute> attributes;
  std::string origin = {};  // what another format calls it; empty: it is of ONNX

  // "node 'conv1' (Conv)"; of a node without a name its output's.
  std::string shown() const;
};

constexpr int64_t kAnySize = -1;

struct Value {
  std::string name;
  std::string type;  // "float", "int64", ...
  bool has_shape = false;
  std::vector<int64_t> dims;  // kAnySize: symbolic
};

struct Model {
  int64_t opset = 0;
  std::vector<Node> nodes;
  std::map<std::string, Array> constants;  // initializers
  std::vector<Value> inputs, outputs;      // inputs: without those that are initializers
};

// Throws core::Error that begins with `name`.
Model read(std::string_view bytes, const std::string& name, const std::filesystem::path& folder);

}  // namespace condenser::importers::onnx_file
