// What single nodes do with one batch: the measures of search::reaction_measures(), of convolutions, linear layers and
// activations. Batch norms are left out: they change no rank, and what follows them says the rest.
#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>

#include <cmath>

#include "condenser/search/probe_rows.hpp"
#include "train/probes/activation.hpp"
#include "train/probes/probes.hpp"

namespace condenser::train {
namespace {

struct Reaction {
  const arch::Node& node;
  at::Tensor value;  // [n, c, h, w], with its gradient
};

struct Variety {
  double rank = 0, spread = 0;
};

// Of the channels' covariance S over images and pixels: (tr S)^2 / |S|^2 is between 1 and the number of channels, and
// needs no eigenvalues.
Variety variety_of(const at::Tensor& value) {
  const at::Tensor x = value.detach().transpose(0, 1).flatten(1).to(at::kDouble);
  const at::Tensor centred = x - x.mean(1, /*keepdim=*/true);
  const at::Tensor s = at::matmul(centred, centred.t()) / static_cast<double>(x.size(1));
  const auto channels = static_cast<double>(x.size(0));
  const auto trace = s.trace().item<double>(), squares = s.square().sum().item<double>();
  return {squares == 0 ? 0 : trace * trace / squares / channels, std::sqrt(trace / channels)};
}

double mean_reaction(const at::Tensor& value) {
  const at::Tensor gradient = value.grad();
  if (!gradient.defined()) return 0;  // the output does not depend on it
  return (value.detach() * gradient).abs().to(at::kDouble).sum().item<double>() /
         static_cast<double>(value.numel() / value.size(0));
}

double dead_share(const at::Tensor& value, double on) {
  return 1 - value.detach().gt(on).transpose(0, 1).flatten(1).any(1).to(at::kDouble).mean().item<double>();
}

bool is_layer(const arch::Op& op) {
  return std::holds_alternative<arch::Conv2d>(op) || std::holds_alternative<arch::Linear>(op);
}

}  // namespace

void reactions(const Subject& subject, search::Findings& findings) {
  nn::SpecNet net(subject.spec, subject.weights, nn::Kernels::Library);
  std::vector<Reaction> seen;
  excite(net, subject.stimulus, [&](const arch::Node& node, const at::Tensor& value) {
    if (!is_layer(node.op) && !switches_at(node.op)) return;
    value.retain_grad();
    seen.push_back({node, value});
  });
  double ranks = 0, dead = 0, activations = 0;
  const auto tell = [&](const arch::Node& node, const char* measure, double value) {
    if (std::isfinite(value)) findings.node_scores[search::reaction_key(node.name, measure)] = value;
  };
  for (const Reaction& r : seen) {
    const Variety variety = variety_of(r.value);
    tell(r.node, "reaction", mean_reaction(r.value));
    tell(r.node, "rank", variety.rank);
    tell(r.node, "spread", variety.spread);
    const auto on = switches_at(r.node.op);
    if (!on) continue;
    const double share = dead_share(r.value, *on);
    tell(r.node, "dead", share);
    ranks += variety.rank;
    dead += share;
    ++activations;
  }
  found(findings, subject, "activation_rank", 100 * ranks / activations);
  found(findings, subject, "dead_units", 100 * dead / activations);
}

}  // namespace condenser::train
