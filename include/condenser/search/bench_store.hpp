#pragma once
// How fast trials are stored and a study is opened again.

#include <cstdint>
#include <string>

namespace condenser::search {

struct StoreBenchOptions {
  std::string study;  // an empty one, as open_study() takes it; "": a file in the temporary folder, removed at the end
  int64_t trials = 0;
  bool examined = false;  // each is appended, claimed and finished with findings; otherwise appended as refused
};

struct Elapsed {
  double seconds = 0;    // by the clock
  double processor = 0;  // of this process, which other programs' work leaves alone
};

struct StoreBenchResult {
  double per_second = 0;       // trials, by the clock
  Elapsed first, last;         // the first and the last thousand
  Elapsed open;                // opening the study again and loading all its trials
  double bytes_per_trial = 0;  // of the file; 0: of a server
};

constexpr int64_t kStoreBenchBlock = 1000;

// Throws ConfigError for fewer than two blocks of trials or a study that holds some.
StoreBenchResult bench_store(const StoreBenchOptions&);

}  // namespace condenser::search
