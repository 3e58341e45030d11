#pragma once
// How the kernels of arch/kernels.hpp are called from C++.

#include <cstdint>
#include <span>

namespace condenser::runtime {

// `pointers`: constants, scratch, inputs and output, in the order of the kernel's arguments.
struct CallableKernel {
  const char* name;
  int param_count = 0, pointer_count = 0;
  void (*run)(const int32_t* params, void* const* pointers) = nullptr;
};

// The kernels as they were compiled for one instruction set. All sets give equal bits.
struct KernelForm {
  const char* name;  // "baseline", "avx2", "avx512"
  bool runs = true;  // on this processor
  std::span<const CallableKernel> kernels;
};

std::span<const KernelForm> kernel_forms();  // the fastest last

const CallableKernel& callable(const KernelForm&, const char* name);  // throws core::Error

// Of the fastest form that runs here. The environment variable CONDENSER_KERNELS, the name of a form, allows it and
// those before it, for measurements.
const CallableKernel& callable(const char* name);

}  // namespace condenser::runtime
