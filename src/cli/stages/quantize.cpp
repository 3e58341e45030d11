// Stage `quantize`: lowers the winner, calibrates, writes int8 weights, and reports what int8 costs.

#include <algorithm>
#include <cmath>

#include "cli/run_identity.hpp"
#include "cli/stages/evaluation_files.hpp"
#include "cli/stages/stages.hpp"
#include "cli/torch_module.hpp"
#include "condenser/arch/design_costs.hpp"
#include "condenser/arch/int4.hpp"
#include "condenser/arch/machine_model.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/output.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/core/text.hpp"
#include "condenser/data/metrics.hpp"
#include "condenser/data/split.hpp"
#include "condenser/quant/equalize.hpp"
#include "condenser/quant/int16_trials.hpp"

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

// Of the winner in int8: as the run trained it, but for what training in integers has no use for.
train::TrainOptions qat_options(const RunConfig& c) {
  train::TrainOptions o = c.train;
  o.epochs = c.quant.qat.epochs;
  o.optimizer = "adamw";
  o.lr = c.quant.qat.lr;
  o.min_lr = 0;
  o.weight_decay = 0;
  o.schedule = "cosine";
  o.warmup_epochs = 0;
  o.accumulate = 1;
  o.init.clear();
  o.freeze.clear();  // batch norms, whose statistics it holds still, are gone
  o.distill = {};
  o.resize = {};
  o.ema_decay = 0;
  o.patience = 0;
  o.keep = "last";
  o.device = "cpu";
  o.amp = "off";
  o.sync_batch_norm = false;
  return o;
}

// Both as int8 and as the floats that were rounded.
struct Forms {
  arch::Weights floats;
  quant::Quantized rounded;
  int64_t trained_epochs = 0;  // in int8 form
};

// What scores better on the validation part, which neither was made from: the network after its training in int8 form,
// or as the calibration gave it. A later call goes on from qat/, to the bit.
Forms trained_in_int8(RunContext& run, const arch::Design& winner, Forms start, std::vector<std::string>& lines) {
  const RunConfig& c = run.config;
  const train::TrainOptions options = qat_options(c);
  const bool teachable = c.quant.qat.teacher > 0 && !train::reconstructs(options);
  core::create_folder(run.folder / "qat");
  ProgressLine line;
  train::FitResult fitted = torch_backend().fit({.spec = winner.lowered,
                                                 .train = training_part(run),
                                                 .validation = run.validation(),
                                                 .options = options,
                                                 .on_progress =
                                                     [&](const train::Progress& p) {
                                                       if (line.due())
                                                         line.update(progress_facts(p, "int8", c.train_on_validation));
                                                     },
                                                 .section = "quantize.qat",
                                                 .state = run.folder / "qat" / "state.safetensors",
                                                 .start = &start.floats,
                                                 .ranges = &start.rounded.quant,
                                                 .taught_by_start = teachable ? c.quant.qat.teacher : 0});
  line.finish();
  Forms trained{std::move(fitted.weights), {}, options.epochs};
  trained.rounded = quant::quantize(winner.lowered, winner.lowered_cost, trained.floats, start.rounded.quant);
  if (!fitted.validation || c.train_on_validation) return trained;
  const data::Metric& metric = train::deciding_metric(c.train);
  const data::Evaluation before =
      quant::evaluate_int8(winner.lowered, start.rounded.weights, start.rounded.quant, *run.validation(), task_of(c));
  const data::Evaluation& after = *fitted.validation;  // of these very integers
  const bool better = !(data::score_of(metric, after) < data::score_of(metric, before));
  lines.push_back("trained in int8 form for " + std::to_string(options.epochs) + " epochs: validation " + metric.title +
                  " " + core::significant(metric.value(before), 4) + " before, " +
                  core::significant(metric.value(after), 4) + " after; " + (better ? "kept" : "not kept"));
  return better ? std::move(trained) : std::move(start);
}

// One way to quantize, what it gives, and its figures on the validation part.
struct Trial {
  quant::QuantOptions options;
  Forms forms;
  data::Evaluation validation;
};

