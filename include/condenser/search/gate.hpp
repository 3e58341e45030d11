#pragma once
// Hard constraints: structural rules, budgets, comparator bounds. A refusal names rule, node, value and limit.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "condenser/arch/rules.hpp"
#include "condenser/core/config.hpp"
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

// What a network costs: size and work as given, flash and RAM of its lowered form, which is what will be exported.
struct Costs {
  int64_t params = 0, macs = 0;
  int64_t constant_bytes = 0;  // int8 flash
  int64_t arena_bytes = 0;     // planned RAM
  std::string arena_node;      // where the live bytes peak, a node of the lowered form
};
Costs costs(const Candidate&);  // throws arch::SpecError
Costs costs(const arch::Spec&);

// A row of numbers that a design must match: at most this size and work (before training), at least this accuracy
// (after).
struct Comparator {
  std::string name;
  std::string source;                    // where the numbers come from
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
  std::optional<Comparator> comparator;
};
void read_options(core::config::Reader&, GateOptions&);

// A further rule handed in as a value (exportable_to_c99 comes from cli).
using ExtraRule = std::function<Verdict(const arch::Spec&)>;

class Gate {
 public:
  Gate(GateOptions options, std::vector<ExtraRule> extra = {});
  // Every verdict, cheapest first, stopping at nothing: a refusal lists all that is wrong (one verdict per violation of
  // a rule). Sizes are of the given Spec; flash and arena of its lowered form.
  std::vector<Verdict> before_training(const Candidate&) const;
  std::vector<Verdict> before_training(const arch::Spec&) const;
  // The accuracy half of beats_comparator; empty without a comparator bound for this stage.
  std::vector<Verdict> after_probe(const Findings&) const;
  std::vector<Verdict> after_training(double accuracy_percent) const;
  const GateOptions& options() const { return options_; }

 private:
  struct Bound {
    const char* rule;
    int64_t Costs::*cost;
    int64_t limit;
    const char* unit;
    std::string limit_text;
  };

  GateOptions options_;
  std::vector<const arch::Rule*> rules_;
  std::vector<Bound> bounds_;  // those in force
  std::vector<ExtraRule> extra_;
};

bool passed(const std::vector<Verdict>&);

}  // namespace condenser::search
