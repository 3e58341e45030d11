// One block around its spine. A graph of one source and one sink falls apart at the vertices that every path passes
// (they stand on the spine) and, between two of these, into components (they become parallel branches); each branch is
// such a graph again. What does not fall apart is laid out in layers.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "report/picture_parts.hpp"

namespace condenser::report {
namespace {

constexpr double kFork = 12, kJoin = 12, kStagger = 7;  // of the vertical lines of a join, so that none covers another
constexpr size_t kMostArrows = 3;                       // that meet at one circle
constexpr double kLaneGap = 14, kArcGap = 14, kNoteHeight = 16;
constexpr double kColumnGap = 44;  // between the layers of a grid
constexpr double kPassing = 12;    // height that a line needs in a grid

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

// ---- layers, for graphs that do not fall apart

// Vertices below 0 are ports: -1 - k on the left, -1001 - k on the right.
constexpr int kLeft = -1, kRight = -100001;

struct GridInput {
  std::vector<int> interior;
  std::vector<std::pair<int, int>> edges;  // interior vertices and ports
  int left_ports = 1, right_ports = 1;
};

int cell_of(Grid& grid, std::map<int, int>& known, int vertex, int layer) {
  const auto [place, fresh] = known.try_emplace(vertex, static_cast<int>(grid.cells.size()));
  if (fresh) grid.cells.push_back({vertex, layer});
  return place->second;
}

void add_cells(Grid& grid, const Graph& graph, const GridInput& in) {
  std::map<int, int> layer, known;
  int last = 1;
  for (int v : in.interior) {
    layer[v] = 1;
    for (const auto& [from, to] : in.edges) {
      if (to == v && from > 0) layer[v] = std::max(layer[v], layer[from] + 1);
    }
    last = std::max(last, layer[v]);
  }
  for (int k = 0; k < in.left_ports; ++k) layer[kLeft - k] = 0;
  for (int k = 0; k < in.right_ports; ++k) layer[kRight - k] = last + 1;
  for (const auto& [vertex, l] : layer) {
    Cell& cell = grid.cells[static_cast<size_t>(cell_of(grid, known, vertex, l))];
    if (vertex < 0) continue;
    cell.above = kAbove + kLaneGap / 2;
    cell.below = kBelow + kLaneGap / 2;
    cell.width = graph.box(vertex).rect.w;
  }
  for (const auto& [from, to] : in.edges) {
    std::vector<int> line{known.at(from)};
    for (int l = layer[from] + 1; l < layer[to]; ++l) {
      line.push_back(static_cast<int>(grid.cells.size()));
      grid.cells.push_back({-1000000, l});
    }
    line.push_back(known.at(to));
    grid.lines.push_back(line);
  }
  grid.layers.resize(static_cast<size_t>(last) + 2);
  for (size_t c = 0; c < grid.cells.size(); ++c)
    grid.layers[static_cast<size_t>(grid.cells[c].layer)].push_back(static_cast<int>(c));
}

// Neighbours of every cell in the layer before and in the layer after.
struct Neighbours {
  std::vector<std::vector<int>> before, after;
};
Neighbours neighbours(const Grid& grid) {
  Neighbours n{std::vector<std::vector<int>>(grid.cells.size()), std::vector<std::vector<int>>(grid.cells.size())};
  for (const auto& line : grid.lines) {
    for (size_t k = 1; k < line.size(); ++k) {
      n.after[static_cast<size_t>(line[k - 1])].push_back(line[k]);
      n.before[static_cast<size_t>(line[k])].push_back(line[k - 1]);
    }
  }
  return n;
}

double mean_of(const std::vector<int>& cells, const std::vector<double>& value, double otherwise) {
  double sum = 0;
  for (int c : cells) sum += value[static_cast<size_t>(c)];
  return cells.empty() ? otherwise : sum / static_cast<double>(cells.size());
}

// Fewer crossings: each layer in the order of its neighbours' mean places, a few times forth and back.
void order_layers(Grid& grid, const Neighbours& n) {
  std::vector<double> rank(grid.cells.size());
  const auto renumber = [&](const std::vector<int>& layer) {
    for (size_t k = 0; k < layer.size(); ++k)
      rank[static_cast<size_t>(layer[k])] = static_cast<double>(k) - static_cast<double>(layer.size() - 1) / 2;
  };
  for (const auto& layer : grid.layers) renumber(layer);
  const auto sort_by = [&](std::vector<int>& layer, const std::vector<std::vector<int>>& side) {
    std::vector<double> wish(rank);
    for (int c : layer)
      wish[static_cast<size_t>(c)] = mean_of(side[static_cast<size_t>(c)], rank, rank[static_cast<size_t>(c)]);
    std::stable_sort(layer.begin(), layer.end(),
                     [&](int a, int b) { return wish[static_cast<size_t>(a)] < wish[static_cast<size_t>(b)]; });
    renumber(layer);
  };
  for (int sweep = 0; sweep < 4; ++sweep) {
    for (size_t l = 1; l < grid.layers.size(); ++l) sort_by(grid.layers[l], n.before);
    for (size_t l = grid.layers.size() - 1; l-- > 0;) sort_by(grid.layers[l], n.after);
  }
}

// Heights: every cell as near to its neighbours as those above it in its layer allow.
void set_heights(Grid& grid, const Neighbours& n) {
  std::vector<double> y(grid.cells.size(), 0);
  const auto settle = [&](const std::vector<int>& layer, const std::vector<double>& wish) {
    double bottom = -1e9, shift = 0;
    for (int c : layer) {
      const Cell& cell = grid.cells[static_cast<size_t>(c)];
      const double at = std::max(wish[static_cast<size_t>(c)], bottom + cell.above);
      y[static_cast<size_t>(c)] = at;
      bottom = at + cell.below;
      shift += wish[static_cast<size_t>(c)] - at;
    }
    for (int c : layer) y[static_cast<size_t>(c)] += shift / static_cast<double>(layer.size());
  };
  for (int sweep = 0; sweep < 4; ++sweep) {
    for (const auto& layer : grid.layers) {
      std::vector<double> wish(y);
      for (int c : layer) {
        std::vector<int> both = n.before[static_cast<size_t>(c)];
        if (sweep > 0)
          both.insert(both.end(), n.after[static_cast<size_t>(c)].begin(), n.after[static_cast<size_t>(c)].end());
        wish[static_cast<size_t>(c)] = mean_of(both, y, y[static_cast<size_t>(c)]);
      }
      if (!layer.empty()) settle(layer, wish);
    }
  }
  for (size_t c = 0; c < y.size(); ++c) grid.cells[c].y = std::round(y[c]);
}

// Moves everything so that the spine is in the middle, and the only port of a side on it.
void centre(Part& part, const GridInput& in) {
  double top = 1e9, bottom = -1e9;
  for (const Cell& cell : part.grid.cells) {
    if (cell.vertex < 0 && cell.vertex > -1000000) continue;
    top = std::min(top, cell.y - cell.above);
    bottom = std::max(bottom, cell.y + cell.below);
  }
  const double middle = std::round((top + bottom) / 2);
  for (Cell& cell : part.grid.cells) {
    cell.y -= middle;
    if ((cell.vertex == kLeft && in.left_ports == 1) || (cell.vertex == kRight && in.right_ports == 1)) cell.y = 0;
    part.above = std::max(part.above, cell.above - cell.y);
    part.below = std::max(part.below, cell.below + cell.y);
  }
}

Part grid_part(const Graph& graph, const GridInput& in) {
  Part part;
  part.kind = PartKind::Grid;
  Grid& grid = part.grid;
  add_cells(grid, graph, in);
  const Neighbours n = neighbours(grid);
  order_layers(grid, n);
  set_heights(grid, n);
  centre(part, in);
  double x = 0;
  for (size_t l = 0; l < grid.layers.size(); ++l) {
    double width = 0;
    for (int c : grid.layers[l]) width = std::max(width, grid.cells[static_cast<size_t>(c)].width);
    grid.left.push_back(x);
    grid.width.push_back(width);
    const bool port = l == 0 || l + 2 >= grid.layers.size();  // beside the ports
    x += width + (l + 1 == grid.layers.size() ? 0 : port ? kColumnGap * 0.75 : kColumnGap);
  }
  part.width = x;
  return part;
}

// ---- series and parallel

std::vector<Part> compose(const Graph& graph, const std::vector<int>& interior, int a, int b, bool direct);

std::vector<std::vector<int>> components(const Graph& graph, const std::vector<int>& interior) {
  std::map<int, int> root;
  for (int v : interior) root[v] = v;
  const auto find = [&](int v) {
    while (root[v] != v) v = root[v];
    return v;
  };
  for (int v : interior) {
    for (int w : graph.next[static_cast<size_t>(v)]) {
      if (root.contains(w)) root[std::max(find(v), find(w))] = std::min(find(v), find(w));
    }
  }
  std::map<int, std::vector<int>> members;
  for (int v : interior) members[find(v)].push_back(v);
  std::vector<std::vector<int>> result;
  for (auto& [first, list] : members) result.push_back(std::move(list));
  return result;
}

GridInput grid_input(const Graph& graph, const std::vector<int>& interior, int a, int b) {
  GridInput in;
  in.interior = interior;
  const auto inside = [&](int v) { return std::binary_search(interior.begin(), interior.end(), v); };
  for (int v : interior) {
    for (int w : graph.next[static_cast<size_t>(v)]) {
      if (inside(w) || w == b) in.edges.push_back({v, w == b ? kRight : w});
    }
  }
  for (int w : graph.next[static_cast<size_t>(a)]) {
    if (inside(w)) in.edges.push_back({kLeft, w});
  }
  return in;
}

// A path that makes its map small and works there hangs below the one it looks at.
bool condenses(const Graph& graph, const std::vector<Part>& parts) {
  return std::any_of(parts.begin(), parts.end(), [&](const Part& part) {
    return part.kind == PartKind::Box && graph.all.condenses[static_cast<size_t>(graph.id(part.vertex))];
  });
}

void set_roles(const Graph& graph, std::vector<Branch>& branches, int a, int b) {
  const int weights = graph.is_box(b) ? graph.all.attention[static_cast<size_t>(graph.id(b))] : -1;
  const bool product = graph.is_box(b) && graph.box(b).glyph == Glyph::Times;
  const bool joint = graph.is_box(b) && graph.box(b).glyph == Glyph::Attention;
  int mains = 0;
  for (Branch& branch : branches) {
    const bool identity = branch.interior.empty();
    branch.attention = identity ? graph.is_box(a) && weights == graph.id(a) : false;
    for (int v : branch.interior) branch.attention = branch.attention || weights == graph.id(v);
    const bool side = !identity && !joint && (condenses(graph, branch.parts) || (product && branch.attention));
    branch.attention = branch.attention || side;
    branch.role = side ? Role::Side : identity && !product ? Role::Arc : Role::Main;
    if (joint) branch.note = branch.attention ? "attention" : "value";
    mains += branch.role == Role::Main ? 1 : 0;
  }
  if (mains > 0) return;
  for (Branch& branch : branches) {  // somebody must stand on the spine: the identity, else whoever comes first
    if (branch.role != Role::Arc && &branch != &branches.front()) continue;
    branch.role = Role::Main;
    return;
  }
}

void measure(const Graph& graph, Branch& branch) {
  for (const Part& part : branch.parts) {
    branch.width += part.width;
    branch.above = std::max(branch.above, part.above);
    branch.below = std::max(branch.below, part.below);
  }
  branch.above = std::max(branch.above, 4.0);
  branch.below = std::max(branch.below, 4.0);
  if (!branch.note.empty() && !branch.interior.empty()) branch.above += kNoteHeight;
  (void)graph;
}

// Main branches around the spine, side branches below them, arcs above.
void stack(std::vector<Branch>& branches) {
  double bottom = 0, top = 0, first = 0, last = 0;
  bool any = false;
  for (Branch& branch : branches) {
    if (branch.role != Role::Main) continue;
    branch.offset = any ? bottom + kLaneGap + branch.above : 0;
    if (!any) first = branch.offset, top = -branch.above;
    last = branch.offset;
    bottom = branch.offset + branch.below;
    any = true;
  }
  const double middle = std::round((first + last) / 2);
  for (Branch& branch : branches) {
    if (branch.role == Role::Main) branch.offset -= middle;
  }
  top -= middle, bottom -= middle;
  top = std::min(top, -kAbove);
  bottom = std::max(bottom, kBelow);
  for (Branch& branch : branches) {
    if (branch.role == Role::Side)
      branch.offset = bottom + kLaneGap + branch.above, bottom = branch.offset + branch.below;
    if (branch.role == Role::Arc) branch.offset = top - kArcGap, top = branch.offset;
  }
}

Part parallel_part(const Graph& graph, const std::vector<int>& interior, int a, int b, bool direct) {
  Part part;
  part.kind = PartKind::Parallel;
  if (direct) part.branches.push_back({{Part{}}, {}});
  for (auto& members : components(graph, interior)) {
    Branch branch;
    branch.parts = compose(graph, members, a, b, false);
    branch.interior = std::move(members);
    part.branches.push_back(std::move(branch));
  }
  set_roles(graph, part.branches, a, b);
  std::stable_sort(part.branches.begin(), part.branches.end(),
                   [](const Branch& x, const Branch& y) { return !x.note.empty() && x.attention && !y.attention; });
  double width = 0;
  for (Branch& branch : part.branches) {
    measure(graph, branch);
    width = std::max(width, branch.width);
  }
  stack(part.branches);
  double above = 0, below = 0;
  for (const Branch& branch : part.branches) {
    part.above = std::max(part.above, branch.above - branch.offset);
    part.below = std::max(part.below, branch.below + branch.offset);
    above += branch.offset < 0 ? 1 : 0, below += branch.offset > 0 ? 1 : 0;
  }
  const bool gathers = graph.is_box(b) && graph.box(b).glyph == Glyph::Plus && part.branches.size() > kMostArrows;
  part.join = kJoin + (gathers ? 0 : kStagger * std::max(0.0, std::max(above, below) - 1));
  part.width = kFork + width + part.join;
  return part;
}

Part between(const Graph& graph, const std::vector<int>& interior, int a, int b, bool direct) {
  if (interior.empty()) {
    Part link;
    if (graph.is_box(a) && graph.is_box(b)) link.width = kLink;
    return link;
  }
  if (!direct && components(graph, interior).size() == 1) return grid_part(graph, grid_input(graph, interior, a, b));
  return parallel_part(graph, interior, a, b, direct);
}

// Boxes that every path from a to b passes, with what lies between them. `interior` is in topological order; a vertex
// is passed by all iff no edge leaps over its place in that order.
std::vector<Part> compose(const Graph& graph, const std::vector<int>& interior, int a, int b, bool direct) {
  std::map<int, int> place{{a, 0}, {b, static_cast<int>(interior.size()) + 1}};
  for (size_t k = 0; k < interior.size(); ++k) place[interior[k]] = static_cast<int>(k) + 1;
  std::vector<Part> parts;
  std::vector<int> pending;
  int reach = 0, from = a;
  bool edge = false;  // from the last passed vertex to the one looked at
  const auto look = [&](int v) {
    edge = false;
    for (int w : graph.next[static_cast<size_t>(v)]) {
      const auto found = place.find(w);
      if (found == place.end() || (v == a && w == b && !direct)) continue;
      reach = std::max(reach, found->second);
    }
  };
  const auto joined = [&](int to) {
    const auto& readers = graph.next[static_cast<size_t>(from)];
    edge = std::find(readers.begin(), readers.end(), to) != readers.end() && (from != a || to != b || direct);
    parts.push_back(between(graph, pending, from, to, edge));
    pending.clear();
    from = to;
  };
  look(a);
  for (int v : interior) {
    if (reach <= place[v]) {
      joined(v);
      Part box;
      box.kind = PartKind::Box;
      box.vertex = v;
      box.width = graph.box(v).rect.w;
      box.above = kAbove;
      box.below = kBelow;
      parts.push_back(box);
    } else {
      pending.push_back(v);
    }
    look(v);
  }
  joined(b);
  return parts;
}

// ---- places and lines

struct Head {  // where lines to the next box come from
  std::vector<Point> points;
  bool drawn = true;
  int box = -1;
};
struct Tail {  // where they go to
  std::vector<Point> points;
  bool drawn = true, arrow = true;
  int box = -1;
};

class Placing {
 public:
  Placing(const Graph& graph, Block& block) : graph_(graph), block_(block) {}

