#pragma once
// What `condenser watch` shows of a study, as plain data, and its lines.

#include <map>
#include <string>
#include <vector>

#include "condenser/search/study.hpp"

namespace condenser::cli {

struct WatchFacts {
  search::Objective objective;
  int64_t wanted = 0;  // full examinations
  int64_t proposals = 0, examined = 0, refused = 0, copies = 0, failed = 0, waiting = 0;
  std::vector<search::Trial> running;
  std::vector<search::Trial> last;  // finished, the latest first
  std::vector<double> best;  // of the first goal with higher as better, after every full examination; NaN: none yet
  std::optional<search::Trial> winner;
  std::map<std::string, int64_t> refusals;  // by rule
  double seconds = 0;                       // of examination, all together
  double seconds_each = 0;                  // of a full examination, median of the latest; 0: none yet
};
WatchFacts watch_facts(const std::vector<search::Trial>&, const search::Objective& objective, int64_t wanted,
                       size_t last);

// Seconds until the rest is examined, when as many work as now; 0: nothing to tell.
double seconds_left(const WatchFacts&);

// Bars of eight heights, `length` of them, from the lowest value to the highest; NaN is a gap. `unicode`: else ASCII.
std::string sparkline(const std::vector<double>& values, size_t length, bool unicode);

// At most `columns` wide. `heading`: the run and its state.
std::vector<std::string> watch_lines(const WatchFacts&, const std::string& heading, size_t columns, bool unicode);

}  // namespace condenser::cli
