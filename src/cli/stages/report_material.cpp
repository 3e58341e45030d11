// From the records of the run's stages to what the report shows.

#include "cli/stages/report_material.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cli/cost_estimate.hpp"
#include "cli/run_identity.hpp"
#include "cli/search_workers.hpp"
#include "cli/stages/evaluation_files.hpp"
#include "cli/stages/study_material.hpp"
#include "condenser/arch/design_costs.hpp"
#include "condenser/arch/machine_model.hpp"
#include "condenser/core/text.hpp"
#include "condenser/data/metrics.hpp"
#include "condenser/quant/quantize.hpp"
#include "condenser/verify/verify.hpp"

namespace condenser::cli {

namespace fs = std::filesystem;

namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

// Of a stage that made it with the options of this call.
template <class Record>
std::optional<Record> current(RunContext& run, const std::string& stage) {
  auto record = find_record<Record>(run.folder);
  if (record && !changes(record->settings, settings_of(run, stage)).empty()) record.reset();
  return record;
}

quant::Accuracy accuracy_of(const AccuracyRecord& a) { return {a.correct, a.total}; }

std::string text_of(const fs::path& file) { return fs::exists(file) ? core::read_file(file) : std::string(); }

std::string way_of(const auto& record) {
  return quant::way_text({.observer = record.observer,
                          .percentile = record.percentile,
                          .weight_rounding = record.weight_rounding,
                          .equalize = record.equalized});
}

// What was measured to choose and to find where int8 loses.
void add_trials(const QuantRecord& r, const data::Metric& metric, report::Quantized& q) {
  q.way = way_of(r);
  q.trained_epochs = r.trained_epochs;
  q.metric = metric.title;
  q.metric_unit = metric.unit;
  q.more_is_better = metric.better == data::Better::Higher;
  for (const QuantTrialRecord& t : r.tried) q.tried.push_back({way_of(t), t.metric, t.loss, way_of(t) == q.way});
  for (const NodeRecord& n : r.nodes)
    if (n.alone_in_float) q.in_float.push_back({n.node, *n.alone_in_float});
  q.none_in_float = r.none_in_float.value_or(kNotANumber);
  if (!r.histograms) return;
  for (quant::NodeReport& n : q.nodes)
    if (const auto found = r.histograms->find(n.node); found != r.histograms->end()) n.histogram = found->second;
}

report::Quantized quantized_of(const QuantRecord& r, const data::Metric& deciding) {
  report::Quantized q{.rounding = r.rounding,
                      .observer = r.observer,
                      .calibration_samples = r.calibration_samples,
                      .as_float = accuracy_of(r.test_float),
                      .as_int8 = accuracy_of(r.test_int8),
                      .float_reconstruction = reconstruction_of(r.reconstruction_float),
                      .int8_reconstruction = reconstruction_of(r.reconstruction_int8)};
  for (const NodeRecord& n : r.nodes)  // no ratio: no noise at all, or no signal
    q.nodes.push_back({n.node,
                       n.snr_db.value_or(kNotANumber),
                       n.saturated_fraction,
                       {n.scale, static_cast<int>(n.zero_point), static_cast<int>(n.bits.value_or(8))}});
  const auto value = [](const AccuracyRecord& a, const std::string& key) {
    const auto found = a.metrics.find(key);
    return found == a.metrics.end() ? kNotANumber : found->second;
  };
  for (const data::Metric& metric : data::metrics()) {
    const report::BothForms figure{metric.json_key, metric.title, metric.unit, value(r.test_float, metric.json_key),
                                   value(r.test_int8, metric.json_key)};
    if (std::isfinite(figure.as_float) || std::isfinite(figure.as_int8)) q.figures.push_back(figure);
  }
  add_trials(r, deciding, q);
  return q;
}

report::Evaluated evaluated_of(const EvaluationRecord& r, const fs::path& run, const std::string& folder) {
  report::Evaluated e;
  e.part = r.part;
  e.test = folder == "eval";
  e.accuracy = {r.correct, r.total};
  e.reconstruction = reconstruction_of(r.reconstruction);
  e.loss = r.loss.value_or(kNotANumber);
  e.balanced_accuracy_percent = r.balanced_accuracy_percent.value_or(kNotANumber);
  e.macro_f1_percent = r.macro_f1_percent.value_or(kNotANumber);
  e.auc_percent = r.auc_percent.value_or(kNotANumber);
  e.confusion.classes = r.classes;
  e.confusion.counts = r.confusion;
  e.folder = folder;
  e.mistakes_png = text_of(run / folder / "mistakes.png");
  return e;
}

// The test part when it was evaluated, else the validation part; of this network.
std::optional<report::Evaluated> read_evaluation(const fs::path& run, const std::string& hash) {
  for (const std::string folder : {"eval", "validation"}) {
    const auto record = find_record<EvaluationRecord>(run / folder);
    if (record && record->spec_hash == hash) return evaluated_of(*record, run, folder);
  }
  return std::nullopt;
}

std::optional<report::Trained> read_training(const RunContext& run, const std::string& hash) {
  report::Trained t;
  t.metrics_csv = text_of(run.folder / "metrics.csv");
  t.items_per_step = static_cast<int64_t>(run.config.train.batch_size) * run.config.train.accumulate;
  t.epochs = run.config.train.epochs;
  t.on_validation = run.config.train_on_validation;
  const auto record = find_record<TrainRecord>(run.folder);
  if (!record || record->spec_hash != hash) return t.metrics_csv.empty() ? std::nullopt : std::optional(t);
  t.on_validation = record->on_validation;
  t.validation = {record->validation_correct, record->validation_total};
  t.reconstruction = reconstruction_of(record->validation_reconstruction);
  if (record->training_items > 0) t.items = record->training_items;
  return t;
}

// Where items are made again, no answer is right or wrong.
report::Proof proof_of(const VerifyRecord& r, bool reconstructs) {
  report::Proof proof;
  proof.passed = r.passed;
  std::vector<verify::Check> checks;
  for (const CheckRecord& c : r.checks) {
    checks.push_back({c.target + ", " + c.name, c.ran, c.passed, c.samples, c.differing_values,
                      reconstructs ? kNotANumber : c.accuracy_percent, c.detail});
    proof.samples = std::max(proof.samples, c.samples);
    if (!c.ran) proof.skipped.push_back(c.name + ": " + c.detail);
  }
  proof.checks = verify::to_table(checks);
  return proof;
}

// As counted on the gate's machine, or on the first where the gate has none; else as the gate's machine is modelled.
std::optional<report::Stack> stack_of(const RunContext& run, const arch::Design& design,
                                      const std::optional<VerifyRecord>& proof) {
  const std::string& machine = run.config.gate.machine;
  if (proof)
    for (const MachineRecord& r : proof->machines)
      if (r.stack_bytes >= 0 && (machine.empty() || machine == r.machine))
        return report::Stack{r.machine, r.stack_bytes, true};
  const arch::MachineModel* model = arch::find_machine_model(machine);
  if (model == nullptr) return std::nullopt;
  const int64_t bytes = arch::machine_costs(*model, design).stack_bytes;
  return bytes < 0 ? std::nullopt : std::optional(report::Stack{machine, bytes, false});
}

std::vector<std::pair<std::string, std::string>> environment_of(const EnvironmentRecord& e) {
  return {{"condenser", e.condenser},
          {"compiler", e.compiler},
          {"build_type", e.build_type},
          {"libtorch", e.libtorch},
          {"system", e.system},
          {"cpu", e.cpu},
          {"threads", std::to_string(e.threads)},
          {"seed", std::to_string(e.seed)},
          {"started", e.started}};
}

}  // namespace