  void series(const std::vector<Part>& parts, Point at, Head head, const Tail& tail, bool attention, double width) {
    double own = 0, links = 0;
    for (const Part& part : parts) own += part.width, links += part.kind == PartKind::Link ? 1 : 0;
    const double extra = links > 0 ? std::floor(std::max(0.0, width - own) / links) : 0;
    bool pending = true;  // lines of `head` have not been drawn
    for (size_t k = 0; k < parts.size(); ++k) {
      const Part& part = parts[k];
      const double x = at.x;
      at.x += part.width + (part.kind == PartKind::Link ? extra : 0);
      if (part.kind == PartKind::Link) continue;
      if (part.kind == PartKind::Box) {
        const Tail here = entry(part.vertex, {x, at.y}, 0);
        if (pending) draw(head, here, attention);
        block_.places[graph_.id(part.vertex)] = {x, at.y};
        head = exit(part.vertex, {x, at.y});
        pending = true;
        continue;
      }
      const bool last = k + 1 == parts.size();
      const int next = last ? -1 : parts[k + 1].vertex;
      if (part.kind == PartKind::Parallel)
        parallel(part, {x, at.y}, head, tail, next, attention);
      else
        grid(part, {x, at.y}, head, tail, next, attention);
      pending = false;
    }
    if (pending) {
      head.points.push_back(at);
      draw(head, tail, attention);
    }
  }

