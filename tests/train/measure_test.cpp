// The structure of a measurement; how fast anything is depends on the machine and is no test's business.
#include <csignal>
#include <map>

#include "condenser/core/stop.hpp"
#include "condenser/train/backend.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"
#include "train/measure_plan.hpp"

extern "C" condenser::train::Backend* condenser_torch_backend(int abi);

namespace condenser::train {
namespace {

Backend& backend() {
  static Backend* const one = condenser_torch_backend(kBackendAbi);
  return *one;
}

}  // namespace

TEST_CASE("every network is measured at every setting", "[train]") {
  const std::vector<const arch::Spec*> networks{&testing::exemplar("network_tiny"), &testing::exemplar("shuffle_unit")};
  std::vector<double> fractions;
  const auto samples = backend().measure_inference({.networks = networks,
                                                    .batches = {1, 3},
                                                    .threads = {1, 2},
                                                    .seconds = 0.01,
                                                    .on_progress = [&](double fraction, const std::string& doing) {
                                                      fractions.push_back(fraction);
                                                      CHECK(!doing.empty());
                                                    }});
  std::map<std::pair<int, int>, std::vector<size_t>> seen;  // batch and threads -> networks, in order
  for (const SpeedSample& s : samples) {
    if (s.device == "cpu") seen[{s.batch, s.threads}].push_back(s.network);
    CHECK((s.layout == "planes" || s.layout == "channels-last"));
    CHECK(s.images_per_s.size() >= size_t{kFewestRounds});
    for (const double speed : s.images_per_s) CHECK(speed > 0);
  }
  REQUIRE(seen.size() == 4);
  for (const auto& [setting, order] : seen) CHECK(order == std::vector<size_t>{0, 1});
  CHECK(std::is_sorted(fractions.begin(), fractions.end()));
  CHECK(fractions.back() < 1);
}

TEST_CASE("measuring stops when asked to", "[train]") {
  core::request_stop(SIGINT);
  CHECK_THROWS_AS(backend().measure_inference({.networks = {&testing::exemplar("network_tiny")}}), core::Stopped);
  core::request_stop(0);
}

}  // namespace condenser::train
