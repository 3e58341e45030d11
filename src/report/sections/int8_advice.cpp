#include "report/sections/int8_advice.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "condenser/core/text.hpp"

namespace condenser::report {
namespace {

constexpr double kSaturated = 0.01;  // of the values of a node
constexpr double kMost = 0.99;       // of the values ...
constexpr double kFewBins = 0.125;   // ... in so few of the bins share few integers

bool int8_loses(const Quantized& q) {
  if (q.float_reconstruction && q.int8_reconstruction)
    return q.int8_reconstruction->error > q.float_reconstruction->error;
  return q.as_float.correct > q.as_int8.correct;
}

// Whether nearly all values of the node lie in a small part of its range.
bool crowded(const quant::NodeReport& n) {
  std::vector<int64_t> bins = n.histogram;
  std::ranges::sort(bins, std::greater<>());
  int64_t total = 0, sum = 0;
  for (const int64_t count : bins) total += count;
  if (total == 0) return false;
  size_t needed = 0;
  while (static_cast<double>(sum) < kMost * static_cast<double>(total)) sum += bins[needed++];
  return static_cast<double>(needed) <= kFewBins * static_cast<double>(bins.size());
}

std::string cure(const Quantized& q, const std::string& node) {
  const auto found = std::ranges::find(q.nodes, node, &quant::NodeReport::node);
  if (found != q.nodes.end() && found->saturated_fraction > kSaturated)
    return core::fixed(100 * found->saturated_fraction, 1) +
           " % of its values lie outside of its range: try a larger quantize.percentile, or quantize.observer=mse";
  if (found != q.nodes.end() && crowded(*found))
    return "nearly all of its values share few integers: try a smaller quantize.percentile, or an activation before it "
           "that ends (relu6)";
  return q.trained_epochs > 0 ? "try more quantize.qat.epochs" : "try training in int8 form: quantize.qat.epochs=5";
}

}  // namespace

std::vector<NodeGain> gains_of(const Quantized& q) {
  std::vector<NodeGain> gains;
  if (!std::isfinite(q.none_in_float)) return gains;
  for (const NodeInFloat& n : q.in_float)
    if (std::isfinite(n.metric))
      gains.push_back({n.node, n.metric, (n.metric - q.none_in_float) * (q.more_is_better ? 1 : -1)});
  std::ranges::stable_sort(gains, std::greater<>(), &NodeGain::gain);
  return gains;
}

std::vector<std::string> int8_advice(const Quantized& q) {
  std::vector<std::string> list;
  if (!int8_loses(q)) return list;
  const std::vector<NodeGain> gains = gains_of(q);
  if (!gains.empty() && gains.front().gain > 0)
    list.push_back("Node " + gains.front().node + " costs most: alone in floats it gives back " +
                   core::significant(gains.front().gain, 3) + (q.metric_unit == "%" ? " points" : "") + " of " +
                   q.metric + "; " + cure(q, gains.front().node) + ".");
  else if (!gains.empty())
    list.push_back("No node alone in floats gives anything back: what is lost is spread over the network, " +
                   std::string(q.trained_epochs > 0 ? "and more quantize.qat.epochs may find it"
                                                    : "and training in int8 form may bring it back: "
                                                      "quantize.qat.epochs=5") +
                   ".");
  else
    list.push_back("Which nodes cost accuracy is measured with quantize.sensitivity=96.");
  if (q.tried.empty())
    list.push_back("Other ranges and roundings are tried, and the best is kept, with `condenser quantize RUN --auto`.");
  return list;
}

}  // namespace condenser::report
