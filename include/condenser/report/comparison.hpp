#pragma once
// Networks side by side: what they cost, what was published about them, and how fast they ran here.

#include <optional>
#include <string>
#include <vector>

#include "condenser/core/statistics.hpp"
#include "condenser/core/table.hpp"

namespace condenser::report {

struct ComparedSpeed {
  std::string device = "cpu";
  int batch = 1;
  int threads = 1;     // 0: not the processor
  std::string layout;  // in which the network was faster
  core::Quartiles images_per_s;
  int rounds = 0;
};

// Absent values: not known, not published, not measured.
struct ComparedNetwork {
  std::string name, family;
  std::string input;               // "3x224x224"
  std::optional<int64_t> outputs;  // classes
  std::optional<int64_t> params, macs;
  std::optional<int64_t> constant_bytes, arena_bytes;             // int8
  std::optional<double> accuracy_percent, int8_accuracy_percent;  // published
  std::string claims;                                             // published, about speed and the like
  std::string note;                                               // what a reader of the row must know
  std::vector<ComparedSpeed> speeds;  // every network has the same settings in the same order, or none
};

struct Hardware {
  std::string cpu;
  int hardware_threads = 0;
  double load = 0;  // of the machine's last minute, before measuring; above 0: somebody else was busy
  std::string compiler;
  std::string libtorch;         // as loaded; empty: nothing was measured
  std::string omp_wait_policy;  // how LibTorch's threads wait for each other
};

struct Comparison {
  std::vector<ComparedNetwork> networks;
  Hardware hardware;
  double seconds = 0;  // asked for, per network and setting
  std::string remedy;  // why nothing was measured; empty: it was
};

// A row per setting and network, in that order; networks without speeds come last, in one row each. NetScore is
// computed from the published float accuracy. `ratio_to_first`: of the medians, to the first network.
core::Table comparison_table(const Comparison&);

// Without columns that have no value, and without those that only programs want.
core::Table for_people(const core::Table&);

// Below the table: the machine, how it was measured, notes, and published claims beside what was measured.
std::vector<std::string> comparison_lines(const Comparison&);

std::string comparison_json(const Comparison&);  // schema-versioned, stable keys

// All of it in one of the formats text, markdown, csv (the table only) and json.
std::string comparison_page(const Comparison&, const std::string& format);

}  // namespace condenser::report
