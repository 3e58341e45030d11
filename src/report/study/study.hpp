#pragma once
// What several sections of a study's page need of its trials, made once; and the sections, one file each.

#include <optional>
#include <set>

#include "condenser/core/text.hpp"
#include "condenser/report/study_page.hpp"
#include "condenser/search/metrics.hpp"
#include "condenser/search/objective.hpp"

namespace condenser::report {

using search::Trial;
using search::TrialState;

struct Study {
  explicit Study(const StudyMaterial&);

  const StudyMaterial& m;
  const std::vector<Trial>& trials;
  std::vector<double> rungs;                 // fidelities of the ladder, as trials show them; the last is 1
  const search::Goal& goal;                  // the first
  const search::Metric* objective;           // null: an expression over several
  std::string objective_title;               // "val. accuracy, %"
  std::vector<const search::Metric*> costs;  // known of a design, and of some trial
  std::vector<double> value;                 // per trial, in the objective's unit: full examination, a number; else NaN
  std::vector<double> rank;                  // the same, higher is better
  std::vector<const Trial*> ranked;          // feasible, full, no copies; the best first
  std::map<std::string, std::vector<const Trial*>> fronts;  // by cost, cheapest first
  std::set<int64_t> on_front;                               // indices of their trials
  std::vector<double> seconds;                              // per trial: of examination, until it was known
  std::vector<int64_t> place;                               // per trial: among `ranked`, from 0; -1: it is none of them
  std::vector<int64_t> dominated_by;  // per trial: one that is as good or better and costs no more; -1: none
  std::vector<int64_t> next;          // per trial: of the same network at the next rung; -1: none

  size_t at(const Trial& trial) const { return static_cast<size_t>(&trial - trials.data()); }
  bool counts(const Trial&) const;       // a full examination of its own with a value
  std::string value_text(double) const;  // with unit
  const Trial* best = nullptr;           // of several goals the balanced one
  // Tenths of the study by proposals, fewer of a short one.
  size_t periods() const;
  size_t period(size_t trial) const { return trial * periods() / trials.size(); }
};

// The unit in which the study's time is told.
struct Clock {
  std::string unit;
  double seconds = 1;
};
Clock clock_of(const Study&);

// NaN: the trial has none.
double metric_of(const Trial&, const std::string& name);
// With the digits of the table of metrics, without unit.
std::string number_text(double value, const search::Metric*);
std::string title_of(const search::Metric&);  // with the unit where the title has none
std::string state_text(const Trial&);    // "feasible", "dropped", "refused", "copy", "failed", "waiting", "running"
std::string refusal_text(const Trial&);  // what broke which rule, in one line; "": nothing
// What became of a trial and why.
std::string fate_text(const Study&, const Trial&);

// The sections. Absent: there is nothing to tell.
std::optional<Section> fronts_section(const Study&);
std::optional<Section> progress_section(const Study&);
std::optional<Section> distribution_section(const Study&);
std::optional<Section> refusals_section(const Study&);
std::optional<Section> proposers_section(const Study&);
std::optional<Section> proxies_section(const Study&);
std::optional<Section> forecasts_section(const Study&);
std::optional<Section> rungs_section(const Study&);
std::optional<Section> trials_section(const Study&);
std::optional<Section> networks_section(const Study&);

PageRows rows_of(const Study&);
// Decisions and the labels of their options.
std::vector<RowColumn::Field> fields_of(const Study&);

}  // namespace condenser::report
