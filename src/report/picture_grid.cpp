// Layers, for graphs that do not fall apart: every vertex after all that it reads, long edges as lines of their own.

#include <algorithm>
#include <cmath>

#include "report/picture_graph.hpp"

namespace condenser::report {
namespace {

constexpr double kColumnGap = 44;  // between layers

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
      grid.cells.push_back({kNone, l});
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
    if (cell.vertex < 0 && cell.vertex != kNone) continue;
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

}  // namespace

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

}  // namespace condenser::report
