// Grows a graph node by node: a random operator reading random earlier nodes.

#include "support/random_spec.hpp"

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

}  // namespace

Spec random_spec(core::Rng& rng, int nodes) {
  Builder b("random", {1 + pick(rng, 5), 4 + pick(rng, 8), 4 + pick(rng, 8)});
  for (int i = 0; i < nodes; ++i) add_random(rng, b, "n" + std::to_string(i));
  return b.finish();
}

}  // namespace condenser::testing
