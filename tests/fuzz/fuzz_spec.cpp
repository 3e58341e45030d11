// Spec files: what is read can be analyzed, hashed, and written and read again.
#include "condenser/arch/analysis.hpp"
#include "condenser/arch/spec.hpp"
#include "condenser/arch/spec_io.hpp"
#include "input.hpp"

using namespace condenser;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fuzz::expect_error_or_nothing([&] {
    const arch::Spec spec = arch::parse_spec(std::string(fuzz::text_of(data, size)), "x");
    arch::analyze(spec);
    const std::string once = arch::to_json(spec);
    if (arch::to_json(arch::parse_spec(once, "x")) != once) std::abort();
    arch::hash(spec);
  });
}
