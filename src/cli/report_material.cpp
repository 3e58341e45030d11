// Reads the small files of a run folder. Their keys are those that the stages write.

#include "cli/report_material.hpp"

#include <limits>
#include <nlohmann/json.hpp>

#include "cli/cost_estimate.hpp"
#include "condenser/verify/verify.hpp"

namespace condenser::cli {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

// One file as JSON. Null when there is none.
class Record {
 public:
  explicit Record(fs::path file) : file_(std::move(file)) {
    if (!fs::exists(file_)) return;
    try {
      json_ = ordered_json::parse(core::read_file(file_));
    } catch (const ordered_json::exception& e) {
      throw damaged(e.what());
    }
    if (!json_.is_object()) throw damaged("expected an object");
  }
  explicit operator bool() const { return !json_.is_null(); }
  // What `read` makes of the file; its keys and their types are those of the stage that wrote it, or the file is named.
  template <class Read>
  auto read(const Read& read) const {
    try {
      return read(json_);
    } catch (const ordered_json::exception& e) {
      throw damaged(e.what());
    }
  }
  bool belongs_to(const std::string& hash) const { return json_.is_object() && json_.value("spec_hash", "") == hash; }

 private:
  core::Error damaged(const std::string& why) const {
    return core::Error(file_.string() + ": damaged: " + why + "; run the stage that writes it again");
  }
  fs::path file_;
  ordered_json json_;
};

double number_or_nan(const ordered_json& j, const char* key) {
  const auto found = j.find(key);
  return found == j.end() || found->is_null() ? std::numeric_limits<double>::quiet_NaN() : found->get<double>();
}

quant::Accuracy accuracy_of(const ordered_json& j) { return {j.at("correct"), j.at("total")}; }

std::string text_of(const fs::path& file) { return fs::exists(file) ? core::read_file(file) : std::string(); }

report::Quantized quantized_of(const ordered_json& j) {
  report::Quantized q{j.at("rounding"),
                      j.at("observer"),
                      j.at("calibration_samples"),
                      accuracy_of(j.at("test_float")),
                      accuracy_of(j.at("test_int8")),
                      {}};
  for (const auto& n : j.at("nodes")) {
    q.nodes.push_back({n.at("node"),
                       number_or_nan(n, "snr_db"),
                       n.at("saturated_fraction"),
                       {n.at("scale"), n.at("zero_point")}});  // NaN: no noise at all, or no signal
  }
  return q;
}

report::Evaluated evaluated_of(const ordered_json& j, const fs::path& run, const std::string& folder) {
  report::Evaluated e;
  e.part = j.at("part");
  e.test = folder == "eval";
  e.accuracy = accuracy_of(j);
  e.loss = number_or_nan(j, "loss");
  e.balanced_accuracy_percent = number_or_nan(j, "balanced_accuracy_percent");
  e.macro_f1_percent = number_or_nan(j, "macro_f1_percent");
  e.auc_percent = number_or_nan(j, "auc_percent");
  e.confusion.classes = j.at("classes").get<std::vector<std::string>>();
  e.confusion.counts = j.at("confusion").get<std::vector<std::vector<int64_t>>>();
  e.folder = folder;
  e.mistakes_png = text_of(run / folder / "mistakes.png");
  return e;
}

// The test part when it was evaluated, else the validation part; of this network.
std::optional<report::Evaluated> read_evaluation(const fs::path& run, const std::string& hash) {
  for (const std::string folder : {"eval", "validation"}) {
    const Record record(run / folder / "evaluation.json");
    if (record && record.belongs_to(hash))
      return record.read([&](const ordered_json& j) { return evaluated_of(j, run, folder); });
  }
  return std::nullopt;
}

std::optional<report::Trained> read_training(const RunContext& run, const std::string& hash) {
  const Record record(run.folder / "train.json");
  report::Trained t;
  t.metrics_csv = text_of(run.folder / "metrics.csv");
  t.items_per_step = static_cast<int64_t>(run.config.train.batch_size) * run.config.train.accumulate;
  t.epochs = run.config.train.epochs;
  t.on_validation = run.config.train_on_validation;
  if (!record || !record.belongs_to(hash)) return t.metrics_csv.empty() ? std::nullopt : std::optional(t);
  record.read([&](const ordered_json& j) {
    t.on_validation = j.at("on_validation");
    t.validation = {j.at("validation_correct"), j.at("validation_total")};
    if (j.contains("training_items")) t.items = j.at("training_items").get<int64_t>();
    return 0;
  });
  return t;
}

report::Proof proof_of(const ordered_json& j) {
  report::Proof proof;
  proof.passed = j.at("passed");
  std::vector<verify::Check> checks;
  for (const auto& c : j.at("checks")) {
    const std::string target = c.at("target");
    checks.push_back({target + ", " + c.at("name").get<std::string>(), c.at("ran"), c.at("passed"), c.at("samples"),
                      c.at("differing_values"), c.at("accuracy_percent"), c.at("detail")});
    const verify::Check& check = checks.back();
    proof.samples = std::max(proof.samples, check.samples);
    if (!check.ran) proof.skipped.push_back(check.name + ": " + check.detail);
  }
  proof.checks = verify::to_table(checks);
  return proof;
}

std::vector<std::pair<std::string, std::string>> environment_of(const ordered_json& j) {
  std::vector<std::pair<std::string, std::string>> list;
  for (const auto& [key, value] : j.items())
    if (key != "schema_version") list.emplace_back(key, value.is_string() ? value.get<std::string>() : value.dump());
  return list;
}

}  // namespace

report::Material read_material(const RunContext& run) {
  report::Material m;
  m.name = run.config.name;
  m.dataset = run.config.card.name;
  m.dataset_about = run.config.card.about;
  m.design = load_winner(run);
  m.hash = arch::hash(m.design.spec).hex();
  m.lowered_hash = arch::hash(m.design.lowered).hex();
  if (run.config.space && fs::exists(run.folder / "study.sqlite"))
    m.searched = {search::make_sqlite_store((run.folder / "study.sqlite").string())->load(),
                  run.config.search.objective, run.config.space.get()};
  m.trained = read_training(run, m.hash);
  m.evaluated = read_evaluation(run.folder, m.hash);
  if (const Record quantized(run.folder / "quant_report.json"); quantized && quantized.belongs_to(m.hash))
    m.quantized = quantized.read(quantized_of);
  if (const Record proof(run.folder / "verify.json"); proof) m.proof = proof.read(proof_of);
  if (const Record environment(run.folder / "env.json"); environment) m.environment = environment.read(environment_of);
  m.gate_notes = run.config.gate.notes;
  const search::Gate gate = make_gate(run.config);
  m.verdicts = gate.before_training(m.design);
  if (const auto test = report::test_accuracy(m))
    for (search::Verdict& v : gate.after_training(test->percent())) m.verdicts.push_back(std::move(v));
  return m;
}

}  // namespace condenser::cli
