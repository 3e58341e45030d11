#include "condenser/arch/strips.hpp"

#include <algorithm>
#include <numeric>

namespace condenser::arch {
namespace {

// Rows of an input that output rows are made of, and how much of the window lies beyond the map.
struct Reach {
  Rows rows;
  int top = 0, bottom = 0;
};

template <class Window>
std::optional<Reach> reach_of_window(const Window& w, const Shape& in, const Rows& out) {
  const int64_t begin = out.first * w.stride.h - w.pad.top;
  const int64_t end = (out.end() - 1) * w.stride.h - w.pad.top + w.kernel.h;
  const int64_t first = std::max<int64_t>(begin, 0), last = std::min(end, in.h);
  if (first >= last) return std::nullopt;  // all padding
  return Reach{{first, last - first}, static_cast<int>(first - begin), static_cast<int>(end - last)};
}

std::optional<Reach> same_rows(const Rows& out) { return Reach{out}; }

// None: a strip of the output does not come from a strip of this input by the same kernel.
std::optional<Reach> reach_of(const Op& op, const Shape& in, const Shape& out, const Rows& rows) {
  using R = std::optional<Reach>;
  return arch::visit(op, Overloaded{
                             [](const Input&) -> R { return std::nullopt; },
                             [&](const Conv2d& o) { return reach_of_window(o, in, rows); },
                             [](const BatchNorm&) -> R { return std::nullopt; },  // lower() folds it
                             [&](const Activation&) { return same_rows(rows); },
                             [](const Softmax&) -> R { return std::nullopt; },
                             [&](const SoftmaxMul& o) -> R {
                               return o.axis == SoftmaxAxis::Channels ? same_rows(rows) : std::nullopt;
                             },
                             [&](const AvgPool& o) { return reach_of_window(o, in, rows); },
                             [&](const MaxPool& o) { return reach_of_window(o, in, rows); },
                             [](const GlobalAvgPool&) -> R { return std::nullopt; },
                             [](const Linear&) -> R { return std::nullopt; },
                             [&](const Add&) { return same_rows(rows); },
                             [&](const Mul&) -> R { return in == out ? same_rows(rows) : std::nullopt; },
                             [&](const PRelu&) { return same_rows(rows); },
                             [&](const Scale&) { return same_rows(rows); },
                             [](const BlurPool&) -> R { return std::nullopt; },  // mirrors its borders
                             [&](const Upsample&) -> R {  // by a whole factor, from its first copy to its last
                               const int64_t factor = out.h / in.h;
                               if (out.h % in.h != 0 || rows.first % factor != 0 || rows.count % factor != 0)
                                 return std::nullopt;
                               return Reach{{rows.first / factor, rows.count / factor}};
                             },
                             [&](const Concat&) { return same_rows(rows); },
                             [&](const Slice&) { return same_rows(rows); },
                             [&](const ChannelShuffle&) { return same_rows(rows); },
                         });
}

// What is computed where `needed` is: an upsampling makes all copies of a row.
Rows computed(const Op& op, const Shape& out, const Shape& in, const Rows& needed) {
  if (!std::holds_alternative<Upsample>(op) || out.h % in.h != 0) return needed;
  const int64_t factor = out.h / in.h, first = needed.first / factor * factor;
  return {first, (needed.end() + factor - 1) / factor * factor - first};
}

void include(Rows& rows, const Rows& more) {
  if (rows.count == 0) {
    rows = more;
    return;
  }
  const int64_t first = std::min(rows.first, more.first), end = std::max(rows.end(), more.end());
  rows = {first, end - first};
}

// Nothing behind the cut reads what lies before it.
bool closed(const Spec& spec, int cut) {
  for (int i = 0; i < cut; ++i)
    if (spec.is_output(i)) return false;
  for (int i = cut + 1; i < static_cast<int>(spec.nodes.size()); ++i)
    if (std::ranges::any_of(spec.node(i).inputs, [&](int input) { return input < cut; })) return false;
  return true;
}

bool rows_of(const Spec& spec, const Analysis& analysis, int cut, const Rows& of_cut, std::vector<Rows>& rows) {
  rows.assign(static_cast<size_t>(cut) + 1, {});
  rows.back() = of_cut;
  for (int i = cut; i > 0; --i) {
    const Node& node = spec.node(i);
    Rows& mine = rows[static_cast<size_t>(i)];
    if (mine.count == 0) return false;  // read by nobody up to the cut
    if (i < cut) mine = computed(node.op, analysis.node(i).shape, analysis.node(node.inputs[0]).shape, mine);
    for (const int input : node.inputs) {
      const auto reach = reach_of(node.op, analysis.node(input).shape, analysis.node(i).shape, mine);
      if (!reach) return false;
      include(rows[static_cast<size_t>(input)], reach->rows);
    }
  }
  return true;
}

Shape with_rows(Shape shape, int64_t rows) {
  shape.h = rows;
  return shape;
}

template <class Window>
void set_padding(Window& w, const Reach& reach) {
  w.pad.top = reach.top;
  w.pad.bottom = reach.bottom;
}

}  // namespace

int64_t Strips::most_rows(int node) const {
  int64_t most = 0;
  for (const auto& strip : rows) most = std::max(most, strip[static_cast<size_t>(node)].count);
  return most;
}

std::optional<Strips> strips_of(const Spec& spec, const Analysis& analysis, int cut, int count) {
  const int64_t height = analysis.node(cut).shape.h;
  if (cut < 1 || count < 2 || count > height || !closed(spec, cut)) return std::nullopt;
  Strips strips{.cut = cut, .rows = std::vector<std::vector<Rows>>(static_cast<size_t>(count))};
  for (int k = 0; k < count; ++k) {
    const int64_t first = height * k / count, end = height * (k + 1) / count;
    if (!rows_of(spec, analysis, cut, {first, end - first}, strips.rows[static_cast<size_t>(k)])) return std::nullopt;
  }
  return strips;
}

int64_t macs_of(const Analysis& analysis, const Strips& strips) {
  int64_t macs = analysis.macs;
  for (int i = 1; i <= strips.cut; ++i) {
    const NodeCost& cost = analysis.node(i);
    int64_t rows = 0;
    for (const auto& strip : strips.rows) rows += strip[static_cast<size_t>(i)].count;
    macs += cost.macs / cost.shape.h * (rows - cost.shape.h);
  }
  return macs;
}

Piece piece_of(const Spec& spec, const Analysis& analysis, const Strips& strips, size_t strip, int node) {
  const Node& n = spec.node(node);
  const std::vector<Rows>& rows = strips.rows[strip];
  const Rows& mine = rows[static_cast<size_t>(node)];
  Piece piece{.op = n.op,
              .in = {},
              .in_skip = {},
              .out = with_rows(analysis.node(node).shape, mine.count),
              .out_skip = node == strips.cut ? mine.first : 0};
  for (const int input : n.inputs) {
    const Shape& whole = analysis.node(input).shape;
    const Reach reach = reach_of(n.op, whole, analysis.node(node).shape, mine).value();
    piece.in.push_back(with_rows(whole, reach.rows.count));
    // The input is whole; what lies between holds what was computed for this strip.
    piece.in_skip.push_back(reach.rows.first - (input == 0 ? 0 : rows[static_cast<size_t>(input)].first));
    if (auto* conv = std::get_if<Conv2d>(&piece.op)) set_padding(*conv, reach);
    if (auto* pool = std::get_if<AvgPool>(&piece.op)) set_padding(*pool, reach);
    if (auto* pool = std::get_if<MaxPool>(&piece.op)) set_padding(*pool, reach);
    if (auto* upsample = std::get_if<Upsample>(&piece.op)) upsample->size.h = static_cast<int>(mine.count);
  }
  return piece;
}

}  // namespace condenser::arch
