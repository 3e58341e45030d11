// One row per figure.
#include "condenser/data/metrics.hpp"

#include <algorithm>

#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"

namespace condenser::data {
namespace {

std::string always(const LabelFacts&) { return ""; }

std::string without_positives(const LabelFacts& f) {
  return f.several && f.positives == 0 ? "no item of the validation part has a class" : "";
}

std::string without_contrast(const LabelFacts& f) {
  return f.several && f.contrasts == 0 ? "the validation part has no class that some items have and others have not"
                                       : "";
}

std::string without_ranks(const LabelFacts& f) {
  if (f.classes > kMostForAuc)
    return "the data has " + std::to_string(f.classes) + " classes, and AUC is computed for at most " +
           std::to_string(kMostForAuc);
  return f.contrasts == 0 ? "the validation part has no class that some items have and others have not" : "";
}

double accuracy(const Evaluation& e) {
  return e.total == 0 ? 0.0 : 100.0 * static_cast<double>(e.correct) / static_cast<double>(e.total);
}

}  // namespace

const std::vector<Metric>& metrics() {
  static const std::vector<Metric> table{
      {"accuracy", "accuracy_percent", "accuracy", "%", Better::Higher, accuracy, always},
      {"balanced_accuracy", "balanced_accuracy_percent", "balanced accuracy", "%", Better::Higher,
       [](const Evaluation& e) { return e.balanced_accuracy; }, without_contrast},
      {"macro_f1", "macro_f1_percent", "macro F1", "%", Better::Higher, [](const Evaluation& e) { return e.macro_f1; },
       without_positives},
      {"auc", "auc_percent", "AUC", "%", Better::Higher, [](const Evaluation& e) { return e.auc; }, without_ranks},
      {"loss", "loss", "loss", "", Better::Lower, [](const Evaluation& e) { return e.loss; }, always},
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
  LabelFacts facts{std::ssize(with), dataset.multi_label(), 0, 0};
  for (const int64_t n : with) {
    facts.positives += n;
    facts.contrasts += n > 0 && n < dataset.size() ? 1 : 0;
  }
  return facts;
}

}  // namespace condenser::data
