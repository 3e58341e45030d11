// The table of metrics. Who measures them is the probes'; what is a good value is the gate's.

#include "condenser/search/metrics.hpp"

#include <algorithm>

#include "search/derived.hpp"

namespace condenser::search {
namespace {

int64_t params_of(const arch::Design& d) { return d.cost.params; }
int64_t macs_of(const arch::Design& d) { return d.cost.macs; }
int64_t constant_bytes_of(const arch::Design& d) { return d.lowered_cost.constant_bytes; }
int64_t arena_bytes_of(const arch::Design& d) { return d.plan.peak_bytes; }

int64_t instructions_of(const arch::MachineCosts& m, int64_t) { return m.instructions; }
int64_t code_bytes_of(const arch::MachineCosts& m, int64_t) { return m.code_bytes; }
int64_t stack_bytes_of(const arch::MachineCosts& m, int64_t) { return m.stack_bytes; }
int64_t estimated_cycles_of(const arch::MachineCosts& m, int64_t) { return m.cycles; }
int64_t ram_bytes_of(const arch::MachineCosts& m, int64_t arena) {
  return m.stack_bytes < 0 ? -1 : arena + m.stack_bytes;
}

// Machines differ: the gate knows which one is meant.
int64_t unknown(const arch::Design&) { return -1; }

std::optional<double> netscore_of(const Findings& findings) {
  double values[3];
  const char* names[] = {"val_accuracy", "params", "macs"};
  for (int i = 0; i < 3; ++i) {
    const auto found = findings.metrics.find(names[i]);
    if (found == findings.metrics.end() || !(found->second > 0)) return std::nullopt;
    values[i] = found->second;
  }
  return arch::netscore(values[0], static_cast<int64_t>(values[1]), static_cast<int64_t>(values[2]));
}

}  // namespace

const std::vector<Metric>& metrics() {
  static const std::vector<Metric> table = {
      {"val_accuracy", "val_accuracy_percent", "val. accuracy %", "%", true, 2, true},
      {"val_loss", "val_loss", "val. loss", "", false, 4, true},
      {"int8_accuracy", "int8_accuracy_percent", "int8 val. accuracy %", "%", true, 2, true},
      {"params", "params", "params", "parameters", false, 0, false, params_of},
      {"macs", "macs", "MACs", "MACs", false, 0, false, macs_of},
      {"constant_bytes", "constant_bytes", "constants, bytes", "bytes", false, 0, false, constant_bytes_of},
      {"arena_bytes", "arena_bytes", "arena, bytes", "bytes", false, 0, false, arena_bytes_of},
      {"instructions", "instructions", "instructions", "instructions", false, 0, false, unknown, instructions_of},
      {"code_bytes", "code_bytes", "code, bytes", "bytes", false, 0, false, unknown, code_bytes_of},
      {"stack_bytes", "stack_bytes", "stack, bytes", "bytes", false, 0, false, unknown, stack_bytes_of},
      {"ram_bytes", "ram_bytes", "arena and stack, bytes", "bytes", false, 0, false, unknown, ram_bytes_of},
      {"estimated_cycles", "estimated_cycles", "cycles, estimated", "cycles, estimated", false, 0, false, unknown,
       estimated_cycles_of},
      {"synflow", "synflow_log10", "synflow", "", true, 2},
      {"grad_norm", "grad_norm", "gradient norm", "", true, 3},
      {"naswot", "naswot", "NASWOT", "", true, 1},
      {"activation_rank", "activation_rank_percent", "activation rank %", "%", true, 1},
      {"dead_units", "dead_units_percent", "dead units %", "%", false, 1},
      {"inherited_accuracy", "inherited_accuracy_percent", "inherited accuracy %", "%", true, 2, true},
      {"inherited_loss", "inherited_loss", "inherited loss", "", false, 4, true},
      {"netscore", "netscore", "NetScore", "", true, 2},  // from val_accuracy, params and macs
  };
  return table;
}

const Metric* find_metric(const std::string& name) {
  const auto found = std::ranges::find(metrics(), name, &Metric::name);
  return found == metrics().end() ? nullptr : &*found;
}

void derive(Findings& findings) {
  if (const auto value = netscore_of(findings)) findings.metrics["netscore"] = *value;
}

const Metric* source_of(const Metric& metric) {
  return metric.name == "netscore" ? find_metric("val_accuracy") : nullptr;
}

std::vector<std::string> metric_names() {
  std::vector<std::string> names;
  for (const Metric& metric : metrics()) names.push_back(metric.name);
  return names;
}

}  // namespace condenser::search
