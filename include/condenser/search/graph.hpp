#pragma once
// A candidate as a graph of operators, the same for every space: additions are contracted (a node reads the terms of
// the sum), so that equal computations look equal.

#include <string>
#include <vector>

#include "condenser/arch/spec.hpp"

namespace condenser::search {

struct Graph {
  struct Node {
    std::string op;           // with window, stride and clamp, without widths: "conv2d 3x3/2 g relu"
    bool parametric = false;  // has weights
    bool spatial = false;     // looks at more than one pixel
    std::vector<int> inputs;  // earlier nodes; one twice: added twice
  };
  std::vector<Node> nodes;  // topological; the first is the input, the last the output, which is no operator
};

// Of a lowered network. Nodes that reach no output are left out.
Graph graph_of(const arch::Spec& lowered);

// Without nodes that the output does not read; the output stays, also when nothing reaches it.
Graph live(Graph);

}  // namespace condenser::search
