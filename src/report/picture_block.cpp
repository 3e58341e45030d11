// Places and lines inside one block.

#include <algorithm>
#include <cmath>

#include "report/picture_graph.hpp"

namespace condenser::report {
namespace {

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
  Placing(const Graph& graph, PictureBlock& block) : graph_(graph), block_(block) {}

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
  PictureBlock& block_;
};

constexpr double kPadding = 12;  // between a frame and what is in it

void set_size(PictureBlock& block, double width, double above, double below) {
  block.width = width;
  block.above = above;
  block.below = below;
}

// Any number of ports: everything in layers.
void lay_out_grid(const Graph& graph, PictureBlock& block, double padding) {
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
  set_size(block, part.width + 2 * padding, part.above, part.below);
  Placing placing(graph, block);
  placing.sources = block.sources;
  placing.outgoing = block.outgoing;
  placing.port_right = block.width;
  placing.grid(part, {padding, 0}, {{}, !block.sources.empty()}, {{}, !block.outgoing.empty()}, -1, false);
}

}  // namespace

void lay_out(const Boxes& all, PictureBlock& block) {
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
  measure(whole);
  set_size(block, whole.width + 2 * padding, whole.above, whole.below);
  if (!block.sources.empty()) block.in_port[block.sources[0]] = 0;
  if (!block.outgoing.empty()) block.out_port[block.outgoing[0]] = 0;
  Placing placing(graph, block);
  const Head head{{{0, 0}}, !block.sources.empty(), -1};
  const Tail tail{{{block.width, 0}}, !block.outgoing.empty(), false, -1};
  placing.series(whole.parts, {padding, 0}, head, tail, false, whole.width);
}

}  // namespace condenser::report
