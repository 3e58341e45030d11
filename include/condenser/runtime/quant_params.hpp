#pragma once
// What turns a lowered Spec with int8 Weights into integer arithmetic. Side table keyed by node name; saved as
// quant.json. It lives here, below quant/, because the executor and the exporters read it and only quant/ makes it.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "condenser/arch/spec.hpp"
#include "condenser/arch/weights.hpp"

namespace condenser::runtime {

// real = scale * (q - zero_point), q in [low(), high()]: int8, or int16 with zero point 0
struct TensorQuant {
  double scale = 1.0;
  int zero_point = 0;
  int bits = 8;  // 8 or 16; see arch/int16.hpp
  int low() const { return bits == 16 ? INT16_MIN : INT8_MIN; }
  int high() const { return bits == 16 ? INT16_MAX : INT8_MAX; }
  bool operator==(const TensorQuant&) const = default;
};

struct NodeQuant {
  TensorQuant output;
  std::vector<double> weight_scales;  // conv and linear: per output channel; prelu: one for all slopes; else none.
                                      // Weights are symmetric (zero point 0), q in [-127, 127]; of 4 bits in
                                      // [-112, 112], multiples of 16: the upper half of 8 bits
  bool operator==(const NodeQuant&) const = default;
};

struct QuantParams {
  std::string rounding = "double";         // rounding profile: gemmlowp-style double rounding (TFLM, CMSIS-NN)
  std::map<std::string, NodeQuant> nodes;  // every node of the lowered Spec
  std::string weights_checksum;            // of the file of int8 weights that they belong to; empty: of none yet
  bool operator==(const QuantParams&) const = default;
};

// Per node of the lowered Spec: whether its values have 16 bits; empty: none (arch::Int16Nodes).
std::vector<bool> int16_nodes(const arch::Spec& lowered, const QuantParams&);

// With a checksum of the text inside (core/seal.hpp), which reading demands.
std::string to_json(const QuantParams&);
QuantParams quant_from_json(const std::string& text, const std::string& name);  // throws core::Error

// Int8 weights: Weights with "<node>.weight" I8 in the float shape ([out, in/groups, kh, kw], [out, in] or [c]) and
// "<node>.bias" I32 [out], bias scale = input scale * weight scale. The factor of a scale node stays F32: it ends in a
// table. Throws core::Error / SpecError naming what does not fit.
void check_quantized(const arch::Spec& lowered, const arch::Weights& weights, const QuantParams& quant);

}  // namespace condenser::runtime
