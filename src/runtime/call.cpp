#include "runtime/call.hpp"

#include <vector>

#include "runtime/kernels.hpp"

namespace condenser::runtime {
namespace {

// A kernel takes all of its arrays as pointers that may be written through; it writes scratch and output only.
void* address(const Constant& constant) {
  return std::visit([](const auto& values) { return const_cast<void*>(static_cast<const void*>(values.data())); },
                    constant.values);
}

}  // namespace

void run_call(const Int8Program& program, const Turn& turn, int8_t* arena) {
  const Step& step = program.steps[turn.node];
  const Call& call = step.calls[turn.call];
  const auto at = [&](size_t node) { return arena + program.plan.offset[node]; };
  std::vector<int32_t> params;
  std::vector<void*> pointers;
  for (const Param& param : call.params) params.push_back(param.value);
  for (const Constant& constant : step.constants) pointers.push_back(address(constant));
  if (step.kernel->scratch != nullptr) pointers.push_back(arena + program.plan.scratch[turn.node]);
  for (size_t k = 0; k < call.inputs.size(); ++k)
    pointers.push_back(at(static_cast<size_t>(call.inputs[k])) + call.input_skips[k]);
  pointers.push_back(at(turn.node) + call.output_skip);
  callable(step.kernel->name).run(params.data(), pointers.data());
}

}  // namespace condenser::runtime
