#pragma once
// Runs the ONNX export in ONNX Runtime.

#include "condenser/verify/verify.hpp"

namespace condenser::verify {

// Three checks. "nodes": every node by itself, fed with the executor's integers, is at most one step away, the two
// ways to round. "int8": the model as it ships, whose steps may add up, is right about as many answers. "float", where
// the export has it: the float executor's values.
std::vector<Check> verify_onnx(const std::filesystem::path& folder, const exporters::Package&,
                               const exporters::KnownAnswers&);

}  // namespace condenser::verify
