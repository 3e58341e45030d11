// The structural rules and their table. Budgets and comparators are the search's; a rule sees only the Spec.

#include "condenser/arch/rules.hpp"

#include <algorithm>

namespace condenser::arch {
namespace {

bool spatial(const Conv2d& conv) { return conv.kernel.h > 1 || conv.kernel.w > 1; }
bool strided(const Size& stride) { return stride.h > 1 || stride.w > 1; }

std::string text(const Size& s) { return std::to_string(s.h) + "x" + std::to_string(s.w); }

struct SpatialConv {
  int node = 0;
  bool first = false;  // no other spatial convolution between it and the input
};

// Live spatial convolutions in order. "First" is a matter of paths, not of order, and looks at spatial convolutions
// only, since lower() may put a 1x1 in place of a batch norm on the input.
std::vector<SpatialConv> spatial_convolutions(const Spec& spec) {
  const Liveness live = live_nodes(spec);
  Liveness below(spec.nodes.size(), false);  // some spatial convolution lies at or before this node
  std::vector<SpatialConv> found;
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    for (int input : spec.nodes[i].inputs) below[i] = below[i] || below[static_cast<size_t>(input)];
    const Conv2d* conv = std::get_if<Conv2d>(&spec.nodes[i].op);
    if (!conv || !spatial(*conv)) continue;
    if (live[i]) found.push_back({static_cast<int>(i), !below[i]});
    below[i] = true;
  }
  return found;
}

// Columns may also be written as slices of the channels that run apart until a concatenation joins them.
Liveness reads_one_column(const Spec& spec) {
  Liveness apart(spec.nodes.size(), false), reads(spec.nodes.size(), false);
  for (size_t i = 1; i < spec.nodes.size(); ++i) {
    const Node& node = spec.nodes[i];
    reads[i] = true;
    for (int input : node.inputs) reads[i] = reads[i] && apart[static_cast<size_t>(input)];
    apart[i] = std::holds_alternative<Slice>(node.op) || (reads[i] && !std::holds_alternative<Concat>(node.op));
  }
  return reads;
}

// A depthwise convolution passes: it is the limit of columns, one channel each.
std::vector<Violation> check_column_layout(const Spec& spec) {
  std::vector<SpatialConv> later = spatial_convolutions(spec);
  std::erase_if(later, [](const SpatialConv& c) { return c.first; });
  if (later.empty())
    return {{spec.nodes.back().name, "no spatial convolution after the first one; expected some in 2 or more columns"}};
  const Liveness in_column = reads_one_column(spec);
  const size_t early = (later.size() + 1) / 2;
  std::vector<Violation> violations;
  for (size_t i = 0; i < early; ++i) {
    const Node& node = spec.nodes[static_cast<size_t>(later[i].node)];
    const Conv2d& conv = std::get<Conv2d>(node.op);
    if (conv.groups >= 2 || in_column[static_cast<size_t>(later[i].node)]) continue;
    violations.push_back({node.name, "spatial convolution " + std::to_string(i + 1) + " of " +
                                         std::to_string(later.size()) + " after the first, " + text(conv.kernel) +
                                         ", has groups " + std::to_string(conv.groups) + "; the early " +
                                         std::to_string(early) + " need 2 or more columns"});
  }
  return violations;
}

std::string column_evidence(const Spec& spec) {
  std::vector<SpatialConv> later = spatial_convolutions(spec);
  std::erase_if(later, [](const SpatialConv& c) { return c.first; });
  std::string groups;
  for (size_t i = 0; i < (later.size() + 1) / 2; ++i)
    groups +=
        (i ? ", " : "") + std::to_string(std::get<Conv2d>(spec.nodes[static_cast<size_t>(later[i].node)].op).groups);
  return std::to_string(later.size()) +
         " spatial convolutions after the first; groups of the early half: " + (groups.empty() ? "none" : groups);
}

std::string pointwise_evidence(const Spec& spec) {
  const Liveness live = live_nodes(spec);
  int64_t all = 0, with_stride = 0;
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    const Conv2d* conv = std::get_if<Conv2d>(&spec.nodes[i].op);
    if (!conv || !live[i] || spatial(*conv)) continue;
    ++all;
    with_stride += strided(conv->stride);
  }
  return std::to_string(all) + " pointwise convolutions, " + std::to_string(with_stride) + " with a stride";
}

