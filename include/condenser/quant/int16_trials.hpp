#pragma once
// What values of 16 bits would give back, node by node.

#include "condenser/quant/report.hpp"

namespace condenser::quant {

// The simulation of sensitivities() where the values of one node alone have 16 bits, its weights and all else as they
// are. Of nodes that may and do not yet; no entry for all in int8.
std::vector<Sensitivity> int16_trials(const arch::Spec& lowered, const arch::Weights& float_weights,
                                      const arch::Weights& int8_weights, const runtime::QuantParams&,
                                      const data::Dataset& samples, const data::Task&);

}  // namespace condenser::quant
