// Facts of the probes. How each finds what it finds stands in train/probes/.

#include "condenser/search/probe_rows.hpp"

#include <algorithm>

#include "condenser/core/config.hpp"
#include "condenser/core/text.hpp"

namespace condenser::search {
namespace {

constexpr int64_t kBatch = 64;

}  // namespace

const std::vector<ProbeRow>& probe_rows() {
  static const std::vector<ProbeRow> table = {
      {"synflow", "how much flows through all weights, of a picture of ones (Tanaka et al. 2020)", {"synflow"}, 1},
      {"grad_norm", "length of the gradient of one batch (Abdelfattah et al. 2021)", {"grad_norm"}, kBatch},
      {"naswot", "how differently images switch the activations on (Mellor et al. 2021)", {"naswot"}, kBatch},
      {"reactions", "what single nodes do with one batch", {"activation_rank", "dead_units"}, kBatch},
      {"inherited",
       "its part of weights that all networks of the space share (Yu and Huang 2019), see probe.supernet",
       {"inherited_accuracy", "inherited_loss"},
       512,
       true},
      {"short_train", "training for a few epochs", {"val_accuracy", "val_loss"}, 0},
  };
  return table;
}

const ProbeRow& find_probe_row(const std::string& name) {
  const auto found = std::ranges::find(probe_rows(), name, &ProbeRow::name);
  if (found != probe_rows().end()) return *found;
  std::vector<std::string> names;
  for (const ProbeRow& row : probe_rows()) names.push_back(row.name);
  const std::string near = core::config::nearest(name, names);
  throw core::ConfigError("probe " + core::printable(name) + " does not exist" +
                          (near.empty() ? "" : "; did you mean " + near) + "; expected one of " + core::join(names));
}

std::vector<std::string> score_names() {
  std::vector<std::string> names;
  for (const ProbeRow& row : probe_rows())
    if (!row.trains()) names.push_back(row.name);
  return names;
}

double cost_epochs(const ProbeRow& row, int64_t training, int64_t validation, int epochs) {
  if (row.trains()) return epochs;
  const auto images = static_cast<double>(row.images);
  const double work = row.inherits ? (images + static_cast<double>(validation)) / 3 : images;
  return work / static_cast<double>(std::max<int64_t>(1, training));
}

const std::vector<ReactionMeasure>& reaction_measures() {
  static const std::vector<ReactionMeasure> table = {
      {"reaction", "mean of |value x gradient of the image's loss|"},
      {"rank",
       "(sum of eigenvalues)^2 / (sum of their squares) of the channels' covariance, over channels; 0: constant"},
      {"spread", "standard deviation of a channel, root of the mean square"},
      {"dead", "share of the channels that no image switches on; of activations"},
      {"int8_snr", "signal to noise of the integers, dB, after the training of a search for int8_accuracy"},
  };
  return table;
}

std::string reaction_key(const std::string& node, const std::string& measure) { return node + ":" + measure; }

}  // namespace condenser::search