std::vector<Violation> check_no_strided_pointwise(const Spec& spec) {
  const Liveness live = live_nodes(spec);
  std::vector<Violation> violations;
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    const Conv2d* conv = std::get_if<Conv2d>(&spec.nodes[i].op);
    if (!conv || !live[i] || spatial(*conv) || !strided(conv->stride)) continue;
    violations.push_back({spec.nodes[i].name, "strided 1x1 convolution, stride " + text(conv->stride)});
  }
  return violations;
}

// What a strided operator does that an average pool would not; empty when nothing. Strided 1x1 convolutions belong to
// the rule above.
std::string aliasing(const Op& op, bool first) {
  const Conv2d* conv = std::get_if<Conv2d>(&op);
  if (conv && !first && spatial(*conv) && strided(conv->stride))
    return "strided " + text(conv->kernel) + " convolution, stride " + text(conv->stride);
  const MaxPool* max = std::get_if<MaxPool>(&op);
  if (max && strided(max->stride)) return "strided " + text(max->kernel) + " max-pool, stride " + text(max->stride);
  const BlurPool* blur = std::get_if<BlurPool>(&op);
  if (blur && (blur->taps <= blur->stride.h || blur->taps <= blur->stride.w))
    return "blur of " + std::to_string(blur->taps) + " taps, stride " + text(blur->stride);
  const AvgPool* avg = std::get_if<AvgPool>(&op);
  if (avg && (avg->kernel.h < avg->stride.h || avg->kernel.w < avg->stride.w))
    return "average pool " + text(avg->kernel) + " skips pixels, stride " + text(avg->stride);
  return "";
}

const Size* stride_of(const Op& op) {
  if (const auto* conv = std::get_if<Conv2d>(&op)) return &conv->stride;
  if (const auto* pool = std::get_if<AvgPool>(&op)) return &pool->stride;
  if (const auto* pool = std::get_if<MaxPool>(&op)) return &pool->stride;
  if (const auto* pool = std::get_if<BlurPool>(&op)) return &pool->stride;
  return nullptr;
}

std::vector<Violation> check_antialiased_downsampling(const Spec& spec) {
  const Liveness live = live_nodes(spec);
  std::vector<bool> first(spec.nodes.size(), false);
  for (const SpatialConv& conv : spatial_convolutions(spec)) first[static_cast<size_t>(conv.node)] = conv.first;
  std::vector<Violation> violations;
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    const Size* stride = stride_of(spec.nodes[i].op);
    if (!live[i] || !stride || !strided(*stride)) continue;
    const std::string what = aliasing(spec.nodes[i].op, first[i]);
    if (!what.empty())
      violations.push_back({spec.nodes[i].name, what + "; put an average pool or a blur before a stride-1 operator"});
  }
  return violations;
}

std::string downsampling_evidence(const Spec& spec) {
  const Liveness live = live_nodes(spec);
  std::string list;
  int64_t count = 0;
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    const Size* stride = live[i] ? stride_of(spec.nodes[i].op) : nullptr;
    if (!stride || !strided(*stride)) continue;
    list += (count++ ? ", " : ": ") + spec.nodes[i].name + " (" + op_name(spec.nodes[i].op) + ")";
  }
  return std::to_string(count) + " reductions" + list;
}

}  // namespace

const std::vector<Rule>& rules() {
  static const std::vector<Rule> table = {
      {"column_layout",
       "Early spatial convolutions in separate columns cost 1/n of a dense one; 1x1 convolutions and merges mix the "
       "columns.",
       check_column_layout, column_evidence},
      {"no_strided_pointwise", "A strided 1x1 convolution throws away pixels that were computed before it.",
       check_no_strided_pointwise, pointwise_evidence},
      {"antialiased_downsampling",
       "Sampling without a low-pass filter folds high frequencies into low ones: accuracy then depends on shifts of "
       "one "
       "pixel.",
       check_antialiased_downsampling, downsampling_evidence},
  };
  return table;
}

const Rule* find_rule(const std::string& name) {
  const auto found = std::find_if(rules().begin(), rules().end(), [&](const Rule& r) { return r.name == name; });
  return found == rules().end() ? nullptr : &*found;
}

}  // namespace condenser::arch
