#pragma once
// What a predictor knows of a candidate before anything is trained. Holds for every space: the decisions, the graph of
// operators, and costs. Blocks are compared by distance, each with a length scale that is learned; the linear part is
// a short row of numbers that often follow quality (costs, depth).
// Weisfeiler-Lehman counts: Shervashidze et al. 2011; in architecture search: Ru et al. 2021, arXiv 2006.07556.

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "condenser/search/graph.hpp"
#include "condenser/search/space.hpp"

namespace condenser::search {

// Sparse: ascending keys, each once.
using Counts = std::vector<std::pair<uint64_t, float>>;

enum Block : size_t { kDecisions, kOperators, kNeighbourhoods, kSequences, kBlocks };

enum Linear : size_t {
  kLogParams,
  kLogMacs,
  kLogConstants,
  kLogArena,
  kOperatorCount,
  kParametricCount,
  kSpatialCount,
  kDirect,     // ways from input to output without any operator
  kLogPaths,   // log(1 + number of ways from input to output)
  kLongest,    // in operators
  kShortest,   //
  kMeanDepth,  // mean over all ways
  kLongestParametric,
  kShortestParametric,
  kMeanParametric,
  kMostSpatial,  // most spatial operators on a way
  kLinears,
};

struct Features {
  std::array<Counts, kBlocks> blocks;
  std::array<double, kLinears> linear{};
};

// Names by which what was learned is kept, whatever becomes of the order above.
const char* block_name(Block);
const char* linear_name(Linear);

// `costs`: params, macs, constant_bytes, arena_bytes; 0 where unknown.
Features features_of(const Genotype&, const Graph&, const std::array<double, 4>& costs);

}  // namespace condenser::search
