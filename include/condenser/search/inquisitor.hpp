#pragma once
// Examines a candidate by asking probes, cheapest first, and advises the generator from what it learned.

#include <memory>
#include <vector>

#include "condenser/search/probe.hpp"
#include "condenser/search/study.hpp"

namespace condenser::search {

// Hints for a generator, by decision name: preference of each option, higher is better. Empty: none yet.
struct Advice {
  std::map<std::string, std::vector<double>> preference;
};

class Inquisitor {
 public:
  explicit Inquisitor(std::vector<std::unique_ptr<Probe>> probes);  // sorted by declared cost
  // Asks every probe in order. Throws what a probe throws.
  Findings examine(const Candidate&, const ProbeContext&) const;
  // Mean objective of feasible trials per option, minus the overall mean. A pure function of the view.
  Advice advise(const Space&, const StudyView& past) const;
  double cost_seconds() const;  // declared, of one full examination

 private:
  std::vector<std::unique_ptr<Probe>> probes_;
};

}  // namespace condenser::search