// The ways to choose ranges that quantize.auto tries. Where values have heavy tails a percentile more or less decides.
std::vector<quant::QuantOptions> range_choices(quant::QuantOptions options) {
  options.weight_rounding = "nearest";
  options.equalize = false;
  std::vector<quant::QuantOptions> choices;
  for (const std::string& observer : quant::observer_names()) {
    options.observer = observer;
    if (observer != "percentile") choices.push_back(options);
  }
  options.observer = "percentile";
  for (const double percentile : {99.999, 99.99, 99.9, 99.5}) {
    options.percentile = percentile;
    choices.push_back(options);
  }
  return choices;
}

// Which of two evaluations is better; equal ones are told apart by their loss.
bool better(const data::Metric& metric, const data::Evaluation& a, const data::Evaluation& b) {
  const double x = data::score_of(metric, a), y = data::score_of(metric, b);
  return x > y || (x == y && a.loss < b.loss);
}

// Ranges first, then with the best of them the others of quantize.auto: what serves a network is mostly the ranges.
Trial tried(RunContext& run, const arch::Design& winner, const arch::Weights& weights, QuantRecord& record,
            std::vector<std::string>& lines) {
  const RunConfig& c = run.config;
  const data::Metric& metric = train::deciding_metric(c.train);
  const data::Task task = task_of(c);
  const auto figures = [&](const data::Evaluation& e) {
    return metric.title + " " + core::significant(metric.value(e), 4) + ", loss " + core::significant(e.loss, 4);
  };
  std::optional<Trial> best;
  const auto attempt = [&](const quant::QuantOptions& options, const arch::Weights& floats) {
    if (core::stop_requested()) throw core::Stopped("stopped between trials of quantize.auto");
    quant::Quantized q = quant::quantize(winner, floats, *run.training(), options);
    data::Evaluation found = quant::evaluate_int8(winner.lowered, q.weights, q.quant, *run.validation(), task);
    Trial trial{options, {floats, std::move(q)}, std::move(found)};
    record.tried.push_back({options.observer, options.percentile, options.weight_rounding, options.equalize,
                            metric.value(trial.validation), trial.validation.loss});
    lines.push_back("tried " + quant::way_text(options) + ": validation " + figures(trial.validation));
    if (!best || better(metric, trial.validation, best->validation)) best = std::move(trial);
  };
  for (const quant::QuantOptions& options : range_choices(c.quant)) attempt(options, weights);
  quant::QuantOptions options = best->options;
  options.weight_rounding = "learned";
  attempt(options, weights);
  options = best->options;
  options.equalize = true;
  arch::Weights equal = weights;
  if (quant::equalize(winner.lowered, equal) > 0) attempt(options, equal);
  const data::Evaluation exact = quant::evaluate_float(winner.lowered, weights, *run.validation(), task);
  const bool lost = better(metric, exact, best->validation);
  lines.push_back("taken: " + quant::way_text(best->options) + "; in float the validation part has " + figures(exact) +
                  (c.quant.qat.epochs > 0 ? ""
                   : lost ? ": training in int8 form (quantize.qat.epochs=5) may bring back what is lost"
                          : ": training in int8 form would have nothing to bring back"));
  return std::move(*best);
}

// As the options say, without trials.
Trial quantized(RunContext& run, const arch::Design& winner, const arch::Weights& weights) {
  Trial result{run.config.quant, {weights, {}}, {}};
  if (result.options.equalize) quant::equalize(winner.lowered, result.forms.floats);
  result.forms.rounded = quant::quantize(winner, result.forms.floats, *run.training(), result.options);
  return result;
}

using AloneField = Maybe<double> NodeRecord::*;

// A column of the table: the deciding metric with each node alone in another precision. Returns the best, if it is
// better than `without` (may be null).
const quant::Sensitivity* add_alone(const RunConfig& c, const std::vector<quant::Sensitivity>& found,
                                    const data::Evaluation* without, AloneField field, core::Column column,
                                    QuantRecord& record, core::Table& table) {
  const data::Metric& metric = train::deciding_metric(c.train);
  const quant::Sensitivity* most = nullptr;
  table.columns.push_back(std::move(column));
  for (size_t i = 0; i < record.nodes.size(); ++i) {
    const auto at = std::ranges::find(found, record.nodes[i].node, &quant::Sensitivity::node);
    table.rows[i].push_back(at == found.end() ? core::empty_cell() : core::cell(metric.value(at->alone), 2));
    if (at == found.end()) continue;
    (record.nodes[i].*field).emplace(metric.value(at->alone));
    const data::Evaluation* const before = most ? &most->alone : without;
    if (before == nullptr || better(metric, at->alone, *before)) most = &*at;
  }
  return most;
}

