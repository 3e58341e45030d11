#pragma once
// What cheap measures are worth: how well each orders the candidates of a study, beside the sizes that cost nothing.

#include <string>
#include <vector>

#include "condenser/core/table.hpp"
#include "condenser/search/study.hpp"

namespace condenser::search {

struct Proxy {
  std::string metric;
  size_t trials = 0;       // that have it and the objective
  double correlation = 0;  // Spearman's, with the objective's rank (higher is better); 0 where all values are equal
  bool size = false;       // parameters or multiply-accumulates: what a proxy has to beat
  bool dropped = false;    // enough trials, and no further from 0 than the better of the two sizes
};

inline constexpr size_t kEnoughForProxies = 20;

// Of the sizes and of every metric that `scores` names, the strongest first. Trials: finished examinations, of the
// highest rung that has kEnoughForProxies of them (else of the lowest). A pure function of its arguments.
std::vector<Proxy> proxy_report(std::span<const Trial>, const Objective&, const std::vector<std::string>& scores);

core::Table proxy_table(const std::vector<Proxy>&);

}  // namespace condenser::search
