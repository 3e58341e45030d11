// The one place where a network is counted for everybody: shapes and costs, the lowered form and its costs, the arena.

#include "condenser/arch/design.hpp"

#include "arch/lowering.hpp"
#include "condenser/arch/builder.hpp"

namespace condenser::arch {
namespace {

// `cost` is analyze(spec).
Design counted(Spec spec, Analysis cost) {
  Design design;
  design.lowered = lowered_structure(spec, cost, design.lowered_cost);
  design.plan = plan_memory(design.lowered, design.lowered_cost);
  design.spec = std::move(spec);
  design.cost = std::move(cost);
  return design;
}

}  // namespace

Design design_of(Spec spec) {
  Analysis cost = analyze(spec);
  return counted(std::move(spec), std::move(cost));
}

Design design_of(Builder& builder) {
  Analysis cost;
  Spec spec = builder.finish(&cost);
  return counted(std::move(spec), std::move(cost));
}

}  // namespace condenser::arch
