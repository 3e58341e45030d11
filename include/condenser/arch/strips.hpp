#pragma once
// Execution in strips: the first nodes of a network, up to a cut, are computed for a few rows of the cut at a time, and
// again for the next few. What lies between input and cut then needs room for a strip only; rows that two strips need
// are computed twice. (Patch-based inference: Lin et al. 2021, "MCUNetV2", arXiv 2110.15352; strips are as wide as the
// map, so that rows stay contiguous and kernels need not know.)

#include <optional>
#include <vector>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/spec.hpp"

namespace condenser::arch {

struct Rows {
  int64_t first = 0, count = 0;
  int64_t end() const { return first + count; }
  bool operator==(const Rows&) const = default;
};

struct Strips {
  int cut = 0;                          // the last node of the part in strips; 0: no such part
  std::vector<std::vector<Rows>> rows;  // per strip, of every node from the input to the cut: those that are computed

  bool empty() const { return cut == 0; }
  bool has(int node) const { return node <= cut && cut > 0; }
  // A node between input and cut: its buffer holds one strip.
  bool inner(int node) const { return 0 < node && node < cut; }
  int64_t most_rows(int node) const;
  bool operator==(const Strips&) const = default;
};

// So many strips of the cut; none where an operator up to the cut needs a whole map, where something behind the cut
// reads what lies before it, where a network's output lies before it, or where the cut has fewer rows.
std::optional<Strips> strips_of(const Spec& lowered, const Analysis&, int cut, int count);

// Multiply-accumulates of the network in strips.
int64_t macs_of(const Analysis&, const Strips&);

// What one strip computes of a node: an operator on maps of fewer rows.
struct Piece {
  Op op;                         // with the padding that this strip meets
  std::vector<Shape> in;         // rows that are read
  std::vector<int64_t> in_skip;  // rows of the input's buffer before them
  Shape out;
  int64_t out_skip = 0;  // rows of the output's buffer before them
};
Piece piece_of(const Spec&, const Analysis&, const Strips&, size_t strip, int node);

}  // namespace condenser::arch