  void grid(const Part& part, Point at, const Head& head, const Tail& tail, int next, bool attention) {
    const Grid& grid = part.grid;
    std::map<int, std::vector<double>> arrivals;  // per cell: heights from which its lines come
    for (const auto& line : grid.lines) arrivals[line.back()].push_back(cell(grid, line[line.size() - 2]).y);
    for (const Cell& c : grid.cells) {
      if (c.vertex > 0) block_.places[graph_.id(c.vertex)] = box_at(grid, c, at);
    }
    std::map<int, std::vector<double>> met;
    for (const auto& line : grid.lines) {
      const Cell &from = cell(grid, line.front()), &to = cell(grid, line.back());
      const double source = cell(grid, line[line.size() - 2]).y;
      const double dy = spread(arrivals.at(line.back()), source, met[line.back()]);
      Head start = from.vertex > 0 ? exit(from.vertex, box_at(grid, from, at)) : left_port(from, at, head);
      Tail end = to.vertex > 0 ? entry(to.vertex, box_at(grid, to, at), dy) : right_port(part, to, at, tail, next, dy);
      if (from.vertex > 0) start.points.push_back({column_right(grid, from, at), at.y + from.y});
      for (size_t k = 1; k + 1 < line.size(); ++k) {
        const Cell& passed = cell(grid, line[k]);
        start.points.push_back({column_left(grid, passed, at), at.y + passed.y});
        start.points.push_back({column_right(grid, passed, at), at.y + passed.y});
      }
      if (to.vertex > 0) start.points.push_back({column_left(grid, to, at), end.points.front().y});
      draw(start, end, attention);
    }
  }

