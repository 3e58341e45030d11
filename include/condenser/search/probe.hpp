#pragma once
// A Probe asks one question about one candidate. train/ implements the ones that need LibTorch.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "condenser/core/error.hpp"
#include "condenser/search/space.hpp"

namespace condenser::search {

struct Findings {
  std::map<std::string, double> metrics;              // "val_accuracy" (percent), "netscore", ...
  std::map<std::string, double> node_scores;          // reactions of probed nodes, by node name
  std::map<std::string, std::vector<double>> curves;  // a metric while it was measured, one value per epoch
  bool operator==(const Findings&) const = default;
};

// The candidate itself cannot be examined: its training diverges, its arithmetic overflows. A function of the candidate
// and the seed, so it is stored as the candidate's failure and never tried again. Every other exception but
// arch::SpecError is trouble of the surroundings (a file, memory, a library, the device) and must not become one.
class CandidateError : public core::Error {
 public:
  using core::Error::Error;
};

struct ProbeContext {
  Genotype genotype;
  uint64_t seed = 0;      // a function of the study's seed and the candidate's hash: equal networks get equal answers
  double fidelity = 1.0;  // share of the probe's full cost
  // Where a probe may keep, by the network's hash, what lets it go on at a higher fidelity; "": nowhere. What is kept
  // may be lost and must not change an answer.
  std::filesystem::path folder;
  std::function<void(double fraction, const std::string& doing)> on_progress;  // may be empty; called often
};

class Probe {
 public:
  virtual ~Probe() = default;
  virtual std::string name() const = 0;
  virtual double cost_seconds() const = 0;             // declared, not measured (replay); cheap probes are asked first
  virtual std::vector<std::string> finds() const = 0;  // names of the metrics that ask() adds
  // Adds to Findings. Throws core::Stopped when a stop was requested, CandidateError or arch::SpecError when the
  // candidate fails, anything else when the surroundings do: then nothing is stored and the search ends.
  virtual void ask(const Candidate&, const ProbeContext&, Findings&) = 0;
};

}  // namespace condenser::search
