// Who is taken for whom, and the most confident mistakes.

#include <cmath>

#include "report/sections/sections.hpp"

namespace condenser::report {
namespace {

constexpr size_t kOpenRows = 40;

// Of items that may have several classes there is no confusion matrix.
void add_scores(const Evaluated& e, std::vector<Block>& blocks) {
  Pairs t;
  const auto add = [&](const char* what, double value, const char* unit) {
    if (std::isfinite(value)) t.add(what, core::significant(value, 6) + unit);
  };
  add("loss", e.loss, "");
  add("balanced accuracy", e.balanced_accuracy_percent, " %");
  add("macro F1", e.macro_f1_percent, " %");
  add("AUC", e.auc_percent, " %");
  blocks.push_back(t.block());
}

}  // namespace

std::optional<Section> classes_section(const Material& m) {
  if (!m.evaluated || m.evaluated->reconstruction) return std::nullopt;  // the result says it all
  const Evaluated& e = *m.evaluated;
  Section section{"classes", "Classes, " + e.part, {}};
  section.blocks.push_back({Paragraph{accuracy_text(e.accuracy) + "."}});
  if (e.confusion.counts.empty()) {
    add_scores(e, section.blocks);
    return section;
  }
  const std::string title = m.name + ", " + e.part;
  section.blocks.push_back({Figure{"Confusion matrix, " + e.part,
                                   e.folder + "/confusion.svg",
                                   confusion_svg(e.confusion, title, quant::to_string(e.accuracy)),
                                   {},
                                   640}});
  const std::vector<std::string> worst = worst_mistakes(e.confusion, 5);
  if (!worst.empty()) section.blocks.push_back({Bullets{worst}});
  const core::Table table = per_class_table(e.confusion);
  if (table.rows.size() > kOpenRows)
    section.blocks.push_back({Details{"Scores of " + std::to_string(table.rows.size() - 1) + " classes", {{table}}}});
  else
    section.blocks.push_back({table});
  if (!e.mistakes_png.empty())
    section.blocks.push_back({Figure{"The most confident mistakes: true class, then what they were taken for",
                                     e.folder + "/mistakes.png",
                                     e.mistakes_png,
                                     {},
                                     560}});
  return section;
}

}  // namespace condenser::report