  // Ports of a whole block are told apart by their place; a grid inside a series has one on each side.
  std::vector<int> sources, outgoing;
  double port_left = 0, port_right = 0;

 private:
  static const Cell& cell(const Grid& grid, int c) { return grid.cells[static_cast<size_t>(c)]; }
  static double column_left(const Grid& grid, const Cell& c, Point at) {
    return at.x + grid.left[static_cast<size_t>(c.layer)];
  }
  static double column_right(const Grid& grid, const Cell& c, Point at) {
    return column_left(grid, c, at) + grid.width[static_cast<size_t>(c.layer)];
  }
  static Point box_at(const Grid& grid, const Cell& c, Point at) {
    const double slack = grid.width[static_cast<size_t>(c.layer)] - c.width;
    return {column_left(grid, c, at) + std::floor(slack / 2), at.y + c.y};
  }

  // Lines that end at one box end below each other, in the order of where they come from.
  static double spread(const std::vector<double>& heights, double height, std::vector<double>& met) {
    const auto before = std::count_if(heights.begin(), heights.end(), [&](double h) { return h < height; }) +
                        std::count(met.begin(), met.end(), height);
    met.push_back(height);
    const double n = static_cast<double>(heights.size());
    return (static_cast<double>(before) - (n - 1) / 2) * std::min(7.0, 16 / n);
  }

