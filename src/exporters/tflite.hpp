#pragma once
// TensorFlow Lite: the int8 network in integer operators, and the float network.

#include <string>

#include "condenser/exporters/target.hpp"

namespace condenser::exporters {

std::vector<Unsupported> tflite_unsupported(const arch::Design&);
void tflite_write(const Package&, const KnownAnswers&, const ExportOptions&, const std::filesystem::path& folder);

std::string tflite_remark(const Package&);  // which nodes compute in floats

struct TfliteModel {
  std::string bytes;
  std::vector<std::string> float_nodes;  // of an int8 network: those that dequantize, compute in floats and quantize
};
TfliteModel tflite_model(const arch::Spec&, const arch::Weights&, const runtime::QuantParams* quant);  // null: floats

// Every node by itself: inputs of the model are the integers that nodes read, its outputs those that they make, each
// [1, h, w, c]. Shows which node computes something else than the executor.
struct TfliteNodes {
  std::string bytes;
  std::vector<int> read, made;  // nodes, in the order of the model's inputs and outputs
};
TfliteNodes tflite_nodes(const arch::Spec&, const arch::Weights&, const runtime::QuantParams&);

// Why this operator has no form in TensorFlow Lite, or an empty string.
std::string tflite_refusal(const arch::Op&, const std::vector<arch::Shape>& inputs, const arch::Shape& output);

}  // namespace condenser::exporters
