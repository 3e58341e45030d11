// `condenser data check RUN`: counts per class and split, duplicates, unreadable items, mean and deviation beside the
// card's.
#include "cli/data_check.hpp"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/print.hpp"
#include "cli/stages.hpp"
#include "condenser/data/check.hpp"

namespace condenser::cli {
namespace {

constexpr size_t kShown = 20;  // items named in the text; JSON names all

core::Table counts_table(const data::CheckReport& report) {
  core::Table t{{{"class", "class", false}}, {}};
  for (const auto& s : report.splits) t.columns.push_back({s.split, s.split});
  const auto add = [&](const std::string& name, auto value) {
    std::vector<core::Cell> row{core::cell(name)};
    for (const auto& s : report.splits) row.push_back(s.error.empty() ? core::cell(value(s)) : core::empty_cell());
    t.rows.push_back(std::move(row));
  };
  for (size_t c = 0; c < report.classes.size(); ++c) {
    add(report.classes[c], [c](const data::SplitCheck& s) { return s.per_class[c]; });
  }
  const bool some_without = std::ranges::any_of(report.splits, [](const auto& s) { return s.without_class > 0; });
  if (some_without) add("(none)", [](const data::SplitCheck& s) { return s.without_class; });
  add("items", [](const data::SplitCheck& s) { return s.items; });
  add("unreadable", [](const data::SplitCheck& s) { return std::ssize(s.unreadable); });
  return t;
}

std::string list(const std::vector<double>& values) {
  std::string text;
  char number[32];
  for (double value : values) {
    std::snprintf(number, sizeof number, "%s%.4f", text.empty() ? "" : ", ", value);
    text += number;
  }
  return "[" + text + "]";
}

std::string line(const data::Duplicate& d) {
  return d.first_split + " " + d.first + " = " + d.second_split + " " + d.second +
         (d.same_label ? "" : " (with another label)");
}

std::vector<std::string> lines(const data::CheckReport& report, const data::Card& card) {
  std::vector<std::string> out;
  for (const auto& s : report.splits) {
    if (!s.error.empty()) out.push_back(s.split + " cannot be opened: " + s.error);
    if (s.found.mean.empty()) continue;
    out.push_back(s.split + ": mean " + list(s.found.mean) + ", std " + list(s.found.std));
  }
  out.push_back("card: mean " + list(card.normalization.mean) + ", std " + list(card.normalization.std));
  for (const auto& s : report.splits) {
    for (size_t i = 0; i < std::min(kShown, s.unreadable.size()); ++i) out.push_back("unreadable: " + s.unreadable[i]);
    if (s.unreadable.size() > kShown)
      out.push_back("... and " + std::to_string(s.unreadable.size() - kShown) + " more in " + s.split);
  }
  // Those across splits first: they make a test result worthless.
  std::vector<data::Duplicate> sorted = report.duplicates;
  std::stable_partition(sorted.begin(), sorted.end(), [](const auto& d) { return d.first_split != d.second_split; });
  for (size_t i = 0; i < std::min(kShown, sorted.size()); ++i) out.push_back("duplicate: " + line(sorted[i]));
  if (sorted.size() > kShown) out.push_back("... and " + std::to_string(sorted.size() - kShown) + " more");
  out.push_back("duplicates: " + std::to_string(report.between) + " between splits, " + std::to_string(report.within) +
                " within a split");
  out.push_back(report.clean() ? "no problem found" : "problems found: see above");
  return out;
}

nlohmann::ordered_json to_json(const data::CheckReport& report, const data::Card& card) {
  nlohmann::ordered_json j{{"schema_version", 1},
                           {"card", card.name},
                           {"clean", report.clean()},
                           {"classes", report.classes},
                           {"card_mean", card.normalization.mean},
                           {"card_std", card.normalization.std},
                           {"splits", nlohmann::ordered_json::array()},
                           {"duplicates_between", report.between},
                           {"duplicates_within", report.within},
                           {"duplicates", nlohmann::ordered_json::array()}};
  for (const auto& s : report.splits) {
    j["splits"].push_back({{"split", s.split},
                           {"error", s.error},
                           {"items", s.items},
                           {"per_class", s.per_class},
                           {"without_class", s.without_class},
                           {"unreadable", s.unreadable},
                           {"mean", s.found.mean},
                           {"std", s.found.std}});
  }
  for (const auto& d : report.duplicates) {
    j["duplicates"].push_back({{"first_split", d.first_split},
                               {"first", d.first},
                               {"second_split", d.second_split},
                               {"second", d.second},
                               {"same_label", d.same_label}});
  }
  return j;
}

}  // namespace

int data_check(const Invocation& call) {
  const RunConfig config = read_run_config(call.subject, call.overrides);
  const data::CheckReport report = data::check_data(config.card);
  if (call.format == "json") {
    print_json(to_json(report, config.card));
  } else {
    print({"Data set " + config.card.name, counts_table(report), lines(report, config.card)}, call.format);
  }
  return report.clean() ? 0 : static_cast<int>(core::ExitCode::RunFailed);
}

}  // namespace condenser::cli
