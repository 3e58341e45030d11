#pragma once
// `condenser bench` and what it measures.

#include <filesystem>
#include <string>
#include <vector>

#include "cli/shared_options.hpp"
#include "condenser/search/bench.hpp"

namespace condenser::cli {

struct WorkersBenchOptions {
  int count = 64;
  int runs = 3;
  bool one = false;  // this process is one of them
};

struct BenchOptions {
  std::string format = "text";
  std::string what;  // gate, data, kernels, proposal, search, store, train, workers
  // train
  std::string network;
  ZooShape shape;
  int batch = 1;
  int threads = 0;            // 0: all cores
  double seconds = 1.0;       // of measuring
  bool turns = false;         // a line on standard input starts each round
  std::filesystem::path out;  // folder for the network and one step; empty: measure
  search::SearchBenchOptions search;
  std::vector<std::string> objectives, constraints;  // of that, as typed
  // store, workers
  std::string study;  // "": a file that is removed
  std::string kind;   // "": both
  WorkersBenchOptions workers;
  // kernels
  std::vector<std::string> machines;  // none: those that the model knows
  int networks = 0;                   // of each kernel, to fit a model to; 0: the one that is built in
  int candidates = 200;               // of the space columns, besides the zoo; -1: compare nothing
};

int bench_data(const BenchOptions&);
int bench_kernels(const BenchOptions&);
int bench_proposal(const BenchOptions&);
int bench_search(const BenchOptions&);
int bench_store(const BenchOptions&);
int bench_train(const BenchOptions&);
int bench_workers(const BenchOptions&);

}  // namespace condenser::cli
