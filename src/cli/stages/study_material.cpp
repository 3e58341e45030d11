// What the gate compares with stands in the plots where its figures can: an accuracy that is asked of the finished
// network is none of the short trainings here.

#include "cli/stages/study_material.hpp"

#include "condenser/core/text.hpp"

namespace condenser::cli {
namespace {

report::StudyComparator comparator_of(const search::Comparator& c, const search::Objective& objective) {
  report::StudyComparator shown{c.name, c.source, std::nullopt, {}};
  if (c.max_params > 0) shown.costs["params"] = static_cast<double>(c.max_params);
  if (c.max_macs > 0) shown.costs["macs"] = static_cast<double>(c.max_macs);
  const search::Metric* metric = objective.goals.front().metric();
  const bool accuracy = metric != nullptr && metric->name == "val_accuracy";
  if (accuracy && c.min_probe_accuracy > 0) shown.value = c.min_probe_accuracy;
  if (accuracy && !shown.value && c.min_accuracy > 0)
    shown.source += (shown.source.empty() ? "" : ". ") + core::number(c.min_accuracy) +
                    " % are asked of the finished network, not of the trainings of the search";
  return shown;
}

}  // namespace

report::StudyMaterial study_material(const RunConfig& config, std::vector<search::Trial> trials) {
  if (!config.space)
    throw core::ConfigError(config.name +
                            ": a run of one network (spec), nothing was searched; its page is report.html");
  report::StudyMaterial m;
  m.title = config.name + ": search";
  m.subtitle = "Data: " + config.card.name + ". Generator: " + config.search.generator +
               ". Objective: " + config.search.objective.text() +
               ". Asked for: " + std::to_string(config.search.trials) + " full examinations.";
  m.trials = std::move(trials);
  m.objective = config.search.objective;
  m.space = config.space.get();
  if (config.gate.comparator) m.comparators.push_back(comparator_of(*config.gate.comparator, m.objective));
  return m;
}

}  // namespace condenser::cli
