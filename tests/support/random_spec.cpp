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

void add_random(core::Rng& rng, Builder& b, const std::string& name) {
  const int x = pick_node(rng, b);
  const Shape s = b.shape(x);
  const bool shrinkable = s.h >= 4 && s.w >= 4;
  switch (pick(rng, 10)) {
    case 0:
    case 1: b.add(name, Conv2d{1 + pick(rng, 12), square(3), square(1), pad_all(1)}, {x}); return;
    case 2: b.add(name, Conv2d{static_cast<int>(s.c), square(1), square(1), Pad{}}, {x}); return;
    case 3: b.add(name, Activation{ActivationKind::Silu}, {x}); return;
    case 4:
    case 5: b.add(name, Add{}, {x, pick_partner(rng, b, x)}); return;
    case 6: b.add(name, Mul{}, {pick_partner(rng, b, x), x}); return;
    case 7: b.add(name, SoftmaxMul{}, {x, pick_partner(rng, b, x)}); return;
    case 8: b.add(name, Activation{ActivationKind::Relu}, {x}); return;
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