// Each node alone in floats; and which gives most back.
void add_sensitivities(const RunConfig& c, const arch::Spec& lowered, const Forms& forms, const data::Dataset& samples,
                       QuantRecord& record, core::Table& table, std::vector<std::string>& lines) {
  const data::Metric& metric = train::deciding_metric(c.train);
  core::log::info("sensitivity: every node alone in floats, on " + std::to_string(samples.size()) + " samples");
  const auto found =
      quant::sensitivities(lowered, forms.floats, forms.rounded.weights, forms.rounded.quant, samples, task_of(c));
  const double all = metric.value(found.front().alone);
  record.none_in_float.emplace(all);
  const quant::Sensitivity* const most =
      add_alone(c, found, &found.front().alone, &NodeRecord::alone_in_float,
                {"alone_in_float", metric.title + " with it in float"}, record, table);
  lines.push_back("sensitivity, " + std::to_string(samples.size()) + " samples of the validation part, simulated: " +
                  metric.title + " " + core::significant(all, 4) + " with all in int8" +
                  (most ? ", " + core::significant(metric.value(most->alone), 4) + " with node " + most->node +
                              " alone in floats, which gives most back"
                        : "; no node alone in floats gives anything back"));
}

// The values of each node alone in 16 bits; and which gives most back.
void add_int16_trials(const RunConfig& c, const arch::Spec& lowered, const Forms& forms, const data::Dataset& samples,
                      QuantRecord& record, core::Table& table, std::vector<std::string>& lines) {
  const data::Metric& metric = train::deciding_metric(c.train);
  core::log::info("sensitivity: the values of every node alone in 16 bits");
  const auto found =
      quant::int16_trials(lowered, forms.floats, forms.rounded.weights, forms.rounded.quant, samples, task_of(c));
  const quant::Sensitivity* const most =
      add_alone(c, found, nullptr, &NodeRecord::alone_in_int16,
                {"alone_in_int16", metric.title + " with its values in int16"}, record, table);
  if (most != nullptr)
    lines.push_back("values of 16 bits serve best at node " + most->node + ": " + metric.title + " " +
                    core::significant(metric.value(most->alone), 4) + ", simulated (quantize.int16=[" + most->node +
                    "])");
}

// The machine that the run is made for, among those with a model.
const arch::MachineModel& machine_of(const RunConfig& c) {
  std::vector<std::string> names = c.verify.machines;
  names.insert(names.begin(), c.gate.machine);
  for (const std::string& name : names)
    if (const arch::MachineModel* model = arch::find_machine_model(name)) return *model;
  return *arch::find_machine_model("cortex-m4");
}

int64_t instructions_with_int4(const arch::MachineModel& machine, arch::Design design, const std::string& node) {
  arch::choose_int4(design, {node});
  return arch::machine_costs(machine, design).instructions;
}

