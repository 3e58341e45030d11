#include "train/speed/measure_plan.hpp"

#include <algorithm>
#include <cmath>

namespace condenser::train {
namespace {

constexpr double kBlockSeconds = 0.05;

int rounds_within(double seconds, double block_seconds) {
  return static_cast<int>(std::clamp(std::floor(seconds / block_seconds), double{kFewestRounds}, double{kMostRounds}));
}

}  // namespace

Share plan_share(double seconds, double pass_seconds) {
  const double pass = std::max(pass_seconds, 1e-7);  // a clock may not see a pass of a tiny network
  const int rounds = rounds_within(seconds, std::max(kBlockSeconds, pass));
  const auto passes = static_cast<int64_t>(seconds / rounds / pass);
  if (passes < 2) return {rounds, 0, 1};
  return {rounds, 1, passes - 1};
}

bool takes_part(int round, int own, int all) {
  const auto until = [&](int64_t rounds) { return rounds * own / all; };
  return until(round + 1) > until(round);
}

}  // namespace condenser::train
