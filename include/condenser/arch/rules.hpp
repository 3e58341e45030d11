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

// What the rules look at, gathered once for all of them. Made of a Spec where one is handed to a rule; keeps a
// reference to it.
struct RuleView {
  RuleView(const Spec&);

  const Spec& spec;
  Liveness live;
  // Live nodes, in order. Spatial: convolutions with a kernel larger than 1x1. First: with no other of them between
  // itself and the input.
  std::vector<int> first_spatial, later_spatial;
  std::vector<int> strided;  // with a stride
};

struct Rule {
  std::string name;
  std::string why;                                   // one sentence: why the rule exists
  std::vector<Violation> (*check)(const RuleView&);  // empty: holds. Works on Specs before and after lower().
  std::string (*evidence)(const RuleView&);          // what was looked at, in one line
};

// column_layout: of the live spatial convolutions after the first, the earlier half (rounded up, in node order) runs in
//   n >= 2 separate columns (groups, of which depthwise is the limit, or slices of the channels that run apart until
//   they are concatenated); mixing only in 1x1 convolutions and merges. A network
//   without any such convolution breaks it.
// no_strided_pointwise: no 1x1 convolution with a stride.
// antialiased_downsampling: after the first convolution, a stride is an average pool at least as wide as the stride or
//   a blur wider than it, never a strided spatial convolution or max-pool.
const std::vector<Rule>& rules();
const Rule* find_rule(const std::string& name);

}  // namespace condenser::arch
