#pragma once
// What a space offers and what a gate leaves of it, measured on drawn genotypes. Trains nothing.

#include <map>
#include <string>
#include <vector>

#include "condenser/search/gate.hpp"
#include "condenser/search/space.hpp"

namespace condenser::search {

struct Survey {
  // A cost known before training, of every candidate drawn (that has it) and of those that pass; ascending.
  struct Costs {
    const Metric* metric = nullptr;
    std::vector<double> drawn, passed;
  };
  int drawn = 0, passed = 0;
  std::map<std::string, int> refused;  // candidates, by rule; one candidate may break several
  std::vector<Costs> costs;            // in the order of metrics(); without those that nobody has

  double share() const { return drawn == 0 ? 0 : static_cast<double>(passed) / drawn; }  // that passes
  double deviation() const;                                                              // standard error of share()
};

// A genotype that cannot be expanded counts as refused by "expand". Throws core::Error as sample() does.
Survey survey(const Space&, const Gate&, int draws, core::Rng&);

// Between two order statistics by linear interpolation (Hyndman and Fan 1996, definition 7); `ascending` holds one or
// more values, 0 <= q <= 1.
double quantile(const std::vector<double>& ascending, double q);

}  // namespace condenser::search
