// How the winner learned: curves and the row of every epoch.

#include <cmath>

#include "condenser/report/curves.hpp"
#include "report/metrics_rows.hpp"
#include "report/sections/sections.hpp"

namespace condenser::report {
namespace {

constexpr size_t kOpenRows = 40;

// Columns keep the names that metrics.csv gives them.
core::Table epochs_table(const MetricsRows& metrics, bool on_validation) {
  core::Table t;
  for (const std::string& name : metrics.names)
    t.columns.push_back({name, name + (on_validation && name.starts_with("val/") ? " (trained on)" : "")});
  for (const auto& row : metrics.rows) {
    t.rows.emplace_back();
    for (const double value : row)
      t.rows.back().push_back(std::isnan(value) ? core::empty_cell() : core::significant_cell(value, 6));
  }
  return t;
}

}  // namespace

std::optional<Section> training_section(const Material& m) {
  if (!m.trained || m.trained->metrics_csv.empty()) return std::nullopt;
  const Trained& trained = *m.trained;
  Section section{"training", "Training", {}};
  if (trained.on_validation)
    section.blocks.push_back(
        {Paragraph{"The validation part was trained on (train.on_validation): its curves show how "
                   "well it is known by heart, not how well the network generalizes."}});
  const std::string curves = curves_svg(trained.metrics_csv, m.name + ": learning curves", trained.on_validation);
  if (!curves.empty())
    section.blocks.push_back(
        {Figure{"Learning curves", "curves.svg", curves, curve_panels(trained.metrics_csv, trained.on_validation)}});
  const core::Table table = epochs_table(read_metrics(trained.metrics_csv), trained.on_validation);
  if (table.rows.size() > kOpenRows)
    section.blocks.push_back({Details{std::to_string(table.rows.size()) + " epochs", {{table}}}});
  else
    section.blocks.push_back({table});
  return section;
}

}  // namespace condenser::report
