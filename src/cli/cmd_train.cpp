// Stage `train`: makes weights for the winner; and the verb `eval`, accuracy on the test part.

#include <nlohmann/json.hpp>

#include "cli/progress.hpp"
#include "cli/stages.hpp"
#include "cli/torch_module.hpp"
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

// The test part of the run's data set or of another one, normalized as the run's.
std::shared_ptr<const data::Dataset> test_part(RunContext& run, const fs::path& other) {
  if (other.empty()) return run.test();
  data::Card card = data::read_card(other);
  const data::Card& own = run.config.card;
  if (card.classes != own.classes || card.shape != own.shape)
    throw core::ConfigError(card.file.string() + ": shape or classes differ from those of " + own.file.string() +
                            "; expected the same, in the same order");
  card.normalization = own.normalization;
  return data::open_split(card, "test");
}

}  // namespace

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
    out.lines.push_back("finished before; the weights are in " + file.string());
  } else {
    ProgressLine line;
    const auto data = c.train_on_validation ? run.whole_training() : run.training();
    train::FitResult result = torch_backend().fit({winner, data, run.validation(), c.train, run.folder,
                                                   [&](const train::Progress& p) { line.update(progress_text(p)); }});
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
  const auto test = test_part(run, call.card);
  const train::Evaluation e =
      torch_backend().evaluate(winner, load_float_weights(run, winner), *test, config.train.threads);
  const quant::Accuracy accuracy{e.correct, e.total};
  StageOutput out{
      "Float accuracy on the test part: " + quant::to_string(accuracy), confusion_table(e, test->classes()), {}};
  out.lines.push_back("rows: true class, columns: predicted; loss " + std::to_string(e.loss));
  print(out, call.format);
  return 0;
}

}  // namespace condenser::cli
