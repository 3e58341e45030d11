// Weights in safetensors: what is read can be written and read again.
#include "condenser/arch/weights.hpp"
#include "input.hpp"

using namespace condenser;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fuzz::expect_error_or_nothing([&] {
    const std::string once = arch::to_safetensors(arch::from_safetensors(fuzz::text_of(data, size), "x"));
    if (arch::to_safetensors(arch::from_safetensors(once, "x")) != once) std::abort();
  });
}
