#pragma once
// A kernel in every form that runs here.

#include <functional>
#include <vector>

#include "runtime/kernels.hpp"

namespace condenser::runtime {

template <class Function>
using FormOf = std::function<Function>;

// The linked forms of a kernel, and others that tests bring, as functions of the kernel's own signature.
template <class Params, class... Pointers, class... More>
std::vector<FormOf<void(const Params*, Pointers...)>> forms(const char* name, void (*)(const Params*, Pointers...),
                                                            More... more) {
  std::vector<FormOf<void(const Params*, Pointers...)>> list;
  for (const KernelForm& form : kernel_forms()) {
    if (!form.runs) continue;
    const auto run = callable(form, name).run;
    list.push_back([run](const Params* params, Pointers... pointers) {
      void* const all[] = {const_cast<void*>(static_cast<const void*>(pointers))...};
      run(reinterpret_cast<const int32_t*>(params), all);
    });
  }
  (list.push_back(more), ...);
  return list;
}

}  // namespace condenser::runtime
