#pragma once
// A network of TensorFlow Lite as plain data, and its file. Only tflite_file.cpp sees FlatBuffers.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/tflite_format.hpp"

namespace condenser::exporters::tflite_file {

struct Tensor {
  std::string name;
  core::tflite::Type type = core::tflite::Type::Float32;
  std::vector<int32_t> shape;
  std::string data;           // of a constant, little-endian
  std::vector<float> scales;  // one, or one per index along `axis`; none: floats, or integers that stand for themselves
  std::vector<int64_t> zero_points;
  int axis = 0;
};

struct Operator {
  const char* name;                                          // a row of core::tflite::operators()
  std::vector<int> inputs, outputs;                          // tensors
  std::vector<std::pair<const char*, double>> options = {};  // numbers of its table by name; others are 0
};

struct Model {
  std::string description;
  std::vector<Tensor> tensors;
  std::vector<Operator> operators;
  std::vector<int> inputs, outputs;
};

// The same bytes for the same model.
std::string to_bytes(const Model&);

}  // namespace condenser::exporters::tflite_file
