// Static memory plan: which buffers live when, which are shared in place, where each lies in one arena. Finding the
// smallest arena is NP-hard (dynamic storage allocation); a few greedy orders come within a few percent of the lower
// bound on real networks, and the best of them is kept. The order of nodes is the Spec's; reordering is left to others.

#include "condenser/arch/memory.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "arch/round_up.hpp"
#include "arch/traffic.hpp"
#include "condenser/arch/int16.hpp"
#include "condenser/arch/memory_apart.hpp"

namespace condenser::arch {
namespace {

// One buffer: a node and those that overwrite it in place. Live from step `first` to step `last`, both included.
struct Buffer {
  int first = 0;
  int last = 0;
  int64_t bytes = 0;
  int64_t room = 0;  // bytes, rounded up to the alignment: what follows may begin there
  int64_t offset = 0;
  double uses = 0;  // bytes that are read and written of it in one run
};

bool overlap_in_time(const Buffer& a, const Buffer& b) { return a.first <= b.last && b.first <= a.last; }

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();
constexpr double kMoreMacs = 0.15;  // as memory.hpp has it

// What is particular about nodes; empty lists: nothing.
struct Asks {
  std::vector<bool> apart = {};  // see memory_apart.hpp
  Int16Nodes wide = {};          // see int16.hpp
};

int64_t value_bytes(const Int16Nodes& wide, int node, const Layout& layout) {
  return int64_t{layout.element_bytes} * (is_int16(wide, node) ? 2 : 1);
}

// What the kernel of a node asks.
struct Need {
  int64_t scratch = 0;
  std::vector<int> over;  // inputs that it may write over
};

Need need_of(const Spec& spec, const Analysis& analysis, const Int16Nodes& wide, int i) {
  const Node& node = spec.node(i);
  const Kernel* kernel = choose_kernel(spec, analysis, wide, i);
  if (kernel == nullptr) return {};
  const Shape& out = analysis.node(i).shape;
  Need need;
  if (kernel->scratch != nullptr) need.scratch = kernel->scratch(node.op, analysis.node(node.inputs[0]).shape, out);
  for (size_t k = 0; kernel->in_place != nullptr && k < node.inputs.size(); ++k) {
    if (kernel->in_place(node.op, analysis.node(node.inputs[k]).shape, out)) need.over.push_back(node.inputs[k]);
  }
  return need;
}

// Of a node that is computed in strips: what serves every strip. The input stays whole for the strips to come, and the
// cut gathers all of them.
Need need_of(const Spec& spec, const Analysis& analysis, const Int16Nodes& wide, const Strips& strips, int i) {
  const Node& node = spec.node(i);
  const Kernel* kernel = choose_kernel(spec, analysis, wide, i);
  if (kernel == nullptr) return {};
  Need need;
  std::vector<bool> over(node.inputs.size(), kernel->in_place != nullptr && strips.inner(i));
  for (size_t strip = 0; strip < strips.rows.size(); ++strip) {
    const Piece piece = piece_of(spec, analysis, strips, strip, i);
    if (kernel->scratch != nullptr)
      need.scratch = std::max(need.scratch, kernel->scratch(piece.op, piece.in[0], piece.out));
    for (size_t k = 0; k < over.size(); ++k)
      over[k] = over[k] && strips.inner(node.inputs[k]) && piece.in_skip[k] == 0 &&
                kernel->in_place(piece.op, piece.in[k], piece.out);
  }
  for (size_t k = 0; k < over.size(); ++k)
    if (over[k]) need.over.push_back(node.inputs[k]);
  return need;
}

// Last step that needs the value of each node. An output is needed after all of them; where it is the last step itself,
// nothing can follow it.
std::vector<int> last_uses(const Spec& spec, const Liveness& live) {
  const int count = static_cast<int>(spec.nodes.size());
  std::vector<int> last(spec.nodes.size());
  std::iota(last.begin(), last.end(), 0);
  for (int i = 0; i < count; ++i) {
    if (!live[static_cast<size_t>(i)]) continue;
    for (int input : spec.node(i).inputs) last[static_cast<size_t>(input)] = i;
  }
  for (size_t k = 0; k < spec.output_count(); ++k) {
    const int output = spec.output(k);
    last[static_cast<size_t>(output)] = output + 1 == count ? output : count;
  }
  return last;
}

// The input of equal size whose buffer node i may take over, or -1.
int in_place_of(const Need& need, int i, const std::vector<int>& last, const std::vector<int64_t>& bytes) {
  for (const int input : need.over) {
    const size_t k = static_cast<size_t>(input);
    if (last[k] == i && bytes[k] == bytes[static_cast<size_t>(i)]) return input;
  }
  return -1;
}

// Two buffers that live at the same time and may yet share bytes: the output of a step begins where its dying, larger
// input begins; or, of a network in strips, the cut grows over rows of the input that no further strip reads.
struct Pair {
  int first = 0, last = 0;       // steps during which both live
  int node = 0;                  // the input
  size_t input = 0, output = 0;  // buffers
  int64_t shift = 0;             // the input begins so many bytes after the output
  int64_t shared = 0;            // bytes
  bool nested() const { return shift == 0 && first == last; }
};

// Where the other of its pair begins, if that is free; else the lowest free offset (first fit) or the smallest gap that
// holds it (best fit), among buffers that live meanwhile. `placed` is sorted by offset.
class Placer {
 public:
  Placer(const std::vector<Buffer>& buffers, const std::vector<Pair>& pairs) : buffers_(buffers), pairs_(pairs) {}

