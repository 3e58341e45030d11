// Files of an evaluation. Scores and pictures are made by report/, predictions by the trainer.

#include "cli/stages/evaluation_files.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "cli/tiles.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/text.hpp"

namespace condenser::cli {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

constexpr size_t kMistakes = 60;
constexpr int kMistakesInARow = 10;

core::Table predictions_table(const EvaluatedPart& p) {
  core::Table t{{{"item", "item", false},
                 {"true_class", "true class", false},
                 {"predicted_class", "predicted class", false},
                 {"probability", "probability"},
                 {"correct", "correct"}},
                {}};
  const auto& classes = p.data.classes();
  for (size_t i = 0; i < p.evaluation.predictions.size(); ++i) {
    const data::Prediction& made = p.evaluation.predictions[i];
    const int label = p.data.label(static_cast<int64_t>(i));
    t.rows.push_back({core::cell(p.data.name(static_cast<int64_t>(i))), core::cell(classes[static_cast<size_t>(label)]),
                      core::cell(classes[static_cast<size_t>(made.predicted)]),
                      core::cell(std::round(made.probability * 1e6) / 1e6, 6),
                      core::cell(made.predicted == label ? 1 : 0)});
  }
  return t;
}

core::Table errors_table(const EvaluatedPart& p) {
  core::Table t{{{"item", "item", false}, {"true_class", "true class", false}, {"error", "error"}}, {}};
  for (size_t i = 0; i < p.evaluation.errors.size(); ++i) {
    const auto item = static_cast<int64_t>(i);
    const int label = p.data.label(item);
    t.rows.push_back({core::cell(p.data.name(item)),
                      core::cell(label < 0 ? std::string() : p.data.classes()[static_cast<size_t>(label)]),
                      core::significant_cell(p.evaluation.errors[i], 6)});
  }
  return t;
}

std::vector<int64_t> mistakes_of(const EvaluatedPart& p) {
  const auto& made = p.evaluation.predictions;
  std::vector<int64_t> items;
  for (size_t i = 0; i < made.size(); ++i)
    if (made[i].predicted != p.data.label(static_cast<int64_t>(i))) items.push_back(static_cast<int64_t>(i));
  std::stable_sort(items.begin(), items.end(), [&](int64_t a, int64_t b) {
    return made[static_cast<size_t>(a)].probability > made[static_cast<size_t>(b)].probability;
  });
  if (items.size() > kMistakes) items.resize(kMistakes);
  return items;
}

std::string mistakes_png(const EvaluatedPart& p, const std::vector<int64_t>& items) {
  std::vector<report::Tile> tiles;
  std::vector<float> item(static_cast<size_t>(p.data.shape().elements()));
  for (const int64_t i : items) {
    const data::Prediction& made = p.evaluation.predictions[static_cast<size_t>(i)];
    p.data.get(i, item);
    tiles.push_back(tile_of(item, p.data, p.layout));
    // The probability stands first: a long name is cut at its end, a number never.
    tiles.back().caption = {
        p.data.classes()[static_cast<size_t>(p.data.label(i))],
        "-> " + core::fixed(100 * made.probability, 1) + " % " + p.data.classes()[static_cast<size_t>(made.predicted)],
        p.data.name(i)};
  }
  return report::sheet_png(tiles, kMistakesInARow,
                           p.run + ", " + p.part + ": most confident mistakes (true -> predicted)");
}

std::optional<double> defined(double value) { return std::isfinite(value) ? std::optional(value) : std::nullopt; }

// The rows of the table that people see.
std::vector<ClassRecord> class_records(const report::Confusion& confusion) {
  const core::Table table = report::per_class_table(confusion);
  std::vector<ClassRecord> records;
  const auto percent = [](const core::Cell& cell) {
    return cell.text.empty() ? std::nullopt : std::optional(std::stod(cell.json));
  };
  for (size_t k = 0; k < table.rows.size(); ++k) {
    const auto& row = table.rows[k];
    const std::string name = k < confusion.classes.size() ? confusion.classes[k] : row[0].text;
    records.push_back({name, percent(row[1]), percent(row[2]), percent(row[3]), std::stoll(row[4].json)});
  }
  return records;
}

}  // namespace

report::Confusion confusion_of(const EvaluatedPart& p) { return {p.data.classes(), p.evaluation.confusion}; }

