#pragma once
// A quantized network prepared for the int8 kernels: per node the kernel, its parameters and its constants. Made once,
// from the lowered Spec, its int8 weights and its scales; read by the executor, which runs it, and by the C99 target,
// which prints it. So both compute the same by construction.

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/kernels.hpp"
#include "condenser/arch/memory.hpp"
#include "condenser/arch/spec.hpp"
#include "condenser/arch/stream.hpp"
#include "condenser/arch/weights.hpp"
#include "condenser/runtime/quant_params.hpp"

namespace condenser::runtime {

// value * multiplier * 2^(shift - 31)
struct Requant {
  int32_t multiplier = 0;
  int32_t shift = 0;
};

// A field of a kernel's parameter struct, all of which are int32_t.
struct Param {
  const char* name;
  int32_t value = 0;
};

enum class ConstantKind { Weights, Biases, Multipliers, Tables };

// An array that a kernel reads; emitted as it is, as <prefix>_<node>_<name>.
struct Constant {
  const char* name;
  ConstantKind kind = ConstantKind::Weights;
  std::variant<std::vector<int8_t>, std::vector<int32_t>, std::vector<uint16_t>, std::vector<int16_t>> values;

  size_t bytes() const;
};

// cnd_<kernel>(&params, constants..., scratch if it has any, inputs..., output)
struct Call {
  explicit Call(std::vector<int> nodes) : inputs(std::move(nodes)), input_skips(inputs.size(), 0) {}

  std::vector<Param> params;         // in the order of the struct
  std::vector<int> inputs;           // nodes, in the order of the arguments
  std::vector<int64_t> input_skips;  // bytes of their buffers before what is read
  int64_t output_skip = 0;           // bytes of the output's buffer before what is written
  size_t strip = 0;                  // of a node in strips: which one
};

// What one node runs.
struct Step {
  const arch::Kernel* kernel = nullptr;  // null: nothing, the input
  std::vector<Constant> constants;       // in the order of the arguments
  std::vector<Call> calls;               // one; of a concatenation one per input; in strips so many for each strip
};

struct Turn {
  size_t node = 0, call = 0;
};

struct Int8Program {
  arch::Spec spec;  // lowered
  arch::Analysis analysis;
  arch::MemoryPlan plan;
  arch::Stream stream;  // of a program that goes row by row
  QuantParams quant;
  std::vector<Step> steps;  // parallel to spec.nodes
  std::vector<Turn> order;  // in which the calls are made

  const TensorQuant& input_quant() const { return quant.nodes.at(spec.nodes.front().name).output; }
  const TensorQuant& output_quant(size_t k = 0) const { return quant.nodes.at(spec.node(spec.output(k)).name).output; }
  const arch::Shape& output_shape(size_t k = 0) const { return arch::output_shape(spec, analysis, k); }
  int64_t output_values() const;  // of all outputs together
};

// Why the int8 kernels cannot run this operator, or an empty string. Structure only: callable before training.
std::string int8_refusal(const arch::Op&, const std::vector<arch::Shape>& inputs);

// Checks everything first: structure, weights, scales, that no 32-bit sum can overflow for any input. Throws SpecError
// or core::Error naming the node.
Int8Program build_program(const arch::Spec& lowered, const arch::Weights& weights, const QuantParams& quant);
// With a memory plan of one's own, which may have strips, and knows which values have 16 bits.
using Planner = std::function<arch::MemoryPlan(const arch::Spec&, const arch::Analysis&)>;
Int8Program build_program(const arch::Spec& lowered, const arch::Weights& weights, const QuantParams& quant,
                          const Planner&);
// For a row of the input at a time (arch/stream.hpp): one turn of a node makes a row of it, and buffers hold the rows
// that the plan keeps. Constants are those of the network as a whole. Throws SpecError where it cannot go so.
Int8Program build_stream_program(const arch::Spec& lowered, const arch::Weights& weights, const QuantParams& quant);

}  // namespace condenser::runtime
