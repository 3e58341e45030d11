// The probes of a run's search.

#include "cli/examiner.hpp"
#include "cli/torch_module.hpp"
#include "condenser/data/split.hpp"

namespace condenser::cli {
namespace {

// The short training, made when the first candidate gets that far: a resumed search that is complete needs no LibTorch.
class LazyShortTrain : public search::Probe {
 public:
  explicit LazyShortTrain(RunContext& run) : run_(run) {}
  std::string name() const override { return "short_train"; }
  double cost_seconds() const override { return 1.0; }
  std::vector<std::string> finds() const override { return {"val_accuracy", "val_loss"}; }
  void ask(const search::Candidate& candidate, const search::ProbeContext& context,
           search::Findings& findings) override {
    if (!probe_) {
      const ProbeOptions& o = run_.config.probe;
      auto data = run_.training();
      if (o.samples > 0) data = data::subset(data, data::stratified_subset(*data, o.samples, o.train.seed));
      probe_ = torch_backend().make_short_train(data, run_.validation(), o.train);
    }
    probe_->ask(candidate, context, findings);
  }

 private:
  RunContext& run_;
  std::unique_ptr<search::Probe> probe_;
};

}  // namespace

std::vector<std::unique_ptr<search::Probe>> make_probes(RunContext& run) {
  std::vector<std::unique_ptr<search::Probe>> probes;
  probes.push_back(std::make_unique<LazyShortTrain>(run));
  return probes;
}

}  // namespace condenser::cli
