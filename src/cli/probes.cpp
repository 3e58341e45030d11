// The probes of a run's search.

#include <algorithm>
#include <cmath>

#include "cli/cost_estimate.hpp"
#include "cli/examiner.hpp"
#include "cli/inputs.hpp"
#include "cli/search_workers.hpp"
#include "cli/torch_module.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/data/metrics.hpp"
#include "condenser/data/split.hpp"
#include "condenser/quant/equalize.hpp"
#include "condenser/quant/report.hpp"
#include "condenser/search/probe_rows.hpp"
#include "condenser/search/table.hpp"

namespace condenser::cli {
namespace {

constexpr int64_t kReactionImages = 16;

// How much of each node's signal survives int8, in dB; what is infinite or unknown is left out.
void measure_nodes(const arch::Spec& lowered, const arch::Weights& weights, const quant::Quantized& q,
                   const data::Dataset& samples, search::Findings& findings) {
  for (const quant::NodeReport& node : quant::node_reports(lowered, weights, q.weights, q.quant, samples))
    if (std::isfinite(node.snr_db)) findings.node_scores[search::reaction_key(node.node, "int8_snr")] = node.snr_db;
}

// What ships: quantized on the calibration samples, run by the integer kernels on the validation part.
void measure_int8(const RunContext& run, const RunContext::Parts& parts, const search::Candidate& candidate,
                  arch::Weights weights, search::Findings& findings) {
  arch::lower(candidate.spec, &weights);
  const arch::Spec& lowered = candidate.lowered;
  if (run.config.quant.equalize) quant::equalize(lowered, weights);
  const quant::Quantized q = quant::quantize(candidate, weights, *parts.training, run.config.quant);
  const data::Evaluation found =
      quant::evaluate_int8(lowered, q.weights, q.quant, *parts.validation, task_of(run.config));
  findings.metrics["int8_accuracy"] = data::metrics().front().value(found);
  const auto few = data::subset(parts.training, data::stratified_subset(*parts.training, kReactionImages, 1));
  measure_nodes(lowered, weights, q, *few, findings);
}

// Made when the first candidate gets that far: a resumed search that is complete needs no LibTorch. One for every
// preparation of the data, as long as the run keeps them.
class LazyProbe : public search::Probe {
 public:
  LazyProbe(RunContext& run, const search::ProbeRow& row) : run_(run), row_(row) {}
  std::string name() const override { return row_.name; }
  std::vector<std::string> finds() const override {
    std::vector<std::string> metrics = row_.finds;
    if (measures_int8()) metrics.push_back("int8_accuracy");
    return metrics;
  }

  // Of data like those that searches are for: only the order of the probes depends on it.
  double cost_seconds() const override {
    constexpr int64_t kTraining = 10'000, kValidation = 2'000;
    return search::cost_epochs(row_, kTraining, kValidation, run_.config.probe.train.epochs);
  }

  void ask(const search::Candidate& candidate, const search::ProbeContext& context,
           search::Findings& findings) override {
    probe_for(run_.parts(preparation_of(candidate.input))).ask(candidate, context, findings);
  }

 private:
  bool measures_int8() const { return row_.trains() && searches_int8(run_.config); }

  using Parts = RunContext::Parts;

  search::Probe& probe_for(const std::shared_ptr<const Parts>& parts) {
    std::erase_if(probes_, [](const auto& made) { return made.first.expired(); });
    for (const auto& [of, probe] : probes_)
      if (of.lock() == parts) return *probe;
    probes_.emplace_back(parts, torch_backend().make_probe(request(parts)));
    return *probes_.back().second;
  }

  train::ProbeRequest request(const std::shared_ptr<const Parts>& parts) const {
    const ProbeOptions& o = run_.config.probe;
    train::ProbeRequest request{row_.name, balanced(*parts, o.samples), parts->validation, o.train};
    if (row_.inherits)
      request.supernet = {.options = o.supernet,
                          .space = run_.config.space.get(),
                          .allowed = allowed_by(make_gate(run_.config)),
                          .train = balanced(*parts, o.supernet.samples > 0 ? o.supernet.samples : o.samples),
                          .folder = supernet_folder(run_.folder)};
    if (measures_int8())
      request.on_trained = [this, of = std::weak_ptr(parts)](const search::Candidate& candidate,
                                                             const arch::Weights& weights, search::Findings& findings) {
        measure_int8(run_, *of.lock(), candidate, weights, findings);
      };
    return request;
  }

  // Of the training part; 0: all.
  std::shared_ptr<const data::Dataset> balanced(const Parts& parts, int64_t images) const {
    if (images == 0) return parts.training;
    return data::subset(parts.training, data::stratified_subset(*parts.training, images, run_.config.probe.train.seed));
  }

  RunContext& run_;
  const search::ProbeRow& row_;
  std::vector<std::pair<std::weak_ptr<const Parts>, std::unique_ptr<search::Probe>>> probes_;
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
