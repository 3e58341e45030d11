// The structure of a measurement; how fast anything is depends on the machine and is no test's business.
#include <csignal>
#include <map>

#include "build_id.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/train/backend.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"
#include "train/speed/measure_plan.hpp"

extern "C" condenser::train::Backend* condenser_torch_backend(const char* build);

namespace condenser::train {
namespace {

Backend& backend() {
  static Backend* const one = condenser_torch_backend(kBuildId);
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

TEST_CASE("training is measured in rounds until nobody wants more", "[train]") {
  int wanted = 3;
  std::vector<int64_t> images;
  backend().measure_training({.spec = testing::exemplar("network_tiny"),
                              .batch = 5,
                              .threads = 1,
                              .seconds = 0.001,
                              .next_round = [&] { return wanted-- > 0; },
                              .round =
                                  [&](int64_t count, double seconds) {
                                    images.push_back(count);
                                    CHECK(seconds > 0);
                                  }});
  REQUIRE(images.size() == 3);
  for (const int64_t count : images) {
    CHECK(count == images.front());
    CHECK(count % 5 == 0);
  }
}

TEST_CASE("a training step tells everything that repeats it", "[train]") {
  const arch::Spec& spec = testing::exemplar("network_tiny");
  const TrainingStep step = backend().training_step(spec, 4, 1);
  CHECK(step.input.size() == size_t(4 * spec.input.elements()));
  REQUIRE(step.labels.size() == 4);
  CHECK(step.logits.size() == step.evaluated.size());
  const auto classes = static_cast<int64_t>(step.logits.size()) / 4;
  for (const int64_t label : step.labels) CHECK((label >= 0 && label < classes));
  CHECK(backend().forward(spec, step.before, step.input, 4) == step.evaluated);
  for (const auto& [name, tensor] : step.before.tensors) {
    INFO(name);
    CHECK_FALSE(step.after.at(name) == tensor);
  }
}

TEST_CASE("measuring stops when asked to", "[train]") {
  core::request_stop(SIGINT);
  CHECK_THROWS_AS(backend().measure_inference({.networks = {&testing::exemplar("network_tiny")}}), core::Stopped);
  CHECK_THROWS_AS(backend().measure_training({.spec = testing::exemplar("network_tiny"),
                                              .next_round = [] { return true; },
                                              .round = [](int64_t, double) {}}),
                  core::Stopped);
  core::request_stop(0);
}

}  // namespace condenser::train