report::Material read_material(RunContext& run) {
  report::Material m;
  m.name = run.config.name;
  m.dataset = run.config.card.name;
  m.dataset_about = run.config.card.about;
  m.design = load_winner(run);
  m.hash = arch::hash(m.design.spec).hex();
  m.lowered_hash = arch::hash(m.design.lowered).hex();
  if (run.config.space && (is_shared(run) || fs::exists(study_of(run))))
    m.searched = {search::open_study(study_of(run), search::StoreMode::Look)->load(), run.config.search.objective,
                  run.config.space.get(), kStudyPage};
  m.trained = read_training(run, m.hash);
  m.evaluated = read_evaluation(run.folder, m.hash);
  if (const auto record = current<QuantRecord>(run, "quantize"))
    m.quantized = quantized_of(*record, train::deciding_metric(run.config.train));
  const auto proof = current<VerifyRecord>(run, "verify");
  if (proof) m.proof = proof_of(*proof, train::reconstructs(run.config.train));
  m.stack = stack_of(run, m.design, proof);
  if (const auto record = find_record<EnvironmentRecord>(run.folder)) m.environment = environment_of(*record);
  if (const auto record = find_record<DataRecord>(run.folder))
    for (const FindingRecord& f : record->findings)
      m.data_findings.push_back(
          {"data_" + f.kind, core::printable(f.split.empty() ? f.text : f.split + ": " + f.text)});
  m.gate_notes = run.config.gate.notes;
  const search::Gate gate = make_gate(run.config);
  const search::Candidate winner = as_searched(run, m.design);
  m.front_end_bytes = winner.front_end_bytes;
  m.verdicts = gate.before_training(winner);
  if (const auto test = report::test_accuracy(m); test && test->total > 0)
    for (search::Verdict& v : gate.after_training(test->percent())) m.verdicts.push_back(std::move(v));
  return m;
}

}  // namespace condenser::cli
