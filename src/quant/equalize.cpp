// Pairs of layers, and sweeps over them until nothing moves.
#include "condenser/quant/equalize.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace condenser::quant {
namespace {

using arch::Clamp;

struct Pair {
  int first = 0, second = 0;  // nodes
  int64_t groups = 1;         // of the second
};

bool scales_along(const arch::Op& op) {
  return std::holds_alternative<arch::AvgPool>(op) || std::holds_alternative<arch::MaxPool>(op) ||
         std::holds_alternative<arch::GlobalAvgPool>(op) || std::holds_alternative<arch::BlurPool>(op) ||
         std::holds_alternative<arch::Upsample>(op);
}

// Its output may be multiplied by positive factors, channel by channel.
bool gives(const arch::Op& op) {
  if (const auto* conv = std::get_if<arch::Conv2d>(&op)) return conv->clamp != Clamp::Relu6;
  const auto* linear = std::get_if<arch::Linear>(&op);
  return linear != nullptr && linear->clamp != Clamp::Relu6;
}

std::vector<Pair> pairs_of(const arch::Spec& spec) {
  const std::vector<std::vector<int>> readers = arch::consumers(spec);
  const auto read_once = [&](int node) {
    return readers[static_cast<size_t>(node)].size() == 1 && !spec.is_output(node);
  };
  std::vector<Pair> pairs;
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    const arch::Op& op = spec.nodes[i].op;
    const auto* conv = std::get_if<arch::Conv2d>(&op);
    if (conv == nullptr && !std::holds_alternative<arch::Linear>(op)) continue;
    int from = spec.nodes[i].inputs[0];
    while (scales_along(spec.node(from).op) && read_once(from)) from = spec.node(from).inputs[0];
    if (gives(spec.node(from).op) && read_once(from))
      pairs.push_back({from, static_cast<int>(i), conv ? conv->groups : 1});
  }
  return pairs;
}

// The second's weights that multiply channel c: in each row of its group, `run` neighbours.
template <class Visit>
void each_reader(arch::Tensor& weight, int64_t groups, int64_t channel, int64_t channels, const Visit& visit) {
  const int64_t rows = weight.shape[0], taps = weight.elements() / rows, in_group = channels / groups;
  const int64_t run = taps / in_group, rows_of_group = rows / groups, group = channel / in_group;
  std::span<float> w = weight.f32();
  for (int64_t o = group * rows_of_group; o < (group + 1) * rows_of_group; ++o)
    for (int64_t k = 0; k < run; ++k) visit(w[static_cast<size_t>(o * taps + channel % in_group * run + k)]);
}

// How far the farthest channel moved, as a logarithm.
double equalize(const arch::Spec& spec, arch::Weights& weights, const Pair& pair) {
  const std::string& name = spec.node(pair.first).name;
  arch::Tensor& first = weights.tensors.at(name + ".weight");
  arch::Tensor& second = weights.tensors.at(spec.node(pair.second).name + ".weight");
  const auto bias = weights.tensors.find(name + ".bias");
  const int64_t channels = first.shape[0], taps = first.elements() / channels;
  double moved = 0;
  for (int64_t c = 0; c < channels; ++c) {
    const std::span<float> row = first.f32().subspan(static_cast<size_t>(c * taps), static_cast<size_t>(taps));
    double given = 0, taken = 0;
    for (const float w : row) given = std::max(given, std::abs(static_cast<double>(w)));
    each_reader(second, pair.groups, c, channels,
                [&](float& w) { taken = std::max(taken, std::abs(static_cast<double>(w))); });
    const double factor = std::sqrt(taken / given);  // of the first; afterwards both reach sqrt(given * taken)
    if (!(factor > 1e-4 && factor < 1e4)) continue;  // a dead channel
    for (float& w : row) w = static_cast<float>(w * factor);
    if (bias != weights.tensors.end()) {
      float& b = bias->second.f32()[static_cast<size_t>(c)];
      b = static_cast<float>(b * factor);
    }
    each_reader(second, pair.groups, c, channels, [&](float& w) { w = static_cast<float>(w / factor); });
    moved = std::max(moved, std::abs(std::log(factor)));
  }
  return moved;
}

}  // namespace

int equalize(const arch::Spec& lowered, arch::Weights& weights) {
  constexpr int kSweeps = 40;
  constexpr double kSettled = 1e-3;
  const std::vector<Pair> pairs = pairs_of(lowered);
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    double moved = 0;
    for (const Pair& pair : pairs) moved = std::max(moved, equalize(lowered, weights, pair));
    if (moved < kSettled) break;
  }
  return static_cast<int>(pairs.size());
}

}  // namespace condenser::quant
