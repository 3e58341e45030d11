// Stage `train`: makes weights for the winner.

#include <cmath>

#include "cli/progress.hpp"
#include "cli/run_identity.hpp"
#include "cli/stages/evaluation_files.hpp"
#include "cli/stages/stages.hpp"
#include "cli/torch_module.hpp"
#include "condenser/arch/analysis.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/arch/spec_io.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/output.hpp"
#include "condenser/core/text.hpp"
#include "condenser/report/curves.hpp"

namespace condenser::cli {

namespace fs = std::filesystem;

namespace {

std::string text_of(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string of(int64_t done, int64_t all) { return std::to_string(done) + "/" + std::to_string(all); }

}  // namespace

ProgressFacts progress_facts(const train::Progress& p, const std::string& what, bool on_validation) {
  ProgressFacts f{what, p.steps ? static_cast<double>(p.step) / static_cast<double>(p.steps) : 0, {}};
  f.facts = {"epoch " + of(p.epoch + 1, p.epochs), text_of("loss %.4f", p.loss)};
  if (p.val_accuracy)
    f.facts.push_back(text_of(on_validation ? "val (trained on) %.2f %%" : "val %.2f %%", *p.val_accuracy));
  if (p.val_error) f.facts.push_back(text_of("val error %.5g", *p.val_error));
  f.facts.push_back(duration_text(p.eta_s) + " left");
  if (!std::isnan(p.train_accuracy)) f.facts.push_back(text_of("acc %.2f %%", p.train_accuracy));
  f.facts.insert(f.facts.end(),
                 {core::thousands(std::llround(p.images_per_s)) + " images/s", "step " + of(p.step, p.steps)});
  return f;
}

namespace {

void write_curves(const RunContext& run) {
  const fs::path metrics = run.folder / "metrics.csv";
  if (!fs::exists(metrics)) return;
  const std::string svg = report::curves_svg(core::read_file(metrics), run.config.name + ": learning curves",
                                             run.config.train_on_validation);
  if (!svg.empty()) core::write_atomic(run.folder / "curves.svg", svg);
}

// The weights of train.init as they are, evaluated.
train::FitResult untrained(RunContext& run, const arch::Spec& winner) {
  train::FitResult result{.weights = train::initial_weights(winner, run.config.train)};
  arch::Weights weights = result.weights;
  const arch::Spec lowered = arch::lower(winner, &weights);
  if (run.validation())
    result.validation = quant::evaluate_float(lowered, weights, *run.validation(), task_of(run.config));
  return result;
}

train::FitResult fit(RunContext& run, const arch::Spec& winner,
                     const std::function<void(const train::Progress&)>& on_progress) {
  const RunConfig& c = run.config;
  if (c.train.epochs == 0) return untrained(run, winner);
  return torch_backend().fit({.spec = winner,
                              .train = training_part(run),
                              .validation = run.validation(),
                              .options = c.train,
                              .folder = run.folder,
                              .on_progress = on_progress,
                              .all_ranks = run.all_ranks});
}

// What a training with other options left: nothing of it may be taken for this one's, and nothing is lost.
void set_aside(const fs::path& folder) {
  constexpr const char* kMade[] = {"checkpoints",
                                   "weights.safetensors",
                                   "qat",
                                   "train.json",
                                   "metrics.csv",
                                   "metrics.jsonl",
                                   "curves.svg",
                                   "validation",
                                   "eval",
                                   "quant.json",
                                   "weights_int8.safetensors",
                                   "quant_report.json",
                                   "export",
                                   "export.json",
                                   "verify.json",
                                   "report.md",
                                   "report.html",
                                   "report.json",
                                   "pictures",
                                   "summary.json",
                                   "learned.json"};
  std::vector<fs::path> made;
  for (const char* name : kMade)
    if (fs::exists(folder / name)) made.push_back(folder / name);
  for (const auto& entry : fs::directory_iterator(folder))
    for (const char* start : {"events.out.", "eval_"})
      if (entry.path().filename().string().starts_with(start)) made.push_back(entry.path());
  if (made.empty()) return;
  int count = 1;
  while (fs::exists(folder / "earlier" / std::to_string(count))) ++count;
  const fs::path aside = folder / "earlier" / std::to_string(count);
  core::create_folder(aside);
  std::error_code error;
  for (const fs::path& path : made) {
    fs::rename(path, aside / path.filename(), error);
    if (error) throw core::Error(path.string() + ": cannot move to " + aside.string() + ": " + error.message());
  }
  core::log::info("what the earlier training and the stages after it left is in " + aside.string());
}

// Writes learned.json, or finds that of the training that goes on here; whatever other options made is set aside.
std::string begin_training(RunContext& run) {
  const Learned now = training_record(run);
  const auto there = find_record<Learned>(run.folder);
  if (!there && fs::exists(run.folder / "weights.safetensors"))
    throw core::ConfigError(
        run.folder.string() +
        ": its weights.safetensors is of an earlier version of condenser, "
        "which kept no learned.json; use --fresh to move that run aside, or another name (name=...)");
  if (there && there->settings != now.settings) set_aside(run.folder);
  write_record(run.folder, now);
  if (!fs::exists(run.folder / "winner.arch.json"))
    arch::write_spec(run.folder / "winner.arch.json", load_winner(run).spec);
  return key_of(now.settings);
}

// train.json when the training has ended; a damaged one, or the evaluation that came with it, is made again from the
// last checkpoint.
std::optional<TrainRecord> finished_training(const fs::path& folder, const std::string& key) {
  try {
    const auto record = find_record<TrainRecord>(folder);
    find_record<EvaluationRecord>(folder / "validation");
    if (record && record->key == key && fs::exists(folder / "weights.safetensors")) return record;
  } catch (const core::Error& e) {
    core::log::warning(e.what());
  }
  return std::nullopt;
}

}  // namespace

std::shared_ptr<const data::Dataset> training_part(RunContext& run) {
  return run.config.train_on_validation ? run.whole_training() : run.training();
}

void train_with_leader(RunContext& run) {
  const std::string winner = torch_backend().hand_out("");
  if (!winner.empty()) fit(run, arch::parse_spec(winner, "the network of rank 0"), {});
}

StageOutput stage_train(RunContext& run) {
  const RunConfig& c = run.config;
  const arch::Design design = load_winner(run);
  const arch::Spec& winner = design.spec;
  const std::string hash = arch::hash(winner).hex();
  const std::string part = c.train_on_validation ? "validation part (trained on)" : "validation part";
  const fs::path file = run.folder / "weights.safetensors";
  StageOutput out{"Training of " + hash.substr(0, 12), {}, {}};
  quant::Accuracy validation;
  std::optional<quant::Reconstruction> again;  // instead, where that is the task
  const std::string key = begin_training(run);
  if (const auto finished = finished_training(run.folder, key)) {
    float_weights_in(run.folder, winner, key);  // refuses weights of another network
    validation = {finished->validation_correct, finished->validation_total};
    again = reconstruction_of(finished->validation_reconstruction);
    if (run.all_ranks) torch_backend().hand_out("");  // nothing to do for the others
    out.lines.push_back("finished before; the weights are in " + file.string());
  } else {
    if (run.all_ranks) torch_backend().hand_out(arch::to_json(winner));
    core::log::info("training data: " + core::printable(c.card.name + " in " + c.card.root.string()));
    ProgressLine line;
    train::FitResult result = fit(run, winner, [&](const train::Progress& p) {
      if (line.due()) line.update(progress_facts(p, "train", c.train_on_validation));
    });
    line.finish();
    result.weights.metadata["spec_hash"] = hash;
    result.weights.metadata["key"] = key;
    arch::save_weights(file, result.weights);
    if (result.validation) {
      validation = quant::accuracy_of(*result.validation);
      again = quant::reconstruction_of(*result.validation);
      write_evaluation(run.folder / "validation",
                       {c.name, part, hash, *result.validation, *run.validation(), layout_of(c.card)});
    }
    write_record(run.folder,
                 TrainRecord{.spec_hash = hash,
                             .network = winner.name,
                             .params = design.cost.params,
                             .epochs = c.train.epochs,
                             .training_items = training_part(run)->size(),
                             .on_validation = c.train_on_validation,
                             .validation_correct = validation.correct,
                             .validation_total = validation.total,
                             .validation_reconstruction = result.validation ? reconstruction_record(*result.validation)
                                                                            : Maybe<ReconstructionRecord>(),
                             .key = key});
    if (result.resumed_at_step) out.lines.push_back("resumed at step " + std::to_string(result.resumed_at_step));
  }
  write_curves(run);
  out.table = again ? reconstruction_table(part, *again) : accuracy_table(part, validation);
  out.lines.push_back("files in " + run.folder.string() + "/: curves.svg, metrics.csv, validation/");
  out.lines.push_back(part + ": " + (again ? quant::to_string(*again) : quant::to_string(validation)));
  return out;
}

}  // namespace condenser::cli
