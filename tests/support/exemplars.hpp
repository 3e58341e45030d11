#pragma once
// One small Spec per operator and per block. Every contract suite (counts, float, int8, exporters) loops over them, so
// a new operator or block is tested everywhere once it has a line here. At most 12x12 maps and 32 channels.

#include <string>
#include <vector>

#include "condenser/arch/spec.hpp"

namespace condenser::testing {

struct Exemplar {
  std::string name;
  arch::Spec spec;
};

const std::vector<Exemplar>& exemplars();
const arch::Spec& exemplar(const std::string& name);  // throws core::Error

}  // namespace condenser::testing
