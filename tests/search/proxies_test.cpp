#include "condenser/search/proxies.hpp"

#include <cmath>

#include "support/catch.hpp"

using namespace condenser;
using search::Proxy;
using search::Trial;

namespace {

// `count` networks: the objective rises with the index, and so does what is named good.
std::vector<Trial> study(int count) {
  std::vector<Trial> trials;
  for (int i = 0; i < count; ++i) {
    Trial t;
    t.index = i;
    t.findings.metrics = {
        {"val_accuracy", 50.0 + i}, {"val_loss", 1.0 / (1 + i)}, {"params", 100.0 + (i * 7) % count},  {"macs", 5.0},
        {"synflow", std::exp(i)},   {"naswot", -std::exp(i)},    {"grad_norm", (i * 11) % count / 2.0}};
    trials.push_back(std::move(t));
  }
  return trials;
}

const Proxy& of(const std::vector<Proxy>& proxies, const std::string& metric) {
  for (const Proxy& p : proxies)
    if (p.metric == metric) return p;
  throw core::Error("none");
}

// 1 - 6 sum d^2 / (n (n^2 - 1)), for values without equals.
double by_differences(const std::vector<int>& places) {
  double sum = 0;
  const auto n = static_cast<double>(places.size());
  for (size_t i = 0; i < places.size(); ++i) sum += std::pow(places[i] - static_cast<double>(i), 2);
  return 1 - 6 * sum / (n * (n * n - 1));
}

}  // namespace

TEST_CASE("rank correlations stand beside those of the sizes", "[search][proxies]") {
  const auto trials = study(25);
  const auto report = search::proxy_report(trials, "val_accuracy", {"grad_norm", "synflow", "naswot"});
  REQUIRE(report.size() == 5);
  CHECK(of(report, "synflow").correlation == Approx(1));
  CHECK(of(report, "naswot").correlation == Approx(-1));
  CHECK(of(report, "macs").correlation == 0);  // all equal
  std::vector<int> params, norms;
  for (int i = 0; i < 25; ++i) params.push_back(i * 7 % 25), norms.push_back(i * 11 % 25);
  CHECK(of(report, "params").correlation == Approx(by_differences(params)));
  CHECK(of(report, "grad_norm").correlation == Approx(by_differences(norms)));
  CHECK(of(report, "params").size);
  for (size_t i = 1; i < report.size(); ++i)
    CHECK(std::abs(report[i].correlation) <= std::abs(report[i - 1].correlation));
  CHECK_FALSE(of(report, "synflow").dropped);
  CHECK_FALSE(of(report, "naswot").dropped);  // what it is worth is learned, with its sign
  CHECK(of(report, "grad_norm").dropped == (std::abs(by_differences(norms)) <= std::abs(by_differences(params))));

  // A loss is good when it is small.
  CHECK(of(search::proxy_report(trials, "val_loss", {"synflow"}), "synflow").correlation == Approx(1));
}

TEST_CASE("a proxy is dropped for what enough candidates say", "[search][proxies]") {
  auto trials = study(19);
  for (Trial& t : trials) t.findings.metrics["params"] = t.findings.metrics["val_accuracy"];
  CHECK_FALSE(of(search::proxy_report(trials, "val_accuracy", {"grad_norm"}), "grad_norm").dropped);
  trials = study(20);
  for (Trial& t : trials) t.findings.metrics["params"] = t.findings.metrics["val_accuracy"];
  CHECK(of(search::proxy_report(trials, "val_accuracy", {"grad_norm"}), "grad_norm").dropped);
  CHECK(of(search::proxy_report(trials, "val_accuracy", {"synflow"}), "synflow").dropped);  // no better than size
}

TEST_CASE("equal values share their places, and what is unknown does not count", "[search][proxies]") {
  auto trials = study(4);
  const double values[] = {1, 2, 2, 3};
  for (size_t i = 0; i < 4; ++i) trials[i].findings.metrics["synflow"] = values[i];
  CHECK(of(search::proxy_report(trials, "val_accuracy", {"synflow"}), "synflow").correlation ==
        Approx(4.5 / std::sqrt(5 * 4.5)));
  trials[0].findings.metrics.erase("synflow");
  trials[1].state = search::TrialState::Failed;
  CHECK(of(search::proxy_report(trials, "val_accuracy", {"synflow"}), "synflow").trials == 2);
  CHECK(of(search::proxy_report({}, "val_accuracy", {"synflow"}), "synflow").trials == 0);
  CHECK(search::proxy_table(search::proxy_report(trials, "val_accuracy", {"synflow"})).rows.size() == 3);
}

TEST_CASE("the highest rung with enough candidates decides", "[search][proxies]") {
  auto trials = study(60);
  for (Trial& t : trials) t.rung = t.index < 35 ? 0 : t.index < 55 ? 1 : 2;
  CHECK(of(search::proxy_report(trials, "val_accuracy", {"synflow"}), "synflow").trials == 20);
  for (Trial& t : trials) t.rung = t.index < 50 ? 0 : 1;
  CHECK(of(search::proxy_report(trials, "val_accuracy", {"synflow"}), "synflow").trials == 50);
}
