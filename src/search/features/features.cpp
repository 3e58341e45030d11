#include "search/features/features.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace condenser::search {
namespace {

constexpr size_t kLongestSequence = 4;  // operators, input and output counted
constexpr size_t kMostSequences = 4096;

// FNV-1a and the finisher of splitmix64: keys only need to differ.
uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

uint64_t key_of(std::string_view text) {
  uint64_t key = 0xcbf29ce484222325;
  for (const char c : text) key = (key ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  return mix(key);
}

Counts counts_of(std::vector<uint64_t> keys) {
  std::sort(keys.begin(), keys.end());
  Counts counts;
  for (const uint64_t key : keys) {
    if (counts.empty() || counts.back().first != key) counts.emplace_back(key, 0.0f);
    counts.back().second += 1;
  }
  return counts;
}

Counts present(std::vector<uint64_t> keys) {
  Counts counts = counts_of(std::move(keys));
  for (auto& [key, count] : counts) count = 1;
  return counts;
}

Counts decisions_of(const Genotype& genotype) {
  std::vector<uint64_t> keys;
  for (size_t d = 0; d < genotype.choice.size(); ++d)
    keys.push_back(mix(d << 32 | static_cast<uint32_t>(genotype.choice[d])));
  return counts_of(std::move(keys));
}

// The operator, what it reads and what reads it; predecessors and successors kept apart.
uint64_t neighbourhood(uint64_t own, std::vector<uint64_t> before, std::vector<uint64_t> after) {
  std::sort(before.begin(), before.end());
  std::sort(after.begin(), after.end());
  uint64_t key = own;
  for (const uint64_t k : before) key = mix(key ^ k);
  key = mix(key + 1);
  for (const uint64_t k : after) key = mix(key ^ k);
  return key;
}

class Reader {
 public:
  explicit Reader(const Graph& graph) : graph_(graph), after_(graph.nodes.size()) {
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      own_.push_back(key_of(graph.nodes[i].op));
      for (const int input : graph.nodes[i].inputs) after_[static_cast<size_t>(input)].push_back(i);
    }
  }

  Counts operators() const { return counts_of({own_.begin() + 1, own_.end() - 1}); }

  Counts neighbourhoods() const {
    std::vector<uint64_t> keys;
    for (size_t i = 0; i < own_.size(); ++i) {
      std::vector<uint64_t> before, after;
      for (const int input : graph_.nodes[i].inputs) before.push_back(own_[static_cast<size_t>(input)]);
      for (const size_t reader : after_[i]) after.push_back(own_[reader]);
      keys.push_back(neighbourhood(own_[i], std::move(before), std::move(after)));
    }
    return counts_of(std::move(keys));
  }

  // Short ways through the graph, as words of operators.
  Counts sequences() const {
    std::vector<uint64_t> keys;
    for (size_t i = 0; i < own_.size(); ++i) walk(i, 1, 0, keys);
    return present(std::move(keys));
  }

 private:
  void walk(size_t at, size_t length, uint64_t key, std::vector<uint64_t>& keys) const {
    key = mix(key ^ own_[at]);
    if (length > 1) keys.push_back(key);
    if (length == kLongestSequence || keys.size() >= kMostSequences) return;
    for (const size_t next : after_[at]) walk(next, length + 1, key, keys);
  }

  const Graph& graph_;
  std::vector<std::vector<size_t>> after_;
  std::vector<uint64_t> own_;
};

// Ways from the input to a node, with what lies on them.
struct Ways {
  double number = 0, direct = 0;  // direct: without an operator
  double total = 0, total_parametric = 0;
  double longest = 0, shortest = 0, longest_parametric = 0, shortest_parametric = 0, most_spatial = 0;
};

void join(Ways& all, const Ways& w) {
  const bool first = all.number == 0;
  all.shortest = first ? w.shortest : std::min(all.shortest, w.shortest);
  all.shortest_parametric = first ? w.shortest_parametric : std::min(all.shortest_parametric, w.shortest_parametric);
  all.longest = std::max(all.longest, w.longest);
  all.longest_parametric = std::max(all.longest_parametric, w.longest_parametric);
  all.most_spatial = std::max(all.most_spatial, w.most_spatial);
  all.number += w.number;
  all.direct += w.direct;
  all.total += w.total;
  all.total_parametric += w.total_parametric;
}

void pass(Ways& w, const Graph::Node& node) {
  const double parametric = node.parametric ? 1 : 0;
  w.direct = 0;
  w.total += w.number;
  w.total_parametric += parametric * w.number;
  w.longest += 1;
  w.shortest += 1;
  w.longest_parametric += parametric;
  w.shortest_parametric += parametric;
  w.most_spatial += node.spatial ? 1 : 0;
}

Ways ways_of(const Graph& graph) {
  std::vector<Ways> ways(graph.nodes.size());
  ways.front().number = ways.front().direct = 1;
  for (size_t i = 1; i < graph.nodes.size(); ++i) {
    for (const int input : graph.nodes[i].inputs) {
      const Ways& from = ways[static_cast<size_t>(input)];
      if (from.number > 0) join(ways[i], from);
    }
    if (i + 1 < graph.nodes.size() && ways[i].number > 0) pass(ways[i], graph.nodes[i]);
  }
  return ways.back();
}

}  // namespace

const char* block_name(Block block) {
  static constexpr const char* kNames[] = {"decisions", "operators", "neighbourhoods", "sequences"};
  static_assert(std::size(kNames) == kBlocks);
  return kNames[block];
}

const char* linear_name(Linear linear) {
  static constexpr const char* kNames[] = {"log_params",
                                           "log_macs",
                                           "log_constants",
                                           "log_arena",
                                           "operators",
                                           "parametric",
                                           "spatial",
                                           "direct",
                                           "log_paths",
                                           "longest",
                                           "shortest",
                                           "mean_depth",
                                           "longest_parametric",
                                           "shortest_parametric",
                                           "mean_parametric",
                                           "most_spatial"};
  static_assert(std::size(kNames) == kLinears);
  return kNames[linear];
}

Features features_of(const Genotype& genotype, const Graph& graph, const std::array<double, 4>& costs) {
  const Reader reader(graph);
  Features f;
  f.blocks[kDecisions] = decisions_of(genotype);
  f.blocks[kOperators] = reader.operators();
  f.blocks[kNeighbourhoods] = reader.neighbourhoods();
  f.blocks[kSequences] = reader.sequences();

  for (size_t k = 0; k < costs.size(); ++k) f.linear[kLogParams + k] = std::log1p(costs[k]);
  for (size_t i = 1; i + 1 < graph.nodes.size(); ++i) {
    f.linear[kOperatorCount] += 1;
    f.linear[kParametricCount] += graph.nodes[i].parametric ? 1 : 0;
    f.linear[kSpatialCount] += graph.nodes[i].spatial ? 1 : 0;
  }
  const Ways w = ways_of(graph);
  const double number = std::max(w.number, 1.0);
  f.linear[kDirect] = std::log1p(w.direct);
  f.linear[kLogPaths] = std::log1p(w.number);
  f.linear[kLongest] = w.longest;
  f.linear[kShortest] = w.shortest;
  f.linear[kMeanDepth] = w.total / number;
  f.linear[kLongestParametric] = w.longest_parametric;
  f.linear[kShortestParametric] = w.shortest_parametric;
  f.linear[kMeanParametric] = w.total_parametric / number;
  f.linear[kMostSpatial] = w.most_spatial;
  return f;
}

}  // namespace condenser::search
