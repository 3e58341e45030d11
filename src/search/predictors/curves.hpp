#pragma once
// What a training that paused would come to, with honest doubt. Between neighbouring rungs
//
//   y = mean y + b (x - mean x) + e,    e ~ N(0, s^2)
//
// is learned from the networks that were examined at both: b ~ N(1, 1/4), for what networks have over others they keep,
// more or less; s^2 a quarter of the lower rung's variance until networks say otherwise, with the weight of two of
// them. Schedules bend all curves alike, so that other networks of the study say more of how one goes on than its own
// first epochs do by any formula. Which networks went on depends on x, so that it needs no correction. (Bayesian linear
// regression: Gelman et al. 2013, section 14.2.)

#include <span>
#include <utility>
#include <vector>

namespace condenser::search {

// A rung below the last one.
struct RungFindings {
  std::vector<double> values;                   // of all networks that were examined there
  std::vector<std::pair<double, double>> both;  // and at the next one: values at this one and at that one
};

// Where a training ends: a normal distribution.
struct Ending {
  double mean = 0, variance = 0;
};

class Curves {
 public:
  Curves() = default;
  explicit Curves(std::span<const RungFindings>);  // the lowest first
  // Of a network from what the lowest rung finds, or would find. At the last rung that any network reached: above,
  // nothing is known. Never falls with `value`.
  Ending ending(double value) const;

 private:
  struct Step {
    double x = 0, y = 0;  // means
    double slope = 1, slope_variance = 0;
    double variance = 0;  // of e
    double networks = 1;
  };
  static Step learned(const RungFindings&);
  std::vector<Step> steps_;
};

}  // namespace condenser::search
