#pragma once
// Spec -> Spec passes that give the network as it is exported.

#include "condenser/arch/spec.hpp"
#include "condenser/arch/weights.hpp"

namespace condenser::arch {

// Over-parameterised branches as one convolution: a sum (a tree of Add) of batch norms alone (identity branches) and of
// convolutions with batch norm, all on one value, becomes one convolution with bias. Exact up to float rounding:
// batch norms are folded, smaller kernels zero-padded to the window of the largest, an identity is a unit kernel per
// channel, and everything is summed in double. Branches need equal strides and groups, windows inside the largest
// one's, and no reader but the sum. The convolution is named after the branch whose window it has. Drops dead nodes; a
// lone convolution with its batch norm is left to lower().
// `weights` may be null, as in lower().
// Source: MobileOne (arXiv 2206.04040), whose inference form this gives from the training form.
Spec fuse_branches(const Spec&, Weights* weights);

// Begins with fuse_branches(): nobody wants to ship branches that cost more and compute the same. Then drops dead
// nodes, folds batch norm into the convolution or linear before it (bias appears), moves Relu/Relu6 into the producer
// as a clamp, and joins Softmax and Mul into SoftmaxMul. A batch norm that cannot be folded becomes a depthwise 1x1
// convolution with bias. `weights` may be null: structure only, before training (a Design has that already); otherwise
// it is rewritten to match. Deterministic; node names are kept from the producer. Throws SpecError.
Spec lower(const Spec&, Weights* weights);

}  // namespace condenser::arch
