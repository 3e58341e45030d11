#include "search/predictors/promise.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "condenser/core/text.hpp"
#include "condenser/search/metrics.hpp"
#include "search/derived.hpp"
#include "search/pareto/hypervolume.hpp"

namespace condenser::search {
namespace {

using Eigen::Index;
using Eigen::VectorXd;
using Member = Catalogue::Member;

constexpr double kFarthest = 3;  // deviations beyond the best measured that a limit is believed to lie, at most
constexpr double kEnd = 6;       // of a scale
constexpr double kWorthless = -1e300;
// Mean and deviation of a function of a normally distributed value: Gauss and Hermite's three points.
constexpr std::array<double, 3> kPoints = {-1.7320508075688772, 0, 1.7320508075688772};
constexpr std::array<double, 3> kWeights = {1.0 / 6, 2.0 / 3, 1.0 / 6};

// The metrics behind a goal that are measured, each once.
std::vector<const Metric*> measured_of(const Goal& goal) {
  std::vector<const Metric*> found;
  for (const Metric* metric : goal.metrics) {
    if (metric->of_design != nullptr) continue;
    if (const Metric* source = source_of(*metric)) metric = source;
    if (std::ranges::find(found, metric) == found.end()) found.push_back(metric);
  }
  return found;
}

// A goal that is one measured metric, into which no cost goes.
bool alone(const Goal& goal) {
  return goal.metric() != nullptr && goal.measured() && source_of(*goal.metric()) == nullptr;
}

// What is predicted in one respect: of a metric, or of a goal that several metrics go into.
struct Respect {
  Outlook outlook;  // on the scale, members and then pending
  Scale scale;
  Curves curves;
  double best = 0;
  double sign = 1;

  // In its own unit, of the whole training; higher is better.
  double value(double scaled) const { return curves.ending(scale.value(scaled)).mean; }
  double own(double scaled) const { return sign * value(scaled); }
  // And back.
  double on_scale(double wanted) const {
    double low = -kEnd, high = best + kFarthest;
    for (int i = 0; i < 60; ++i) {
      const double middle = 0.5 * (low + high);
      (value(middle) < wanted ? low : high) = middle;
    }
    return 0.5 * (low + high);
  }
};

Respect predicted(const PromiseQuestion& p, const Goal& goal) {
  StudyView past = p.q.past;
  past.objective.goals = {goal};
  past.lesson = nullptr;  // is about one objective as a whole
  const Question q{p.q.space, p.q.catalogue, past, p.q.rng};
  const Knowledge known = knowledge_of(q, p.most);
  const Field field = p.field_of(known);
  const Opinion opinion = opinion_of(q, known, p.pending, field, p.options);
  const auto rows = std::ssize(p.members) + std::ssize(p.pending);
  Respect r{{VectorXd(rows), VectorXd(rows)},
            scale_of(known, past.objective),
            known.curves,
            opinion.best,
            goal.higher_is_better ? 1.0 : -1.0};
  Index row = 0;
  for (const auto* networks : {&p.members, &p.pending})
    for (const Member& m : *networks) {
      const int place = field.row(m.entry->fingerprint);
      r.outlook.mean(row) = opinion.mean(place);
      r.outlook.deviation(row++) = opinion.deviation(place);
    }
  return r;
}

// Opinions cost most of the time: one for each metric, whoever asks.
class Respects {
 public:
  explicit Respects(const PromiseQuestion& p) : p_(p) {}
  std::shared_ptr<const Respect> of(const std::string& goal) {
    auto& known = known_[goal];
    if (known == nullptr) known = std::make_shared<const Respect>(predicted(p_, Goal::parse(goal)));
    return known;
  }
  std::shared_ptr<const Respect> of(const Constraint& c) {
    return of(Goal::parse((c.at_least ? "maximize " : "minimize ") + c.metric->name).text);
  }

