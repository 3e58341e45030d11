// The destinations of export, one row each.
#include "condenser/core/error.hpp"
#include "exporters/c99.hpp"

namespace condenser::exporters {

const std::vector<Target>& targets() {
  static const std::vector<Target> list = {
      {"c99", "int8 C sources without dependencies: model, weights, kernels, self-test, Makefile, manifest",
       c99_unsupported, c99_write},
  };
  return list;
}

const Target& find_target(const std::string& name) {
  std::string known;
  for (const Target& target : targets()) {
    if (target.name == name) return target;
    known += (known.empty() ? "" : ", ") + target.name;
  }
  throw core::ConfigError("export target '" + name + "' does not exist; expected one of " + known);
}

arch::MemoryPlan export_plan(const arch::Spec& lowered, const arch::Analysis& analysis, const ExportOptions& options) {
  arch::MemoryPlan plan = options.strips ? arch::plan_strips(lowered, analysis) : arch::plan_memory(lowered, analysis);
  if (options.fast_ram_bytes > 0 && plan.peak_bytes > options.fast_ram_bytes)
    plan = arch::plan_memory(lowered, analysis, {.fast_bytes = options.fast_ram_bytes}, plan.strips);
  return plan;
}

std::string macro_prefix(std::string prefix) {
  for (char& c : prefix) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return prefix;
}

}  // namespace condenser::exporters
