#pragma once
// What validate(), analyze() and Builder share about one node. Uniqueness of names is the caller's.

#include <span>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/spec.hpp"

namespace condenser::arch {

void check_input_shape(const Shape&);
void check_node(const Node&, int index);  // name, inputs, attributes; throws SpecError

// node_cost() of a node that check_node() has passed.
NodeCost checked_node_cost(const Node&, std::span<const NodeCost> earlier);

[[noreturn]] void bad_input_count(const std::string& name, const Op&, size_t count);
inline void check_input_count(const std::string& name, const Op& op, size_t count) {
  const int expected = input_count(op);
  if (expected == kManyInputs ? count < 2 : static_cast<int>(count) != expected) bad_input_count(name, op, count);
}

}  // namespace condenser::arch