 private:
  const PromiseQuestion& p_;
  std::map<std::string, std::shared_ptr<const Respect>> known_;
};

Outlook moments(const Expected& e, Index rows) {
  Outlook o{VectorXd(rows), VectorXd(rows)};
  for (Index i = 0; i < rows; ++i) {
    std::array<double, kPoints.size()> at{};
    double mean = 0, square = 0;
    for (size_t k = 0; k < at.size(); ++k) mean += kWeights[k] * (at[k] = e.own(i, kPoints[k]));
    for (size_t k = 0; k < at.size(); ++k) square += kWeights[k] * (at[k] - mean) * (at[k] - mean);
    o.mean(i) = mean;
    o.deviation(i) = std::sqrt(square);
  }
  return o;
}

std::vector<Findings> costs_of(const PromiseQuestion& p) {
  std::vector<Findings> costs;
  for (const auto* networks : {&p.members, &p.pending})
    for (const Member& m : *networks) costs.push_back(m.entry->costs);
  return costs;
}

Expected exact(const PromiseQuestion& p, const Goal& goal) {
  const std::vector<Findings> costs = costs_of(p);
  VectorXd values(std::ssize(costs));
  for (Index i = 0; i < values.size(); ++i) values(i) = goal.value(costs[static_cast<size_t>(i)]).value_or(kWorthless);
  return {{values, VectorXd::Zero(values.size())}, [values](Index row, double) { return values(row); }};
}

Expected expected_of(const PromiseQuestion& p, const Goal& goal, Respects& respects) {
  const std::vector<const Metric*> metrics = measured_of(goal);
  if (metrics.empty()) return exact(p, goal);
  Expected e;
  if (alone(goal) || metrics.size() > 1) {
    const auto r = respects.of(goal.text);
    e.own = [r](Index row, double z) { return r->value(r->outlook.mean(row) + z * r->outlook.deviation(row)); };
    e.outlook = p.q.past.objective.several() ? r->outlook : moments(e, r->outlook.mean.size());
    return e;
  }
  const std::string& name = metrics.front()->name;
  const auto r = respects.of(name);
  e.own = [r, name, goal, costs = costs_of(p)](Index row, double z) {
    Findings findings = costs[static_cast<size_t>(row)];
    findings.metrics[name] = r->own(r->outlook.mean(row) + z * r->outlook.deviation(row));
    derive(findings);
    return goal.value(findings).value_or(kWorthless);
  };
  e.outlook = moments(e, r->outlook.mean.size());
  return e;
}

// Values of what is known to be feasible, one for each goal. Where nothing was examined in full and no constraint says
// what to look for instead, of all that was examined.
std::vector<Point> known_points(const StudyView& past) {
  std::vector<Point> points;
  for (const Trial* trial : front(past.seen(), past.objective))
    points.push_back(*past.objective.values(trial->findings));
  if (!points.empty() || !past.objective.constraints.empty()) return points;
  for (const Trial& trial : past.seen()) {
    const auto values = trial.feasible() ? past.objective.values(trial.findings) : std::nullopt;
    if (values) points.push_back(*values);
  }
  return points;
}

// In the units of the outlooks.
void rescale(std::vector<Point>& points, const Objective& objective, Respects& respects) {
  if (!objective.several()) return;
  for (size_t g = 0; g < objective.goals.size(); ++g) {
    const Goal& goal = objective.goals[g];
    if (!alone(goal) && measured_of(goal).size() < 2) continue;
    const auto r = respects.of(goal.text);
    for (Point& point : points) point[g] = r->on_scale(point[g]);
  }
}

Point means(const std::vector<Expected>& goals, Index row) {
  Point point;
  for (const Expected& goal : goals) point.push_back(goal.outlook.mean(row));
  return point;
}

// Below the front that is believed in: of what is known and of means. A front that was only begun would say too little
// of how far both ends reach, and what lies below the reference is worth nothing.
Point reference_of(const std::vector<Expected>& goals, const std::vector<Point>& points) {
  std::vector<Point> front;
  const auto add = [&](const Point& point) {
    const auto beats = [&](const Point& other) { return other == point || dominates(other, point); };
    if (std::ranges::any_of(front, beats)) return;
    std::erase_if(front, [&](const Point& other) { return dominates(point, other); });
    front.push_back(point);
  };
  for (const Point& point : points) add(point);
  for (Index row = 0; row < goals.front().outlook.mean.size(); ++row) add(means(goals, row));
  return reference_below(front, 1);
}

}  // namespace

bool needs_promise(const Objective& objective) {
  return objective.several() || !objective.constraints.empty() || !alone(objective.goals.front());
}

Promise::Promise(const PromiseQuestion& p) : objective_(p.q.past.objective) {
  Respects respects(p);
  std::vector<Outlook> of_goals, of_constraints;
  std::vector<double> limits;
  for (const Goal& goal : objective_.goals) {
    goals_.push_back(expected_of(p, goal, respects));
    of_goals.push_back(goals_.back().outlook);
  }
  for (const Constraint& c : objective_.constraints) {
    const auto r = respects.of(c);
    of_constraints.push_back(r->outlook);
    limits.push_back(r->on_scale(c.at_least ? c.limit : -c.limit));
  }
  const Index rows = of_goals.front().mean.size(), members = std::ssize(p.members);
  chance_ = of_constraints.empty() ? VectorXd(VectorXd::Zero(rows)) : log_chance(of_constraints, limits);
  VectorXd score = chance_;
  std::vector<Point> points = known_points(p.q.past);
  rescale(points, objective_, respects);
  if (!points.empty()) {
    const Point reference = objective_.several() ? reference_of(goals_, points) : reference_below(points, 1);
    volume_ = hypervolume(points, reference);
    for (Index row = members; row < rows; ++row)
      if (chance_(row) >= std::log(0.5)) points.push_back(means(goals_, row));
    gain_ = log_expected_gain(of_goals, points, reference);
    score += gain_;
  }
  if (of_constraints.empty() && (points.empty() || !objective_.several())) score = optimistic(p.optimism, rows);
  scores_.assign(score.data(), score.data() + members);
}

// Of the first goal.
VectorXd Promise::optimistic(double optimism, Index rows) const {
  VectorXd values(rows);
  const auto& own = goals_.front().own;
  for (Index row = 0; row < rows; ++row) values(row) = std::max(own(row, 0), own(row, optimism));
  return values;
}

Forecast Promise::forecast(size_t member) const {
  const auto row = static_cast<Index>(member);
  const double sign = objective_.goals.front().higher_is_better ? 1 : -1;
  const auto at = [&](double z) { return sign * goals_.front().own(row, z); };
  Forecast f{.value = at(0), .low = at(-1), .high = at(1)};
  if (f.low > f.high) std::swap(f.low, f.high);
  if (gain_.size() > 0) f.gain = std::exp(gain_(row));
  if (objective_.several()) f.gain = volume_ > 0 ? f.gain / volume_ : 0;
  return f;
}

std::string Promise::expected_text(size_t g, size_t member) const {
  const Goal& goal = objective_.goals[g];
  const auto at = [&](double z) {
    const double value = (goal.higher_is_better ? 1 : -1) * goals_[g].own(static_cast<Index>(member), z);
    return core::fixed(value, goal.metric() == nullptr ? 2 : goal.metric()->digits);
  };
  if (!goal.measured()) return at(0);
  const double sign = goal.higher_is_better ? 1 : -1;
  return at(0) + " (" + at(-sign) + " to " + at(sign) + ")";
}

std::string Promise::reason(size_t member) const {
  std::vector<std::string> words;
  for (size_t g = 0; g < goals_.size(); ++g)
    words.push_back((objective_.several() ? objective_.goals[g].text + " " : "") + expected_text(g, member));
  std::string text = "predicted " + core::join(words);
  const double gain = forecast(member).gain;
  if (objective_.several() && volume_ > 0)
    text += ", expected to add " + core::significant(100 * gain, 2) + " % to what the front commands";
  else if (gain_.size() > 0)
    text += ", expected to add " + core::significant(gain, 2) + " to the best so far";
  if (objective_.constraints.empty()) return text;
  return text + ", meets every constraint with chance " +
         core::fixed(100 * std::exp(chance_(static_cast<Index>(member))), 0) + " %";
}

}  // namespace condenser::search
