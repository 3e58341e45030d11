// The kernels that are linked. What a call passes follows from the signature of the C function.
#include "runtime/kernels.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "condenser/arch/kernels.hpp"
#include "condenser/core/error.hpp"
#include "runtime/kernels/cnd_activation.h"
#include "runtime/kernels/cnd_add.h"
#include "runtime/kernels/cnd_avg_pool.h"
#include "runtime/kernels/cnd_blur_pool.h"
#include "runtime/kernels/cnd_channel_shuffle.h"
#include "runtime/kernels/cnd_concat.h"
#include "runtime/kernels/cnd_conv2d.h"
#include "runtime/kernels/cnd_depthwise.h"
#include "runtime/kernels/cnd_global_avg_pool.h"
#include "runtime/kernels/cnd_linear.h"
#include "runtime/kernels/cnd_max_pool.h"
#include "runtime/kernels/cnd_mul.h"
#include "runtime/kernels/cnd_prelu.h"
#include "runtime/kernels/cnd_slice.h"
#include "runtime/kernels/cnd_softmax_mul.h"
#include "runtime/kernels/cnd_upsample.h"

namespace condenser::runtime {
namespace {

static_assert(CND_DEPTHWISE_ROWS == arch::kDepthwiseRowsAhead);

template <auto kFunction>
struct Adapter;

template <class Params, class... Pointers, void (*kFunction)(const Params*, Pointers...)>
struct Adapter<kFunction> {
  static_assert(sizeof(Params) % sizeof(int32_t) == 0 && alignof(Params) == alignof(int32_t));
  static constexpr int kParams = sizeof(Params) / sizeof(int32_t);
  static constexpr int kPointers = sizeof...(Pointers);

  static void run(const int32_t* values, void* const* pointers) {
    Params params;
    std::memcpy(&params, values, sizeof params);
    call(params, pointers, std::make_index_sequence<sizeof...(Pointers)>());
  }

 private:
  template <size_t... kIndex>
  static void call(const Params& params, void* const* pointers, std::index_sequence<kIndex...>) {
    kFunction(&params, static_cast<Pointers>(pointers[kIndex])...);
  }
};

template <auto kFunction>
constexpr CallableKernel row(const char* name) {
  using Kernel = Adapter<kFunction>;
  return {name, Kernel::kParams, Kernel::kPointers, Kernel::run};
}

constexpr CallableKernel kKernels[] = {
    row<cnd_activation>("activation"),
    row<cnd_add>("add"),
    row<cnd_avg_pool>("avg_pool"),
    row<cnd_blur_pool>("blur_pool"),
    row<cnd_channel_shuffle>("channel_shuffle"),
    row<cnd_concat>("concat"),
    row<cnd_conv2d>("conv2d"),
    row<cnd_depthwise>("depthwise"),
    row<cnd_global_avg_pool>("global_avg_pool"),
    row<cnd_linear>("linear"),
    row<cnd_max_pool>("max_pool"),
    row<cnd_mul>("mul"),
    row<cnd_prelu>("prelu"),
    row<cnd_slice>("slice"),
    row<cnd_softmax_mul>("softmax_mul"),
    row<cnd_upsample>("upsample"),
};

}  // namespace

const CallableKernel& callable(const char* name) {
  for (const CallableKernel& kernel : kKernels) {
    if (std::strcmp(kernel.name, name) == 0) return kernel;
  }
  throw core::Error("kernel " + std::string(name) + " is not linked; add it to runtime/kernels.cpp");
}

}  // namespace condenser::runtime
