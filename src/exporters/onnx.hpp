#pragma once
// ONNX: the int8 network with QuantizeLinear and DequantizeLinear around float operators (QDQ), and the float network.

#include <string>

#include "condenser/exporters/target.hpp"

namespace condenser::exporters {

std::vector<Unsupported> onnx_unsupported(const arch::Design&);
void onnx_write(const Package&, const KnownAnswers&, const ExportOptions&, const std::filesystem::path& folder);

// A serialized model. With `quant` null in floats; else in QDQ, values stored as `activations`: int8 or uint8.
std::string onnx_model(const arch::Spec&, const arch::Weights&, const runtime::QuantParams* quant,
                       const std::string& activations);

// Every node by itself: inputs of the model are the integers that nodes read, its outputs those that they make, each
// [n, c, h, w] or [n, c]. Shows which node computes something else than the executor.
struct OnnxNodes {
  std::string model;
  std::vector<int> read, made;  // nodes, in the order of the model's inputs and outputs
};
OnnxNodes onnx_nodes(const arch::Spec&, const arch::Weights&, const runtime::QuantParams&,
                     const std::string& activations);

// The checker of ONNX and its strict inference of shapes; throws core::Error with what they say.
void check_onnx(const std::string& model);

}  // namespace condenser::exporters
