// `condenser data check RUN`: counts per class and split, duplicates, unreadable items, mean and deviation beside the
// card's.
#include "cli/verbs/data_check.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/print.hpp"
#include "cli/stages/stages.hpp"
#include "condenser/core/text.hpp"
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
  std::vector<std::string> texts;
  for (const double value : values) texts.push_back(core::fixed(value, 4));
  return "[" + core::join(texts) + "]";
}

void add_finding(const data::Finding& finding, std::vector<std::string>& out) {
  out.push_back((finding.problem ? "problem: " : "note: ") + (finding.split.empty() ? "" : finding.split + ": ") +
                finding.text);
  for (size_t i = 0; i < std::min(kShown, finding.items.size()); ++i) out.push_back("  " + finding.items[i]);
  if (finding.items.size() > kShown)
    out.push_back("  ... and " + std::to_string(finding.items.size() - kShown) + " more");
}

std::string verdict(const data::CheckReport& report) {
  const auto problems = std::ranges::count_if(report.findings, &data::Finding::problem);
  const auto notes = std::ssize(report.findings) - problems;
  const std::string said =
      notes == 0 ? "" : "; " + std::to_string(notes) + (notes == 1 ? " note" : " notes") + " above";
  if (problems == 0) return "no problem found" + said;
  return std::to_string(problems) + (problems == 1 ? " problem" : " problems") + " found: see above" + said;
}

std::vector<std::string> lines(const data::CheckReport& report, const data::Card& card) {
  std::vector<std::string> out;
  for (const auto& s : report.splits) {
    if (!s.found.mean.empty()) out.push_back(s.split + ": mean " + list(s.found.mean) + ", std " + list(s.found.std));
  }
  out.push_back("card: mean " + list(card.normalization.mean) + ", std " + list(card.normalization.std));
  for (const data::Finding& finding : report.findings) add_finding(finding, out);
  out.push_back(verdict(report));
  for (std::string& text : out) text = core::printable(text);
  return out;
}

nlohmann::ordered_json to_json(const data::CheckReport& report, const data::Card& card) {
  nlohmann::ordered_json j{{"schema_version", 1},
                           {"card", card.name},
                           {"clean", report.clean()},
                           {"findings", nlohmann::ordered_json::array()},
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
  for (const auto& f : report.findings) {
    j["findings"].push_back({{"problem", f.problem},
                             {"kind", f.kind},
                             {"split", f.split},
                             {"count", f.count},
                             {"text", f.text},
                             {"items", f.items}});
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

int data_check(const RunConfig& config, const std::string& format) {
  const data::CheckReport report = data::check_data(config.card);
  if (format == "json") {
    print_json(to_json(report, config.card));
  } else {
    print({"Data set " + config.card.name, counts_table(report), lines(report, config.card)}, format);
  }
  return report.clean() ? 0 : static_cast<int>(core::ExitCode::RunFailed);
}

}  // namespace condenser::cli
