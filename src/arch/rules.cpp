// The structural rules and their table. Budgets and comparators are the search's; a rule sees only the Spec.

#include "condenser/arch/rules.hpp"

#include <algorithm>

namespace condenser::arch {
namespace {

bool spatial(const Conv2d& conv) { return conv.kernel.h > 1 || conv.kernel.w > 1; }
bool strided(const Size& stride) { return stride.h > 1 || stride.w > 1; }

std::string text(const Size& s) { return std::to_string(s.h) + "x" + std::to_string(s.w); }

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
std::vector<Violation> check_column_layout(const RuleView& view) {
  const Spec& spec = view.spec;
  const std::vector<int>& later = view.later_spatial;
  if (later.empty())
    return {{spec.node(spec.output()).name,
             "no spatial convolution after the first one; expected some in 2 or more columns"}};
  const size_t early = (later.size() + 1) / 2;
  Liveness in_column;  // made when it is needed
  std::vector<Violation> violations;
  for (size_t i = 0; i < early; ++i) {
    const Node& node = spec.node(later[i]);
    const Conv2d& conv = std::get<Conv2d>(node.op);
    if (conv.groups >= 2) continue;
    if (in_column.empty()) in_column = reads_one_column(spec);
    if (in_column[static_cast<size_t>(later[i])]) continue;
    violations.push_back({node.name, "spatial convolution " + std::to_string(i + 1) + " of " +
                                         std::to_string(later.size()) + " after the first, " + text(conv.kernel) +
                                         ", has groups " + std::to_string(conv.groups) + "; the early " +
                                         std::to_string(early) + " need 2 or more columns"});
  }
  return violations;
}

std::string column_evidence(const RuleView& view) {
  const std::vector<int>& later = view.later_spatial;
  const auto conv = [&](size_t i) { return std::get<Conv2d>(view.spec.node(later[i]).op); };
  std::string groups;
  for (size_t i = 0; i < (later.size() + 1) / 2; ++i) groups += (i ? ", " : "") + std::to_string(conv(i).groups);
  return std::to_string(later.size()) +
         " spatial convolutions after the first; groups of the early half: " + (groups.empty() ? "none" : groups);
}

std::string pointwise_evidence(const RuleView& view) {
  const std::vector<Node>& nodes = view.spec.nodes;
  int64_t all = 0, with_stride = 0;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const Conv2d* conv = std::get_if<Conv2d>(&nodes[i].op);
    if (!conv || !view.live[i] || spatial(*conv)) continue;
    ++all;
    with_stride += strided(conv->stride);
  }
  return std::to_string(all) + " pointwise convolutions, " + std::to_string(with_stride) + " with a stride";
}

std::vector<Violation> check_no_strided_pointwise(const RuleView& view) {
  std::vector<Violation> violations;
  for (int i : view.strided) {
    const Node& node = view.spec.node(i);
    const Conv2d* conv = std::get_if<Conv2d>(&node.op);
    if (conv && !spatial(*conv))
      violations.push_back({node.name, "strided 1x1 convolution, stride " + text(conv->stride)});
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
  return arch::visit(op, [](const auto& o) -> const Size* {
    if constexpr (requires { o.stride; })
      return &o.stride;
    else
      return nullptr;
  });
}

std::vector<Violation> check_antialiased_downsampling(const RuleView& view) {
  const auto is_first = [&](int i) {
    return std::find(view.first_spatial.begin(), view.first_spatial.end(), i) != view.first_spatial.end();
  };
  std::vector<Violation> violations;
  for (int i : view.strided) {
    const Node& node = view.spec.node(i);
    const std::string what = aliasing(node.op, is_first(i));
    if (!what.empty())
      violations.push_back({node.name, what + "; put an average pool or a blur before a stride-1 operator"});
  }
  return violations;
}

std::string downsampling_evidence(const RuleView& view) {
  std::string list;
  for (int i : view.strided) {
    const Node& node = view.spec.node(i);
    list += (list.empty() ? ": " : ", ") + node.name + " (" + op_name(node.op) + ")";
  }
  return std::to_string(view.strided.size()) + " reductions" + list;
}

}  // namespace

// "First" is a matter of paths, not of order, and looks at spatial convolutions only, since lower() may put a 1x1 in
// place of a batch norm on the input.
RuleView::RuleView(const Spec& s) : spec(s), live(live_nodes(s)) {
  later_spatial.reserve(16);  // room for a usual network
  strided.reserve(16);
  Liveness below(s.nodes.size(), false);  // some spatial convolution lies at or before this node
  for (size_t i = 0; i < s.nodes.size(); ++i) {
    for (int input : s.nodes[i].inputs) below[i] |= below[static_cast<size_t>(input)];
    const Size* stride = stride_of(s.nodes[i].op);
    if (stride && live[i] && arch::strided(*stride)) strided.push_back(static_cast<int>(i));
    const Conv2d* conv = std::get_if<Conv2d>(&s.nodes[i].op);
    if (!conv || !spatial(*conv)) continue;
    if (live[i]) (below[i] ? later_spatial : first_spatial).push_back(static_cast<int>(i));
    below[i] = true;
  }
}

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
