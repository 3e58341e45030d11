// Stage `quantize`: lowers the winner, calibrates, writes int8 weights, and reports what int8 costs.

#include <cmath>

#include "cli/run_identity.hpp"
#include "cli/stages/evaluation_files.hpp"
#include "cli/stages/stages.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/core/text.hpp"
#include "condenser/data/metrics.hpp"
#include "condenser/data/split.hpp"

namespace condenser::cli {

namespace {

constexpr int64_t kReportSamples = 64;  // for the per-node signal-to-noise ratios

AccuracyRecord accuracy_record(const data::Evaluation& e) {
  const quant::Accuracy a = quant::accuracy_of(e);
  const quant::Interval i = quant::wilson_95(a);
  AccuracyRecord record{a.correct, a.total, a.percent(), i.low_percent, i.high_percent, {}};
  for (const data::Metric& metric : data::metrics()) {
    const double value = metric.value(e);
    if (metric.name != "accuracy" && std::isfinite(value)) record.metrics[metric.json_key] = value;
  }
  return record;
}

// "test macro F1: 91.25 % float, 90.5 % int8"
std::vector<std::string> metric_lines(const data::Evaluation& as_float, const data::Evaluation& as_int8) {
  std::vector<std::string> lines;
  for (const data::Metric& metric : data::metrics()) {
    const double before = metric.value(as_float), after = metric.value(as_int8);
    if (metric.name == "accuracy" || !std::isfinite(before) || !std::isfinite(after)) continue;
    const std::string unit = metric.unit.empty() ? "" : " " + metric.unit;
    lines.push_back("test " + metric.title + ": " + core::significant(before, 5) + unit + " float, " +
                    core::significant(after, 5) + unit + " int8");
  }
  return lines;
}

template <class Metric>
void add_lines(const char* what, const Metric& as_float, const Metric& as_int8, std::vector<std::string>& lines) {
  lines.push_back(std::string(what) + " float: " + quant::to_string(as_float));
  lines.push_back(std::string(what) + " int8:  " + quant::to_string(as_int8));
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
  const data::Task task = task_of(c);
  const data::Evaluation as_float = quant::evaluate_float(lowered, float_weights, *run.test(), task);
  const data::Evaluation as_int8 = quant::evaluate_int8(lowered, q.weights, q.quant, *run.test(), task);

  QuantRecord record{.spec_hash = hash,
                     .lowered_hash = arch::hash(lowered).hex(),
                     .rounding = q.quant.rounding,
                     .observer = c.quant.observer,
                     .calibration_samples = std::min<int64_t>(c.quant.calibration_samples, run.training()->size()),
                     .test_float = accuracy_record(as_float),
                     .test_int8 = accuracy_record(as_int8),
                     .reconstruction_float = reconstruction_record(as_float),
                     .reconstruction_int8 = reconstruction_record(as_int8),
                     .settings = settings_of(run, "quantize")};
  for (const auto& n : nodes)
    record.nodes.push_back({n.node, std::isfinite(n.snr_db) ? std::optional(n.snr_db) : std::nullopt,
                            n.saturated_fraction, n.output.scale, n.output.zero_point});
  q.weights.metadata["key"] = key_of(record.settings);
  q.weights.metadata["training"] = key_of(settings_of(run, "train"));
  q.quant.weights_checksum = arch::save_weights(run.folder / "weights_int8.safetensors", q.weights);
  core::write_atomic(run.folder / "quant.json", runtime::to_json(q.quant));
  write_record(run.folder, record);

  StageOutput out{"Int8, per node", quant::to_table(nodes), {}};
  if (task.reconstructs())
    add_lines("test part", *quant::reconstruction_of(as_float), *quant::reconstruction_of(as_int8), out.lines);
  else
    add_lines("test accuracy", quant::accuracy_of(as_float), quant::accuracy_of(as_int8), out.lines);
  for (std::string& line : metric_lines(as_float, as_int8)) out.lines.push_back(std::move(line));
  return out;
}

}  // namespace condenser::cli
