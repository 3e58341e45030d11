#pragma once
// Hard constraints: structural rules, budgets, comparator bounds. A refusal names rule, node, value and limit.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "condenser/arch/rules.hpp"
#include "condenser/core/config.hpp"
#include "condenser/search/metrics.hpp"
#include "condenser/search/probe.hpp"

namespace condenser::search {

struct Verdict {
  std::string rule;  // "max_arena_bytes", "antialiased_downsampling", "beats_comparator", ...
  bool passed = true;
  std::string node;   // where it breaks; "" when it concerns the whole network
  std::string value;  // found
  std::string limit;  // allowed
  bool operator==(const Verdict&) const = default;
};
std::string to_text(const Verdict&);  // "max_params at node x: 9; limit 8", as found: names are not made printable

// A row of numbers that a design must match: at most this size and work (before training), at least this accuracy
// (after).
struct Comparator {
  std::string name;
  std::string source;                    // where the numbers come from
  std::string dataset;                   // the data set (its card's name) they were measured on; "": they fit any
  int64_t max_params = 0, max_macs = 0;  // 0: no bound
  double min_accuracy = 0;               // percent, of the finished network; 0: no bound
  double min_probe_accuracy = 0;         // percent, metric val_accuracy of the probe; 0: no bound
};

struct GateOptions {
  std::string device;                    // for people
  std::vector<std::string> rules;        // names in arch::rules()
  int64_t max_params = 0, max_macs = 0;  // 0: no bound
  int64_t max_constant_bytes = 0;        // int8 flash constants after lowering
  int64_t max_arena_bytes = 0;           // planned arena after lowering
  std::string machine;                   // that instructions, code and stack are estimated for; "": none
  int64_t max_instructions = 0;          // of one inference
  int64_t max_code_bytes = 0, max_stack_bytes = 0;
  int64_t max_ram_bytes = 0;         // arena and stack together
  int64_t max_estimated_cycles = 0;  // of one inference
  int arena_inputs = 0;              // the arena may hold so many inputs where that is more; 0: no
  std::optional<Comparator> comparator;
  std::vector<std::string> notes;  // what fit_to_data() changed and why, in words for people
};
void read_options(core::config::Reader&, GateOptions&);
// What depends on the data: raises max_arena_bytes to arena_inputs inputs, drops a comparator of another data set.
void fit_to_data(GateOptions&, const std::string& dataset, const arch::Shape& input);

// A budget in force.
struct Bound {
  std::string rule;
  const Metric* metric = nullptr;  // what is bounded; one that is known of a design
  int64_t limit = 0;
  std::string limit_text;
};

// A further rule handed in as a value (exportable_to_c99 comes from cli).
using ExtraRule = std::function<Verdict(const arch::Design&)>;

class Gate {
 public:
  Gate(GateOptions options, std::vector<ExtraRule> extra = {});
  // Every verdict, cheapest first, stopping at nothing: a refusal lists all that is wrong (one verdict per violation of
  // a rule). Size and work are of the network as given; flash and arena of its lowered form, with the plan that the
  // candidate has.
  std::vector<Verdict> before_training(const Candidate&) const;
  // All that is known before training, of the machine too.
  void add_costs(const Candidate&, Findings&) const;
  // The accuracy half of beats_comparator; empty without a comparator bound for this stage.
  std::vector<Verdict> after_probe(const Findings&) const;
  std::vector<Verdict> after_training(double accuracy_percent) const;
  const GateOptions& options() const { return options_; }
  const std::vector<Bound>& bounds() const { return bounds_; }

 private:
  GateOptions options_;
  const arch::MachineModel* machine_;  // null: none
  std::vector<const arch::Rule*> rules_;
  std::vector<Bound> bounds_;
  std::vector<ExtraRule> extra_;
};

bool passed(const std::vector<Verdict>&);

}  // namespace condenser::search
