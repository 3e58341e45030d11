#include "search/generators/forecast.hpp"

#include <algorithm>
#include <cmath>

#include "condenser/core/text.hpp"
#include "condenser/search/metrics.hpp"
#include "condenser/search/study.hpp"
#include "search/pareto/hypervolume.hpp"

namespace condenser::search {
namespace {

double density(double z) { return 0.3989422804014327 * std::exp(-0.5 * z * z); }

// Of what was examined in full; of all, where nothing was.
double best_of(const Question& q, const Knowledge& known) {
  double full = -INFINITY, any = -INFINITY;
  for (const Measured& m : known.measured) {
    if (m.failed) continue;
    const Trial& trial = q.past[static_cast<size_t>(m.trial)];
    any = std::max(any, known.curves.ending(m.value).mean);
    if (trial.full()) full = std::max(full, rank_value(trial, q.past.objective).value_or(-INFINITY));
  }
  return std::isinf(full) ? any : full;
}

}  // namespace

Forecaster::Forecaster(const Question& q, const Knowledge& known)
    : goal_(q.past.objective.goals.front()),
      scale_(scale_of(known, q.past.objective)),
      curves_(known.curves),
      best_(best_of(q, known)) {}

Ending Forecaster::ending(double scaled) const { return curves_.ending(scale_.value(scaled)); }
double Forecaster::own(double value) const { return (goal_.higher_is_better ? 1 : -1) * value; }
std::string Forecaster::text(double value) const {
  return core::fixed(value, goal_.metric() == nullptr ? 2 : std::max(1, goal_.metric()->digits));
}

// The mean of what is above the best, and how likely that is. Normal on the predictor's scale, it has any shape on the
// objective's own: taken in slices, each of which ends as a normal distribution.
Forecaster::Above Forecaster::above_best(double mean, double deviation) const {
  constexpr int kSlices = 61;
  constexpr double kEnd = 3.5, kWidth = 2 * kEnd / kSlices;
  Above above;
  for (int i = 0; i < kSlices; ++i) {
    const double z = -kEnd + (i + 0.5) * kWidth, share = kWidth * density(z);
    const auto at = [&](double edge) { return ending(mean + (z + edge * kWidth) * deviation); };
    const Ending middle = at(0);
    const double within = at(0.5).mean - at(-0.5).mean;
    const double doubt = std::sqrt(middle.variance + within * within / 12) + 1e-12;
    above.chance += share * probability(middle.mean, doubt, best_, true);
    above.gain += share * expected_excess(middle.mean, doubt, best_);
  }
  above.chance = std::min(above.chance, 1.0);
  return above;
}

void Forecaster::speak(double mean, double deviation, const std::string& origin, Proposal& proposal) const {
  Forecast f;
  const double doubt = std::sqrt(ending(mean).variance);
  f.value = own(ending(mean).mean);
  f.low = own(ending(mean - deviation).mean - doubt);
  f.high = own(ending(mean + deviation).mean + doubt);
  if (f.low > f.high) std::swap(f.low, f.high);
  const Above above = above_best(mean, deviation);
  f.gain = above.gain;
  proposal.forecast = f;
  proposal.reason = "predicted " + text(f.value) + " (" + text(f.low) + " to " + text(f.high) +
                    "), better than the best so far with chance " + core::fixed(100 * above.chance, 0) + " %; " +
                    origin;
}

}  // namespace condenser::search
