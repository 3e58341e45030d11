#pragma once
// Small networks in which some nodes keep their values in 16 bits: every operator that can, between such of 8 bits.

#include <string>
#include <vector>

#include "condenser/arch/int16.hpp"
#include "condenser/arch/spec.hpp"

namespace condenser::testing {

struct Int16Network {
  std::string name;
  arch::Spec spec;  // lowered
  arch::Int16Words words;
  arch::Int16Nodes nodes;
};

const std::vector<Int16Network>& int16_networks();

}  // namespace condenser::testing
