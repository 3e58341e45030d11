// What is known is said: each rule of the list is a function from the material to its warnings.

#include "condenser/report/warnings.hpp"

#include <algorithm>
#include <cmath>

#include "condenser/core/text.hpp"
#include "condenser/report/material.hpp"
#include "report/join_first.hpp"

namespace condenser::report {
namespace {

constexpr int64_t kFewStepsAnEpoch = 10, kFewSteps = 100;
constexpr double kWideInterval = 10, kBehind = 0.5, kFarBehind = 2;  // percentage points

std::string percent(double value) { return core::fixed(value, 2) + " %"; }

std::string quoted(std::string name) { return "'" + core::printable(name) + "'"; }

// "'a', 'b' and 3 more"
std::string some(const std::vector<std::string>& names) {
  std::vector<std::string> shown;
  for (const std::string& name : names) shown.push_back(quoted(name));
  return join_first(std::move(shown), 5);
}

void limits(const Material& m, std::vector<Warning>& list) {
  for (const search::Verdict& v : m.verdicts)
    if (!v.passed)
      list.push_back({"limit_missed", v.rule + " does not hold" + (v.node.empty() ? "" : " at node " + v.node) + ": " +
                                          v.value + "; limit " + v.limit});
}

std::vector<int64_t> supports(const Confusion& c) {
  std::vector<int64_t> support;
  for (const ClassScores& s : class_scores(c)) support.push_back(s.support);
  return support;
}

// What naming one class always would get: known where the classes of the test items are.
void guessing(const Material& m, std::vector<Warning>& list) {
  const std::optional<quant::Accuracy> a = test_accuracy(m);
  const int64_t classes = m.design.cost.nodes.empty() ? 0 : m.design.output().elements();
  const bool one_answer = !m.evaluated || !m.evaluated->confusion.counts.empty();
  if (!a || a->total == 0 || classes < 2 || !one_answer) return;
  const auto [low, high] = quant::wilson_95(*a);
  const double chance = 100.0 / static_cast<double>(classes);
  if (low <= chance) {
    list.push_back({"accuracy_at_chance",
                    "test accuracy " + quant::to_string(*a) +
                        (high < chance ? " is below guessing among " : " cannot be told from guessing among ") +
                        std::to_string(classes) + " classes, " + percent(chance) +
                        "; try more epochs, another train.lr, and look at the data with 'condenser data show' and "
                        "'condenser data check'"});
    return;
  }
  if (!m.evaluated || !m.evaluated->test) return;
  const std::vector<int64_t> support = supports(m.evaluated->confusion);
  const auto most = std::max_element(support.begin(), support.end());
  const double share = 100.0 * static_cast<double>(*most) / static_cast<double>(a->total);
  if (low <= share)
    list.push_back({"accuracy_of_one_class",
                    "test accuracy " + quant::to_string(*a) + " cannot be told from always answering " +
                        quoted(m.evaluated->confusion.classes[static_cast<size_t>(most - support.begin())]) + ", " +
                        percent(share) + "; try train.balance=weights or sampling, and look at the scores per class"});
}

// Both are measured on the same items, so that a loss of some points is real on few items too, where intervals are
// wide.
void int8_loss(const Material& m, std::vector<Warning>& list) {
  if (!m.quantized || m.quantized->as_float.total == 0) return;
  const quant::Accuracy &before = m.quantized->as_float, &after = m.quantized->as_int8;
  const double lost = before.percent() - after.percent();
  const bool far = lost >= kFarBehind && before.correct - after.correct > 1;
  if (!far && (lost < kBehind || after.percent() >= quant::wilson_95(before).low_percent)) return;
  const quant::NodeReport* worst = nullptr;
  for (const quant::NodeReport& n : m.quantized->nodes)
    if (std::isfinite(n.snr_db) && (!worst || n.snr_db < worst->snr_db)) worst = &n;
  list.push_back(
      {"int8_behind_float",
       "int8 is " + core::fixed(lost, 2) + " points behind float on the test part (" + percent(after.percent()) +
           " against " + percent(before.percent()) + ")" +
           (!worst ? "" : "; most noise at node " + worst->node + ", " + core::fixed(worst->snr_db, 1) + " dB") +
           "; try quantize.qat.epochs=4, activations that end (relu6), or another quantize.observer"});
}

void silent_classes(const Material& m, std::vector<Warning>& list) {
  if (!m.evaluated || m.evaluated->confusion.counts.empty()) return;
  const Confusion& c = m.evaluated->confusion;
  std::vector<std::string> never;
  for (size_t k = 0; k < c.classes.size(); ++k) {
    int64_t named = 0, items = 0;
    for (size_t j = 0; j < c.classes.size(); ++j) {
      named += c.counts[j][k];
      items += c.counts[k][j];
    }
    if (named == 0 && items > 0) never.push_back(c.classes[k]);
  }
  if (!never.empty())
    list.push_back({"class_never_predicted", "of the " + m.evaluated->part + ", no item is taken for " + some(never) +
                                                 ", though there are such items; try train.balance, more epochs, or "
                                                 "look at the labels with 'condenser data check'"});
}

void few_steps(const Material& m, std::vector<Warning>& list) {
  if (!m.trained || m.trained->epochs == 0 || !m.trained->items || m.trained->items_per_step <= 0) return;
  const int64_t each = *m.trained->items / m.trained->items_per_step, all = each * m.trained->epochs;
  if (each >= kFewStepsAnEpoch && all >= kFewSteps) return;
  list.push_back({"few_steps", "training made only " + std::to_string(each) + " steps an epoch, " +
                                   std::to_string(all) + " in all (" + core::thousands(*m.trained->items) + " items, " +
                                   core::thousands(m.trained->items_per_step) +
                                   " a step); try a smaller train.batch_size or more train.epochs"});
}

void few_items(const Material& m, std::vector<Warning>& list) {
  const std::optional<quant::Accuracy> a = test_accuracy(m);
  if (!a || a->total == 0) return;
  const quant::Interval i = quant::wilson_95(*a);
  if (i.high_percent - i.low_percent <= kWideInterval) return;
  list.push_back({"few_test_items", "with " + std::to_string(a->total) +
                                        " test items the accuracy is only known to lie between " +
                                        percent(i.low_percent) + " and " + percent(i.high_percent)});
}

void trained_on(const Material& m, std::vector<Warning>& list) {
  if (!m.trained || !m.trained->on_validation || m.trained->validation.total == 0) return;
  const std::optional<quant::Accuracy> test = test_accuracy(m);
  list.push_back({"trained_on_validation",
                  "the validation part was trained on (train.on_validation): its " +
                      percent(m.trained->validation.percent()) + " is no measure of the network" +
                      (test && test->total > 0 ? "; the test part says " + percent(test->percent()) : "")});
}

void gate_notes(const Material& m, std::vector<Warning>& list) {
  for (const std::string& note : m.gate_notes) list.push_back({"gate_fitted_to_data", core::printable(note)});
}

void skipped_checks(const Material& m, std::vector<Warning>& list) {
  if (!m.proof) return;
  for (const std::string& check : m.proof->skipped)
    list.push_back({"check_skipped", "a check of the export did not run: " + core::printable(check)});
}

}  // namespace

std::vector<Warning> warnings(const Material& m) {
  std::vector<Warning> list;
  for (auto* rule : {limits, guessing, int8_loss, silent_classes, few_steps, few_items, trained_on, gate_notes})
    rule(m, list);
  list.insert(list.end(), m.data_findings.begin(), m.data_findings.end());
  skipped_checks(m, list);
  return list;
}

}  // namespace condenser::report
