// Verdicts over a Spec and over findings. Rules, analysis, lowering and the memory plan are arch's; the gate compares.

#include "condenser/search/gate.hpp"

#include <algorithm>
#include <cstdio>

#include "condenser/arch/memory.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/arch/rules.hpp"
#include "condenser/core/table.hpp"

namespace condenser::search {
namespace {

constexpr int64_t kMaxBudget = 1'000'000'000'000'000;
constexpr const char* kComparatorRule = "beats_comparator";

void read_comparator(core::config::Reader reader, Comparator& c) {
  reader.text("name", c.name, "the design to match");
  reader.text("source", c.source, "where its numbers come from");
  reader.integer("max_params", c.max_params, 0, kMaxBudget, "its trainable parameters; 0: no bound");
  reader.integer("max_macs", c.max_macs, 0, kMaxBudget, "its multiply-accumulates; 0: no bound");
  reader.number("min_accuracy", c.min_accuracy, 0, 100, "percent, of the finished network; 0: no bound");
  reader.number("min_probe_accuracy", c.min_probe_accuracy, 0, 100,
                "percent, val_accuracy of the short training; 0: no bound");
}

constexpr const char* kBytes = "bytes";

std::string count_text(int64_t value, const char* unit) {
  return unit == kBytes ? core::bytes_text(value) : core::thousands(value).append(1, ' ').append(unit);
}

std::string percent_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g %%", value);
  return text;
}

void check_rule(const arch::RuleView& view, const arch::Rule& rule, std::vector<Verdict>& verdicts) {
  const std::vector<arch::Violation> violations = rule.check(view);
  for (const arch::Violation& v : violations) verdicts.push_back({rule.name, false, v.node, v.what, "no violation"});
  if (violations.empty()) verdicts.push_back({rule.name, true, "", "no violation", "no violation"});
}

Verdict at_least(double value, double limit, const std::string& name) {
  // The negated form refuses NaN too.
  return {kComparatorRule, !!(value >= limit), "", percent_text(value),
          "at least " + percent_text(limit) + " (" + name + ")"};
}

}  // namespace

Costs costs(const arch::Spec& spec) { return costs(Candidate{spec, arch::analyze(spec)}); }

Costs costs(const Candidate& candidate) {
  const arch::Exported e = arch::exported(candidate.spec, candidate.cost);
  Costs c{candidate.cost.params, candidate.cost.macs, e.cost.constant_bytes, e.plan.peak_bytes, {}};
  if (e.plan.peak_node >= 0) c.arena_node = e.lowered.nodes[static_cast<size_t>(e.plan.peak_node)].name;
  return c;
}

void read_options(core::config::Reader& reader, GateOptions& o) {
  std::vector<std::string> names;
  for (const arch::Rule& rule : arch::rules()) names.push_back(rule.name);
  reader.text("device", o.device, "the device in words, for reports", core::config::Decides::Nothing);
  reader.choices("rules", o.rules, names, "structural rules every design must keep");
  reader.integer("max_params", o.max_params, 0, kMaxBudget, "trainable parameters; 0: no bound");
  reader.integer("max_macs", o.max_macs, 0, kMaxBudget,
                 "multiply-accumulates of convolutions and linears; 0: no bound");
  reader.integer("max_constant_bytes", o.max_constant_bytes, 0, kMaxBudget,
                 "int8 constants in flash (weights, biases, multipliers, tables); 0: no bound");
  reader.integer("max_arena_bytes", o.max_arena_bytes, 0, kMaxBudget, "planned activations in RAM; 0: no bound");
  const bool compared = reader.has("comparator");
  Comparator c = o.comparator.value_or(Comparator{});
  read_comparator(reader.section("comparator", "numbers that a design must match"), c);
  const bool bound = c.max_params > 0 || c.max_macs > 0 || c.min_accuracy > 0 || c.min_probe_accuracy > 0;
  if (!compared || (!bound && c.name.empty())) return;  // a resolved configuration spells out the empty section
  if (c.name.empty()) throw reader.error("comparator", "a name, for reports");
  if (!bound) {
    throw reader.error("comparator", "at least one of max_params, max_macs, min_accuracy, min_probe_accuracy");
  }
  o.comparator = c;
}

Gate::Gate(GateOptions options, std::vector<ExtraRule> extra) : options_(std::move(options)), extra_(std::move(extra)) {
  for (const std::string& name : options_.rules) {
    rules_.push_back(arch::find_rule(name));
    if (rules_.back() == nullptr) throw core::ConfigError("gate: rule " + name + " is not in the table of rules");
  }
  const auto bound = [&](const char* rule, int64_t Costs::*cost, int64_t limit, const char* unit,
                         const std::string& source = "") {
    if (limit > 0) bounds_.push_back({rule, cost, limit, unit, "at most " + count_text(limit, unit) + source});
  };
  const GateOptions& o = options_;
  bound("max_params", &Costs::params, o.max_params, "parameters");
  bound("max_macs", &Costs::macs, o.max_macs, "MACs");
  bound("max_constant_bytes", &Costs::constant_bytes, o.max_constant_bytes, kBytes);
  bound("max_arena_bytes", &Costs::arena_bytes, o.max_arena_bytes, kBytes);
  if (!o.comparator) return;
  const std::string source = " (" + o.comparator->name + ")";
  bound(kComparatorRule, &Costs::params, o.comparator->max_params, "parameters", source);
  bound(kComparatorRule, &Costs::macs, o.comparator->max_macs, "MACs", source);
}

std::vector<Verdict> Gate::before_training(const arch::Spec& spec) const {
  return before_training(Candidate{spec, arch::analyze(spec)});
}

std::vector<Verdict> Gate::before_training(const Candidate& candidate) const {
  std::vector<Verdict> verdicts;
  verdicts.reserve(rules_.size() + bounds_.size() + extra_.size());
  const arch::RuleView view(candidate.spec);
  for (const arch::Rule* rule : rules_) check_rule(view, *rule, verdicts);
  const Costs cost = costs(candidate);
  for (const Bound& b : bounds_) {
    const int64_t value = cost.*b.cost;
    verdicts.push_back({b.rule, value <= b.limit, b.cost == &Costs::arena_bytes ? cost.arena_node : "",
                        count_text(value, b.unit), b.limit_text});
  }
  for (const ExtraRule& rule : extra_) verdicts.push_back(rule(candidate.spec));
  return verdicts;
}

std::vector<Verdict> Gate::after_probe(const Findings& findings) const {
  if (!options_.comparator || options_.comparator->min_probe_accuracy <= 0) return {};
  const Comparator& c = *options_.comparator;
  const auto it = findings.metrics.find("val_accuracy");
  if (it == findings.metrics.end()) {
    Verdict missing = at_least(0, c.min_probe_accuracy, c.name);
    missing.value = "val_accuracy was not measured";
    return {missing};
  }
  return {at_least(it->second, c.min_probe_accuracy, c.name)};
}

std::vector<Verdict> Gate::after_training(double accuracy_percent) const {
  if (!options_.comparator || options_.comparator->min_accuracy <= 0) return {};
  return {at_least(accuracy_percent, options_.comparator->min_accuracy, options_.comparator->name)};
}

bool passed(const std::vector<Verdict>& verdicts) {
  return std::all_of(verdicts.begin(), verdicts.end(), [](const Verdict& v) { return v.passed; });
}

}  // namespace condenser::search
