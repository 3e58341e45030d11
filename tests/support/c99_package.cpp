// Packages for tests of the exporter and of its proof.
#include "support/c99_package.hpp"

#include "condenser/arch/passes.hpp"
#include "condenser/runtime/int8_executor.hpp"
#include "support/exemplars.hpp"
#include "support/random_int8.hpp"

namespace condenser::testing {

C99Case c99_case(const arch::Spec& lowered, uint64_t seed, size_t samples) {
  const RandomInt8 random = random_int8(lowered, seed);
  C99Case result;
  result.package.spec = lowered;
  result.package.weights = random.weights;
  result.package.quant = random.quant;
  result.package.spec_hash = arch::hash(lowered).hex();
  result.package.input_note = "random bytes";
  runtime::Int8Executor executor(runtime::build_program(lowered, random.weights, random.quant));
  for (size_t s = 0; s < samples; ++s) {
    result.answers.inputs.push_back(random_input(lowered, seed + 1 + s));
    const std::span<const int8_t> output = executor.run(result.answers.inputs.back());
    result.answers.outputs.emplace_back(output.begin(), output.end());
  }
  return result;
}

C99Export::C99Export(const char* exemplar, size_t samples)
    : test(c99_case(arch::lower(testing::exemplar(exemplar), nullptr), 5, samples)) {
  exporters::find_target("c99").write(test.package, test.answers, {}, folder);
}

}  // namespace condenser::testing
