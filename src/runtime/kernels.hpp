#pragma once
// How the kernels of arch/kernels.hpp are called from C++.

#include <cstdint>

namespace condenser::runtime {

// `pointers`: constants, scratch, inputs and output, in the order of the kernel's arguments.
struct CallableKernel {
  const char* name;
  int param_count = 0, pointer_count = 0;
  void (*run)(const int32_t* params, void* const* pointers) = nullptr;
};

const CallableKernel& callable(const char* name);  // throws core::Error

}  // namespace condenser::runtime
