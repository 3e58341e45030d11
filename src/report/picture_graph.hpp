#pragma once
// How one block is made of parts around a spine, before they have places.

#include "report/picture_parts.hpp"

namespace condenser::report {

inline constexpr double kFork = 12, kJoin = 12, kStagger = 7;  // vertical lines of a join, so that none covers another
inline constexpr size_t kMostArrows = 3;                       // that meet at one circle; more are gathered
inline constexpr double kLaneGap = 14, kNoteHeight = 16;

// Boxes of the block at places 1 .. n in topological order, the source at 0, the sink at n + 1.
struct Graph {
  const Boxes& all;
  const std::vector<int>& ids;
  std::vector<std::vector<int>> next;
  int sink() const { return static_cast<int>(ids.size()) + 1; }
  bool is_box(int v) const { return v > 0 && v < sink(); }
  int id(int v) const { return ids[static_cast<size_t>(v - 1)]; }
  const PictureBox& box(int v) const { return all.boxes[static_cast<size_t>(id(v))]; }
};

enum class Role { Arc, Main, Side };
enum class PartKind { Link, Box, Parallel, Grid };

struct Branch;

inline constexpr double kPassing = 12;  // height that a line needs in a grid

struct Cell {  // of a grid: a box, a port, or a place that a line passes
  int vertex = -1, layer = 0;
  double y = 0, above = kPassing / 2, below = kPassing / 2, width = 0;
};

struct Grid {
  std::vector<Cell> cells;
  std::vector<std::vector<int>> layers;  // cells, from top to bottom
  std::vector<std::vector<int>> lines;   // cells that an edge passes, from its producer to its reader
  std::vector<double> left, width;       // per layer
};

struct Part {
  PartKind kind = PartKind::Link;
  int vertex = -1;
  std::vector<Branch> branches;
  Grid grid;
  double width = kShortLink, above = 0, below = 0, join = 0;
};
struct Branch {
  std::vector<Part> parts;
  std::vector<int> interior;
  Role role = Role::Main;
  bool attention = false;
  std::string note;
  double width = 0, above = 0, below = 0, offset = 0;
};

// Vertices below 0 are ports, counted downwards from these; a place that a line passes has no vertex.
inline constexpr int kLeft = -1, kRight = -100'001, kNone = -1'000'000;

struct GridInput {
  std::vector<int> interior;
  std::vector<std::pair<int, int>> edges;  // interior vertices and ports
  int left_ports = 1, right_ports = 1;
};

Part grid_part(const Graph&, const GridInput&);

// Boxes that every path from a to b passes, with what lies between them; `direct`: an edge from a to b counts.
// `interior` is in topological order.
std::vector<Part> compose(const Graph&, const std::vector<int>& interior, int a, int b, bool direct);

void measure(Branch&);  // size, from its parts

}  // namespace condenser::report
