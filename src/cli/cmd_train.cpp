// Stage `train`: makes weights for the winner; and the verb `eval`, accuracy on the test part.

#include <nlohmann/json.hpp>

#include "cli/progress.hpp"
#include "cli/stages.hpp"
#include "cli/torch_module.hpp"
#include "condenser/arch/spec_io.hpp"
#include "condenser/core/log.hpp"

namespace condenser::cli {

namespace fs = std::filesystem;

namespace {

std::string progress_text(const train::Progress& p) {
  char text[200];
  const double fraction = p.steps ? static_cast<double>(p.step) / static_cast<double>(p.steps) : 0;
  std::snprintf(text, sizeof text, "train: %s epoch %lld/%lld, step %lld/%lld, loss %.4f, %.0f images/s, %s left",
                bar(fraction).c_str(), static_cast<long long>(p.epoch + 1), static_cast<long long>(p.epochs),
                static_cast<long long>(p.step), static_cast<long long>(p.steps), p.loss, p.images_per_s,
                duration_text(p.eta_s).c_str());
  return text;
}

core::Table confusion_table(const train::Evaluation& e, const std::vector<std::string>& classes) {
  core::Table t{{{"class", "class", false}, {"accuracy_percent", "accuracy %"}}, {}};
  for (const std::string& name : classes) t.columns.push_back({"predicted_" + name, name});
  for (size_t label = 0; label < e.confusion.size(); ++label) {
    int64_t total = 0;
    for (const int64_t n : e.confusion[label]) total += n;
    std::vector<core::Cell> row{
        core::cell(classes[label]),
        total ? core::cell(100.0 * static_cast<double>(e.confusion[label][label]) / static_cast<double>(total), 2)
              : core::empty_cell()};
    for (const int64_t n : e.confusion[label]) row.push_back(core::cell(n));
    t.rows.push_back(std::move(row));
  }
  return t;
}

core::Table one_row(const std::string& what, const quant::Accuracy& a) {
  const quant::Interval i = quant::wilson_95(a);
  return {{{"what", "what", false},
           {"accuracy_percent", "accuracy %"},
           {"low_percent", "95 % low"},
           {"high_percent", "high"},
           {"samples", "samples"}},
          {{core::cell(what), core::cell(a.percent(), 2), core::cell(i.low_percent, 2), core::cell(i.high_percent, 2),
            core::cell(a.total)}}};
}

train::FitResult fit(RunContext& run, const arch::Spec& winner,
                     const std::function<void(const train::Progress&)>& on_progress) {
  const RunConfig& c = run.config;
  return torch_backend().fit({.spec = winner,
                              .train = c.train_on_validation ? run.whole_training() : run.training(),
                              .validation = run.validation(),
                              .options = c.train,
                              .folder = run.folder,
                              .on_progress = on_progress,
                              .all_ranks = run.all_ranks});
}

}  // namespace

void train_with_leader(RunContext& run) {
  const std::string winner = torch_backend().hand_out("");
  if (!winner.empty()) fit(run, arch::parse_spec(winner, "the network of rank 0"), {});
}

StageOutput stage_train(RunContext& run) {
  const RunConfig& c = run.config;
  const arch::Spec winner = load_winner(run);
  const std::string hash = arch::hash(winner).hex();
  const fs::path file = run.folder / "weights.safetensors", note = run.folder / "train.json";
  StageOutput out{"Training of " + hash.substr(0, 12), {}, {}};
  quant::Accuracy validation;
  if (fs::exists(file) && fs::exists(note)) {
    load_float_weights(run, winner);  // refuses weights of another network
    const auto j = nlohmann::json::parse(core::read_file(note));
    validation = {j.at("validation_correct"), j.at("validation_total")};
    if (run.all_ranks) torch_backend().hand_out("");  // nothing to do for the others
    out.lines.push_back("finished before; the weights are in " + file.string());
  } else {
    ProgressLine line;
    if (run.all_ranks) torch_backend().hand_out(arch::to_json(winner));
    train::FitResult result = fit(run, winner, [&](const train::Progress& p) { line.update(progress_text(p)); });
    line.finish();
    result.weights.metadata["spec_hash"] = hash;
    arch::save_weights(file, result.weights);
    if (result.validation) validation = {result.validation->correct, result.validation->total};
    core::write_atomic(note, nlohmann::ordered_json{{"schema_version", 1},
                                                    {"spec_hash", hash},
                                                    {"epochs", c.train.epochs},
                                                    {"on_validation", c.train_on_validation},
                                                    {"validation_correct", validation.correct},
                                                    {"validation_total", validation.total}}
                                     .dump(2) +
                                 "\n");
    if (result.resumed_at_step) out.lines.push_back("resumed at step " + std::to_string(result.resumed_at_step));
  }
  out.table = one_row(c.train_on_validation ? "validation part (trained on)" : "validation part", validation);
  return out;
}

int cmd_eval(const Invocation& call) {
  const RunConfig config = read_run_config(call.subject, call.overrides);
  const RunFolder folder(config, folder_of(config, call.subject, call.runs), false);
  RunContext run(config, folder.path());
  const arch::Spec winner = load_winner(run);
  const train::Evaluation e =
      torch_backend().evaluate(winner, load_float_weights(run, winner), *run.test(), config.train.threads);
  const quant::Accuracy accuracy{e.correct, e.total};
  StageOutput out{
      "Float accuracy on the test part: " + quant::to_string(accuracy), confusion_table(e, run.test()->classes()), {}};
  out.lines.push_back("rows: true class, columns: predicted; loss " + std::to_string(e.loss));
  print(out, call.format);
  return 0;
}

}  // namespace condenser::cli
