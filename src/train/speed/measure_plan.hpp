#pragma once
// How the seconds of a measurement are spent. No LibTorch here.

#include <cstdint>

namespace condenser::train {

constexpr int kFewestRounds = 5, kMostRounds = 101;

// A network's part in the rounds of one setting.
struct Share {
  int rounds = kFewestRounds;  // in how many it takes part
  int64_t warm_passes = 0;     // at the start of each block, not timed: its caches were taken by the other networks
  int64_t passes = 1;          // timed, in each block
};

// Blocks of about 50 ms fill `seconds`. A pass that takes longer than a block is a block of its own, and then there are
// fewer of them; never fewer than kFewestRounds, even if that takes longer than `seconds`.
Share plan_share(double seconds, double pass_seconds);

// Whether a network that takes part in `own` of `all` rounds takes part in this one (0..all-1): evenly spread.
bool takes_part(int round, int own, int all);

}  // namespace condenser::train
