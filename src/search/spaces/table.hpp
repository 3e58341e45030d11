#pragma once
// A finished search as a file: every network of a small space with its measured quality. It measures a strategy in
// milliseconds instead of GPU-days (NAS-Bench-201: Dong and Yang 2020, arXiv 2001.00326).

#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "condenser/search/space.hpp"

namespace condenser::search {

// What a file says. Two ways to write it:
//
// YAML, which names the columns of a CSV:
//   file: cells.csv                 # beside the YAML
//   decisions: [ops]                # one column with a digit for each decision, or a column for each
//   reward: valid                   # percent, higher is better
//   noise: [valid_s1, valid_s2]     # single trainings behind the reward; absent: none
//   test: test                      # what the returned network is worth; absent: the reward
//   params: params                  # costs; absent: unknown
//   macs: macs
//   short: {reward: e12, epochs: 12}  # a shorter training
//   epoch_seconds: t                # and what an epoch takes
//   epochs: 200                     # of the full training
//   operators: [none, skip, conv_1x1, conv_3x3, pool_3x3]  # what each option of a decision puts on its edge
//   edges: ["1<-0", "2<-0", "2<-1"]   # to<-from, one for each decision; absent: a chain
//   curve: [e1, e2, e3]             # reward after each epoch of the full training, which may pause there
//
// or, for trainings of networks of a space, instead of decisions, operators and edges (costs are the networks' own):
//   space: space.yaml               # beside the YAML; a row for each of its genotypes, a column for each decision
//   input: [1, 28, 28]              # that has a choice
//   classes: 10
//
// CSV alone: columns are told by their names (ops; *valid; *valid_s1 ...; *test; *_e12; t_epoch_s; params; macs), edges
// and operators by comment lines that hold "1<-0 2<-0" and "0=none 1=skip".
struct LookUp {
  struct Row {
    Genotype genotype;
    double reward = 0, test = 0, shorter = 0, epoch_seconds = 0, params = 0, macs = 0;
    std::vector<double> noise;  // rewards of single trainings
    std::vector<double> curve;  // reward after each epoch; empty: unknown
  };
  std::string name;
  core::Hash128 content;                  // of what was read
  std::shared_ptr<const Space> networks;  // whose networks these are; null: of none
  std::vector<Decision> decisions;
  std::vector<std::string> operators;     // per option; empty: unknown
  std::vector<std::array<int, 2>> edges;  // {to, from} per decision; empty with operators: a chain
  std::vector<Row> rows;                  // one for every legal genotype
  int epochs = 200, short_epochs = 0;     // 0: there are no short trainings
};
// Throws ConfigError naming file, line, what was found and expected.
LookUp read_look_up(const std::filesystem::path& file);

// Bounds that networks must keep, for the means over equal ones; 0: none.
struct LookUpBounds {
  double max_params = 0, max_macs = 0;
};

// Genotypes that compute the same (dead parts removed, identities contracted, terms of a sum in any order) are one
// network. Its values are means over those within the bounds, its costs those of the cheapest.
class TableSpace final : public Space {
 public:
  explicit TableSpace(LookUp table, const LookUpBounds& bounds = {});
  const std::vector<Decision>& decisions() const override { return table_.decisions; }
  Candidate expand(const Genotype&) const override;

  struct Network {
    std::vector<int> rows;  // within the bounds, or all where none is
    bool within = false;    // some are
    double reward = 0, test = 0, shorter = 0, epoch_seconds = 0, params = 0, macs = 0;
    std::vector<double> curve;  // of the first row that has one
    core::Hash128 hash;
    Graph graph;  // of a table without networks
  };
  const Network& network(const Genotype&) const;
  const std::vector<Network>& networks() const { return networks_; }
  double best_reward() const;  // of the networks within the bounds
  const LookUp& table() const { return table_; }

 private:
  size_t place(const Genotype&) const;
  void sum_up(Network&, const LookUpBounds&) const;  // what its rows say, those within the bounds
  LookUp table_;
  std::vector<int> network_of_;  // by place of the genotype
  std::vector<Network> networks_;
};

// The computation of a genotype of such a table.
Graph graph_of(const LookUp&, const Genotype&);

}  // namespace condenser::search
