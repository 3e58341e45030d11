#pragma once
// Steps of nodes that read or write values of 16 bits: the kernels cnd_*_a16.

#include <vector>

#include "condenser/runtime/int8_program.hpp"

namespace condenser::runtime {

// A node between its values: all of it, or what of it is computed at a time.
struct Ends {
  const arch::Node& node;
  const arch::Op& op;
  const arch::Weights& weights;
  const QuantParams& quant;
  std::vector<TensorQuant> inputs;
  const std::vector<arch::Shape>& in;
  const TensorQuant& output;
  const arch::Shape& out;
};

// Parameters, constants and calls, for the kernel that the step has. Throws core::Error where a sum could leave 32
// bits.
void fill_int16_step(const Ends&, Step&);

}  // namespace condenser::runtime
