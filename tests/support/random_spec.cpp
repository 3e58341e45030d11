// Grows a graph node by node: a random operator reading random earlier nodes.

#include "support/random_spec.hpp"

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "condenser/arch/builder.hpp"

namespace condenser::testing {
namespace {

using namespace arch;

int pick(core::Rng& rng, int n) { return static_cast<int>(rng.below(static_cast<uint64_t>(n))); }

// Recent nodes more often than old ones: long chains with some long skips.
int pick_node(core::Rng& rng, const Builder& b) {
  const int count = b.last() + 1;
  const int reach = pick(rng, 3) == 0 ? count : std::min(count, 4);
  return count - 1 - pick(rng, reach);
}

// Another node of the same shape; x itself when there is none.
int pick_partner(core::Rng& rng, const Builder& b, int x) {
  std::vector<int> same;
  for (int i = 0; i <= b.last(); ++i) {
    if (b.shape(i) == b.shape(x)) same.push_back(i);
  }
  return same[static_cast<size_t>(pick(rng, static_cast<int>(same.size())))];
}

// A node of the same height and width; perhaps x itself.
int pick_map(core::Rng& rng, const Builder& b, int x) {
  std::vector<int> same;
  for (int i = 0; i <= b.last(); ++i) {
    if (b.shape(i).h == b.shape(x).h && b.shape(i).w == b.shape(x).w && b.shape(i).c <= 12) same.push_back(i);
  }
  return same.empty() ? x : same[static_cast<size_t>(pick(rng, static_cast<int>(same.size())))];
}

// Keeps channels from growing without end through concatenation.
Op narrow_or_shuffle(core::Rng& rng, const Shape& s) {
  const int channels = static_cast<int>(s.c);
  if (channels <= 12 && pick(rng, 2) == 0) return ChannelShuffle{channels % 2 == 0 ? 2 : channels};
  const int count = 1 + pick(rng, std::min(channels, 8));
  return Slice{pick(rng, channels - count + 1), count};
}

Op resample(core::Rng& rng, const Shape& s) {
  if (s.h >= 3 && s.w >= 3 && pick(rng, 2) == 0) return BlurPool{3 + 2 * pick(rng, 2), square(1 + pick(rng, 2))};
  if (s.h > 8 || s.w > 8) return Activation{ActivationKind::Tanh};
  return Upsample{{static_cast<int>(s.h) + pick(rng, 4), static_cast<int>(s.w) + pick(rng, 4)}};
}

Op depthwise_of(core::Rng& rng, const Shape& s) {
  const int kernel = 3 + 2 * pick(rng, 2);
  const int channels = static_cast<int>(s.c);
  return Conv2d{channels, square(kernel), square(1 + pick(rng, 2)), pad_all(kernel / 2), channels};
}

void add_random(core::Rng& rng, Builder& b, const std::string& name) {
  const int x = pick_node(rng, b);
  const Shape s = b.shape(x);
  const bool shrinkable = s.h >= 4 && s.w >= 4;
  switch (pick(rng, 18)) {
    case 0:
    case 1: b.add(name, Conv2d{1 + pick(rng, 12), square(3), square(1), pad_all(1)}, {x}); return;
    case 2: b.add(name, Conv2d{static_cast<int>(s.c), square(1), square(1), Pad{}}, {x}); return;
    case 3: b.add(name, Activation{ActivationKind::Silu}, {x}); return;
    case 4:
    case 5: b.add(name, Add{}, {x, pick_partner(rng, b, x)}); return;
    case 6: b.add(name, Mul{}, {pick_partner(rng, b, x), x}); return;
    case 7: {
      const SoftmaxAxis axis = pick(rng, 2) == 0 ? SoftmaxAxis::Channels : SoftmaxAxis::Space;
      b.add(name, SoftmaxMul{axis, pick(rng, 2) == 0}, {x, pick_partner(rng, b, x)});
      return;
    }
    case 8: b.add(name, Activation{ActivationKind::Relu}, {x}); return;
    case 9: b.add(name, PRelu{}, {x}); return;
    case 10: b.add(name, Scale{}, {x}); return;
    case 11: b.add(name, Concat{}, {x, pick_map(rng, b, x)}); return;
    case 12: b.add(name, narrow_or_shuffle(rng, s), {x}); return;
    case 13: b.add(name, Mul{}, {x, b.add(name + "_mean", GlobalAvgPool{}, {x})}); return;
    case 14: b.add(name, resample(rng, s), {x}); return;
    case 15:
    case 16: b.add(name, depthwise_of(rng, s), {x}); return;
    default: break;
  }
  if (shrinkable)
    b.add(name, AvgPool{square(2), square(2), Pad{}, false}, {x});
  else
    b.add(name, MaxPool{square(3), square(1), pad_all(1)}, {x});
}

// --- every operator -----------------------------------------------------------------------------------------------

bool chance(core::Rng& rng, int one_in) { return pick(rng, one_in) == 0; }

template <class T>
T one_of(core::Rng& rng, std::initializer_list<T> all) {
  return all.begin()[pick(rng, static_cast<int>(all.size()))];
}

Clamp some_clamp(core::Rng& rng) { return chance(rng, 6) ? one_of(rng, {Clamp::Relu, Clamp::Relu6}) : Clamp::None; }

SoftmaxAxis some_axis(core::Rng& rng) { return one_of(rng, {SoftmaxAxis::Channels, SoftmaxAxis::Space}); }

Activation some_activation(core::Rng& rng) {
  using enum ActivationKind;
  return {one_of(rng, {Relu, Relu6, Silu, Sigmoid, HardSwish, HardSigmoid, Tanh})};
}

int some_divisor(core::Rng& rng, int64_t of) {
  std::vector<int> divisors;
  for (int d = 1; d <= of; ++d)
    if (of % d == 0) divisors.push_back(d);
  return divisors[static_cast<size_t>(pick(rng, static_cast<int>(divisors.size())))];
}

// One axis of a window: it fits the padded input, and its padding stays below `limit(kernel)`.
struct Extent {
  int kernel = 1, stride = 1, before = 0, after = 0;
};
Extent some_extent(core::Rng& rng, int64_t in, int (*limit)(int kernel)) {
  Extent e;
  e.kernel = 1 + pick(rng, 5);
  e.before = pick(rng, limit(e.kernel) + 1);
  e.after = pick(rng, limit(e.kernel) + 1);
  if (in + e.before + e.after < e.kernel) e = {};
  if (chance(rng, 3)) e.stride = 1 + pick(rng, 3);
  return e;
}

template <class Window>
void set_window(core::Rng& rng, const Shape& s, int (*limit)(int kernel), Window& w) {
  const Extent v = some_extent(rng, s.h, limit), h = some_extent(rng, s.w, limit);
  w.kernel = {v.kernel, h.kernel};
  w.stride = {v.stride, h.stride};
  w.pad = {v.before, v.after, h.before, h.after};
}

Conv2d some_conv(core::Rng& rng, const Shape& s) {
  Conv2d conv;
  set_window(
      rng, s, [](int kernel) { return kernel - 1; }, conv);
  conv.groups = chance(rng, 2) ? 1 : some_divisor(rng, s.c);
  conv.out = conv.groups * (1 + pick(rng, std::max(1, 12 / conv.groups)));
  conv.bias = chance(rng, 2);
  conv.clamp = some_clamp(rng);
  return conv;
}

template <class Pool>
Pool some_pool(core::Rng& rng, const Shape& s) {
  Pool pool;
  set_window(
      rng, s, [](int kernel) { return kernel / 2; }, pool);
  return pool;
}

BatchNorm some_norm(core::Rng& rng) { return {rng.uniform(1e-6, 1e-2), rng.uniform(0, 1)}; }

void add_conv(core::Rng& rng, Builder& b, const std::string& name, int x) {
  const int conv = b.add(name, some_conv(rng, b.shape(x)), {x});
  if (chance(rng, 2)) return;
  const int norm = b.add(name + "_bn", some_norm(rng), {conv});
  if (chance(rng, 2)) b.add(name + "_act", some_activation(rng), {norm});
}

// Branches that lower() makes one convolution of, unless a clamp, a window or another reader is in the way.
void add_branches(core::Rng& rng, Builder& b, const std::string& name, int x) {
  const Shape s = b.shape(x);
  Conv2d conv{static_cast<int>(s.c), square(1 + 2 * pick(rng, 3)), square(1 + pick(rng, 2)), Pad{}};
  conv.groups = some_divisor(rng, s.c);
  int sum = -1;
  const auto term = [&](int node) {
    sum = sum < 0 ? node : b.add(name + "_add" + std::to_string(node), Add{}, {sum, node});
  };
  for (int k = 0; k < 2 + pick(rng, 3); ++k) {
    const std::string branch = name + "_b" + std::to_string(k);
    if (k > 0 && chance(rng, 2)) conv.kernel = {one_of(rng, {1, conv.kernel.h}), one_of(rng, {1, conv.kernel.w})};
    conv.pad = {conv.kernel.h / 2, conv.kernel.h / 2, conv.kernel.w / 2, conv.kernel.w / 2};
    conv.bias = chance(rng, 3);
    term(b.add(branch + "_bn", some_norm(rng), {b.add(branch, conv, {x})}));
  }
  if (b.shape(sum) == s && chance(rng, 2)) term(b.add(name + "_id", some_norm(rng), {x}));
}

void add_linear(core::Rng& rng, Builder& b, const std::string& name, int x) {
  const Shape s = b.shape(x);
  if (s.h != 1 || s.w != 1) x = b.add(name + "_gap", GlobalAvgPool{}, {x});
  b.add(name, Linear{1 + pick(rng, 12), chance(rng, 2), some_clamp(rng)}, {x});
}

void add_concat(core::Rng& rng, Builder& b, const std::string& name, int x) {
  Inputs inputs{x};
  int64_t channels = b.shape(x).c;
  for (int k = 1 + pick(rng, kMaxInputs - 1); k > 0; --k) {
    const int other = pick_map(rng, b, x);
    channels += b.shape(other).c;
    if (channels > 24 && inputs.size() > 1) break;
    inputs.push_back(other);
  }
  b.add(name, Concat{}, inputs);
}

Op some_resampling(core::Rng& rng, const Shape& s) {
  const int taps = s.h >= 3 && s.w >= 3 ? 3 + 2 * pick(rng, 2) : 3;
  if (s.h >= 2 && s.w >= 2 && chance(rng, 2)) return BlurPool{taps, {1 + pick(rng, taps), 1 + pick(rng, taps)}};
  const auto larger = [&](int64_t extent) { return static_cast<int>(extent) + (extent > 10 ? 0 : pick(rng, 4)); };
  return Upsample{{larger(s.h), larger(s.w)}};
}

Op some_channels(core::Rng& rng, const Shape& s) {
  const int channels = static_cast<int>(s.c);
  if (channels <= 12 && chance(rng, 2)) return ChannelShuffle{some_divisor(rng, channels)};
  const int count = 1 + pick(rng, std::min(channels, 8));
  return Slice{pick(rng, channels - count + 1), count};
}

void add_gate(core::Rng& rng, Builder& b, const std::string& name, int x) {
  const int mean = b.add(name + "_mean", GlobalAvgPool{}, {x});
  const bool swapped = chance(rng, 2);
  b.add(name, Mul{}, swapped ? Inputs{mean, x} : Inputs{x, mean});
}

void add_attention(core::Rng& rng, Builder& b, const std::string& name, int x) {
  const int partner = pick_partner(rng, b, x);
  if (chance(rng, 2)) {
    b.add(name, SoftmaxMul{some_axis(rng), chance(rng, 2)}, {x, partner});
    return;
  }
  const int attention = b.add(name + "_soft", Softmax{some_axis(rng), chance(rng, 2)}, {x});
  if (chance(rng, 2)) b.add(name, Mul{}, {partner, attention});
}

void add_any(core::Rng& rng, Builder& b, const std::string& name) {
  const int x = pick_node(rng, b);
  const Shape s = b.shape(x);
  switch (pick(rng, 18)) {
    case 0:
    case 1:
    case 2: add_conv(rng, b, name, x); return;
    case 3: b.add(name, some_norm(rng), {x}); return;
    case 4: b.add(name, some_activation(rng), {x}); return;
    case 5: b.add(name, Add{some_clamp(rng)}, {x, pick_partner(rng, b, x)}); return;
    case 6: b.add(name, Mul{}, {pick_partner(rng, b, x), x}); return;
    case 7: add_attention(rng, b, name, x); return;
    case 8: b.add(name, PRelu{}, {x}); return;
    case 9: b.add(name, Scale{}, {x}); return;
    case 10: add_concat(rng, b, name, x); return;
    case 11: b.add(name, some_channels(rng, s), {x}); return;
    case 12: add_gate(rng, b, name, x); return;
    case 13: b.add(name, some_resampling(rng, s), {x}); return;
    case 14: add_branches(rng, b, name, x); return;
    case 15: add_linear(rng, b, name, x); return;
    case 16: b.add(name, some_pool<MaxPool>(rng, s), {x}); return;
    default: break;
  }
  AvgPool pool = some_pool<AvgPool>(rng, s);
  pool.count_include_pad = chance(rng, 2);
  b.add(name, pool, {x});
}

}  // namespace

Spec random_spec(core::Rng& rng, int nodes, Operators operators) {
  Builder b("random", {1 + pick(rng, 5), 4 + pick(rng, 8), 4 + pick(rng, 8)});
  for (int i = 0; i < nodes; ++i) {
    const std::string name = "n" + std::to_string(i);
    operators == Operators::All ? add_any(rng, b, name) : add_random(rng, b, name);
  }
  Spec spec = b.finish();
  if (operators == Operators::All && chance(rng, 4)) choose_outputs(rng, spec);
  return spec;
}

void choose_outputs(core::Rng& rng, Spec& spec) {
  std::vector<int> ids;
  for (int k = 1 + pick(rng, 3); k > 0; --k) {
    const int id = 1 + pick(rng, static_cast<int>(spec.nodes.size()) - 1);
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  }
  set_outputs(spec, ids);
}

}  // namespace condenser::testing
