#pragma once
// A file of TensorFlow Lite as plain data: what FlatBuffers read, checked for sizes and places, without its types. Only
// tflite_model.cpp sees FlatBuffers.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/tflite_format.hpp"

namespace condenser::importers::tflite_file {

struct Tensor {
  std::string name;
  int type = 0;                    // a number that this program may not know
  std::vector<int64_t> dims;       // of the batch that the file was written for
  std::vector<int64_t> signature;  // with -1 for what is open; empty: nothing is
  bool is_variable = false, is_constant = false;
  std::string bytes;  // of a constant: as many as type and dims ask for
  std::vector<float> scales;
  std::vector<int64_t> zero_points;
  int64_t axis = 0;     // along which there are several scales
  std::string trouble;  // why nobody can read it; "": fine
};

struct Operator {
  std::string name;  // "CONV_2D"
  bool custom = false;
  int version = 1;
  std::vector<int> inputs, outputs;  // tensors; -1: left out
  std::map<std::string, double> options;
  std::map<std::string, std::vector<int64_t>> lists;
};

struct Model {
  std::vector<Tensor> tensors;
  std::vector<Operator> operators;
  std::vector<int> inputs, outputs;
};

// Throws core::Error that begins with `name`.
Model read(std::string_view bytes, const std::string& name);

}  // namespace condenser::importers::tflite_file
