#include "condenser/search/proxies.hpp"

#include <algorithm>
#include <cmath>

#include "condenser/search/metrics.hpp"

namespace condenser::search {
namespace {

// Equal values share the mean of their places.
std::vector<double> places(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, {}, [&](size_t i) { return values[i]; });
  std::vector<double> place(values.size());
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (size_t i = begin; i < end; ++i) place[order[i]] = static_cast<double>(begin + end - 1) / 2;
  }
  return place;
}

double spearman(const std::vector<double>& a, const std::vector<double>& b) {
  const std::vector<double> x = places(a), y = places(b);
  const double mean = (static_cast<double>(x.size()) - 1) / 2;
  double xy = 0, xx = 0, yy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
  }
  return xx == 0 || yy == 0 ? 0 : xy / std::sqrt(xx * yy);
}

struct Measured {
  const Trial* trial;
  double value;
};

std::vector<Measured> on_rung(std::span<const Trial> trials, const Objective& objective, int rung) {
  std::vector<Measured> list;
  for (const Trial& trial : trials) {
    if (trial.rung != rung || trial.state != TrialState::Done || trial.same_as >= 0) continue;
    if (const auto value = rank_value(trial, objective)) list.push_back({&trial, *value});
  }
  return list;
}

std::vector<Measured> most_reliable(std::span<const Trial> trials, const Objective& objective) {
  int top = 0;
  for (const Trial& trial : trials) top = std::max(top, trial.rung);
  for (int rung = top; rung > 0; --rung) {
    std::vector<Measured> list = on_rung(trials, objective, rung);
    if (list.size() >= kEnoughForProxies) return list;
  }
  return on_rung(trials, objective, 0);
}

Proxy proxy_of(const std::vector<Measured>& measured, const std::string& metric, bool size) {
  std::vector<double> values, ranks;
  for (const Measured& m : measured) {
    const auto found = m.trial->findings.metrics.find(metric);
    if (found == m.trial->findings.metrics.end() || !std::isfinite(found->second)) continue;
    values.push_back(found->second);
    ranks.push_back(m.value);
  }
  return {.metric = metric, .trials = values.size(), .correlation = spearman(values, ranks), .size = size};
}

}  // namespace

std::vector<Proxy> proxy_report(std::span<const Trial> trials, const Objective& objective,
                                const std::vector<std::string>& scores) {
  const std::vector<Measured> measured = most_reliable(trials, objective);
  std::vector<Proxy> proxies;
  double to_beat = 0;
  for (const char* size : {"params", "macs"}) {
    proxies.push_back(proxy_of(measured, size, true));
    to_beat = std::max(to_beat, std::abs(proxies.back().correlation));
  }
  for (const std::string& score : scores) {
    Proxy proxy = proxy_of(measured, score, false);
    proxy.dropped = proxy.trials >= kEnoughForProxies && std::abs(proxy.correlation) <= to_beat;
    proxies.push_back(std::move(proxy));
  }
  std::ranges::stable_sort(proxies, std::ranges::greater(), [](const Proxy& p) { return std::abs(p.correlation); });
  return proxies;
}

core::Table proxy_table(const std::vector<Proxy>& proxies) {
  core::Table table{{{"proxy", "proxy", false},
                     {"rank_correlation", "rank correlation"},
                     {"trials", "trials"},
                     {"use", "use", false}},
                    {}};
  for (const Proxy& p : proxies) {
    const char* use = p.size                         ? "size"
                      : p.trials < kEnoughForProxies ? "too few trials"
                      : p.dropped                    ? "dropped"
                                                     : "kept";
    table.rows.push_back({core::cell(find_metric(p.metric)->title), core::cell(p.correlation, 2),
                          core::cell(static_cast<int64_t>(p.trials)), core::cell(std::string(use))});
  }
  return table;
}

}  // namespace condenser::search