// Three columns: the deciding metric with each layer alone in 4 bits, the bytes that it saves, and the instructions
// that it adds; and which costs most.
void add_int4_trials(const RunConfig& c, const arch::Design& winner, const Forms& forms, const data::Dataset& samples,
                     QuantRecord& record, core::Table& table, std::vector<std::string>& lines) {
  const data::Metric& metric = train::deciding_metric(c.train);
  core::log::info("sensitivity: every layer alone with weights of 4 bits");
  const auto trials =
      quant::int4_trials(winner, forms.floats, forms.rounded.weights, forms.rounded.quant, samples, task_of(c));
  table.columns.push_back({"alone_in_int4", metric.title + " with it in int4"});
  table.columns.push_back({"int4_saved_bytes", "bytes saved"});
  const arch::MachineModel& machine = machine_of(c);
  table.columns.push_back({"int4_added_instructions", "instructions added, " + machine.name});
  const int64_t instructions = arch::machine_costs(machine, winner).instructions;
  const bool known = instructions >= 0;  // not of values of 16 bits
  const quant::Int4Trial* most = nullptr;
  for (size_t i = 0; i < record.nodes.size(); ++i) {
    const auto at = std::ranges::find(trials, record.nodes[i].node, &quant::Int4Trial::node);
    const bool tried = at != trials.end();
    table.rows[i].push_back(tried ? core::cell(metric.value(at->alone), 2) : core::empty_cell());
    table.rows[i].push_back(tried ? core::cell(at->saved_bytes) : core::empty_cell());
    const int64_t added = tried && known ? instructions_with_int4(machine, winner, at->node) - instructions : 0;
    table.rows[i].push_back(tried && known ? core::cell(added) : core::empty_cell());
    if (!tried) continue;
    record.nodes[i].alone_in_int4.emplace(metric.value(at->alone));
    record.nodes[i].int4_saved_bytes.emplace(at->saved_bytes);
    if (known) record.nodes[i].int4_added_instructions.emplace(added);
    if (most == nullptr || better(metric, most->alone, at->alone)) most = &*at;
  }
  if (most != nullptr)
    lines.push_back("in 4 bits alone, node " + most->node + " costs most: " + metric.title + " " +
                    core::significant(metric.value(most->alone), 4) + "; the table has all (quantize.int4)");
}

// What weights of 4 bits take of the constants; "" where there are none.
std::string int4_line(const arch::Design& winner) {
  const auto four =
      std::ranges::count_if(winner.lowered.nodes, [](const arch::Node& n) { return arch::weight_bits(n.op) == 4; });
  if (four == 0) return "";
  arch::Design whole = winner;
  arch::choose_int4(whole, {"-all"});
  return "weights of 4 bits in " + std::to_string(four) + " layers: constants of " +
         core::bytes_text(winner.lowered_cost.constant_bytes) + " instead of " +
         core::bytes_text(whole.lowered_cost.constant_bytes);
}

Maybe<int64_t> bits_of(const runtime::TensorQuant& output) {
  Maybe<int64_t> bits;
  if (output.bits != 8) bits.emplace(output.bits);
  return bits;
}

// What values of 16 bits take of the memory; "" where there are none.
std::string int16_line(const arch::Design& winner, const exporters::ExportOptions& options) {
  const arch::Int16Nodes nodes = arch::int16_nodes(winner);
  const auto wide = std::ranges::count(nodes, true);
  if (wide == 0) return "";
  arch::Design narrow = winner;
  as_exported(narrow, options);
  return "values of 16 bits in " + std::to_string(wide) + " nodes: an arena of " +
         core::bytes_text(winner.plan.peak_bytes) + " instead of " + core::bytes_text(narrow.plan.peak_bytes);
}

// Why the run ends here, where int8 lost more than it may; "": it did not. One item more or less is no loss.
std::string loss_refusal(const QuantRecord& r, const quant::QuantOptions& options, const std::string& folder) {
  const double lost = r.test_float.accuracy_percent - r.test_int8.accuracy_percent;
  if (lost <= options.max_loss || r.test_float.correct - r.test_int8.correct <= 1) return "";
  return "int8 is " + core::fixed(lost, 2) + " points behind float on the test part (" +
         core::fixed(r.test_int8.accuracy_percent, 2) + " % against " + core::fixed(r.test_float.accuracy_percent, 2) +
         " %); expected at most quantize.max_loss = " + core::number(options.max_loss) +
         "; the noise of each node is in " + folder + "/quant_report.json. Try " +
         (options.automatic ? "" : "quantize.auto=true, ") +
         (options.qat.epochs > 0 ? "more quantize.qat.epochs, " : "quantize.qat.epochs=5, ") +
         "activations that are bounded (relu6) and rescale where there is attention, or a larger quantize.max_loss";
}

}  // namespace

