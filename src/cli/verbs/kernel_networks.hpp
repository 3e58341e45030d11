#pragma once
// Small random networks in which kernels meet many shapes: what `condenser bench kernels` learns costs from.

#include <cstddef>

#include "condenser/arch/spec.hpp"
#include "condenser/core/rng.hpp"

namespace condenser::cli {

// Layers of arch::kernels()[kernel], as good as alone if `pure`, else among others. At most some 20 layers and 2
// million multiply-accumulates, so that the smallest board holds it.
arch::Spec kernel_network(size_t kernel, bool pure, core::Rng&);

}  // namespace condenser::cli
