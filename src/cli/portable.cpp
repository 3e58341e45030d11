// The environment of portable runs.
#include "cli/portable.hpp"

#include <stdlib.h>

#include <cstring>

#include "condenser/core/process.hpp"

namespace condenser::cli {

namespace {

struct Variable {
  const char* name;
  const char* value;
};

// glibc's exp, log and pow have forms with fused multiply-add, which round otherwise; names without and with _Usable
// are those of glibc from 2.33 on and before. LibTorch's kernels and the products of its MKL have one form per
// processor.
constexpr Variable kEnvironment[] = {
    {"GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX2_Usable,-FMA_Usable,-FMA4_Usable"},
    {"ATEN_CPU_CAPABILITY", "default"},
    {"MKL_CBWR", "COMPATIBLE"},
};

bool is_set(const Variable& v) {
  const char* found = getenv(v.name);
  return found && std::strcmp(found, v.value) == 0;
}

}  // namespace

void make_portable(const std::vector<std::string>& arguments) {
  bool all = true;
  for (const Variable& v : kEnvironment) {
    all = all && is_set(v);
    setenv(v.name, v.value, 1);
  }
  if (all) return;
  core::start_again(arguments);
}

}  // namespace condenser::cli
