#pragma once
// One tensor for every parameter that networks of a space have, as large as the largest of them. A network's parameter
// is a part of it: the first outputs, the first inputs of its group, the centre of the kernel.
//
//   vector   [c]              whole[0 .. c)
//   matrix   [out, in]        whole[0 .. out)[0 .. in)
//   kernel   [out, in/g, h, w] of a convolution in g groups: a dense kernel whose other blocks are not used; output o
//            reads inputs (o / (out/g)) (in/g) + i, and rows and columns from (H - h) / 2 and (W - w) / 2 on
//            (Cai et al. 2020, arXiv 1908.09791). Where every network has one input per output [C, 1, H, W].
//
// So two networks share the number that ties the same output to the same input at the same offset. Parameters of
// one name belong together if their nodes are of one operator. Running statistics are nobody's to share.

#include <map>
#include <span>
#include <string>
#include <vector>

#include "condenser/nn/weights_bridge.hpp"

namespace condenser::train {

class SharedWeights {
 public:
  // From now on large enough for this network. Before start() only.
  void cover(const arch::Spec&);
  // Fixes the layout: segments named "<operator>/<node>.<param>", those of `last` behind all others in its order (the
  // last matrix is the head for some optimizers); random values by seed, He-normal for the largest number of
  // inputs that an output of any network reads.
  void start(const arch::Spec& last, uint64_t seed);

  bool covers(const arch::Spec&) const;
  const nn::BlockLayout& layout() const { return layout_; }
  std::span<const float> values() const { return values_; }
  std::span<float> values() { return values_; }

  // Overwrites in `weights`, which fit the spec, what lies within the shared tensors. Returns how many numbers do not.
  int64_t inherit(const arch::Spec&, arch::Weights& weights) const;

  // Adds a network's gradients (a block in its own layout) times `factor` to the block `gradients` in layout(), and
  // marks the segments that it has in `touched`, one per segment. The network must be covered.
  void add_gradients(const arch::Spec&, const nn::BlockLayout&, std::span<const float> own, float factor,
                     std::span<float> gradients, std::vector<bool>& touched) const;

 private:
  struct Whole {
    std::vector<int64_t> shape;
    int64_t fan_in = 0;    // largest of all networks
    bool diagonal = true;  // every network reads one input per output
    bool decay = false;
    std::optional<float> initial;
    size_t segment = 0;  // in layout_, after start()
  };
  const Whole* find(const arch::Spec&, const nn::Segment&) const;

  std::map<std::string, Whole> wholes_;
  std::vector<std::string> order_;  // in which they came
  nn::BlockLayout layout_;
  std::vector<float> values_;
};

}  // namespace condenser::train
