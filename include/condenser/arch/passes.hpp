#pragma once
// Spec -> Spec passes that give the network as it is exported.

#include "condenser/arch/memory.hpp"
#include "condenser/arch/spec.hpp"
#include "condenser/arch/weights.hpp"

namespace condenser::arch {

// Drops dead nodes, folds batch norm into the convolution or linear before it (bias appears), moves Relu/Relu6 into the
// producer as a clamp, and joins Softmax and Mul into SoftmaxMul. A batch norm that cannot be folded becomes a
// depthwise 1x1 convolution with bias. `weights` may be null: structure only, before training; otherwise it is
// rewritten to match. Deterministic; node names are kept from the producer.
Spec lower(const Spec&, Weights* weights);

// What a network costs as given and as exported: what the gate asks of every candidate.
struct Examination {
  Analysis given;
  Spec lowered;
  Analysis cost;    // of the lowered form
  MemoryPlan plan;  // of the lowered form, int8
};
Examination examine(const Spec&);                  // throws SpecError
Examination examine(const Spec&, Analysis given);  // for a Builder's Spec and its costs: nothing is computed twice

}  // namespace condenser::arch
