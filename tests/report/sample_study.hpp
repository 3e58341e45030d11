#pragma once
// Studies made by hand: small ones with everything in them, and large ones of random trials.

#include <cmath>

#include "condenser/core/rng.hpp"
#include "condenser/report/study_page.hpp"

namespace condenser::tests {

// Eight decisions, no networks: costs come from the choices.
class SmallSpace final : public search::Space {
 public:
  SmallSpace() {
    for (int d = 0; d < 8; ++d)
      decisions_.push_back(
          {"width_" + std::to_string(d),
           {8, 16, 24, 32},
           d == 0 ? std::vector<std::string>{"relu", "silu", "<b>", "\"x\""} : std::vector<std::string>{}});
  }
  const std::vector<search::Decision>& decisions() const override { return decisions_; }
  search::Candidate expand(const search::Genotype&) const override { return {}; }

 private:
  std::vector<search::Decision> decisions_;
};

// Half is refused, one in twenty copies an earlier trial, one in a hundred fails; the rest is examined. Proposals drift
// to larger options. With `forecasts`, who proposed, reasons and forecasts.
inline std::vector<search::Trial> random_trials(int64_t count, size_t decisions, int options, bool forecasts,
                                                uint64_t seed = 1) {
  std::vector<search::Trial> trials;
  core::Rng rng(seed);
  std::vector<int64_t> done;
  for (int64_t k = 0; k < count; ++k) {
    search::Trial t;
    t.index = k;
    double size = 0;
    for (size_t d = 0; d < decisions; ++d) {
      int choice = static_cast<int>(rng.below(static_cast<uint64_t>(options)));
      if (rng.uniform() * static_cast<double>(count) < static_cast<double>(k)) choice = std::max(choice, options - 2);
      t.genotype.choice.push_back(choice);
      size += choice;
    }
    const double params = 3000 + std::round(900 * size * (0.8 + 0.4 * rng.uniform()));
    t.findings.metrics = {{"params", params},
                          {"macs", std::round(params * 180 * (0.5 + rng.uniform()))},
                          {"constant_bytes", params + 4096},
                          {"arena_bytes", std::round(20000 + 15000 * rng.uniform())}};
    if (forecasts) {
      t.by = k % 3 == 0 ? "start" : "pool";
      t.reason = "largest mean and 2.5 deviations of 1,998 in the pool, 412 of them refused";
    }
    if (!done.empty() && rng.below(20) == 0) {
      t = trials[static_cast<size_t>(done[rng.below(done.size())])];
      t.same_as = t.index;
      t.index = k;
    } else if (rng.below(2) == 0) {
      t.state = search::TrialState::Refused;
      t.verdicts = {{"max_arena_bytes", false, "s1_block" + std::to_string(k % 7), std::to_string(33000 + k) + " bytes",
                     "at most 32,768 bytes"}};
      if (k % 4 == 0)
        t.verdicts.push_back({"max_macs", false, "", std::to_string(5'000'000 + 13 * k), "at most 5,000,000"});
    } else if (rng.below(100) == 0) {
      t.state = search::TrialState::Failed;
      t.error = "the loss is not a number in epoch 3";
      t.hash = {static_cast<uint8_t>(k), static_cast<uint8_t>(k >> 8), 1};
    } else {
      const double accuracy = 80 + 4 * std::log(params / 1000) + 3 * rng.uniform() + (rng.below(30) == 0 ? -50 : 0);
      t.hash = {static_cast<uint8_t>(k), static_cast<uint8_t>(k >> 8), 2};
      t.seconds = 3 + 4 * rng.uniform();
      t.findings.metrics["val_accuracy"] = accuracy;
      t.findings.metrics["val_loss"] = 3 - accuracy / 40;
      t.findings.metrics["synflow"] = params * (0.2 + rng.uniform());
      t.findings.metrics["netscore"] = 60 + accuracy / 10;
      t.verdicts = {{"max_arena_bytes", true, "", "30,000 bytes", "at most 32,768 bytes"},
                    {"beats_comparator", accuracy > 85, "", "val. accuracy", "at least 85 %"}};
      if (forecasts)
        t.forecast = search::Forecast{accuracy + 2 * (rng.uniform() - 0.5), accuracy - 1.2, accuracy + 1.2, 0.1};
      done.push_back(k);
    }
    trials.push_back(std::move(t));
  }
  return trials;
}

}  // namespace condenser::tests
