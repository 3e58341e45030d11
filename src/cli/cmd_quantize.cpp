// Stage `quantize`: lowers the winner, calibrates, writes int8 weights, and reports what int8 costs.

#include <nlohmann/json.hpp>

#include "cli/stages.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/data/split.hpp"

namespace condenser::cli {

namespace {

constexpr int64_t kReportSamples = 64;  // for the per-node signal-to-noise ratios

nlohmann::ordered_json accuracy_json(const quant::Accuracy& a) {
  const quant::Interval i = quant::wilson_95(a);
  return {{"correct", a.correct},
          {"total", a.total},
          {"accuracy_percent", a.percent()},
          {"low_percent", i.low_percent},
          {"high_percent", i.high_percent}};
}

}  // namespace

StageOutput stage_quantize(RunContext& run) {
  const RunConfig& c = run.config;
  const arch::Design winner = load_winner(run);
  const std::string hash = arch::hash(winner.spec).hex();
  arch::Weights float_weights = load_float_weights(run, winner.spec);
  const arch::Spec lowered = arch::lower(winner.spec, &float_weights);
  quant::Quantized q = quant::quantize(winner, float_weights, *run.training(), c.quant);
  q.weights.metadata["spec_hash"] = hash;
  q.weights.metadata["lowered_hash"] = arch::hash(lowered).hex();

  const auto sample = data::subset(
      run.training(), data::stratified_subset(*run.training(), kReportSamples, c.quant.calibration_seed + 1));
  const auto nodes = quant::node_reports(lowered, float_weights, q.weights, q.quant, *sample);
  const quant::Accuracy as_float = quant::float_accuracy(lowered, float_weights, *run.test());
  const quant::Accuracy as_int8 = quant::int8_accuracy(lowered, q.weights, q.quant, *run.test());

  nlohmann::ordered_json j;
  j["schema_version"] = 1;
  j["spec_hash"] = hash;
  j["lowered_hash"] = arch::hash(lowered).hex();
  j["rounding"] = q.quant.rounding;
  j["observer"] = c.quant.observer;
  j["calibration_samples"] = std::min<int64_t>(c.quant.calibration_samples, run.training()->size());
  j["test_float"] = accuracy_json(as_float);
  j["test_int8"] = accuracy_json(as_int8);
  for (const auto& n : nodes)
    j["nodes"].push_back({{"node", n.node},
                          {"snr_db", n.snr_db},
                          {"saturated_fraction", n.saturated_fraction},
                          {"scale", n.output.scale},
                          {"zero_point", n.output.zero_point}});
  arch::save_weights(run.folder / "weights_int8.safetensors", q.weights);
  core::write_atomic(run.folder / "quant.json", runtime::to_json(q.quant));
  core::write_atomic(run.folder / "quant_report.json", j.dump(2) + "\n");

  StageOutput out{"Int8, per node", quant::to_table(nodes), {}};
  out.lines.push_back("test accuracy float: " + quant::to_string(as_float));
  out.lines.push_back("test accuracy int8:  " + quant::to_string(as_int8));
  return out;
}

}  // namespace condenser::cli
