#pragma once
// How many evaluations a strategy needs, on a look-up table: the ordinary driver, gate and generators with a store in
// memory, over many seeds.

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "condenser/search/objective.hpp"

namespace condenser::search {

struct SearchBenchOptions {
  std::filesystem::path table;          // a CSV or the YAML that describes it (search/spaces/table.hpp)
  std::string protocol = "noise_free";  // of search_bench_protocols()
  std::string generator = "generative_synthesis";
  int batch = 1;
  int seeds = 200;
  int trials = 100;  // evaluations of one search at most; trainings: what may be spent, in full trainings
  uint64_t first_seed = 1;
  double max_params = 0, max_macs = 0;  // constrained
  Objective objective{"val_accuracy"};  // others with protocols that count evaluations
  // The table of an earlier study: each search learns from one of as many evaluations there; empty: from none.
  std::filesystem::path learn_from;
  double seconds = 12'000;  // budget: of training, all together
  std::vector<int> rungs;   // trainings: epochs after which one pauses; empty: none does
};

struct SearchBenchResult {
  double best_reward = 0, best_test = 0;  // of the table, within the bounds and constraints; of several goals: 1
  std::vector<int> evaluations;           // to the best reward; one for each seed; twice `trials`: not found
  // Mean best reward after so many evaluations; of several goals the share of the hypervolume that the table's front
  // commands, its reference a tenth of its range below it. Absent where a search has found nothing feasible by then.
  std::map<int, double> best_after;
  std::vector<double> tests;  // of the network that each search returned
  double median_evaluations = 0, mean_evaluations = 0, deviation_of_mean = 0;
  double hit_share =
      0;  // noisy: searches that return a network as good as the table's best test; else: found the best reward
  double mean_test = 0, median_test = 0;
  std::array<double, 2> interval_of_mean_test{};  // 95 %, by the normal distribution
  double lessons_kept = 0;  // share of the searches that did not drop at their end the slopes they had learned
  double milliseconds_per_proposal = 0;
};

// noise_free: the reward is the network's mean; a search ends at the best one. noisy: one training, drawn anew for each
// search; the network that is returned counts. constrained: noise_free within bounds. budget: a ladder of short and
// full trainings, each answered by one training, until the seconds are spent; the network that is returned counts.
// trainings: as much as `trials` full trainings, on a ladder of `rungs`; the network that is returned counts.
std::vector<std::string> search_bench_protocols();
// Throws ConfigError for what the table lacks.
SearchBenchResult bench_search(const SearchBenchOptions&);

}  // namespace condenser::search