  Head left_port(const Cell& port, Point at, const Head& head) {
    if (sources.empty()) {
      Head start = head;
      start.points.push_back(at);
      return start;
    }
    const int source = sources[static_cast<size_t>(kLeft - port.vertex)];
    block_.in_port[source] = at.y + port.y;
    return {{{port_left, at.y + port.y}, {at.x, at.y + port.y}}, true, -1};
  }

  Tail right_port(const Part& part, const Cell& port, Point at, const Tail& tail, int next, double dy) {
    if (!outgoing.empty()) {
      const int source = outgoing[static_cast<size_t>(kRight - port.vertex)];
      block_.out_port[source] = at.y + port.y;
      return {{{at.x + part.width, at.y + port.y}, {port_right, at.y + port.y}}, true, false, -1};
    }
    if (next > 0) return entry(next, {at.x + part.width, at.y}, dy);
    Tail end = tail;
    end.points.insert(end.points.begin(), {at.x + part.width, at.y});
    return end;
  }

  Tail entry(int v, Point at, double dy) const {
    const PictureBox& box = graph_.box(v);
    if (!box.circle()) return {{{at.x, at.y + dy}}, true, true, v};
    const double edge = std::sqrt(std::max(0.0, kRadius * kRadius - dy * dy));
    return {{{at.x + box.rect.w / 2 - edge, at.y + dy}}, true, true, v};
  }