  int64_t operator()(const Buffer& buffer, const std::vector<Buffer*>& placed, bool best_fit, bool& used_gap) const {
    for (const Pair& pair : pairs_) {
      const Buffer* partner = partner_of(pair, buffer);
      if (partner == nullptr || !is_placed(placed, partner)) continue;
      const int64_t offset = partner->offset + (&buffers_[pair.input] == &buffer ? pair.shift : -pair.shift);
      if (offset >= 0 && is_free(buffer, offset, partner, placed)) return offset;
    }
    int64_t end = 0;  // of the occupied range so far
    int64_t best = -1;
    int64_t best_gap = 0;
    for (const Buffer* other : placed) {
      if (!overlap_in_time(buffer, *other)) continue;
      const int64_t gap = other->offset - end;
      if (gap >= buffer.bytes && (best < 0 || gap < best_gap)) {
        best = end;
        best_gap = gap;
        used_gap = true;
        if (!best_fit) return best;
      }
      end = std::max(end, other->offset + other->room);
    }
    return best >= 0 ? best : end;
  }

 private:
  const Buffer* partner_of(const Pair& pair, const Buffer& buffer) const {
    if (&buffers_[pair.output] == &buffer) return &buffers_[pair.input];
    return &buffers_[pair.input] == &buffer ? &buffers_[pair.output] : nullptr;
  }

  static bool is_placed(const std::vector<Buffer*>& placed, const Buffer* buffer) {
    return std::find(placed.begin(), placed.end(), buffer) != placed.end();
  }

  // There, nothing but its partner lives meanwhile.
  static bool is_free(const Buffer& buffer, int64_t offset, const Buffer* partner, const std::vector<Buffer*>& placed) {
    return std::all_of(placed.begin(), placed.end(), [&](const Buffer* other) {
      return other == partner || !overlap_in_time(buffer, *other) || offset + buffer.room <= other->offset ||
             other->offset + other->room <= offset;
    });
  }

