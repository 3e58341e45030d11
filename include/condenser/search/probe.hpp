#pragma once
// A Probe asks one question about one candidate. train/ implements the ones that need LibTorch.

#include <cstdint>
#include <map>
#include <string>

#include "condenser/search/space.hpp"

namespace condenser::search {

struct Findings {
  std::map<std::string, double> metrics;      // "val_accuracy" (percent), "netscore", ...
  std::map<std::string, double> node_scores;  // reactions of probed nodes, by node name
  bool operator==(const Findings&) const = default;
};

struct ProbeContext {
  uint64_t seed = 0;      // a function of the study's seed and the candidate's hash: equal networks get equal answers
  double fidelity = 1.0;  // fraction of the probe's full cost
};

class Probe {
 public:
  virtual ~Probe() = default;
  virtual std::string name() const = 0;
  virtual double cost_seconds() const = 0;  // declared, not measured (replay); cheap probes are asked first
  // Adds to Findings. Throws core::Stopped when a stop was requested (nothing is stored), core::Error when the
  // candidate fails.
  virtual void ask(const Candidate&, const ProbeContext&, Findings&) = 0;
};

}  // namespace condenser::search
