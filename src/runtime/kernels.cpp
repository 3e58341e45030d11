// The kernels that are linked. What a call passes follows from the signature of the C function.
#include "runtime/kernels.hpp"

#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "arch/conv_rows.hpp"
#include "condenser/arch/kernels.hpp"
#include "condenser/core/error.hpp"
#include "runtime/kernels/cnd_activation.h"
#include "runtime/kernels/cnd_activation_a16.h"
#include "runtime/kernels/cnd_add.h"
#include "runtime/kernels/cnd_add_a16.h"
#include "runtime/kernels/cnd_avg_pool.h"
#include "runtime/kernels/cnd_avg_pool_a16.h"
#include "runtime/kernels/cnd_blur_pool.h"
#include "runtime/kernels/cnd_channel_shuffle.h"
#include "runtime/kernels/cnd_concat.h"
#include "runtime/kernels/cnd_concat_a16.h"
#include "runtime/kernels/cnd_conv2d.h"
#include "runtime/kernels/cnd_conv2d_a16.h"
#include "runtime/kernels/cnd_conv2d_w4.h"
#include "runtime/kernels/cnd_depthwise.h"
#include "runtime/kernels/cnd_depthwise_w4.h"
#include "runtime/kernels/cnd_global_avg_pool.h"
#include "runtime/kernels/cnd_linear.h"
#include "runtime/kernels/cnd_linear_w4.h"
#include "runtime/kernels/cnd_max_pool.h"
#include "runtime/kernels/cnd_max_pool_a16.h"
#include "runtime/kernels/cnd_mul.h"
#include "runtime/kernels/cnd_mul_a16.h"
#include "runtime/kernels/cnd_prelu.h"
#include "runtime/kernels/cnd_slice.h"
#include "runtime/kernels/cnd_softmax_mul.h"
#include "runtime/kernels/cnd_softmax_mul_a16.h"
#include "runtime/kernels/cnd_upsample.h"

// X(name, form) for every kernel that is called; `form` stands behind the names of its functions. Formatted by hand, as
// a second run of the formatter would undo its first.
// clang-format off
#define CONDENSER_EACH_KERNEL(X, form) \
  X(activation, form) X(activation_a16, form) X(add, form) X(add_a16, form) X(avg_pool, form) \
  X(avg_pool_a16, form) X(blur_pool, form) X(channel_shuffle, form) X(concat, form) X(concat_a16, form) \
  X(conv2d, form) X(conv2d_a16, form) X(conv2d_w4, form) X(depthwise, form) X(depthwise_w4, form) \
  X(global_avg_pool, form) X(linear, form) X(linear_w4, form) X(max_pool, form) X(max_pool_a16, form) \
  X(mul, form) X(mul_a16, form) X(prelu, form) X(slice, form) X(softmax_mul, form) X(softmax_mul_a16, form) \
  X(upsample, form)
// clang-format on

#ifdef CONDENSER_X86_KERNELS
#define CONDENSER_DECLARE(name, form) extern "C" decltype(cnd_##name) cnd_##name##form;
CONDENSER_EACH_KERNEL(CONDENSER_DECLARE, _avx2)
CONDENSER_EACH_KERNEL(CONDENSER_DECLARE, _avx512)
#endif

namespace condenser::runtime {
namespace {

static_assert(CND_DEPTHWISE_ROWS == arch::kDepthwiseRowsAhead);
static_assert(CND_CONV2D_ROWS == arch::kConvRows && CND_CONV2D_ROWS_LONG == arch::kConvRowsLong &&
              CND_CONV2D_BYTES == arch::kConvBytes);

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

#define CONDENSER_ROW(name, form) row<cnd_##name##form>(#name),
constexpr CallableKernel kBaseline[] = {CONDENSER_EACH_KERNEL(CONDENSER_ROW, )};

#ifdef CONDENSER_X86_KERNELS
constexpr CallableKernel kAvx2[] = {CONDENSER_EACH_KERNEL(CONDENSER_ROW, _avx2)};
constexpr CallableKernel kAvx512[] = {CONDENSER_EACH_KERNEL(CONDENSER_ROW, _avx512)};

bool has_avx2() { return __builtin_cpu_supports("avx2"); }

bool has_avx512() {  // as src/runtime/CMakeLists.txt asks of the compiler
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi") &&
         __builtin_cpu_supports("avx512vnni");
}
#endif

const KernelForm& best_form() {
  const char* text = std::getenv("CONDENSER_KERNELS");
  const std::string most = text == nullptr ? "" : text;
  const KernelForm* best = nullptr;
  for (const KernelForm& form : kernel_forms()) {
    if (form.runs) best = &form;
    if (most == form.name) break;
  }
  return *best;
}

}  // namespace

std::span<const KernelForm> kernel_forms() {
  static const KernelForm forms[] = {
      {"baseline", true, kBaseline},
#ifdef CONDENSER_X86_KERNELS
      {"avx2", has_avx2(), kAvx2},
      {"avx512", has_avx512(), kAvx512},
#endif
  };
  return forms;
}

const CallableKernel& callable(const KernelForm& form, const char* name) {
  for (const CallableKernel& kernel : form.kernels) {
    if (std::strcmp(kernel.name, name) == 0) return kernel;
  }
  throw core::Error("kernel " + std::string(name) + " is not linked; add it to runtime/kernels.cpp");
}

const CallableKernel& callable(const char* name) {
  static const KernelForm& form = best_form();
  return callable(form, name);
}

}  // namespace condenser::runtime
