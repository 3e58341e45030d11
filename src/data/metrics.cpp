// One row per figure.
#include "condenser/data/metrics.hpp"

#include <algorithm>
#include <limits>

#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"
#include "condenser/data/anomaly.hpp"

namespace condenser::data {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

bool made_again(const LabelFacts& f) { return f.kind == TaskKind::Reconstruction; }

constexpr const char* kNoAnswer = "outputs are the item's values again, and no class is decided";

std::string always(const LabelFacts&) { return ""; }

std::string with_classes(const LabelFacts& f) { return made_again(f) ? kNoAnswer : ""; }

std::string with_reconstruction(const LabelFacts& f) {
  return made_again(f) ? "" : "outputs are classes (loss reconstruction makes the item's values again)";
}

std::string without_positives(const LabelFacts& f) {
  if (made_again(f)) return kNoAnswer;
  return f.several && f.positives == 0 ? "no item of the validation part has a class" : "";
}

std::string without_contrast(const LabelFacts& f) {
  if (made_again(f)) return kNoAnswer;
  return f.several && f.contrasts == 0 ? "the validation part has no class that some items have and others have not"
                                       : "";
}

std::string without_ranks(const LabelFacts& f) {
  if (made_again(f) && !f.told) return "dataset.normal does not say which classes are normal";
  if (f.classes > kMostForAuc)
    return "the data has " + std::to_string(f.classes) + " classes, and AUC is computed for at most " +
           std::to_string(kMostForAuc);
  return f.contrasts == 0 ? "the validation part has no class that some items have and others have not" : "";
}

double accuracy(const Evaluation& e) {
  if (e.kind == TaskKind::Reconstruction) return kNone;
  return e.total == 0 ? 0.0 : 100.0 * static_cast<double>(e.correct) / static_cast<double>(e.total);
}

}  // namespace

const std::vector<Metric>& metrics() {
  static const std::vector<Metric> table{
      {"accuracy", "accuracy_percent", "accuracy", "%", Better::Higher, accuracy, with_classes},
      {"balanced_accuracy", "balanced_accuracy_percent", "balanced accuracy", "%", Better::Higher,
       [](const Evaluation& e) { return e.balanced_accuracy; }, without_contrast},
      {"macro_f1", "macro_f1_percent", "macro F1", "%", Better::Higher, [](const Evaluation& e) { return e.macro_f1; },
       without_positives},
      {"auc", "auc_percent", "AUC", "%", Better::Higher, [](const Evaluation& e) { return e.auc; }, without_ranks},
      {"loss", "loss", "loss", "", Better::Lower, [](const Evaluation& e) { return e.loss; }, always},
      {"reconstruction_error", "reconstruction_error", "reconstruction error", "", Better::Lower,
       [](const Evaluation& e) { return e.kind == TaskKind::Reconstruction ? e.reconstruction_error : kNone; },
       with_reconstruction},
  };
  return table;
}

std::vector<std::string> metric_names() {
  std::vector<std::string> names;
  for (const Metric& metric : metrics()) names.push_back(metric.name);
  return names;
}

const Metric& find_metric(const std::string& name) {
  for (const Metric& metric : metrics())
    if (metric.name == name) return metric;
  throw core::ConfigError("metric " + core::printable(name) + "; expected one of " + core::join(metric_names()));
}

double score_of(const Metric& metric, const Evaluation& e) {
  return metric.better == Better::Higher ? metric.value(e) : -metric.value(e);
}

LabelFacts label_facts(const Dataset& dataset) {
  const auto classes = static_cast<size_t>(std::ssize(dataset.classes()));
  std::vector<int64_t> with(classes, 0);
  std::vector<float> marks(classes);
  for (int64_t i = 0; i < dataset.size(); ++i) {
    dataset.targets(i, marks);
    for (size_t k = 0; k < classes; ++k) with[k] += marks[k] > 0.5f ? 1 : 0;
  }
  LabelFacts facts{.classes = std::ssize(with),
                   .several = dataset.multi_label(),
                   .positives = 0,
                   .contrasts = 0,
                   .told = tells_anomalies(dataset.classes())};
  for (const int64_t n : with) {
    facts.positives += n;
    facts.contrasts += n > 0 && n < dataset.size() ? 1 : 0;
  }
  return facts;
}

}  // namespace condenser::data
