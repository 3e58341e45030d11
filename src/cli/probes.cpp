// The probes of a run's search.

#include <algorithm>

#include "cli/examiner.hpp"
#include "cli/torch_module.hpp"
#include "condenser/data/split.hpp"
#include "condenser/search/probe_rows.hpp"
#include "condenser/search/table.hpp"

namespace condenser::cli {
namespace {

// Made when the first candidate gets that far: a resumed search that is complete needs no LibTorch.
class LazyProbe : public search::Probe {
 public:
  LazyProbe(RunContext& run, const search::ProbeRow& row) : run_(run), row_(row) {}
  std::string name() const override { return row_.name; }
  std::vector<std::string> finds() const override { return row_.finds; }

  // Of data like those that searches are for: only the order of the probes depends on it.
  double cost_seconds() const override {
    constexpr int64_t kTraining = 10'000;
    return search::cost_epochs(row_, kTraining, run_.config.probe.train.epochs);
  }

  void ask(const search::Candidate& candidate, const search::ProbeContext& context,
           search::Findings& findings) override {
    if (!probe_)
      probe_ = torch_backend().make_probe({row_.name, short_data(), run_.validation(), run_.config.probe.train});
    probe_->ask(candidate, context, findings);
  }

 private:
  std::shared_ptr<const data::Dataset> short_data() const {
    const ProbeOptions& o = run_.config.probe;
    auto data = run_.training();
    if (o.samples == 0) return data;
    return data::subset(data, data::stratified_subset(*data, o.samples, o.train.seed));
  }

  RunContext& run_;
  const search::ProbeRow& row_;
  std::unique_ptr<search::Probe> probe_;
};

}  // namespace

std::vector<std::unique_ptr<search::Probe>> make_probes(RunContext& run) {
  const std::vector<std::string>& scores = run.config.probe.scores;
  std::vector<std::unique_ptr<search::Probe>> probes;
  if (run.config.space && search::is_table(*run.config.space)) {
    probes.push_back(search::make_table_probe(*run.config.space));
    return probes;
  }
  for (const search::ProbeRow& row : search::probe_rows())
    if (row.trains() || std::ranges::find(scores, row.name) != scores.end())
      probes.push_back(std::make_unique<LazyProbe>(run, row));
  return probes;
}

}  // namespace condenser::cli
