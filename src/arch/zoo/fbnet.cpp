// FBNet-C (arXiv 1812.03443), rows as in Facebook's model zoo (github.com/facebookresearch/mobile-vision), whose 378.2
// M multiply-accumulates they give.

#include "arch/zoo/peer_net.hpp"
#include "arch/zoo/zoo.hpp"

namespace condenser::arch::reference {
namespace {

struct Row {
  int expansion, kernel, out, depth, stride;
};
constexpr Row kFbnetC[] = {
    {1, 3, 16, 1, 1},  {6, 3, 24, 1, 2},  {1, 3, 24, 2, 1},  {6, 5, 32, 1, 2},  {3, 5, 32, 1, 1},  {6, 5, 32, 1, 1},
    {6, 3, 32, 1, 1},  {6, 5, 64, 1, 2},  {3, 5, 64, 1, 1},  {6, 5, 64, 2, 1},  {6, 5, 112, 1, 1}, {3, 5, 112, 1, 1},
    {6, 5, 112, 2, 1}, {6, 5, 184, 1, 2}, {6, 5, 184, 3, 1}, {6, 3, 352, 1, 1},
};

}  // namespace

Spec fbnet_c(Shape input, int classes) {
  Builder b("fbnet_c", input);
  int x = peer_conv(b, b.input(), "stem", {16, square(3), 2, 1, ActivationKind::Relu});
  int index = 0;
  for (const Row& row : kFbnetC)
    for (int i = 0; i < row.depth; ++i)
      x = fbnet_unit(b, x, "b" + std::to_string(++index),
                     {row.expansion, row.out, row.kernel, i == 0 ? row.stride : 1});
  x = peer_conv(b, x, "features", {.out = 1984, .activation = ActivationKind::Relu});
  classifier_head(b, x, classes);
  return b.finish();
}

}  // namespace condenser::arch::reference
