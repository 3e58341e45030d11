// Which boxes make a block.

#include <algorithm>
#include <numeric>

#include "report/picture_parts.hpp"

namespace condenser::report {
namespace {

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
    for (int l = start + 1; l < last && l <= start + kLongPiece; ++l) {
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
                const std::vector<bool>& read_later, std::vector<PictureBlock>& blocks) {
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

void add_ports(const Boxes& all, std::vector<PictureBlock>& blocks) {
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

}  // namespace

std::vector<PictureBlock> blocks_of(const Boxes& all) {
  std::vector<std::pair<size_t, size_t>> runs;  // of one scope each
  for (size_t b = 0; b < all.boxes.size(); ++b) {
    if (b == 0 || all.scopes[b] != all.scopes[b - 1]) runs.push_back({b, b});
    runs.back().second = b + 1;
  }
  std::vector<PictureBlock> blocks;
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

}  // namespace condenser::report
