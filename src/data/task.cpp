// Decisions, and sums over the items of a data set.
#include "condenser/data/task.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"
#include "condenser/data/anomaly.hpp"
#include "data/scores.hpp"

namespace condenser::data {
namespace {

// log(1 + exp(x)) without overflow
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

double log_of_sum(std::span<const float> logits, double top) {
  double total = 0;
  for (const float v : logits) total += std::exp(v - top);
  return std::log(total) + top;
}

// A choice that meets NaN has no meaning; the loss says that something is wrong.
double largest(std::span<const float> logits) { return logits[static_cast<size_t>(choice(logits))]; }

double choice_loss(std::span<const float> logits, std::span<const float> marks) {
  const double whole = log_of_sum(logits, largest(logits));
  double value = 0;
  for (size_t k = 0; k < logits.size(); ++k)
    if (marks[k] != 0) value -= marks[k] * (logits[k] - whole);
  return value;
}

double decisions_loss(std::span<const float> logits, std::span<const float> marks) {
  double value = 0;
  for (size_t k = 0; k < logits.size(); ++k)
    value += marks[k] * softplus(-static_cast<double>(logits[k])) + (1 - marks[k]) * softplus(logits[k]);
  return value / static_cast<double>(logits.size());
}

}  // namespace

Task task_of(const Dataset& dataset, bool independent) {
  const bool several = dataset.multi_label();
  return {.classes = std::ssize(dataset.classes()), .independent = independent || several, .several = several};
}

Task reconstruction_task(int64_t classes, const ItemShape& item) {
  return {.classes = classes, .kind = TaskKind::Reconstruction, .item = item};
}

std::string output_misfit(const Task& task, const core::Shape& output) {
  if (task.reconstructs())
    return output.elements() == task.item.elements()
               ? ""
               : std::to_string(task.item.elements()) + " values, as many as an item of " + core::to_string(task.item);
  const core::Shape wanted{task.classes, 1, 1};
  return output == wanted ? "" : core::to_string(wanted) + ", one output per class";
}

double reconstruction_error(std::span<const float> outputs, std::span<const float> item) {
  double sum = 0;
  for (size_t k = 0; k < outputs.size(); ++k) {
    const double difference = double{outputs[k]} - item[k];
    sum += difference * difference;
  }
  return sum / static_cast<double>(outputs.size());
}

void probabilities(const Task& task, std::span<const float> logits, std::span<float> out) {
  if (task.independent) {
    for (size_t k = 0; k < logits.size(); ++k) out[k] = static_cast<float>(1 / (1 + std::exp(-double(logits[k]))));
    return;
  }
  const double top = largest(logits);
  double total = 0;
  for (const float v : logits) total += std::exp(v - top);
  for (size_t k = 0; k < logits.size(); ++k) out[k] = static_cast<float>(std::exp(logits[k] - top) / total);
}

int64_t choice(std::span<const float> logits) {
  return std::max_element(logits.begin(), logits.end()) - logits.begin();
}

void check_outputs(std::span<const float> logits, const std::string& item) {
  for (size_t k = 0; k < logits.size(); ++k)
    if (!std::isfinite(logits[k]))
      throw NotFinite(core::printable(item) + ": output " + std::to_string(k) + " of the network is " +
                      core::number(logits[k]) +
                      "; expected finite numbers. Its weights or the item's values are too large, train it again");
}

bool right(const Task& task, std::span<const float> logits, const Truth& truth) {
  if (!task.several) return choice(logits) == truth.label;
  for (size_t k = 0; k < logits.size(); ++k)
    if (decided(logits[k]) != (truth.marks[k] > 0.5f)) return false;
  return true;
}

double loss(const Task& task, std::span<const float> logits, std::span<const float> marks) {
  return task.independent ? decisions_loss(logits, marks) : choice_loss(logits, marks);
}

struct Scorer::State {
  const Dataset& dataset;
  const Task task;
  Evaluation out;
  int64_t next = 0;
  std::vector<Counts> decisions;  // [classes]
  std::vector<float> outputs;     // [items, classes], probabilities
  std::vector<uint8_t> marked;    // the same

  std::vector<float> item;  // of a reconstruction: room for one

  bool keeps_outputs() const { return task.classes <= kMostForAuc; }

