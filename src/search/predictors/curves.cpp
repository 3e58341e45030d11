#include "search/predictors/curves.hpp"

#include <algorithm>

namespace condenser::search {
namespace {

constexpr double kSlope = 1, kSlopeVariance = 0.25;
constexpr double kSpread = 0.25;   // of the lower rung's variance, believed to be s^2
constexpr double kBelieved = 2;    // networks that this counts for
constexpr double kLeastSlope = 0;  // a network that is ahead is not expected to fall behind

double mean(std::span<const double> values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

double variance(std::span<const double> values) {
  const double middle = mean(values);
  double sum = 0;
  for (const double v : values) sum += (v - middle) * (v - middle);
  return sum / static_cast<double>(values.size());
}

}  // namespace

Curves::Curves(std::span<const RungFindings> rungs) {
  for (const RungFindings& rung : rungs) {
    if (rung.both.empty()) break;
    steps_.push_back(learned(rung));
  }
}

Curves::Step Curves::learned(const RungFindings& rung) {
  Step s;
  s.networks = static_cast<double>(rung.both.size());
  for (const auto& [x, y] : rung.both) {
    s.x += x / s.networks;
    s.y += y / s.networks;
  }
  double xx = 0, xy = 0;
  for (const auto& [x, y] : rung.both) {
    xx += (x - s.x) * (x - s.x);
    xy += (x - s.x) * (y - s.y);
  }
  const double believed = kSpread * variance(rung.values) + 1e-12;
  s.variance = believed;
  for (int i = 0; i < 4; ++i) {  // slope and spread in turns
    const double weight = xx / s.variance + 1 / kSlopeVariance;
    s.slope = std::max(kLeastSlope, (xy / s.variance + kSlope / kSlopeVariance) / weight);
    s.slope_variance = 1 / weight;
    double off = 0;
    for (const auto& [x, y] : rung.both) {
      const double e = y - s.y - s.slope * (x - s.x);
      off += e * e;
    }
    s.variance = (off + kBelieved * believed) / (s.networks - 1 + kBelieved);
  }
  return s;
}

Ending Curves::ending(double value) const {
  Ending end{value, 0};
  for (const Step& s : steps_) {
    const double x = end.mean - s.x;
    end.mean = s.y + s.slope * x;
    end.variance = (s.slope * s.slope + s.slope_variance) * end.variance + s.variance * (1 + 1 / s.networks) +
                   s.slope_variance * x * x;
  }
  return end;
}

}  // namespace condenser::search
