// Learning-rate schedules.
#include "train/optim/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace condenser::train {
namespace {

double half_cosine(double from, double to, double share) {
  return to + (from - to) * 0.5 * (1 + std::cos(std::numbers::pi * share));
}

double one_cycle(const TrainOptions& o, double share) {
  if (share < o.pct_start) return half_cosine(o.lr / 25, o.lr, share / o.pct_start);
  return half_cosine(o.lr, o.min_lr, (share - o.pct_start) / std::max(1e-12, 1 - o.pct_start));
}

double after_milestones(const TrainOptions& o, double epoch) {
  double rate = o.lr;
  for (const double milestone : o.milestones)
    if (epoch >= milestone) rate *= o.gamma;
  return rate;
}

}  // namespace

double learning_rate(const TrainOptions& o, int64_t step, int64_t steps_per_epoch) {
  const auto total = static_cast<double>(o.epochs * steps_per_epoch), each = static_cast<double>(steps_per_epoch);
  const double warmup = std::min(total, std::floor(o.warmup_epochs * each));
  const auto s = static_cast<double>(step);
  const auto scheduled = [&](double at) {
    const double share = (at - warmup) / std::max(1.0, total - warmup);
    if (o.schedule == "linear") return o.lr + (o.min_lr - o.lr) * share;
    if (o.schedule == "one_cycle") return one_cycle(o, share);
    if (o.schedule == "step") return after_milestones(o, at / each);
    if (o.schedule == "constant") return o.lr;
    return half_cosine(o.lr, o.min_lr, share);
  };
  return s < warmup ? scheduled(warmup) * (s + 1) / warmup : scheduled(s);
}

}  // namespace condenser::train
