// `condenser study ask` and `tell`: a person, a script or an agent proposes or examines, in JSON.

#include <pwd.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "cli/print.hpp"
#include "cli/verbs/study/study.hpp"
#include "condenser/arch/spec_io.hpp"
#include "condenser/core/text.hpp"
#include "condenser/search/exchange.hpp"
#include "condenser/search/fate.hpp"

namespace condenser::cli {

using nlohmann::ordered_json;
using search::Trial;
using search::TrialState;

namespace {

constexpr double kLease = 3600;
constexpr size_t kMostBytes = size_t{1} << 20, kLongestName = 100;

std::string who(const StudyOptions& o) {
  std::string name = o.worker;
  if (name.empty()) {
    const passwd* user = getpwuid(getuid());
    name = user != nullptr && *user->pw_name != '\0' ? user->pw_name : std::to_string(getuid());
  }
  if (name.size() > kLongestName || name != core::printable(name) || name.starts_with(search::kOutside))
    throw core::ConfigError("--worker " + core::printable(name.substr(0, kLongestName)) +
                            "; expected a name of up to " + std::to_string(kLongestName) + " visible characters");
  if (std::string(search::kOutside + name).starts_with(search::kImport))
    throw core::ConfigError("--worker " + name + "; expected a name that is not of an import");
  return search::kOutside + name;
}

// JSON as it was typed, or of a file.
struct Given {
  std::string text, where;
};
Given given(const std::string& option, const std::string& value) {
  const size_t first = value.find_first_not_of(" \t\n");
  if (first != std::string::npos && (value[first] == '{' || value[first] == '[')) return {value, option};
  if (!std::filesystem::exists(value))
    throw core::ConfigError(option + " " + core::printable(value) + ": neither JSON nor a file");
  return {core::read_file(value, kMostBytes), core::printable(value)};
}

ordered_json spec_of(const search::Candidate& candidate) {
  if (candidate.spec.nodes.empty()) return nullptr;  // of a table
  return ordered_json::parse(arch::to_json(candidate.spec));
}

ordered_json json_of(const Trial& trial, const search::SearchContext& c, const std::string& objective) {
  ordered_json j = ordered_json::parse(search::export_json({trial}, &c.space, objective))["trials"][0];
  ordered_json answer{{"schema_version", 1}, {"state", j["state"]}, {"trial", trial.index}, {"objective", objective}};
  for (const char* key : {"by", "reason", "choices", "network", "rung", "fidelity", "forecast", "metrics"})
    answer[key] = j[key];
  return answer;
}

ordered_json verdicts_of(const Trial& trial) {
  ordered_json list = ordered_json::array();
  for (const search::Verdict& v : trial.verdicts)
    if (!v.passed) list.push_back({{"rule", v.rule}, {"node", v.node}, {"value", v.value}, {"limit", v.limit}});
  return list;
}

ordered_json answer_of(const search::Asked& asked, const search::SearchContext& c, const std::string& objective) {
  if (!asked.trial)
    return {{"schema_version", 1}, {"state", asked.later ? "wait" : "over"}, {"trial", nullptr}, {"why", asked.why}};
  const Trial& trial = *asked.trial;
  ordered_json j = json_of(trial, c, objective);
  if (trial.same_as >= 0) {
    j["state"] = "copy";
    j["same_as"] = trial.same_as;
    j["state_there"] = search::to_string(trial.state);
  } else if (trial.state == TrialState::Refused) {
    j["refused_by"] = verdicts_of(trial);
  } else if (trial.state == TrialState::Failed) {
    j["error"] = trial.error;
  } else {
    j["seed"] = asked.seed;
    j["lease"] = {{"worker", c.worker.substr(sizeof search::kOutside - 1)}, {"seconds", c.lease}};
    j["spec"] = spec_of(c.space.expand(trial.genotype));
  }
  return j;
}

search::Told told_of(const StudyOptions& o) {
  if (o.metrics.empty() == o.failed.empty())
    throw core::ConfigError(
        "condenser study tell: expected one of --metrics '{\"val_accuracy\": 91.2}' and --failed "
        "\"why it cannot be examined\"");
  search::Told told{.failure = o.failed, .seconds = o.seconds.value_or(0)};
  if (o.metrics.empty()) return told;
  const Given metrics = given("--metrics", o.metrics);
  told.metrics = search::read_numbers(metrics.text, metrics.where);
  return told;
}

}  // namespace

int study_ask(const StudyOptions& o) {
  OpenStudy study = open_study_of(o, search::StoreMode::Join, true);
  const search::Space& space = *config_of(study, "ask").space;
  const std::string worker = who(o);
  std::optional<search::Proposal> own;
  if (!o.genotype.empty()) {
    const Given genotype = given("--genotype", o.genotype);
    own = search::read_genotype(space, genotype.text, genotype.where);
  }
  begin_if_new(study);
  StudyDesk desk(study, worker, o.lease.value_or(kLease), "ask");
  if (own) own->rung = static_cast<int>(desk.context().rungs.size()) - 1;
  print_json(
      answer_of(search::ask(desk.context(), desk.options(), own), desk.context(), desk.options().objective.text()));
  return 0;
}

int study_tell(const StudyOptions& o) {
  const int64_t index = trial_number(o);
  const search::Told told = told_of(o);
  OpenStudy study = open_study_of(o, search::StoreMode::Join);
  StudyDesk desk(study, who(o), o.lease.value_or(kLease), "tell");
  const search::Taken taken = search::tell(desk.context(), desk.options(), index, told);
  const auto trials = study.store->load();
  const ordered_json all = json_of(taken.trial, desk.context(), desk.options().objective.text());
  ordered_json j;
  for (const char* key : {"schema_version", "state", "trial", "objective", "metrics"}) j[key] = all[key];
  j["told_before"] = taken.known;
  j["feasible"] = taken.trial.feasible();
  j["refused_by"] = verdicts_of(taken.trial);
  j["fate"] = search::Fates(trials, desk.options().objective).of(taken.trial).text;
  print_json(j);
  return 0;
}

}  // namespace condenser::cli
