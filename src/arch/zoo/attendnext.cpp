// Reconstructions of column networks whose layer tables are not published, on the backbone of the released 325 MF
// network (arXiv 2311.11656). Widths are the released ones; the depths are read off a drawing, or guessed.

#include "arch/zoo/column_net.hpp"
#include "arch/zoo/zoo.hpp"

namespace condenser::arch::reference {
namespace {

Spec columns(const std::string& name, const std::array<int, 4>& depths, Shape input, int classes) {
  return column_net(
      {name, {{{40, depths[0]}, {84, depths[1]}, {176, depths[2]}, {372, depths[3]}}}, true, ActivationKind::Silu},
      input, classes);
}

}  // namespace

// The repeats printed in the drawing that the released code came with.
Spec attendnext_figure(Shape input, int classes) { return columns("attendnext_figure", {2, 3, 10, 2}, input, classes); }

// The depths nearest to the parent network's that give 659 M by the rule which gives the released names exactly:
// multiply-accumulates + 2 per batch-norm output + 1 per average-pool output + (h w + 1) c of the global pool.
Spec dcac_659mf_guess(Shape input, int classes) { return columns("dcac_659mf_guess", {4, 4, 7, 3}, input, classes); }

}  // namespace condenser::arch::reference