  Head exit(int v, Point at) const {
    const PictureBox& box = graph_.box(v);
    return {{{at.x + (box.circle() ? box.rect.w / 2 + kRadius : box.rect.w), at.y}}, true, v};
  }

  void draw(const Head& head, const Tail& tail, bool attention) {
    if (!head.drawn || !tail.drawn) return;
    PictureEdge edge;
    for (const auto* points : {&head.points, &tail.points}) {
      for (const Point& point : *points) {
        auto& p = edge.points;
        if (!p.empty() && p.back() == point) continue;
        if (p.size() > 1 && p.back().y == point.y && p[p.size() - 2].y == point.y) p.pop_back();
        if (p.size() > 1 && p.back().x == point.x && p[p.size() - 2].x == point.x) p.pop_back();
        p.push_back(point);
      }
    }
    edge.arrow = tail.arrow;
    edge.attention = attention;
    if (head.box > 0 && tail.box > 0 && edge.points.size() == 2) edge.strands = strands(head.box, tail.box);
    if (edge.strands > 1) edge.arrow = false;
    block_.edges.push_back(edge);
  }

  // Columns stay apart between two grouped convolutions of equally many groups.
  int strands(int a, int b) const {
    const PictureBox &from = graph_.box(a), &to = graph_.box(b);
    return from.glyph == Glyph::Lanes && to.glyph == Glyph::Lanes && from.lanes == to.lanes ? from.lanes : 1;
  }

  void parallel(const Part& part, Point at, const Head& head, const Tail& tail, int next, bool attention) {
    const double end = at.x + part.width, inner = part.width - kFork - part.join;
    for (const Branch& branch : part.branches) {
      const double y = at.y + branch.offset;
      Head start = head;
      start.points.push_back({at.x + kFork / 2, at.y});
      start.points.push_back({at.x + kFork / 2, y});
      const bool weights = attention || branch.attention;
      const double left = at.x + kFork;
      series(branch.parts, {left, y}, start, arrival(part, branch, at, end, tail, next), weights, inner);
      if (!branch.note.empty() && !branch.interior.empty())
        block_.notes.push_back({branch.note, 10, false, {left + inner / 2, y - branch.above + kNoteHeight - 5}});
    }
  }

  // Where a branch meets what comes after it: a shortcut from above, a gate from below, everybody else from the left,
  // the outer branch nearer to the box so that lines do not cross.
  Tail arrival(const Part& part, const Branch& branch, Point at, double end, const Tail& tail, int next) const {
    const double y = at.y + branch.offset;
    if (next < 0) {
      Tail result = tail;
      const double x = end - kJoin / 2;
      result.points.insert(result.points.begin(), {{x, y}, {x, at.y}});
      return result;
    }
    const PictureBox& box = graph_.box(next);
    const double centre = end + box.rect.w / 2;
    if (branch.role == Role::Arc && box.glyph != Glyph::Times)
      return {{{centre, y}, {centre, at.y - (box.circle() ? kRadius : kAbove)}}, true, true, next};
    if (box.glyph == Glyph::Times && branch.role == Role::Side && lowest(part, branch))
      return {{{centre, y}, {centre, at.y + kRadius}}, true, true, next};
    double rank = 1, outer = 0, side = 0;
    for (const Branch& other : part.branches) {
      if (other.offset * branch.offset <= 0) continue;
      side += 1;
      rank += std::abs(other.offset) < std::abs(branch.offset) ? 1 : 0;
      outer += std::abs(other.offset) > std::abs(branch.offset) ? 1 : 0;
    }
    if (branch.offset == 0) return entry(next, {end, at.y}, 0);
    if (box.glyph == Glyph::Plus && part.branches.size() > kMostArrows) {  // a sum of many: one line gathers them
      Tail result = entry(next, {end, at.y}, 0);
      result.points.insert(result.points.begin(), {{end - kJoin / 2, y}, {end - kJoin / 2, at.y}});
      return result;
    }
    const double most = box.circle() ? 8 : 10;
    const double dy = (branch.offset < 0 ? -1 : 1) * std::min(6.0, most / std::max(1.0, side)) * rank;
    Tail result = entry(next, {end, at.y}, dy);
    const double x = end - kJoin / 2 - kStagger * outer;
    result.points.insert(result.points.begin(), {{x, y}, {x, at.y + dy}});
    return result;
  }

