#include "condenser/search/proxies.hpp"

#include <algorithm>
#include <cmath>

#include "condenser/core/correlation.hpp"
#include "condenser/search/metrics.hpp"

namespace condenser::search {
namespace {

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
  const double r = core::spearman(values, ranks);
  return {.metric = metric, .trials = values.size(), .correlation = std::isnan(r) ? 0 : r, .size = size};
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
