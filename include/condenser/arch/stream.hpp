#pragma once
// Execution on a stream: time runs down the rows of the input, and rows keep coming. A node keeps the last rows that
// its readers' windows reach back to and computes one new row when the rows that it is made of are there, so that
// nothing is computed twice. What padding stands for at the ends of a clip is there in a stream: rows before and after.
// A mean over the whole map becomes the mean of as many rows as the map of a clip has.

#include <cstdint>
#include <vector>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/memory.hpp"
#include "condenser/arch/spec.hpp"
#include "condenser/arch/weights.hpp"

namespace condenser::arch {

// Rows of an input that a row of a node is made of.
struct StreamReach {
  int64_t rows = 1;  // as many
  int64_t late = 0;  // the last of them is so many rows older than the newest one
  bool operator==(const StreamReach&) const = default;
};

// When a node computes and what it keeps. Frames count from the first row of the input, 0.
struct StreamNode {
  int64_t period = 1;                // frames from one row to the next
  int64_t first = 0;                 // frame of the first row; all that it is made of has come by then
  int64_t delay = 0;                 // row n of the map of a clip is computed in frame period * n + delay
  int64_t kept = 1;                  // rows of its buffer, the newest last
  bool lasting = false;              // of use in later frames; else its memory is others' meanwhile
  std::vector<StreamReach> reaches;  // of each input
  bool operator==(const StreamNode&) const = default;
};

struct Stream {
  std::vector<StreamNode> nodes;  // parallel to the nodes of the Spec

  bool empty() const { return nodes.empty(); }
  bool computes(int node, int64_t frame) const {
    const StreamNode& n = nodes[static_cast<size_t>(node)];
    return frame >= n.first && (frame - n.first) % n.period == 0;
  }
  // From here on the pattern of frames repeats, each `cycle` of them.
  int64_t steady() const;
  int64_t cycle() const;
  bool operator==(const Stream&) const = default;
};

// Throws SpecError naming the node that cannot go row by row, and why.
Stream stream_of(const Spec& lowered, const Analysis&);

// What a node computes in one of its frames: an operator whose output is a row. A convolution over all that it is given
// is the product of one pixel.
Piece piece_of(const Spec&, const Analysis&, const Stream&, int node);

// Buffers of rows that stay, and below a common ceiling those that are used within a frame.
MemoryPlan plan_stream(const Spec& lowered, const Analysis&, const Stream&);

// Multiply-accumulates of a frame, in the mean.
double macs_of(const Analysis&, const Stream&);

// The same network on so many rows at once, for the proof of streams: means over all rows become means that move,
// linear layers convolutions of one pixel. Row n of its output is what a stream gives in frame period * n + delay of
// the output, from its first frame on. `weights` (may be null) are brought into its shapes.
Spec over_rows(const Spec& lowered, const Analysis&, int64_t rows, Weights* weights);

}  // namespace condenser::arch