  static bool lowest(const Part& part, const Branch& branch) {
    return std::all_of(part.branches.begin(), part.branches.end(),
                       [&](const Branch& other) { return other.offset <= branch.offset; });
  }

  const Graph& graph_;
  Block& block_;
};

// ---- which boxes make a block

std::map<int, int> layers_of(const Boxes& all, const std::vector<int>& run) {
  std::map<int, int> layer;
  for (int b : run) {
    layer[b] = 1;
    for (int input : all.inputs[static_cast<size_t>(b)]) {
      if (const auto found = layer.find(input); found != layer.end()) layer[b] = std::max(layer[b], found->second + 1);
    }
  }
  return layer;
}

// How many tensors are read after layer l of a run that were made before: index l.
std::vector<int> crossings(const Boxes& all, const std::vector<int>& run, const std::map<int, int>& layer, int last,
                           const std::vector<bool>& read_later) {
  std::map<int, int> reach;  // producer -> last layer that reads it
  for (int b : run) {
    for (int input : all.inputs[static_cast<size_t>(b)]) reach[input] = std::max(reach[input], layer.at(b));
    if (read_later[static_cast<size_t>(b)]) reach[b] = last + 1;
  }
  std::vector<int> result(static_cast<size_t>(last) + 2, 0);
  for (const auto& [source, until] : reach) {
    const auto found = layer.find(source);
    for (int l = found == layer.end() ? 0 : found->second; l < until; ++l) ++result[static_cast<size_t>(l)];
  }
  return result;
}

constexpr int kLongBlock = 14, kLongPiece = 9;  // layers

// Where runs are cut. Without a name: wherever a single tensor passes, so that they wrap like words. With one: only
// when too long for a row.
std::vector<int> cuts(const std::vector<int>& crossing, int last, bool named) {
  std::vector<int> result;
  if (named && last <= kLongBlock) return result;
  for (int start = 0; last - start > (named ? kLongPiece : 1);) {
    int cut = 0;
    for (int l = start + 1; l < last && l <= start + (named ? kLongPiece : kLongPiece); ++l) {
      if (crossing[static_cast<size_t>(l)] != 1) continue;
      cut = l;
      if (!named) break;
    }
    if (cut == 0 && last - start <= kLongPiece) break;
    result.push_back(cut == 0 ? start + kLongPiece : cut);
    start = result.back();
  }
  return result;
}

void add_pieces(const Boxes& all, const std::vector<int>& run, const std::string& label,
                const std::vector<bool>& read_later, std::vector<Block>& blocks) {
  const auto layer = layers_of(all, run);
  int last = 0;
  for (const auto& [b, l] : layer) last = std::max(last, l);
  const auto at = cuts(crossings(all, run, layer, last, read_later), last, !label.empty());
  std::vector<std::vector<int>> pieces(at.size() + 1);
  for (int b : run) {
    const auto piece = std::lower_bound(at.begin(), at.end(), layer.at(b)) - at.begin();
    pieces[static_cast<size_t>(piece)].push_back(b);
  }
  for (auto& piece : pieces) {
    if (piece.empty()) continue;
    blocks.emplace_back();
    blocks.back().label = label;
    blocks.back().boxes = std::move(piece);
  }
}

// Boxes that are read at or after place `end`.
std::vector<bool> read_from(const Boxes& all, size_t end) {
  std::vector<bool> result(all.boxes.size(), false);
  for (size_t b = end; b < all.boxes.size(); ++b) {
    for (int input : all.inputs[b]) result[static_cast<size_t>(input)] = true;
  }
  return result;
}

void add_ports(const Boxes& all, std::vector<Block>& blocks) {
  std::vector<int> home(all.boxes.size(), -1);
  for (size_t k = 0; k < blocks.size(); ++k) {
    for (int b : blocks[k].boxes) home[static_cast<size_t>(b)] = static_cast<int>(k);
  }
  const auto add = [](std::vector<int>& list, int b) {
    if (std::find(list.begin(), list.end(), b) == list.end()) list.push_back(b);
  };
  for (size_t k = 0; k < blocks.size(); ++k) {
    for (int b : blocks[k].boxes) {
      for (int input : all.inputs[static_cast<size_t>(b)]) {
        if (home[static_cast<size_t>(input)] == static_cast<int>(k)) continue;
        add(blocks[k].sources, input);
        add(blocks[static_cast<size_t>(home[static_cast<size_t>(input)])].outgoing, input);
      }
    }
  }
}

constexpr double kPadding = 12;  // between a frame and what is in it

void finish(Block& block, double inner, double above, double below) {
  block.width = inner;
  block.above = above;
  block.below = below;
}

// Any number of ports: everything in layers.
void lay_out_grid(const Graph& graph, Block& block, double padding) {
  GridInput in;
  in.left_ports = static_cast<int>(block.sources.size());
  in.right_ports = static_cast<int>(block.outgoing.size());
  for (size_t k = 0; k < block.boxes.size(); ++k) {
    const int v = static_cast<int>(k) + 1;
    in.interior.push_back(v);
    for (int input : graph.all.inputs[static_cast<size_t>(block.boxes[k])]) {
      const auto port = std::find(block.sources.begin(), block.sources.end(), input);
      const auto box = std::find(block.boxes.begin(), block.boxes.end(), input);
      if (port != block.sources.end()) in.edges.push_back({kLeft - static_cast<int>(port - block.sources.begin()), v});
      if (box != block.boxes.end()) in.edges.push_back({static_cast<int>(box - block.boxes.begin()) + 1, v});
    }
    const auto port = std::find(block.outgoing.begin(), block.outgoing.end(), block.boxes[k]);
    if (port != block.outgoing.end()) in.edges.push_back({v, kRight - static_cast<int>(port - block.outgoing.begin())});
  }
  const Part part = grid_part(graph, in);
  finish(block, part.width + 2 * padding, part.above, part.below);
  Placing placing(graph, block);
  placing.sources = block.sources;
  placing.outgoing = block.outgoing;
  placing.port_right = block.width;
  placing.grid(part, {padding, 0}, {{}, !block.sources.empty()}, {{}, !block.outgoing.empty()}, -1, false);
}

}  // namespace

std::vector<Block> blocks_of(const Boxes& all) {
  std::vector<std::pair<size_t, size_t>> runs;  // of one scope each
  for (size_t b = 0; b < all.boxes.size(); ++b) {
    if (b == 0 || all.scopes[b] != all.scopes[b - 1]) runs.push_back({b, b});
    runs.back().second = b + 1;
  }
  std::vector<Block> blocks;
  for (size_t r = 0; r < runs.size();) {
    const size_t begin = runs[r].first;
    const bool single = runs[r].second - begin == 1;
    size_t end = runs[r++].second;
    while (single && r < runs.size() && runs[r].second - runs[r].first == 1) end = runs[r++].second;
    std::vector<int> run(end - begin);
    std::iota(run.begin(), run.end(), static_cast<int>(begin));
    add_pieces(all, run, single ? "" : all.scopes[begin], read_from(all, end), blocks);
  }
  add_ports(all, blocks);
  return blocks;
}

void lay_out(const Boxes& all, Block& block) {
  Graph graph{all, block.boxes, {}};
  const double padding = block.label.empty() ? 0 : kPadding;
  if (block.sources.size() > 1 || block.outgoing.size() > 1) return lay_out_grid(graph, block, padding);
  graph.next.resize(block.boxes.size() + 2);
  std::vector<int> interior;
  for (size_t k = 0; k < block.boxes.size(); ++k) {
    const int v = static_cast<int>(k) + 1, id = block.boxes[k];
    interior.push_back(v);
    if (all.inputs[static_cast<size_t>(id)].empty()) graph.next[0].push_back(v);
    for (int input : all.inputs[static_cast<size_t>(id)]) {
      const auto box = std::find(block.boxes.begin(), block.boxes.end(), input);
      graph.next[box == block.boxes.end() ? 0 : static_cast<size_t>(box - block.boxes.begin()) + 1].push_back(v);
    }
    const bool out = std::find(block.outgoing.begin(), block.outgoing.end(), id) != block.outgoing.end();
    if (out || (block.outgoing.empty() && k + 1 == block.boxes.size()))
      graph.next[static_cast<size_t>(v)].push_back(graph.sink());
  }
  Branch whole;
  whole.parts = compose(graph, interior, 0, graph.sink(), false);
  measure(graph, whole);
  const double side = block.label.empty() ? 0 : kPadding;
  finish(block, whole.width + 2 * side, whole.above, whole.below);
  if (!block.sources.empty()) block.in_port[block.sources[0]] = 0;
  if (!block.outgoing.empty()) block.out_port[block.outgoing[0]] = 0;
  Placing placing(graph, block);
  const Head head{{{0, 0}}, !block.sources.empty(), -1};
  const Tail tail{{{block.width, 0}}, !block.outgoing.empty(), false, -1};
  placing.series(whole.parts, {side, 0}, head, tail, false, whole.width);
}

}  // namespace condenser::report
