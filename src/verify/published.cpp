#include "condenser/verify/published.hpp"

#include <vector>

namespace condenser::verify {
namespace {

// Results of MLPerf Tiny (mlcommons.org, closed compilers): clock over throughput.
const std::vector<PublishedCost>& published_costs() {
  static const std::string logs = "MLPerf Tiny results, clock / throughput";
  static const std::vector<PublishedCost> table = {
      {"resnet8", "cortex-m0", 97.4e6, logs},
      {"ds_cnn", "cortex-m0", 30.4e6, logs},
      {"mobilenet_v1_025_96", "cortex-m0", 90.5e6, logs},
      {"autoencoder_ad", "cortex-m0", 2.62e6, logs},
      {"resnet8", "cortex-m4", 19.8e6, logs},
      {"ds_cnn", "cortex-m4", 5.18e6, logs},
      {"mobilenet_v1_025_96", "cortex-m4", 10.7e6, logs},
      {"autoencoder_ad", "cortex-m4", 0.486e6, logs},
      {"resnet8", "cortex-m33", 16.7e6, logs},
      {"ds_cnn", "cortex-m33", 4.64e6, logs},
      {"mobilenet_v1_025_96", "cortex-m33", 9.48e6, logs},
      {"autoencoder_ad", "cortex-m33", 0.495e6, logs},
  };
  return table;
}

}  // namespace

std::optional<PublishedCost> published(const std::string& network, const std::string& machine) {
  for (const PublishedCost& p : published_costs())
    if (p.network == network && p.machine == machine) return p;
  return std::nullopt;
}

}  // namespace condenser::verify
