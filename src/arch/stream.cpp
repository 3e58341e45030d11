#include "condenser/arch/stream.hpp"

#include <algorithm>
#include <numeric>
#include <string>
#include <variant>

#include "arch/round_up.hpp"
#include "condenser/arch/kernels.hpp"

namespace condenser::arch {
namespace {

// Rows of an input that row n of the output is made of: those from n * stride - pad on.
struct Window {
  int64_t rows = 1, stride = 1, pad = 0;
};
using Reason = std::string;
using Reach = std::variant<Window, Reason>;

template <class Op>
Reach window_of(const Op& op) {
  if (op.pad.top >= op.kernel.h) return Reason("its padding reaches the size of its window");
  return Window{op.kernel.h, op.stride.h, op.pad.top};
}

Reach reach_of(const Op& op, const Shape& in, const Shape& out) {
  const Reach row = Window{};
  return arch::visit(
      op, Overloaded{[&](const Input&) { return row; }, [](const Conv2d& o) { return window_of(o); },
                     [](const BatchNorm&) -> Reach { return Reason("a batch norm is folded by lower()"); },
                     [&](const Activation&) { return row; },
                     [](const Softmax&) -> Reach { return Reason("a softmax has no int8 form"); },
                     [&](const SoftmaxMul& o) {
                       return o.axis == SoftmaxAxis::Channels ? row : Reason("a softmax over all moments of a clip");
                     },
                     [](const AvgPool& o) { return window_of(o); }, [](const MaxPool& o) { return window_of(o); },
                     [&](const GlobalAvgPool&) -> Reach { return Window{.rows = in.h}; },
                     [&](const Linear&) { return row; }, [&](const Add&) { return row; },
                     [&](const Mul&) {
                       return in == out ? row : Reason("every moment is multiplied by what all of them give");
                     },
                     [&](const PRelu&) { return row; }, [&](const Scale&) { return row; },
                     [](const BlurPool&) -> Reach { return Reason("a blur mirrors the ends of a clip"); },
                     [](const Upsample&) -> Reach { return Reason("it makes several rows of one"); },
                     [&](const Concat&) { return row; }, [&](const Slice&) { return row; },
                     [&](const ChannelShuffle&) { return row; }});
}

// Rows are bytes in a sequence, so that a window over all of them is a run of bytes.
bool takes_all(const Conv2d& conv, const Shape& in, const Shape& out) {
  return conv.groups == 1 && conv.kernel.h == in.h && conv.kernel.w == in.w && conv.pad.left == 0 &&
         conv.pad.right == 0 && out.w == 1;
}

class StreamBuilder {
 public:
  StreamBuilder(const Spec& spec, const Analysis& analysis) : spec_(spec), analysis_(analysis) {}

  Stream build() {
    (void)sole_output(spec_, "a stream");
    for (int i = 0; i < static_cast<int>(spec_.nodes.size()); ++i) add(i);
    for (int i = 0; i < static_cast<int>(spec_.nodes.size()); ++i) keep(i);
    at(spec_.output()).lasting = true;  // read until the next answer
    return std::move(stream_);
  }

 private:
  StreamNode& at(int node) { return stream_.nodes[static_cast<size_t>(node)]; }

  void add(int i) {
    const Node& node = spec_.node(i);
    StreamNode mine;
    std::vector<Window> windows;
    for (const int input : node.inputs) {
      const Reach reach = reach_of(node.op, analysis_.node(input).shape, analysis_.node(i).shape);
      if (const auto* why = std::get_if<Reason>(&reach)) throw SpecError(node.name, "cannot go row by row: " + *why);
      windows.push_back(std::get<Window>(reach));
      const StreamNode& from = at(input);
      const Window& w = windows.back();
      if (input != node.inputs[0] && from.period * w.stride != mine.period)
        throw SpecError(node.name, "cannot go row by row: its inputs come at different rates");
      mine.period = from.period * w.stride;
      mine.delay = std::max(mine.delay, from.delay + from.period * (w.rows - 1 - w.pad));
    }
    int64_t row = 0;  // the first one
    for (size_t k = 0; k < windows.size(); ++k) {
      const StreamNode& from = at(node.inputs[k]);
      const Window& w = windows[k];
      const int64_t first_row = (from.first - from.delay) / from.period;
      row = std::max(row, (first_row + w.pad + w.stride - 1) / w.stride);
      const int64_t newest = (mine.delay - from.delay) / from.period;  // of the input in frame `delay`
      mine.reaches.push_back({w.rows, newest - (w.rows - 1 - w.pad)});
    }
    mine.first = mine.period * row + mine.delay;
    stream_.nodes.push_back(std::move(mine));
  }

  // What the readers of its inputs ask of those.
  void keep(int i) {
    const Node& node = spec_.node(i);
    for (size_t k = 0; k < node.inputs.size(); ++k) {
      const StreamNode& mine = at(i);
      const StreamReach& reach = mine.reaches[k];
      StreamNode& from = at(node.inputs[k]);
      from.kept = std::max(from.kept, reach.late + reach.rows);
      // A reader of each new row in the frame that brings it leaves nothing for later.
      const bool at_once = reach == StreamReach{} && (mine.first - from.first) % from.period == 0;
      if (!at_once) from.lasting = true;
    }
  }

