#pragma once
// Structural rules: the design constraints of the attention-condenser line as predicates over a Spec.

#include <string>
#include <vector>

#include "condenser/arch/spec.hpp"

namespace condenser::arch {

struct Violation {
  std::string node;
  std::string what;  // "strided 1x1 convolution, stride 2x2"
};

struct Rule {
  std::string name;
  std::string why;                               // one sentence: why the rule exists
  std::vector<Violation> (*check)(const Spec&);  // empty: holds. Works on Specs before and after lower().
};

// column_layout: early spatial convolutions (all but the first convolution from the input, up to half of the spatial
// convolutions in order) run in
//   n >= 2 separate columns (groups); mixing only in 1x1 convolutions and merges.
// no_strided_pointwise: no 1x1 convolution with a stride.
// antialiased_downsampling: after the first convolution, a stride is an average pool (or blur), never a strided
// convolution or max-pool.
const std::vector<Rule>& rules();
const Rule* find_rule(const std::string& name);

}  // namespace condenser::arch
