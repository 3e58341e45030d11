#include "condenser/report/model_card.hpp"

#include <cmath>

#include "report/join_first.hpp"
#include "report/sections/sections.hpp"

namespace condenser::report {
namespace {

constexpr double kWeakRecall = 80;   // percent, below which a class is named
constexpr int64_t kFewItems = 1000;  // of the test part, below which its interval is worth a sentence
constexpr size_t kNamed = 12;        // classes that are listed in a sentence

std::string some(std::vector<std::string> names) {
  for (std::string& name : names) name = core::printable(name);
  return join_first(std::move(names), kNamed);
}

bool reconstructs(const Material& m) { return test_reconstruction(m).has_value(); }

std::string task_text(const Material& m, const CardFacts& f) {
  if (reconstructs(m)) return "makes its input again; the error of that tells what is not normal";
  if (f.independent) return "decides for each of " + std::to_string(f.classes.size()) + " classes whether it is there";
  return "chooses one of " + std::to_string(f.classes.size()) + " classes";
}

Section details(const Material& m, const CardFacts& f) {
  Pairs t;
  t.add("network", m.design.spec.name + ", hash " + m.hash);
  t.add("task", task_text(m, f));
  t.add("input", f.item + " " + arch::to_string(m.design.spec.input) + " (channels x height x width)");
  t.add("parameters", core::thousands(m.design.cost.params));
  t.add("multiply-accumulates", core::thousands(m.design.cost.macs));
  t.add("int8 constants, bytes", core::thousands(m.design.lowered_cost.constant_bytes));
  t.add("int8 arena, bytes", core::thousands(m.design.plan.peak_bytes));
  t.add("found by", m.searched ? "search, " + std::to_string(m.searched->trials.size()) + " proposals" : "hand");
  for (const auto& [what, value] : m.environment)
    if (what == "condenser" || what == "seed" || what == "started") t.add(what, value);
  return {"details", "Model details", {t.block()}};
}

// Of the table that the report shows: classes that are found seldom.
std::vector<std::string> weak_classes(const Material& m) {
  std::vector<std::string> weak;
  if (!m.evaluated || m.evaluated->confusion.counts.empty()) return weak;
  const Confusion& c = m.evaluated->confusion;
  const std::vector<ClassScores> scores = class_scores(c);
  for (size_t k = 0; k < scores.size(); ++k)
    if (scores[k].recall_percent < kWeakRecall)  // false where there is none
      weak.push_back(c.classes[k] + " (" + core::fixed(scores[k].recall_percent, 1) + " % found)");
  return weak;
}

std::vector<std::string> limits(const Material& m, const CardFacts& f) {
  std::vector<std::string> list;
  if (!reconstructs(m) && !f.independent)
    list.push_back("It answers with one of its classes whatever it is shown, also for what is none of them.");
  list.push_back("It was measured on items of the same source as those it learned from (" + core::printable(m.dataset) +
                 "). Other cameras, microphones, places or people may give other results: measure there before use.");
  if (const auto weak = weak_classes(m); !weak.empty())
    list.push_back("It is not to be relied on for " + some(weak) + ".");
  const auto test = test_accuracy(m);
  if (test && test->total > 0 && test->total < kFewItems) {
    const quant::Interval i = quant::wilson_95(*test);
    list.push_back("The test part has " + std::to_string(test->total) + " items: the accuracy is known to " +
                   core::fixed((i.high_percent - i.low_percent) / 2, 1) + " points to either side.");
  }
  if (!test || test->total == 0) list.push_back("It was not measured on a test part.");
  if (m.trained && m.trained->on_validation)
    list.push_back("It learned from the validation part too; only the test part measures it.");
  list.push_back(
      "Whether its mistakes may harm anybody was not examined: that is left to those who use it. It is no ground for "
      "decisions about people's health, safety or rights by itself.");
  return list;
}

Section use(const Material& m, const CardFacts& f) {
  Section s{"use", "Intended use, and what it should not be used for", {}};
  s.blocks.push_back({Paragraph{"For a " + f.item + " of the kind described under Data it " + task_text(m, f) +
                                (f.classes.empty() || reconstructs(m) ? "." : ": " + some(f.classes) + ".")}});
  s.blocks.push_back({Bullets{limits(m, f)}});
  return s;
}

Section data(const Material& m, const CardFacts& f) {
  Pairs t;
  t.add("data set", core::printable(m.dataset));
  const std::pair<const char*, const std::string*> texts[] = {
      {"about", &m.dataset_about}, {"source", &f.source}, {"licence", &f.license}};
  for (const auto& [what, text] : texts) t.add(what, text->empty() ? "not stated" : core::printable(*text));
  if (f.training_items > 0) t.add("items to learn from", core::thousands(f.training_items));
  if (const auto test = test_accuracy(m); test && test->total > 0) t.add("test items", core::thousands(test->total));
  Section s{"data", "Data", {t.block()}};
  std::vector<std::string> noticed;
  for (const Warning& w : m.data_findings) noticed.push_back(w.message);
  if (!noticed.empty()) s.blocks.push_back({Bullets{noticed}});
  return s;
}

Section training(const CardFacts& f) {
  Pairs t;
  for (const auto& [option, value] : f.recipe) t.add(option, value);
  Section s{"training", "Training", {{Paragraph{"Options that are not the default:"}}, t.block()}};
  s.blocks.push_back(
      {Paragraph{"Made again, to the bit on the same processor and versions, by this command with the file of the "
                 "run's folder:"}});
  s.blocks.push_back({Code{"", f.reproduce}});
  return s;
}

Section metrics(const Material& m) {
  Section s{"metrics", "Metrics, test part", {}};
  if (const auto again = test_reconstruction(m)) {
    s.blocks.push_back({Paragraph{"In float: " + quant::to_string(*again) + "."}});
    if (m.quantized && m.quantized->int8_reconstruction)
      s.blocks.push_back({Paragraph{"In int8: " + quant::to_string(*m.quantized->int8_reconstruction) + "."}});
    return s;
  }
  if (const auto test = test_accuracy(m); test && test->total > 0)
    s.blocks.push_back({Paragraph{"In float: " + accuracy_text(*test) + "."}});
  if (m.quantized && m.quantized->as_int8.total > 0)
    s.blocks.push_back({Paragraph{"In int8, as it ships: " + accuracy_text(m.quantized->as_int8) + "."}});
  if (m.evaluated && !m.evaluated->confusion.counts.empty()) {
    s.blocks.push_back({Heading{"By class, " + m.evaluated->part + ", in float"}});
    s.blocks.push_back({per_class_table(m.evaluated->confusion)});
  }
  if (s.blocks.empty()) s.blocks.push_back({Paragraph{"Not measured."}});
  return s;
}

}  // namespace

Page model_card(const Material& m, const CardFacts& f) {
  Page page{"Model card: " + m.name, "", {}, {}, {}};
  page.warnings = warnings(m);
  page.sections = {details(m, f), use(m, f), data(m, f), training(f), metrics(m)};
  if (!f.machines.rows.empty())
    page.sections.push_back(
        {"costs",
         "Costs, one inference",
         {{Paragraph{"Counted under an emulator with the optimization that the table names."}}, {f.machines}}});
  for (const auto section : {constraints_section, proof_section})
    if (auto made = section(m)) page.sections.push_back(std::move(*made));
  return page;
}

}  // namespace condenser::report
