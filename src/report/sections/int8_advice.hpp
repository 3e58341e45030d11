#pragma once
// What may be tried where int8 loses, and why: from what was measured, nothing else.

#include <string>
#include <vector>

#include "condenser/report/material.hpp"

namespace condenser::report {

// What a node gives back when it alone stays in floats; larger is better, whatever the metric.
struct NodeGain {
  std::string node;
  double alone = 0, gain = 0;
};
std::vector<NodeGain> gains_of(const Quantized&);  // the largest first; empty: not measured

// Sentences; none where int8 loses nothing on the test part.
std::vector<std::string> int8_advice(const Quantized&);

}  // namespace condenser::report