bool has_confusion(const EvaluatedPart& p) { return !p.evaluation.confusion.empty(); }

Maybe<ReconstructionRecord> reconstruction_record(const data::Evaluation& e) {
  Maybe<ReconstructionRecord> record;
  if (const auto r = quant::reconstruction_of(e))
    record.emplace(ReconstructionRecord{r->error, defined(r->auc_percent), r->items});
  return record;
}

std::optional<quant::Reconstruction> reconstruction_of(const Maybe<ReconstructionRecord>& r) {
  if (!r) return std::nullopt;
  return quant::Reconstruction{r->error, r->auc_percent.value_or(NAN), r->items};
}

std::string evaluation_json(const EvaluatedPart& p) {
  const quant::Accuracy accuracy = quant::accuracy_of(p.evaluation);
  const quant::Interval interval = quant::wilson_95(accuracy);
  EvaluationRecord record{.part = p.part,
                          .spec_hash = p.spec_hash,
                          .correct = accuracy.correct,
                          .total = accuracy.total,
                          .accuracy_percent = accuracy.percent(),
                          .low_percent = interval.low_percent,
                          .high_percent = interval.high_percent,
                          .loss = defined(p.evaluation.loss),
                          .balanced_accuracy_percent = defined(p.evaluation.balanced_accuracy),
                          .macro_f1_percent = defined(p.evaluation.macro_f1),
                          .auc_percent = defined(p.evaluation.auc),
                          .reconstruction = reconstruction_record(p.evaluation),
                          .classes = p.data.classes(),
                          .per_class = has_confusion(p) ? class_records(confusion_of(p)) : std::vector<ClassRecord>()};
  std::string text = to_text(record);
  const std::string none = "[]\n}\n";  // the matrix is the last and gets a line for each class, not for each number
  text.resize(text.size() - none.size());
  text += "[";
  const auto& rows = p.evaluation.confusion;
  for (size_t k = 0; k < rows.size(); ++k) text += (k ? ",\n    " : "\n    ") + ordered_json(rows[k]).dump();
  return text + (rows.empty() ? "]\n}\n" : "\n  ]\n}\n");
}

void write_evaluation(const fs::path& folder, const EvaluatedPart& p) {
  core::write_atomic(folder / "evaluation.json", evaluation_json(p));
  if (p.evaluation.kind == data::TaskKind::Reconstruction)
    core::write_atomic(folder / "errors.csv", core::to_csv(errors_table(p)));
  if (!has_confusion(p)) return;
  const report::Confusion confusion = confusion_of(p);
  core::write_atomic(
      folder / "confusion.svg",
      report::confusion_svg(confusion, p.run + ", " + p.part, quant::to_string(quant::accuracy_of(p.evaluation))));
  core::write_atomic(folder / "confusion.csv", core::to_csv(report::confusion_table(confusion)));
  core::write_atomic(folder / "per_class.csv", core::to_csv(report::per_class_table(confusion)));
  core::write_atomic(folder / "predictions.csv", core::to_csv(predictions_table(p)));
  const std::vector<int64_t> mistakes = mistakes_of(p);
  if (mistakes.empty())
    fs::remove(folder / "mistakes.png");  // of an earlier evaluation
  else
    core::write_atomic(folder / "mistakes.png", mistakes_png(p, mistakes));
}

core::Table reconstruction_table(const std::string& what, const quant::Reconstruction& r) {
  return {{{"what", "what", false},
           {"reconstruction_error", "reconstruction error"},
           {"auc_percent", "AUC %"},
           {"samples", "samples"}},
          {{core::cell(what), core::significant_cell(r.error, 6),
            std::isnan(r.auc_percent) ? core::empty_cell() : core::cell(r.auc_percent, 2), core::cell(r.items)}}};
}

core::Table accuracy_table(const std::string& what, const quant::Accuracy& a) {
  const quant::Interval i = quant::wilson_95(a);
  return {{{"what", "what", false},
           {"accuracy_percent", "accuracy %"},
           {"low_percent", "95 % low"},
           {"high_percent", "high"},
           {"samples", "samples"}},
          {{core::cell(what), core::cell(a.percent(), 2), core::cell(i.low_percent, 2), core::cell(i.high_percent, 2),
            core::cell(a.total)}}};
}

}  // namespace condenser::cli
