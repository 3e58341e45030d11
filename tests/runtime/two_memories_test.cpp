// Two memories give the integers of one: the executor runs their plan, whole and in strips.

#include <algorithm>

#include "condenser/arch/passes.hpp"
#include "condenser/runtime/int8_executor.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"
#include "support/random_int8.hpp"

using namespace condenser;

namespace {

std::vector<int8_t> run(const runtime::Int8Program& program, std::span<const int8_t> input) {
  runtime::Int8Executor executor(program);
  const auto output = executor.run(input);
  return {output.begin(), output.end()};
}

}  // namespace

TEST_CASE("two memories change no integer, in strips neither", "[runtime]") {
  int two = 0, in_strips = 0;
  for (const testing::Exemplar& item : testing::exemplars()) {
    const arch::Spec spec = arch::lower(item.spec, nullptr);
    const arch::Analysis analysis = arch::analyze(spec);
    if (!testing::runs_in_int8(spec)) continue;
    const testing::RandomInt8 package = testing::random_int8(spec, 3);
    const std::vector<int8_t> input = testing::random_input(spec, 3);
    const std::vector<int8_t> expected = run(runtime::build_program(spec, package.weights, package.quant), input);
    for (const arch::MemoryPlan& one : {arch::plan_memory(spec, analysis), arch::plan_strips(spec, analysis)}) {
      for (const int64_t parts : {2, 3, 8}) {
        INFO(item.name << ": a fast memory of a part in " << parts);
        const arch::Layout layout{.fast_bytes = std::max<int64_t>(1, one.peak_bytes / parts)};
        const runtime::Int8Program program = runtime::build_program(
            spec, package.weights, package.quant,
            [&](const auto& s, const auto& a) { return arch::plan_memory(s, a, layout, one.strips); });
        CHECK(run(program, input) == expected);
        two += program.plan.fast_bytes > 0;
        in_strips += program.plan.fast_bytes > 0 && !one.strips.empty();
      }
    }
  }
  CHECK(two > 100);
  CHECK(in_strips > 5);
}
