#pragma once
// What the axes of a tensor of a file are, in terms of batch, channels, height and width. Reshapes and transpositions
// regroup and reorder them, and cost nothing: whoever needs an order asks for it.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "condenser/core/shape.hpp"

namespace condenser::importers {

// A run of indices of one of ours: `size` steps of `stride`. Channels split into 2 groups of 4 are {c, 2, 4}, {c, 4,
// 1}.
struct Atom {
  char axis = 'c';  // n, c, h, w
  int64_t size = 1, stride = 1;
  bool operator==(const Atom&) const = default;
};

// The first varies slowest; none: an axis of one index. Atoms of one index are left out.
using Axis = std::vector<Atom>;
using Axes = std::vector<Axis>;

int64_t extent(const Axis&);
std::vector<int64_t> extents(const Axes&);

// Batch, channels, then height and width as far as `rank` goes: [n, c], [n, c, w], [n, c, h, w].
Axes standard_axes(const core::Shape&, int64_t batch, size_t rank);
bool is_standard(const Axes&, const core::Shape&, int64_t batch);

// The same values in the same order under other extents; none: these extents cut across axes.
std::optional<Axes> regrouped(const Axes&, const std::vector<int64_t>& extents);
Axes permuted(const Axes&, const std::vector<size_t>& order);

// Whether an axis is the whole of ours. One index counts as whole where ours has one.
bool is_whole(const Axis&, char axis, int64_t size);

std::string to_string(const Axes&);  // "nchw"; of joined axes "n(chw)"

}  // namespace condenser::importers
