// Static memory plan: which buffers live when, which are shared in place, where each lies in one arena. Finding the
// smallest arena is NP-hard (dynamic storage allocation); a few greedy orders come within a few percent of the lower
// bound on real networks, and the best of them is kept. The order of nodes is the Spec's; reordering is left to others.

#include "condenser/arch/memory.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace condenser::arch {
namespace {

// One buffer: a node and those that overwrite it in place. Live from step `first` to step `last`, both included.
struct Buffer {
  int first = 0;
  int last = 0;
  int64_t bytes = 0;
  int64_t offset = 0;
};

bool overlap_in_time(const Buffer& a, const Buffer& b) { return a.first <= b.last && b.first <= a.last; }

int64_t round_up(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// Whether the integer kernel may write over its inputs: it reads each value (or pixel) before it writes there.
bool works_in_place(const Op& op) {
  return std::visit(Overloaded{
                        [](const Input&) { return false; },
                        [](const Conv2d&) { return false; },
                        [](const BatchNorm&) { return false; },
                        [](const Activation&) { return true; },
                        [](const Softmax&) { return false; },
                        [](const SoftmaxMul&) { return true; },
                        [](const AvgPool&) { return false; },
                        [](const MaxPool&) { return false; },
                        [](const GlobalAvgPool&) { return false; },
                        [](const Linear&) { return false; },
                        [](const Add&) { return true; },
                        [](const Mul&) { return true; },
                        [](const PRelu&) { return true; },
                        [](const Scale&) { return true; },
                        [](const BlurPool&) { return false; },
                        [](const Upsample&) { return false; },
                        [](const Concat&) { return false; },
                        [](const Slice&) { return false; },
                        [](const ChannelShuffle&) { return false; },
                    },
                    op);
}

// Last step that needs the value of each node. The output is the last step itself, so nothing can follow it.
std::vector<int> last_uses(const Spec& spec, const Liveness& live) {
  const int count = static_cast<int>(spec.nodes.size());
  std::vector<int> last(spec.nodes.size());
  std::iota(last.begin(), last.end(), 0);
  for (int i = 0; i < count; ++i) {
    if (!live[static_cast<size_t>(i)]) continue;
    for (int input : spec.nodes[static_cast<size_t>(i)].inputs) last[static_cast<size_t>(input)] = i;
  }
  return last;
}

// The input whose buffer node i may take over, or -1.
int in_place_of(const Spec& spec, int i, const std::vector<int>& last, const std::vector<int64_t>& bytes) {
  const Node& node = spec.nodes[static_cast<size_t>(i)];
  if (!works_in_place(node.op)) return -1;
  for (int input : node.inputs) {
    const size_t k = static_cast<size_t>(input);
    if (last[k] == i && bytes[k] == bytes[static_cast<size_t>(i)]) return input;
  }
  return -1;
}

// Lowest free offset (first fit), or the smallest gap that holds it (best fit), among buffers that live meanwhile.
// `placed` is sorted by offset.
int64_t find_place(const Buffer& buffer, const std::vector<Buffer*>& placed, int64_t alignment, bool best_fit,
                   bool& used_gap) {
  int64_t end = 0;  // of the occupied range so far
  int64_t best = -1;
  int64_t best_gap = 0;
  for (const Buffer* other : placed) {
    if (!overlap_in_time(buffer, *other)) continue;
    const int64_t start = round_up(end, alignment);
    const int64_t gap = other->offset - start;
    if (gap >= buffer.bytes && (best < 0 || gap < best_gap)) {
      best = start;
      best_gap = gap;
      used_gap = true;
      if (!best_fit) return best;
    }
    end = std::max(end, other->offset + other->bytes);
  }
  return best >= 0 ? best : round_up(end, alignment);
}

using Order = std::vector<size_t>;

// Peak of this order, or at least `stop_at` as soon as it is known to reach that.
int64_t place_all(std::vector<Buffer>& buffers, const Order& order, int64_t alignment, bool best_fit, int64_t stop_at,
                  std::vector<Buffer*>& placed, bool& used_gap) {
  placed.clear();
  int64_t peak = 0;
  for (size_t i : order) {
    Buffer& buffer = buffers[i];
    buffer.offset = find_place(buffer, placed, alignment, best_fit, used_gap);
    peak = std::max(peak, buffer.offset + buffer.bytes);
    if (peak >= stop_at) return peak;
    const auto above = [&](const Buffer* other) { return other->offset > buffer.offset; };
    placed.insert(std::find_if(placed.begin(), placed.end(), above), &buffer);
  }
  return peak;
}

// Orders worth trying, one after the other, since the first often reaches the lower bound. Ties are broken by index, so
// that plans are the same everywhere.
constexpr int kOrders = 7;
void make_order(int kind, const std::vector<Buffer>& buffers, int peak_step, Order& order) {
  using Key = std::pair<int64_t, int64_t>;
  const auto length = [](const Buffer& b) { return int64_t{b.last} - b.first + 1; };
  const auto at_peak = [&](const Buffer& b) { return int64_t{b.first <= peak_step && peak_step <= b.last}; };
  const auto key = [&](const Buffer& b) -> Key {  // descending
    switch (kind) {
      case 1: return {b.bytes, length(b)};
      case 2: return {length(b), b.bytes};
      case 3: return {at_peak(b), b.bytes};
      case 4: return {at_peak(b), length(b)};
      case 5: return {-std::max(b.first - peak_step, peak_step - b.last), b.bytes};
      default: return {b.last, b.bytes};
    }
  };
  order.resize(buffers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  if (kind == 0) return;  // buffers come in the order of their starts
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const Key ka = key(buffers[a]), kb = key(buffers[b]);
    return ka != kb ? ka > kb : a < b;
  });
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

void place_best(std::vector<Buffer>& buffers, const Peak& peak, int64_t alignment) {
  std::vector<Buffer> best;
  std::vector<Buffer*> placed;
  Order order;
  int64_t best_bytes = std::numeric_limits<int64_t>::max();
  for (int kind = 0; kind < kOrders && best_bytes > peak.bytes; ++kind) {
    make_order(kind, buffers, peak.step, order);
    for (const bool best_fit : {false, true}) {
      bool used_gap = false;
      const int64_t bytes = place_all(buffers, order, alignment, best_fit, best_bytes, placed, used_gap);
      if (bytes < best_bytes) {
        best = buffers;
        best_bytes = bytes;
      }
      // The lower bound: nothing can be better. No gap: the fits do not differ.
      if (best_bytes <= peak.bytes || !used_gap) break;
    }
  }
  buffers = std::move(best);
}

}  // namespace

MemoryPlan plan_memory(const Spec& spec, const Analysis& analysis, const Layout& layout) {
  if (analysis.nodes.size() != spec.nodes.size())
    throw SpecError("", "memory plan of '" + spec.name + "': the analysis has " +
                            std::to_string(analysis.nodes.size()) + " nodes, the network " +
                            std::to_string(spec.nodes.size()) + "; analyze the same network");
  if (layout.element_bytes < 1 || layout.alignment < 1)
    throw SpecError("", "memory layout: element_bytes and alignment must be at least 1");
  const size_t count = spec.nodes.size();
  const Liveness live = live_nodes(spec);
  const std::vector<int> last = last_uses(spec, live);

  MemoryPlan plan;
  plan.offset.assign(count, -1);
  plan.bytes.assign(count, 0);
  plan.alias_of.assign(count, -1);
  std::vector<Buffer> buffers;
  std::vector<size_t> buffer_of(count, 0);
  for (size_t i = 0; i < count; ++i) {
    if (!live[i]) continue;
    plan.bytes[i] = analysis.nodes[i].shape.elements() * layout.element_bytes;
    plan.alias_of[i] = in_place_of(spec, static_cast<int>(i), last, plan.bytes);
    if (plan.alias_of[i] >= 0) {
      buffer_of[i] = buffer_of[static_cast<size_t>(plan.alias_of[i])];
      buffers[buffer_of[i]].last = last[i];
    } else {
      buffer_of[i] = buffers.size();
      buffers.push_back({static_cast<int>(i), last[i], plan.bytes[i], 0});
    }
  }

  const Peak peak = largest_live(buffers, static_cast<int>(count));
  place_best(buffers, peak, layout.alignment);
  plan.peak_node = peak.step;
  plan.peak_live_bytes = peak.bytes;
  for (size_t i = 0; i < count; ++i) {
    if (!live[i]) continue;
    plan.offset[i] = buffers[buffer_of[i]].offset;
    plan.peak_bytes = std::max(plan.peak_bytes, plan.offset[i] + plan.bytes[i]);
  }
  return plan;
}

}  // namespace condenser::arch