  const std::vector<Buffer>& buffers_;
  const std::vector<Pair>& pairs_;
};

using Key = std::pair<int64_t, int64_t>;
struct Ranked {
  Key key;  // descending
  size_t index = 0;
};
using Order = std::vector<Ranked>;

// Peak of this order, or at least `stop_at` as soon as it is known to reach that.
int64_t place_all(std::vector<Buffer>& buffers, const Order& order, bool best_fit, int64_t stop_at, const Placer& find,
                  std::vector<Buffer*>& placed, bool& used_gap) {
  placed.clear();
  int64_t peak = 0;
  for (const Ranked& next : order) {
    Buffer& buffer = buffers[next.index];
    buffer.offset = find(buffer, placed, best_fit, used_gap);
    peak = std::max(peak, buffer.offset + buffer.bytes);
    if (peak >= stop_at) return stop_at;
    const auto above = [&](const Buffer* other) { return other->offset > buffer.offset; };
    placed.insert(std::find_if(placed.begin(), placed.end(), above), &buffer);
  }
  return peak;
}

// Orders worth trying, one after the other, since the first often reaches the lower bound. Ties are broken by index, so
// that plans are the same everywhere.
constexpr int kOrders = 7;
void make_order(int kind, const std::vector<Buffer>& buffers, int peak_step, Order& order) {
  const auto length = [](const Buffer& b) { return int64_t{b.last} - b.first + 1; };
  const auto at_peak = [&](const Buffer& b) { return int64_t{b.first <= peak_step && peak_step <= b.last}; };
  const auto key = [&](const Buffer& b) -> Key {
    switch (kind) {
      case 0: return {b.bytes, length(b)};  // reaches the bound nine times in ten on column networks
      case 1: return {length(b), b.bytes};
      case 2: return {at_peak(b), b.bytes};
      case 3: return {at_peak(b), length(b)};
      case 4: return {-std::max(b.first - peak_step, peak_step - b.last), b.bytes};
      case 5: return {b.last, b.bytes};
      default: return {-b.first, 0};
    }
  };
  order.clear();
  for (size_t i = 0; i < buffers.size(); ++i) order.push_back({key(buffers[i]), i});
  std::sort(order.begin(), order.end(),
            [](const Ranked& a, const Ranked& b) { return a.key != b.key ? a.key > b.key : a.index < b.index; });
}

struct Peak {
  int step = 0;
  int64_t bytes = 0;
};

Peak largest_live(const std::vector<Buffer>& buffers, int steps) {
  std::vector<int64_t> change(static_cast<size_t>(steps) + 2, 0);
  for (const Buffer& b : buffers) {
    change[static_cast<size_t>(b.first)] += b.bytes;
    change[static_cast<size_t>(b.last) + 1] -= b.bytes;
  }
  Peak peak;
  int64_t now = 0;
  for (int step = 0; step < steps; ++step) {
    now += change[static_cast<size_t>(step)];
    if (now > peak.bytes) peak = {step, now};
  }
  return peak;
}

int64_t place_best(std::vector<Buffer>& buffers, const Peak& peak, const std::vector<Pair>& pairs) {
  const Placer find(buffers, pairs);
  std::vector<Buffer> best;
  std::vector<Buffer*> placed;
  placed.reserve(buffers.size());
  Order order;
  order.reserve(buffers.size());
  int64_t best_bytes = std::numeric_limits<int64_t>::max();
  for (int kind = 0; kind < kOrders; ++kind) {
    make_order(kind, buffers, peak.step, order);
    for (const bool best_fit : {false, true}) {
      bool used_gap = false;
      const int64_t bytes = place_all(buffers, order, best_fit, best_bytes, find, placed, used_gap);
      if (bytes <= peak.bytes) return bytes;  // the lower bound: nothing can be better
      if (bytes < best_bytes) {
        best = buffers;
        best_bytes = bytes;
      }
      if (!used_gap) break;  // the fits do not differ
    }
  }
  buffers = std::move(best);
  return best_bytes;
}

bool share(const std::vector<Buffer>& buffers, const Pair& p) {
  return buffers[p.input].offset == buffers[p.output].offset + p.shift;
}

// Of buffers of which some pairs share the smaller one's bytes.
template <class Shares>
Peak largest_live(std::vector<Buffer> buffers, const std::vector<Pair>& pairs, int steps, const Shares& shares) {
  for (const Pair& p : pairs) {
    if (shares(p)) buffers.push_back({.first = p.first, .last = p.last, .bytes = -p.shared});
  }
  return largest_live(buffers, steps);
}

// A second plan in which every pair may overlap, kept if it takes fewer than `bytes`.
void try_pairs(std::vector<Buffer>& buffers, Peak& peak, int64_t bytes, const std::vector<Pair>& pairs, int steps) {
  const Peak least = largest_live(buffers, pairs, steps, [](const Pair&) { return true; });
  if (least.bytes >= peak.bytes) return;
  std::vector<Buffer> trial = buffers;
  if (place_best(trial, least, pairs) >= bytes) return;
  buffers = std::move(trial);
  peak = largest_live(buffers, pairs, steps, [&](const Pair& p) { return share(buffers, p); });
}

// ---- two memories ----

// What is used most for its size; what is used most; what is used most for its size and the time that it takes it.
constexpr int kFastOrders = 3;
Order fast_order(int kind, const std::vector<Buffer>& buffers) {
  const auto value = [&](size_t i) {
    const Buffer& b = buffers[i];
    const double size = kind == 1 ? 1 : static_cast<double>(std::max<int64_t>(1, b.bytes));
    return b.uses / (kind == 2 ? size * (b.last - b.first + 1) : size);
  };
  std::vector<size_t> indices(buffers.size());
  std::iota(indices.begin(), indices.end(), size_t{0});
  std::stable_sort(indices.begin(), indices.end(), [&](size_t a, size_t b) { return value(a) > value(b); });
  Order order;
  for (const size_t i : indices) order.push_back({{}, i});
  return order;
}

struct Fast {
  std::vector<Buffer> buffers;  // all; offsets of those inside hold
  std::vector<bool> inside;     // per buffer
  double uses = 0;              // of those inside
};

// Each in its turn where it fits below `limit`; the others stay outside.
Fast fill_fast(const std::vector<Buffer>& buffers, const Order& order, int64_t limit, const std::vector<Pair>& pairs) {
  Fast fast{buffers, std::vector<bool>(buffers.size(), false)};
  const Placer find(fast.buffers, pairs);
  std::vector<Buffer*> placed;
  for (const Ranked& next : order) {
    Buffer& buffer = fast.buffers[next.index];
    bool used_gap = false;
    buffer.offset = find(buffer, placed, true, used_gap);
    if (buffer.offset + buffer.room > limit) continue;
    fast.inside[next.index] = true;
    fast.uses += buffer.uses;
    const auto above = [&](const Buffer* other) { return other->offset > buffer.offset; };
    placed.insert(std::find_if(placed.begin(), placed.end(), above), &buffer);
  }
  return fast;
}

// The buffers outside as an arena of their own that begins at `begin`.
void place_outside(Fast& fast, int64_t begin, const std::vector<Pair>& pairs, int steps) {
  std::vector<size_t> place(fast.buffers.size(), 0);
  std::vector<Buffer> outside;
  for (size_t i = 0; i < fast.buffers.size(); ++i) {
    place[i] = outside.size();
    if (!fast.inside[i]) outside.push_back(fast.buffers[i]);
  }
  std::vector<Pair> both;
  for (Pair pair : pairs) {
    if (fast.inside[pair.input] || fast.inside[pair.output]) continue;
    pair.input = place[pair.input];
    pair.output = place[pair.output];
    both.push_back(pair);
  }
  Peak peak = largest_live(outside, steps);
  const int64_t bytes = place_best(outside, peak, {});
  if (!both.empty()) try_pairs(outside, peak, bytes, both, steps);
  for (size_t i = 0; i < fast.buffers.size(); ++i)
    if (!fast.inside[i]) fast.buffers[i].offset = begin + outside[place[i]].offset;
}

// Offsets in two memories, the fast one first; returns where the other begins, or 0 where all or nothing fits into the
// fast one.
int64_t place_in_two(std::vector<Buffer>& buffers, int64_t limit, const std::vector<Pair>& pairs, int steps) {
  Fast best;
  for (int kind = 0; kind < kFastOrders; ++kind) {
    const Order order = fast_order(kind, buffers);
    for (const bool shared : {false, true}) {
      Fast fast = fill_fast(buffers, order, limit, shared ? pairs : std::vector<Pair>{});
      if (fast.uses > best.uses) best = std::move(fast);
    }
  }
  int64_t begin = 0;
  for (size_t i = 0; i < best.buffers.size(); ++i)
    if (best.inside[i]) begin = std::max(begin, best.buffers[i].offset + best.buffers[i].room);
  if (begin == 0) return 0;
  const bool all = std::all_of(best.inside.begin(), best.inside.end(), [](bool inside) { return inside; });
  if (!all) place_outside(best, begin, pairs, steps);
  buffers = std::move(best.buffers);
  return all ? 0 : begin;
}

int64_t end_of(const std::vector<Buffer>& buffers) {
  int64_t end = 0;
  for (const Buffer& b : buffers) end = std::max(end, b.offset + b.bytes);
  return end;
}

// Of all uses, those of buffers before `end`.
double share_before(const std::vector<Buffer>& buffers, int64_t end) {
  double before = 0, all = 0;
  for (const Buffer& b : buffers) {
    all += b.uses;
    if (b.offset < end) before += b.uses;
  }
  return all > 0 ? before / all : 0;
}

// How far behind the cut's beginning the input must begin, so that what a strip has written never covers rows that
// later ones read.
int64_t cut_before_input(const Spec& spec, const Analysis& analysis, const Int16Nodes& wide, const Strips& strips,
                         const Layout& layout) {
  const auto row = [&](int node) {
    const Shape& shape = analysis.node(node).shape;
    return shape.w * shape.c * value_bytes(wide, node, layout);
  };
  const Node& cut = spec.node(strips.cut);
  const bool reads_input = std::find(cut.inputs.begin(), cut.inputs.end(), 0) != cut.inputs.end();
  int64_t shift = 0;
  for (size_t k = 0; k < strips.rows.size(); ++k) {
    const size_t reader = reads_input ? k : k + 1;
    if (reader == strips.rows.size()) break;
    const int64_t written = strips.rows[k].back().end() * row(strips.cut);
    shift = std::max(shift, written - strips.rows[reader].front().first * row(0));
  }
  return round_up(shift, layout.alignment);
}

constexpr int kCounts[] = {2, 3, 4, 6, 8, 12, 16, 24};

std::optional<MemoryPlan> plan_below(int64_t limit, const Spec&, const Analysis&, const Layout&, const Strips&,
                                     const Asks& asks = {});

MemoryPlan smallest_in_strips(const Spec&, const Analysis&, double more_macs, const Layout&, const Asks&);

}  // namespace

MemoryPlan plan_strips(const Spec& spec, const Analysis& analysis, double more_macs, const Layout& layout) {
  return smallest_in_strips(spec, analysis, more_macs, layout, {});
}

MemoryPlan plan_strips(const Spec& spec, const Analysis& analysis, const Int16Nodes& wide) {
  return smallest_in_strips(spec, analysis, kMoreMacs, {}, {.wide = wide});
}

MemoryPlan plan_memory(const Spec& spec, const Analysis& analysis, const Int16Nodes& wide, const Layout& layout,
                       const Strips& strips) {
  return *plan_below(kNoLimit, spec, analysis, layout, strips, {.wide = wide});
}

MemoryPlan plan_memory(const Spec& spec, const Analysis& analysis, const Layout& layout, const Strips& strips) {
  return *plan_below(kNoLimit, spec, analysis, layout, strips);
}

namespace {

MemoryPlan smallest_in_strips(const Spec& spec, const Analysis& analysis, double more_macs, const Layout& layout,
                              const Asks& asks) {
  MemoryPlan best = *plan_below(kNoLimit, spec, analysis, layout, {}, asks);
  const auto most = static_cast<int64_t>((1 + more_macs) * static_cast<double>(analysis.macs));
  for (int cut = 1; cut + 1 < static_cast<int>(spec.nodes.size()); ++cut) {
    for (const int count : kCounts) {
      const auto strips = strips_of(spec, analysis, cut, count);
      if (!strips || macs_of(analysis, *strips) > most) continue;
      if (auto plan = plan_below(best.peak_bytes, spec, analysis, layout, *strips, asks)) best = std::move(*plan);
    }
  }
  return best;
}

// Nothing where the arena would have `limit` bytes or more.
std::optional<MemoryPlan> plan_below(int64_t limit, const Spec& spec, const Analysis& analysis, const Layout& layout,
                                     const Strips& strips, const Asks& asks) {
  if (analysis.nodes.size() != spec.nodes.size())
    throw SpecError("", "memory plan of '" + spec.name + "': the analysis has " +
                            std::to_string(analysis.nodes.size()) + " nodes, the network " +
                            std::to_string(spec.nodes.size()) + "; analyze the same network");
  if (layout.element_bytes < 1 || layout.alignment < 1 || layout.fast_bytes < 0)
    throw SpecError("", "memory layout: element_bytes and alignment must be at least 1, fast_bytes at least 0");
  const size_t count = spec.nodes.size();
  const Liveness live = live_nodes(spec);
  std::vector<int> last = last_uses(spec, live);
  last[0] = std::max(last[0], strips.cut);  // the next strip begins there again

  MemoryPlan plan;
  plan.strips = strips;
  plan.offset.assign(count, -1);
  plan.bytes.assign(count, 0);
  plan.scratch.assign(count, -1);
  plan.alias_of.assign(count, -1);
  std::vector<Buffer> buffers;
  buffers.reserve(2 * count);
  std::vector<Pair> pairs;
  constexpr size_t kNone = std::numeric_limits<size_t>::max();
  std::vector<size_t> buffer_of(count, 0), scratch_of(count, kNone);
  const auto new_buffer = [&](int first, int until, int64_t size) {
    buffers.push_back({.first = first, .last = until, .bytes = size, .room = round_up(size, layout.alignment)});
    return buffers.size() - 1;
  };
  for (size_t i = 0; i < count; ++i) {
    if (!live[i]) continue;
    const int step = static_cast<int>(i);
    const bool in_strips = strips.has(step) && step > 0;
    Need need = in_strips ? need_of(spec, analysis, asks.wide, strips, step) : need_of(spec, analysis, asks.wide, step);
    if (!asks.apart.empty() && asks.apart[i]) need = {};
    Shape shape = analysis.nodes[i].shape;
    if (strips.inner(step)) shape.h = strips.most_rows(step);
    plan.bytes[i] = shape.elements() * value_bytes(asks.wide, step, layout);
    plan.alias_of[i] = in_place_of(need, step, last, plan.bytes);
    if (plan.alias_of[i] >= 0) {
      buffer_of[i] = buffer_of[static_cast<size_t>(plan.alias_of[i])];
      buffers[buffer_of[i]].last = last[i];
    } else {
      buffer_of[i] = new_buffer(step > 0 && step == strips.cut ? 1 : step, last[i], plan.bytes[i]);
      for (const int input : need.over) {
        const auto k = static_cast<size_t>(input);
        if (layout.nesting && last[k] == step && plan.bytes[k] > plan.bytes[i])
          pairs.push_back({step, step, input, buffer_of[k], buffer_of[i], 0, plan.bytes[i]});
      }
    }
    if (need.scratch > 0) scratch_of[i] = new_buffer(step, step, need.scratch);
  }

  if (!strips.empty() && layout.nesting) {
    const auto cut = static_cast<size_t>(strips.cut);
    const int64_t shift = cut_before_input(spec, analysis, asks.wide, strips, layout);
    const int64_t shared = std::min(plan.bytes[cut], shift + plan.bytes[0]) - shift;
    if (shared > 0) pairs.push_back({1, strips.cut, 0, buffer_of[0], buffer_of[cut], shift, shared});
  }

  const int steps = static_cast<int>(count);
  Peak peak = largest_live(buffers, steps);
  const bool limited = limit < kNoLimit;
  if (limited && largest_live(buffers, pairs, steps, [](const Pair&) { return true; }).bytes >= limit)
    return std::nullopt;
  const int64_t bytes = place_best(buffers, peak, {});
  if (!pairs.empty()) try_pairs(buffers, peak, bytes, pairs, steps);
  if (layout.fast_bytes > 0 && end_of(buffers) > layout.fast_bytes) {
    for (size_t i = 0; i < count; ++i) {
      if (!live[i]) continue;
      const Traffic traffic = traffic_of(spec, analysis, static_cast<int>(i));
      const auto bytes = [&](int node) { return static_cast<double>(value_bytes(asks.wide, node, {})); };
      buffers[buffer_of[i]].uses += traffic.written * bytes(static_cast<int>(i));
      if (scratch_of[i] != kNone) buffers[scratch_of[i]].uses += traffic.scratch;
      for (size_t k = 0; k < traffic.read.size(); ++k)
        buffers[buffer_of[static_cast<size_t>(spec.nodes[i].inputs[k])]].uses +=
            traffic.read[k] * bytes(spec.nodes[i].inputs[k]);
    }
    plan.fast_bytes = place_in_two(buffers, layout.fast_bytes, pairs, steps);
    plan.fast_share = share_before(buffers, plan.fast_bytes);
    peak = largest_live(buffers, pairs, steps, [&](const Pair& p) { return share(buffers, p); });
  }
  plan.peak_node = peak.step;
  plan.peak_live_bytes = peak.bytes;
  for (size_t i = 0; i < count; ++i) {
    if (!live[i]) continue;
    plan.offset[i] = buffers[buffer_of[i]].offset;
    if (scratch_of[i] != kNone) plan.scratch[i] = buffers[scratch_of[i]].offset;
  }
  plan.peak_bytes = end_of(buffers);
  for (const Pair& p : pairs) {
    if (p.nested() && share(buffers, p)) plan.alias_of[static_cast<size_t>(p.first)] = p.node;
  }
  return plan.peak_bytes < limit ? std::optional(std::move(plan)) : std::nullopt;
}

}  // namespace

MemoryPlan plan_memory_apart(const Spec& spec, const Analysis& analysis, const std::vector<bool>& apart,
                             const Layout& layout) {
  if (apart.size() != spec.nodes.size())
    throw SpecError("", "memory plan of '" + spec.name + "': " + std::to_string(apart.size()) +
                            " marks of nodes that lie apart; expected one for each of " +
                            std::to_string(spec.nodes.size()));
  return *plan_below(kNoLimit, spec, analysis, layout, {}, {.apart = apart});
}

}  // namespace condenser::arch
