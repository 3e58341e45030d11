// Series and parallel: a graph of one source and one sink falls apart at the vertices that every path passes (they
// stand on the spine) and, between two of these, into components (they become branches); each branch is such a graph
// again. What does not fall apart is laid out in layers.

#include <algorithm>
#include <cmath>

#include "report/picture_graph.hpp"

namespace condenser::report {
namespace {

constexpr double kArcGap = 14;

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
    measure(branch);
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

}  // namespace

void measure(Branch& branch) {
  for (const Part& part : branch.parts) {
    branch.width += part.width;
    branch.above = std::max(branch.above, part.above);
    branch.below = std::max(branch.below, part.below);
  }
  branch.above = std::max(branch.above, 4.0);
  branch.below = std::max(branch.below, 4.0);
  if (!branch.note.empty() && !branch.interior.empty()) branch.above += kNoteHeight;
}

// A vertex is passed by all paths iff no edge leaps over its place in a topological order.
std::vector<Part> compose(const Graph& graph, const std::vector<int>& interior, int a, int b, bool direct) {
  std::map<int, int> place{{a, 0}, {b, static_cast<int>(interior.size()) + 1}};
  for (size_t k = 0; k < interior.size(); ++k) place[interior[k]] = static_cast<int>(k) + 1;
  std::vector<Part> parts;
  std::vector<int> pending;
  int reach = 0, from = a;
  const auto look = [&](int v) {
    for (int w : graph.next[static_cast<size_t>(v)]) {
      const auto found = place.find(w);
      if (found != place.end() && (v != a || w != b || direct)) reach = std::max(reach, found->second);
    }
  };
  const auto pass = [&](int to) {
    const auto& readers = graph.next[static_cast<size_t>(from)];
    const bool edge =
        std::find(readers.begin(), readers.end(), to) != readers.end() && (from != a || to != b || direct);
    parts.push_back(between(graph, pending, from, to, edge));
    pending.clear();
    from = to;
  };
  look(a);
  for (int v : interior) {
    if (reach <= place[v]) {
      pass(v);
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
  pass(b);
  return parts;
}

}  // namespace condenser::report
