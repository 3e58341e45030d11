#include "search/predictors/knowledge.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace condenser::search {
namespace {

constexpr double kFullNoise = 0.1;  // of a full examination, where there are shorter ones

// Also of networks that a comparator's accuracy refused: it says something.
double value_of(const Trial& trial, const Objective& objective) {
  return trial.state == TrialState::Done ? rank_value(trial, objective).value_or(NAN) : NAN;
}

struct Network {
  const Trial* trial = nullptr;  // of the highest rung
  int64_t index = 0;             // of that trial
  double value = NAN;            // on the scale of the lowest rung
};

// What is needed of a trial, read in the order of the past: of a long one every look elsewhere is slow.
struct Examined {
  core::Hash128 hash;
  int64_t index = 0;
  int rung = 0;
  double fidelity = 1, value = NAN;
  const Trial* trial = nullptr;
};

// Trials of the same network beside each other, lower rungs first.
std::vector<Examined> examined(const StudyView& past) {
  std::vector<Examined> trials;
  trials.reserve(past.size());
  for (const Trial& t : past.seen())
    if (t.examined() && t.finished())
      trials.push_back({t.hash, t.index, t.rung, t.fidelity, value_of(t, past.objective), &t});
  std::sort(trials.begin(), trials.end(), [](const Examined& a, const Examined& b) {
    return std::tie(a.hash, a.rung, a.index) < std::tie(b.hash, b.rung, b.index);
  });
  return trials;
}

Curves curves_of(std::span<const Examined> trials, size_t rungs) {
  std::vector<RungFindings> found(rungs - 1);
  for (size_t i = 0; i < trials.size(); ++i) {
    const Examined& t = trials[i];
    const auto rung = static_cast<size_t>(t.rung);
    if (std::isnan(t.value)) continue;
    if (rung < found.size()) found[rung].values.push_back(t.value);
    if (i == 0 || trials[i - 1].hash != t.hash || trials[i - 1].rung + 1 != t.rung) continue;
    if (!std::isnan(trials[i - 1].value)) found[rung - 1].both.emplace_back(trials[i - 1].value, t.value);
  }
  return Curves(found);
}

// The values of the places in `found` are dealt out in the order of the higher rung's.
void deal_out(std::vector<Network>& networks, const std::vector<std::pair<double, size_t>>& found) {
  std::vector<double> values;
  for (const auto& [value, place] : found)
    if (!std::isnan(networks[place].value)) values.push_back(networks[place].value);
  if (values.empty()) {  // nobody was asked at the lower rung
    for (const auto& [value, place] : found) networks[place].value = value;
    return;
  }
  std::sort(values.begin(), values.end());
  const double step = static_cast<double>(values.size()) / static_cast<double>(found.size());
  for (size_t i = 0; i < found.size(); ++i)
    networks[found[i].second].value = values[static_cast<size_t>(static_cast<double>(i) * step)];
}

}  // namespace

std::vector<size_t> best_first(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] > values[b]; });
  return order;
}

std::vector<size_t> best_and_latest(std::span<const double> values, size_t most) {
  std::vector<size_t> all(values.size());
  std::iota(all.begin(), all.end(), size_t{0});
  if (all.size() <= most) return all;
  const auto half = static_cast<std::ptrdiff_t>(most / 2);
  std::nth_element(all.begin(), all.begin() + half, all.end(),
                   [&](size_t a, size_t b) { return values[a] > values[b] || (values[a] == values[b] && a < b); });
  std::nth_element(all.begin() + half, all.begin() + static_cast<std::ptrdiff_t>(most), all.end(), std::greater<>());
  all.resize(most);
  std::sort(all.begin(), all.end());
  return all;
}

std::vector<double> Knowledge::values() const {
  std::vector<double> all;
  for (const Measured& m : measured) all.push_back(m.value);
  return all;
}

Knowledge knowledge_of(const Question& q, size_t most) {
  const std::vector<double>& rungs = q.past.rungs;
  Knowledge known;
  known.spent.assign(rungs.size(), 0);
  std::vector<Network> networks;
  std::vector<std::vector<std::pair<double, size_t>>> higher(rungs.size());  // values and places in `networks`
  const std::vector<Examined> trials = examined(q.past);
  known.taken.reserve(trials.size());
  networks.reserve(trials.size());
  for (size_t i = 0; i < trials.size(); ++i) {
    const Examined& trial = trials[i];
    const bool first = i == 0 || trials[i - 1].hash != trial.hash;
    const double value = trial.value;
    if (first) {
      known.taken.push_back(trial.hash);
      networks.emplace_back();
    }
    networks.back().trial = trial.trial;
    networks.back().index = trial.index;
    known.spent[static_cast<size_t>(trial.rung)] += trial.fidelity - (first ? 0 : trials[i - 1].fidelity);
    if (trial.rung == 0) {
      networks.back().value = value;
    } else if (!std::isnan(value)) {
      higher[static_cast<size_t>(trial.rung)].emplace_back(value, networks.size() - 1);
    }
  }
  if (rungs.size() > 1) known.curves = curves_of(trials, rungs.size());
  for (auto& found : higher) {
    if (found.empty()) continue;
    std::sort(found.begin(), found.end());
    deal_out(networks, found);
  }
  std::sort(networks.begin(), networks.end(), [](const Network& a, const Network& b) { return a.index < b.index; });
  double worst = INFINITY;
  for (const Network& n : networks)
    if (!std::isnan(n.value)) worst = std::min(worst, n.value);
  if (std::isinf(worst)) worst = 0;
  std::vector<double> values;
  for (const Network& n : networks) values.push_back(std::isnan(n.value) ? worst : n.value);
  for (const size_t i : best_and_latest(values, most)) {
    const Trial& trial = *networks[i].trial;
    auto entry = q.catalogue.of(trial.genotype);
    if (!entry->passed) continue;
    const bool failed = std::isnan(value_of(trial, q.past.objective));
    const bool full = rungs.size() > 1 && trial.full() && !failed;
    known.measured.push_back({.member = {trial.genotype, std::move(entry)},
                              .trial = trial.index,
                              .rung = trial.rung,
                              .failed = failed,
                              .value = values[i],
                              .noise = full ? kFullNoise : 1});
  }
  return known;
}

}  // namespace condenser::search
