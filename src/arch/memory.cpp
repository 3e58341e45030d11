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
  int64_t room = 0;  // bytes, rounded up to the alignment: what follows may begin there
  int64_t offset = 0;
};

bool overlap_in_time(const Buffer& a, const Buffer& b) { return a.first <= b.last && b.first <= a.last; }

int64_t round_up(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// Whether the integer kernel may write over its inputs: it reads each value (or pixel) before it writes there.
bool works_in_place(const Op& op) {
  return arch::visit(op, Overloaded{
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
                         });
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

// The input whose buffer node i may take over, or -1.
int in_place_of(const Spec& spec, int i, const std::vector<int>& last, const std::vector<int64_t>& bytes) {
  const Node& node = spec.node(i);
  if (!works_in_place(node.op)) return -1;
  for (int input : node.inputs) {
    const size_t k = static_cast<size_t>(input);
    if (last[k] == i && bytes[k] == bytes[static_cast<size_t>(i)]) return input;
  }
  return -1;
}

// A depthwise step whose output may overlap its dying input, from `distance` bytes below it downwards.
struct Pair {
  int step = 0;
  size_t input = 0, output = 0;  // buffers
  int64_t distance = 0;
};

// All nodes whose output may overlap their input.
std::vector<Pair> find_pairs(const Spec& spec, const Analysis& analysis, const std::vector<int>& last,
                             const std::vector<size_t>& buffer_of, const MemoryPlan& plan, const Layout& layout) {
  std::vector<Pair> pairs;
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    const auto* conv = std::get_if<Conv2d>(&spec.nodes[i].op);
    if (conv == nullptr || plan.bytes[i] == 0) continue;  // no bytes: dead
    const size_t input = static_cast<size_t>(spec.nodes[i].inputs[0]);
    if (last[input] != static_cast<int>(i)) continue;
    const Shape& in = analysis.nodes[input].shape;
    const std::optional<int64_t> pixels = trail_pixels(*conv, in, analysis.nodes[i].shape);
    if (!pixels) continue;
    const int64_t distance = round_up(*pixels * in.c * layout.element_bytes, layout.alignment);
    pairs.push_back({static_cast<int>(i), buffer_of[input], buffer_of[i], distance});
  }
  return pairs;
}

// Lowest free offset (first fit), or the smallest gap that holds it (best fit), among buffers that live meanwhile.
// `placed` is sorted by offset.
struct Placer {
  void start() const {}
  int64_t low() const { return 0; }  // where the arena begins

  int64_t operator()(const Buffer& buffer, const std::vector<Buffer*>& placed, int64_t, bool best_fit,
                     bool& used_gap) const {
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
};

// The same where some pairs may overlap. What another buffer forbids is then not its extent for all alike, so that the
// search goes over intervals of forbidden offsets. An output whose input lies lowest may go below it: the arena then
// begins below 0 until all are placed.
class TrailingPlacer {
 public:
  TrailingPlacer(const std::vector<Buffer>& buffers, const std::vector<Pair>& pairs)
      : buffers_(buffers), behind_(buffers.size(), nullptr), ahead_(buffers.size(), nullptr) {
    for (const Pair& p : pairs) behind_[p.output] = ahead_[p.input] = &p;
  }

  void start() { low_ = high_ = 0; }
  int64_t low() const { return low_; }

  int64_t operator()(const Buffer& buffer, const std::vector<Buffer*>& placed, int64_t alignment, bool best_fit,
                     bool& used_gap) {
    forbid(buffer, placed);
    int64_t place = first_or_best(alignment, best_fit, used_gap);
    const int64_t growth = std::max<int64_t>(place + buffer.bytes - high_, 0);
    if (below_ < low_ && low_ - below_ < growth) place = below_;
    low_ = std::min(low_, place);
    high_ = std::max(high_, place + buffer.bytes);
    return place;
  }

 private:
  struct Forbidden {
    int64_t low = 0, high = 0;  // offsets in between, both excluded
  };

  int64_t first_or_best(int64_t alignment, bool best_fit, bool& used_gap) const {
    int64_t free = low_;  // lowest offset that nothing before forbids
    int64_t best = 0;
    int64_t best_gap = -1;
    for (const Forbidden& f : forbidden_) {
      const int64_t gap = f.low - free;
      if (gap >= 0 && (best_gap < 0 || gap < best_gap)) {
        best = free;
        best_gap = gap;
        used_gap = true;
        if (!best_fit) return best;
      }
      if (f.high > free) free = low_ + round_up(f.high - low_, alignment);
    }
    return best_gap >= 0 ? best : free;
  }

  void forbid(const Buffer& buffer, const std::vector<Buffer*>& placed) {
    const size_t self = index(buffer);
    forbidden_.clear();
    below_ = low_;
    for (const Buffer* other : placed) {
      if (!overlap_in_time(buffer, *other)) continue;
      const Pair *to_input = behind_[self], *to_output = ahead_[self];
      const bool trails = to_input != nullptr && to_input->input == index(*other);
      const bool trailed = to_output != nullptr && to_output->output == index(*other);
      if (trails) below_ = other->offset - to_input->distance;
      forbidden_.push_back({other->offset - (trails ? to_input->distance : buffer.bytes),
                            other->offset + (trailed ? to_output->distance : other->bytes)});
    }
    std::sort(forbidden_.begin(), forbidden_.end(),
              [](const Forbidden& a, const Forbidden& b) { return a.low != b.low ? a.low < b.low : a.high < b.high; });
    const auto forbids = [&](const Forbidden& f) { return f.low < below_ && below_ < f.high; };
    if (std::any_of(forbidden_.begin(), forbidden_.end(), forbids)) below_ = low_;
  }

  size_t index(const Buffer& buffer) const { return static_cast<size_t>(&buffer - buffers_.data()); }

  const std::vector<Buffer>& buffers_;
  std::vector<const Pair*> behind_, ahead_;  // per buffer: as output, as input
  std::vector<Forbidden> forbidden_;
  int64_t below_ = 0;  // where it would trail its input, if that is free and below low_
  int64_t low_ = 0, high_ = 0;
};

using Key = std::pair<int64_t, int64_t>;
struct Ranked {
  Key key;  // descending
  size_t index = 0;
};
using Order = std::vector<Ranked>;

// Peak of this order, or at least `stop_at` as soon as it is known to reach that.
template <class Find>
int64_t place_all(std::vector<Buffer>& buffers, const Order& order, int64_t alignment, bool best_fit, int64_t stop_at,
                  Find& find, std::vector<Buffer*>& placed, bool& used_gap) {
  placed.clear();
  find.start();
  int64_t peak = 0;
  for (const Ranked& next : order) {
    Buffer& buffer = buffers[next.index];
    buffer.offset = find(buffer, placed, alignment, best_fit, used_gap);
    peak = std::max(peak, buffer.offset + buffer.bytes);
    if (peak - find.low() >= stop_at) return stop_at;
    const auto above = [&](const Buffer* other) { return other->offset > buffer.offset; };
    placed.insert(std::find_if(placed.begin(), placed.end(), above), &buffer);
  }
  if (find.low() == 0) return peak;
  for (Buffer& buffer : buffers) buffer.offset -= find.low();
  return peak - find.low();
}

// Orders worth trying, one after the other, since the first often reaches the lower bound. Ties are broken by index, so
// that plans are the same everywhere. From kOrders on they are repeated with the later of two equals first: outputs
// then come before the inputs that they trail.
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

template <class Find>
int64_t place_best(std::vector<Buffer>& buffers, const Peak& peak, int64_t alignment, Find&& find) {
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
      const int64_t bytes = place_all(buffers, order, alignment, best_fit, best_bytes, find, placed, used_gap);
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

int64_t shared_bytes(const Buffer& a, const Buffer& b) {
  return std::max<int64_t>(std::min(a.offset + a.bytes, b.offset + b.bytes) - std::max(a.offset, b.offset), 0);
}

// Orders break ties by the index of buffers, and outputs follow their inputs. Turned around, they come first, so that
// inputs are placed above the outputs that trail them.
void turn_around(std::vector<Buffer>& buffers, std::vector<Pair>& pairs) {
  std::reverse(buffers.begin(), buffers.end());
  for (Pair& p : pairs) {
    p.input = buffers.size() - 1 - p.input;
    p.output = buffers.size() - 1 - p.output;
  }
}

// Of buffers of which each pair shares some bytes.
template <class Shared>
Peak largest_live(std::vector<Buffer> buffers, const std::vector<Pair>& pairs, int steps, const Shared& shared) {
  for (const Pair& p : pairs) buffers.push_back({.first = p.step, .last = p.step, .bytes = -shared(p)});
  return largest_live(buffers, steps);
}

bool is_depthwise(const Spec& spec, const Analysis& analysis, int node) {
  const auto* conv = std::get_if<Conv2d>(&spec.node(node).op);
  if (conv == nullptr) return false;
  return depthwise(*conv, analysis.node(spec.node(node).inputs[0]).shape);
}

// A second plan in which every pair may overlap, kept if it takes fewer than `bytes`. Only where a depthwise step is
// the peak can it be: a trail saves bytes of its own step alone.
void try_trails(std::vector<Buffer>& buffers, Peak& peak, int64_t bytes, std::vector<Pair>& pairs, int steps,
                int64_t alignment) {
  const Peak least = largest_live(
      buffers, pairs, steps, [&](const Pair& p) { return std::max<int64_t>(buffers[p.output].bytes - p.distance, 0); });
  if (least.bytes >= peak.bytes) return;
  std::vector<Buffer> trial = buffers;
  for (const bool around : {true, false}) {
    if (around) turn_around(trial, pairs);
    const int64_t trial_bytes = place_best(trial, least, alignment, TrailingPlacer(trial, pairs));
    if (around) turn_around(trial, pairs);
    if (trial_bytes < bytes) {
      buffers = trial;
      bytes = trial_bytes;
    }
    if (bytes <= least.bytes) break;
  }
  peak = largest_live(buffers, pairs, steps,
                      [&](const Pair& p) { return shared_bytes(buffers[p.input], buffers[p.output]); });
}

}  // namespace

// Pixel (y, x) of the output reads no row above y * stride - pad and no column left of x * stride - pad. Written as the
// n-th pixel, n = y * width + x, it may overwrite what lies below the first pixel that it or a later one reads. Inside
// the padding that first pixel stays at the border while n goes on, so that n leads most where the padding ends; beyond
// it, each output pixel is at least one input pixel further, and each row one row, which is not shorter.
// The channels of one pixel are independent: their own values may be overwritten as soon as they were read.
std::optional<int64_t> trail_pixels(const Conv2d& conv, const Shape& in, const Shape& out) {
  const bool pointwise = conv.groups == 1 && conv.kernel == square(1);  // runs in another kernel
  if (!depthwise(conv, in) || pointwise || out.c != in.c || out.h > in.h || out.w > in.w) return std::nullopt;
  const int64_t rows = std::min<int64_t>(conv.pad.top / conv.stride.h, out.h - 1);
  const int64_t columns = std::min<int64_t>(conv.pad.left / conv.stride.w, out.w - 1);
  return rows * out.w + columns;
}

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
  buffers.reserve(count);
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
      buffers.push_back({.first = static_cast<int>(i),
                         .last = last[i],
                         .bytes = plan.bytes[i],
                         .room = round_up(plan.bytes[i], layout.alignment)});
    }
  }

  const int steps = static_cast<int>(count);
  Peak peak = largest_live(buffers, steps);
  const int64_t bytes = place_best(buffers, peak, layout.alignment, Placer());
  std::vector<Pair> pairs;
  if (layout.trailing && is_depthwise(spec, analysis, peak.step)) {
    pairs = find_pairs(spec, analysis, last, buffer_of, plan, layout);
    try_trails(buffers, peak, bytes, pairs, steps, layout.alignment);
  }
  plan.peak_node = peak.step;
  plan.peak_live_bytes = peak.bytes;
  for (size_t i = 0; i < count; ++i) {
    if (!live[i]) continue;
    plan.offset[i] = buffers[buffer_of[i]].offset;
    plan.peak_bytes = std::max(plan.peak_bytes, plan.offset[i] + plan.bytes[i]);
  }
  for (const Pair& p : pairs) {
    if (shared_bytes(buffers[p.input], buffers[p.output]) > 0)
      plan.trails.push_back({p.step, spec.node(p.step).inputs[0]});
  }
  return plan;
}

}  // namespace condenser::arch
