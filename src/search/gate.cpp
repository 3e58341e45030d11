// Verdicts over a Spec and over findings. Rules, analysis, lowering and the memory plan are arch's; the gate compares.

#include "condenser/search/gate.hpp"

#include <algorithm>
#include <cstdio>

#include "condenser/arch/design_costs.hpp"
#include "condenser/core/table.hpp"
#include "condenser/core/text.hpp"

namespace condenser::search {
namespace {

constexpr int64_t kMaxBudget = 1'000'000'000'000'000;
constexpr const char* kComparatorRule = "beats_comparator";
constexpr const char* kArena = "max_arena_bytes";
constexpr const char* kRam = "max_ram_bytes";
constexpr const char* kFrontEnd = "front_end";  // where its buffers beside the input are the peak

void read_comparator(core::config::Reader reader, Comparator& c) {
  reader.text("name", c.name, "the design to match");
  reader.text("source", c.source, "where its numbers come from");
  reader.text("dataset", c.dataset, "name of the data set they were measured on: not applied to others; empty: any");
  reader.integer("max_params", c.max_params, 0, kMaxBudget, "its trainable parameters; 0: no bound");
  reader.integer("max_macs", c.max_macs, 0, kMaxBudget, "its multiply-accumulates; 0: no bound");
  reader.number("min_accuracy", c.min_accuracy, 0, 100, "percent, of the finished network; 0: no bound");
  reader.number("min_probe_accuracy", c.min_probe_accuracy, 0, 100,
                "percent, val_accuracy of the short training; 0: no bound");
}

std::string count_text(int64_t value, const Metric& metric) {
  return metric.unit == "bytes" ? core::bytes_text(value) : core::thousands(value).append(1, ' ').append(metric.unit);
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

// Refuses what nothing is known of.
void read_machine(core::config::Reader& reader, GateOptions& o) {
  reader.text("machine", o.machine,
              "that instructions, code and stack are estimated for (" + core::join(arch::modelled_machines()) +
                  "); empty: none");
  reader.integer("max_instructions", o.max_instructions, 0, kMaxBudget,
                 "of one inference on the machine, estimated from shapes; 0: no bound");
  reader.integer("max_code_bytes", o.max_code_bytes, 0, kMaxBudget,
                 "of kernels and the run function on the machine; 0: no bound");
  reader.integer("max_stack_bytes", o.max_stack_bytes, 0, kMaxBudget,
                 "that the run function takes on the machine; 0: no bound");
  reader.integer("max_ram_bytes", o.max_ram_bytes, 0, kMaxBudget,
                 "of the planned activations and the stack on the machine together; 0: no bound");
  const arch::MachineModel* model = arch::find_machine_model(o.machine);
  reader.integer("max_estimated_cycles", o.max_estimated_cycles, 0, kMaxBudget,
                 "of one inference on the machine, estimated from what its manual says that instructions take; 0: no "
                 "bound");
  const bool bound = o.max_instructions > 0 || o.max_code_bytes > 0 || o.max_stack_bytes > 0 || o.max_ram_bytes > 0 ||
                     o.max_estimated_cycles > 0;
  if (model == nullptr && (bound || !o.machine.empty()))
    throw reader.error("machine", "one of " + core::join(arch::modelled_machines()) +
                                      (bound ? ", whose instructions, code and stack are bounded" : ""));
  for (const char* key : {"max_stack_bytes", kRam}) {
    const int64_t limit = key == kRam ? o.max_ram_bytes : o.max_stack_bytes;
    if (limit > 0 && !arch::knows_stack(*model)) throw reader.error(key, "0: the stack is not known on " + o.machine);
  }
  if (o.max_estimated_cycles > 0 && !arch::knows_cycles(*model))
    throw reader.error("max_estimated_cycles", "0: what instructions take is not known on " + o.machine);
}

arch::MachineCosts costs_on(const arch::MachineModel& machine, const arch::Design& design) {
  return arch::machine_costs(machine, design);
}

int64_t arena_of(const Candidate& candidate) { return std::max(candidate.plan.peak_bytes, candidate.filling_bytes); }

std::string strips_text(const arch::Design& design) {
  const arch::Strips& strips = design.plan.strips;
  if (strips.empty()) return "";
  return " in " + std::to_string(strips.rows.size()) + " strips of " + design.lowered.node(strips.cut).name;
}

Verdict at_least(double value, double limit, const std::string& name) {
  // The negated form refuses NaN too.
  return {kComparatorRule, !!(value >= limit), "", percent_text(value),
          "at least " + percent_text(limit) + " (" + name + ")"};
}

}  // namespace

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
  read_machine(reader, o);
  reader.integer(
      "arena_inputs", o.arena_inputs, 0, 1000,
      "raise max_arena_bytes to so many inputs where it holds fewer (larger pictures, larger device); 0: no");
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

void fit_to_data(GateOptions& o, const std::string& dataset, const arch::Shape& input) {
  const int64_t wanted = o.arena_inputs * input.elements();
  if (o.max_arena_bytes > 0 && wanted > o.max_arena_bytes) {
    o.notes.push_back("inputs of " + arch::to_string(input) + ": max_arena_bytes is " + core::bytes_text(wanted) +
                      ", " + std::to_string(o.arena_inputs) + " inputs (gate.arena_inputs), instead of " +
                      core::bytes_text(o.max_arena_bytes));
    o.max_arena_bytes = wanted;
  }
  if (o.comparator && !o.comparator->dataset.empty() && o.comparator->dataset != dataset) {
    o.notes.push_back("comparator " + core::printable(o.comparator->name) +
                      " is not applied: its numbers are of data set " + core::printable(o.comparator->dataset) +
                      ", this one is " + core::printable(dataset));
    o.comparator.reset();
  }
}

Gate::Gate(GateOptions options, std::vector<ExtraRule> extra)
    : options_(std::move(options)), machine_(arch::find_machine_model(options_.machine)), extra_(std::move(extra)) {
  if (machine_ == nullptr && !options_.machine.empty())
    throw core::ConfigError("gate: machine " + core::printable(options_.machine) + "; expected one of " +
                            core::join(arch::modelled_machines()));
  for (const std::string& name : options_.rules) {
    rules_.push_back(arch::find_rule(name));
    if (rules_.back() == nullptr) throw core::ConfigError("gate: rule " + name + " is not in the table of rules");
  }
  const auto bound = [&](const char* rule, const char* name, int64_t limit, const std::string& source = "") {
    const Metric* metric = find_metric(name);
    if (limit > 0) bounds_.push_back({rule, metric, limit, "at most " + count_text(limit, *metric) + source});
  };
  const GateOptions& o = options_;
  bound("max_params", "params", o.max_params);
  bound("max_macs", "macs", o.max_macs);
  bound("max_constant_bytes", "constant_bytes", o.max_constant_bytes);
  bound(kArena, "arena_bytes", o.max_arena_bytes);
  bound("max_instructions", "instructions", o.max_instructions, " (" + o.machine + ", estimated)");
  bound("max_code_bytes", "code_bytes", o.max_code_bytes, " (" + o.machine + ", estimated)");
  bound("max_stack_bytes", "stack_bytes", o.max_stack_bytes, " (" + o.machine + ", estimated)");
  bound("max_estimated_cycles", "estimated_cycles", o.max_estimated_cycles, " (" + o.machine + ", estimated)");
  bound(kRam, "ram_bytes", o.max_ram_bytes, " (" + o.machine + ", stack estimated)");
  const bool on_machine = std::ranges::any_of(bounds_, [](const Bound& b) { return b.metric->of_machine != nullptr; });
  if (on_machine && machine_ == nullptr)
    throw core::ConfigError("gate: bounds of a machine without a machine; expected one of " +
                            core::join(arch::modelled_machines()));
  if (!o.comparator) return;
  const std::string source = " (" + o.comparator->name + ")";
  bound(kComparatorRule, "params", o.comparator->max_params, source);
  bound(kComparatorRule, "macs", o.comparator->max_macs, source);
}

std::vector<Verdict> Gate::before_training(const Candidate& design) const {
  std::vector<Verdict> verdicts;
  verdicts.reserve(rules_.size() + bounds_.size() + extra_.size());
  if (!rules_.empty()) {
    const arch::RuleView view(design.spec);
    for (const arch::Rule* rule : rules_) check_rule(view, *rule, verdicts);
  }
  std::optional<arch::MachineCosts> machine;
  for (const Bound& b : bounds_) {
    int64_t value = 0;
    if (b.metric->of_machine == nullptr) {
      value = static_cast<int64_t>(cost(design, *b.metric).value_or(0));
    } else {
      if (!machine) machine = costs_on(*machine_, design);
      value = b.metric->of_machine(*machine, arena_of(design));
    }
    std::string node, found = count_text(value, *b.metric);
    if (b.rule == kArena || b.rule == kRam) {
      node = arena_of(design) > design.plan.peak_bytes ? kFrontEnd : design.peak_node();
      found += strips_text(design);
    }
    if (value < 0) found = "not known: a kernel that nobody measured, as of values of 16 bits";
    verdicts.push_back({b.rule, value >= 0 && value <= b.limit, node, found, b.limit_text});
  }
  for (const ExtraRule& rule : extra_) verdicts.push_back(rule(design));
  return verdicts;
}

void Gate::add_costs(const Candidate& candidate, Findings& findings) const {
  for (const Metric& metric : metrics()) {
    if (const auto value = cost(candidate, metric)) findings.metrics[metric.name] = *value;
  }
  if (machine_ == nullptr || candidate.lowered.nodes.empty()) return;
  const arch::MachineCosts costs = costs_on(*machine_, candidate);
  for (const Metric& metric : metrics()) {
    if (metric.of_machine == nullptr) continue;
    const int64_t value = metric.of_machine(costs, arena_of(candidate));
    if (value >= 0) findings.metrics[metric.name] = static_cast<double>(value);
  }
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

std::string to_text(const Verdict& v) {
  return v.rule + (v.node.empty() ? "" : " at node " + v.node) + ": " + v.value + "; limit " + v.limit;
}

bool passed(const std::vector<Verdict>& verdicts) {
  return std::all_of(verdicts.begin(), verdicts.end(), [](const Verdict& v) { return v.passed; });
}

}  // namespace condenser::search
