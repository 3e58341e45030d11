#pragma once
// Runs the TensorFlow Lite export in LiteRT.

#include "condenser/verify/verify.hpp"

namespace condenser::verify {

// Four checks. "nodes": every node by itself, fed with the executor's integers, in LiteRT's reference kernels: at most
// one step away, and not at all where both round alike. "int8": the model as it ships, in the same kernels; "optimized"
// in those that are fast: right about as many answers. "float", where the export has it: the float executor's values.
std::vector<Check> verify_tflite(const std::filesystem::path& folder, const exporters::Package&,
                                 const exporters::KnownAnswers&);

}  // namespace condenser::verify