  void add_reconstruction(std::span<const float> outputs) {
    check_outputs(outputs, dataset.name(next));
    item.resize(outputs.size());
    dataset.get(next++, item);
    out.errors.push_back(static_cast<float>(reconstruction_error(outputs, item)));
  }

  void finish_reconstruction() {
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    const bool told = tells_anomalies(dataset.classes());
    std::vector<uint8_t> anomalous(out.errors.size(), 0);
    double sum = 0;
    int64_t normal = 0;
    for (size_t i = 0; i < out.errors.size(); ++i) {
      anomalous[i] = told && dataset.label(static_cast<int64_t>(i)) != 0 ? 1 : 0;
      if (anomalous[i] != 0) continue;
      sum += out.errors[i];
      ++normal;
    }
    out.loss = out.reconstruction_error = normal > 0 ? sum / static_cast<double>(normal) : kNone;
    out.auc = told ? 100 * macro_auc(out.errors, anomalous, 1) : kNone;
    out.macro_f1 = out.balanced_accuracy = kNone;
  }

  void count(std::span<const float> logits, std::span<const float> marks) {
    for (size_t k = 0; k < logits.size(); ++k) {
      Counts& c = decisions[k];
      const bool said = decided(logits[k]), so = marks[k] > 0.5f;
      ++(said ? (so ? c.true_positive : c.false_positive) : (so ? c.false_negative : c.true_negative));
    }
  }

  void add_item(std::span<const float> logits, std::vector<float>& marks, std::vector<float>& shares) {
    const int label = dataset.label(next);
    if (!task.several && (label < 0 || label >= task.classes))
      throw core::Error("label " + std::to_string(label) + " of a sample; expected 0.." +
                        std::to_string(task.classes - 1));
    check_outputs(logits, dataset.name(next));
    dataset.targets(next, marks);
    const auto chosen = static_cast<size_t>(choice(logits));
    out.loss += data::loss(task, logits, marks);
    out.correct += right(task, logits, {label, marks}) ? 1 : 0;
    if (task.several)
      count(logits, marks);
    else
      ++out.confusion[static_cast<size_t>(label)][chosen];
    probabilities(task, logits, shares);
    out.predictions.push_back({static_cast<int>(chosen), shares[chosen]});
    ++next;
    if (!keeps_outputs()) return;
    outputs.insert(outputs.end(), shares.begin(), shares.end());
    for (const float m : marks) marked.push_back(m > 0.5f ? 1 : 0);
  }
};

Scorer::Scorer(const Dataset& dataset, const Task& task) : state_(new State{.dataset = dataset, .task = task}) {
  const auto classes = static_cast<size_t>(task.classes);
  state_->decisions.resize(classes);
  state_->out.kind = task.kind;
  state_->out.total = dataset.size();
  if (!task.several && !task.reconstructs()) state_->out.confusion.assign(classes, std::vector<int64_t>(classes, 0));
}

Scorer::~Scorer() = default;

void Scorer::add(std::span<const float> outputs) {
  if (state_->task.reconstructs()) {
    const auto values = static_cast<size_t>(state_->task.outputs());
    for (size_t begin = 0; begin < outputs.size(); begin += values)
      state_->add_reconstruction(outputs.subspan(begin, values));
    return;
  }
  const auto classes = static_cast<size_t>(state_->task.classes);
  std::vector<float> marks(classes), shares(classes);
  for (size_t begin = 0; begin < outputs.size(); begin += classes)
    state_->add_item(outputs.subspan(begin, classes), marks, shares);
}

Evaluation Scorer::finish() {
  if (state_->task.reconstructs()) {
    state_->finish_reconstruction();
    return std::move(state_->out);
  }
  Evaluation out = std::move(state_->out);
  const Task& task = state_->task;
  out.loss /= static_cast<double>(out.total);
  if (!task.several) state_->decisions = counts_of(out.confusion);
  out.macro_f1 = 100 * macro_f1(state_->decisions);
  out.balanced_accuracy =
      100 * (task.several ? balanced_decisions(state_->decisions) : balanced_accuracy(state_->decisions));
  out.auc = state_->keeps_outputs() ? 100 * macro_auc(state_->outputs, state_->marked, task.classes)
                                    : std::numeric_limits<double>::quiet_NaN();
  return out;
}

}  // namespace condenser::data
