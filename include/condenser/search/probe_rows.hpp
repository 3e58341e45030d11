#pragma once
// The table of probes: what there is to ask of a candidate, what each finds, and what it costs. A fact is known without
// the module that asks; probes that need LibTorch are made by train/.

#include <cstdint>
#include <string>
#include <vector>

namespace condenser::search {

struct ProbeRow {
  std::string name;
  std::string about;
  std::vector<std::string> finds;  // metrics
  int64_t images = 0;     // that go forward and backward through the candidate; 0: it trains on all, epoch by epoch
  bool inherits = false;  // looks at shared weights, which are trained once: `images` and the validation part, forward
  bool trains() const { return images == 0; }
};

const std::vector<ProbeRow>& probe_rows();                // the cheapest first
const ProbeRow& find_probe_row(const std::string& name);  // throws ConfigError naming the nearest
std::vector<std::string> score_names();                   // of those that do not train the candidate

// In epochs of the candidate's own training; `training` images are in one. Work is counted, not time, so that it is the
// same on every machine. Forward alone counts as a third.
double cost_epochs(const ProbeRow&, int64_t training, int64_t validation, int epochs);

// What the probe `reactions` says of single nodes. It stands in Findings::node_scores as "<node>:<measure>".
struct ReactionMeasure {
  std::string name;
  std::string about;
};
const std::vector<ReactionMeasure>& reaction_measures();
std::string reaction_key(const std::string& node, const std::string& measure);

}  // namespace condenser::search