  const Spec& spec_;
  const Analysis& analysis_;
  Stream stream_;
};

int64_t row_bytes(const Shape& shape) { return shape.w * shape.c; }

Shape with_rows(Shape shape, int64_t rows) {
  shape.h = rows;
  return shape;
}

// Memory that is used from one step of a frame to another.
struct Span {
  size_t first = 0, last = 0;
  int64_t bytes = 0, offset = 0;
};

// Largest first, each as low as those that live meanwhile allow; returns the end of the highest.
int64_t place(std::vector<Span>& spans, int64_t begin) {
  std::vector<size_t> order(spans.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return spans[a].bytes > spans[b].bytes; });
  std::vector<const Span*> placed;  // by offset
  int64_t end = begin;
  for (const size_t i : order) {
    Span& mine = spans[i];
    mine.offset = begin;
    for (const Span* other : placed) {
      const bool meanwhile = mine.first <= other->last && other->first <= mine.last;
      if (meanwhile && mine.offset < other->offset + other->bytes && other->offset < mine.offset + mine.bytes)
        mine.offset = other->offset + other->bytes;
    }
    placed.insert(std::ranges::upper_bound(placed, mine.offset, {}, [](const Span* s) { return s->offset; }), &mine);
    end = std::max(end, mine.offset + mine.bytes);
  }
  return end;
}

}  // namespace

int64_t Stream::steady() const {
  int64_t latest = 0;
  for (const StreamNode& node : nodes) latest = std::max(latest, node.first);
  return latest;
}

int64_t Stream::cycle() const {
  int64_t frames = 1;
  for (const StreamNode& node : nodes) frames = std::lcm(frames, node.period);
  return frames;
}

Stream stream_of(const Spec& lowered, const Analysis& analysis) { return StreamBuilder(lowered, analysis).build(); }

Piece piece_of(const Spec& spec, const Analysis& analysis, const Stream& stream, int node) {
  const Node& n = spec.node(node);
  const StreamNode& mine = stream.nodes[static_cast<size_t>(node)];
  Piece piece{
      .op = n.op, .in = {}, .in_skip = {}, .out = with_rows(analysis.node(node).shape, 1), .out_skip = mine.kept - 1};
  for (size_t k = 0; k < n.inputs.size(); ++k) {
    const int input = n.inputs[k];
    piece.in.push_back(with_rows(analysis.node(input).shape, mine.reaches[k].rows));
    piece.in_skip.push_back(stream.nodes[static_cast<size_t>(input)].kept - mine.reaches[k].late -
                            mine.reaches[k].rows);
  }
  const auto all_real = [](auto& window) { window.pad.top = window.pad.bottom = 0; };
  if (auto* pool = std::get_if<AvgPool>(&piece.op)) all_real(*pool);
  if (auto* pool = std::get_if<MaxPool>(&piece.op)) all_real(*pool);
  if (auto* conv = std::get_if<Conv2d>(&piece.op)) {
    all_real(*conv);
    Shape& in = piece.in.front();
    if (takes_all(*conv, in, piece.out)) {
      in = {.c = in.elements(), .h = 1, .w = 1};
      conv->kernel = conv->stride = {};
    }
  }
  return piece;
}

MemoryPlan plan_stream(const Spec& spec, const Analysis& analysis, const Stream& stream) {
  constexpr int64_t kAlignment = 4;
  MemoryPlan plan;
  const size_t count = spec.nodes.size();
  plan.offset.assign(count, 0);
  plan.bytes.assign(count, 0);
  plan.scratch.assign(count, -1);
  plan.alias_of.assign(count, -1);
  std::vector<Span> spans(2 * count);  // buffers, then scratch
  int64_t lasting = 0;
  for (size_t i = 0; i < count; ++i) {
    const auto id = static_cast<int>(i);
    const StreamNode& node = stream.nodes[i];
    plan.bytes[i] = node.kept * row_bytes(analysis.nodes[i].shape);
    if (node.lasting) {
      plan.offset[i] = lasting;
      lasting += round_up(plan.bytes[i], kAlignment);
    } else {
      spans[i] = {i, i, round_up(plan.bytes[i], kAlignment)};
    }
    for (const int input : spec.node(id).inputs) spans[static_cast<size_t>(input)].last = i;
    const Piece piece = piece_of(spec, analysis, stream, id);
    const Kernel* kernel = choose_kernel(piece.op, piece.in);
    if (kernel != nullptr && kernel->scratch != nullptr)
      spans[count + i] = {i, i, round_up(kernel->scratch(piece.op, piece.in[0], piece.out), kAlignment)};
  }
  plan.peak_bytes = place(spans, lasting);
  for (size_t i = 0; i < count; ++i) {
    if (!stream.nodes[i].lasting) plan.offset[i] = spans[i].offset;
    if (spans[count + i].bytes > 0) plan.scratch[i] = spans[count + i].offset;
  }
  return plan;
}

double macs_of(const Analysis& analysis, const Stream& stream) {
  double macs = 0;
  for (size_t i = 0; i < stream.nodes.size(); ++i) {
    const NodeCost& cost = analysis.nodes[i];
    macs += static_cast<double>(cost.macs / cost.shape.h) / static_cast<double>(stream.nodes[i].period);
  }
  return macs;
}

Spec over_rows(const Spec& lowered, const Analysis& analysis, int64_t rows, Weights* weights) {
  Spec spec = lowered;
  spec.input.h = rows;
  for (Node& node : spec.nodes) {
    if (std::holds_alternative<GlobalAvgPool>(node.op)) {
      const Shape& in = analysis.node(node.inputs[0]).shape;
      node.op = AvgPool{.kernel = {static_cast<int>(in.h), static_cast<int>(in.w)}};
    } else if (const auto* linear = std::get_if<Linear>(&node.op)) {
      const Linear o = *linear;
      node.op = Conv2d{.out = o.out, .bias = o.bias, .clamp = o.clamp, .weight_bits = o.weight_bits};
      if (weights == nullptr) continue;
      Tensor& tensor = weights->tensors.at(node.name + ".weight");
      tensor.shape.resize(4, 1);
    }
  }
  return spec;
}

}  // namespace condenser::arch
