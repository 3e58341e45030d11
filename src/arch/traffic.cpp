#include "arch/traffic.hpp"

#include <algorithm>
#include <type_traits>

namespace condenser::arch {
namespace {

// Pixels of the input that are read for one pixel of the output; 0: the operator has no windows.
int64_t window_pixels(const Op& op) {
  return arch::visit(op, [](const auto& o) -> int64_t {
    using T = std::decay_t<decltype(o)>;
    if constexpr (std::is_same_v<T, Conv2d> || std::is_same_v<T, AvgPool> || std::is_same_v<T, MaxPool>)
      return int64_t{o.kernel.h} * o.kernel.w;
    else if constexpr (std::is_same_v<T, BlurPool>)
      return int64_t{o.taps} * o.taps;
    else
      return 0;
  });
}

}  // namespace

Traffic traffic_of(const Spec& spec, const Analysis& analysis, int node) {
  const Node& n = spec.node(node);
  const Shape& out = analysis.node(node).shape;
  const int64_t window = window_pixels(n.op);
  Traffic traffic{.written = static_cast<double>(out.elements()),
                  .scratch = 2 * static_cast<double>(std::max(analysis.node(node).macs, out.elements()))};
  for (const int input : n.inputs) {
    const Shape& in = analysis.node(input).shape;
    const int64_t values = window > 0 ? int64_t{out.h} * out.w * window * in.c : in.elements();
    traffic.read.push_back(static_cast<double>(values));
  }
  return traffic;
}

}  // namespace condenser::arch
