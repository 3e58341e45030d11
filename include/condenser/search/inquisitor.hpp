#pragma once
// Examines a candidate by asking probes, cheapest first.

#include <memory>
#include <vector>

#include "condenser/search/metrics.hpp"
#include "condenser/search/probe.hpp"

namespace condenser::search {

class Inquisitor {
 public:
  explicit Inquisitor(std::vector<std::unique_ptr<Probe>> probes);  // sorted by declared cost
  // Asks every probe in order. Throws what a probe throws.
  Findings examine(const Candidate&, const ProbeContext&) const;
  // Whether an examined candidate has this metric: a cost, what a probe finds, netscore where val_accuracy is found.
  bool finds(const std::string& metric) const;

 private:
  std::vector<std::unique_ptr<Probe>> probes_;
};

}  // namespace condenser::search