StageOutput stage_quantize(RunContext& run) {
  const RunConfig& c = run.config;
  const arch::Design winner = load_winner(run);
  const std::string hash = arch::hash(winner.spec).hex();
  arch::Weights float_weights = load_float_weights(run, winner.spec);
  arch::lower(winner.spec, &float_weights);
  const arch::Spec& lowered = winner.lowered;
  std::vector<std::string> lines;
  if (c.quant.automatic && c.train_on_validation)
    lines.push_back(
        "the network was trained on the validation part too: of the ways to quantize it tells which rounds "
        "least, not how good the network is");
  QuantRecord record;
  Trial chosen =
      c.quant.automatic ? tried(run, winner, float_weights, record, lines) : quantized(run, winner, float_weights);
  const quant::QuantOptions options = chosen.options;
  Forms forms = std::move(chosen.forms);
  if (c.quant.qat.epochs > 0) forms = trained_in_int8(run, winner, std::move(forms), lines);
  quant::Quantized& q = forms.rounded;
  q.weights.metadata["spec_hash"] = hash;
  q.weights.metadata["lowered_hash"] = arch::hash(lowered).hex();

  const auto sample = data::subset(
      run.training(), data::stratified_subset(*run.training(), kReportSamples, c.quant.calibration_seed + 1));
  const auto nodes = quant::node_reports(lowered, forms.floats, q.weights, q.quant, *sample);
  const data::Task task = task_of(c);
  const data::Evaluation as_float = quant::evaluate_float(lowered, float_weights, *run.test(), task);
  const data::Evaluation as_int8 = quant::evaluate_int8(lowered, q.weights, q.quant, *run.test(), task);

  record.spec_hash = hash;
  record.lowered_hash = arch::hash(lowered).hex();
  record.rounding = q.quant.rounding;
  record.observer = options.observer;
  record.percentile = options.percentile;
  record.weight_rounding = options.weight_rounding;
  record.equalized = options.equalize;
  record.calibration_samples = std::min<int64_t>(c.quant.calibration_samples, run.training()->size());
  record.trained_epochs = forms.trained_epochs;
  record.test_float = accuracy_record(as_float);
  record.test_int8 = accuracy_record(as_int8);
  record.reconstruction_float = reconstruction_record(as_float);
  record.reconstruction_int8 = reconstruction_record(as_int8);
  record.settings = settings_of(run, "quantize");
  for (const auto& n : nodes)
    record.nodes.push_back({.node = n.node,
                            .snr_db = std::isfinite(n.snr_db) ? std::optional(n.snr_db) : std::nullopt,
                            .saturated_fraction = n.saturated_fraction,
                            .scale = n.output.scale,
                            .zero_point = n.output.zero_point,
                            .bits = bits_of(n.output)});
  core::Table table = quant::to_table(nodes);
  if (options.sensitivity > 0) {
    const auto samples = data::subset(
        run.validation(), data::stratified_subset(*run.validation(), options.sensitivity, options.calibration_seed));
    add_sensitivities(c, lowered, forms, *samples, record, table, lines);
    add_int16_trials(c, lowered, forms, *samples, record, table, lines);
    add_int4_trials(c, winner, forms, *samples, record, table, lines);
  }
  if (std::string line = int4_line(winner); !line.empty()) lines.push_back(std::move(line));
  if (std::string line = int16_line(winner, c.export_options); !line.empty()) lines.push_back(std::move(line));
  q.weights.metadata["key"] = key_of(record.settings);
  q.weights.metadata["training"] = key_of(settings_of(run, "train"));
  q.quant.weights_checksum = arch::save_weights(run.folder / "weights_int8.safetensors", q.weights);
  core::write_atomic(run.folder / "quant.json", runtime::to_json(q.quant));
  record.histograms.emplace();
  for (const auto& n : nodes) (*record.histograms)[n.node] = n.histogram;
  write_record(run.folder, record);

  StageOutput out{"Int8, per node", std::move(table), std::move(lines)};
  if (task.reconstructs())
    add_lines("test part", *quant::reconstruction_of(as_float), *quant::reconstruction_of(as_int8), out.lines);
  else
    add_lines("test accuracy", quant::accuracy_of(as_float), quant::accuracy_of(as_int8), out.lines);
  for (std::string& line : metric_lines(as_float, as_int8)) out.lines.push_back(std::move(line));
  const std::string refusal = task.reconstructs() ? "" : loss_refusal(record, c.quant, run.folder.string());
  if (refusal.empty()) return out;
  print(out, "text");  // what tells where it was lost
  throw core::Error(refusal, core::ExitCode::Int8Loss);
}

}  // namespace condenser::cli
