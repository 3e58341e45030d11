// `condenser study export` and `import`.

#include <nlohmann/json.hpp>

#include "cli/print.hpp"
#include "cli/verbs/study/study.hpp"
#include "condenser/core/output.hpp"
#include "condenser/core/text.hpp"
#include "condenser/search/exchange.hpp"

namespace condenser::cli {

using nlohmann::ordered_json;

namespace {

constexpr size_t kMostBytes = size_t{256} << 20;
constexpr double kLease = 60;

std::string summary(const search::Imported& i, int64_t rows_left_out, const std::string& file) {
  const auto count = [](int64_t n, const char* what) { return core::thousands(n) + " " + what; };
  std::string text = file + ": " + count(i.feasible, "feasible") + ", " +
                     count(i.infeasible, "examined but not feasible") + ", " + count(i.refused, "refused by the gate") +
                     ", " + count(i.failed, "failed") + ", " + count(std::ssize(i.left_out), "known already");
  if (rows_left_out > 0) text += ", " + count(rows_left_out, "rows that are no full examinations left out");
  return text;
}

}  // namespace

int study_export(const StudyOptions& o) {
  const OpenStudy study = open_study_of(o, search::StoreMode::Look);
  const auto trials = study.store->load();
  const std::string objective = study.config ? study.config->search.objective.text() : "";
  const std::string text = o.format == "json" ? search::export_json(trials, study.space(), objective)
                                              : core::to_csv(search::export_table(trials, study.space()));
  if (o.out.empty()) {
    core::write_output(text);
    return 0;
  }
  core::write_atomic(o.out, text);
  core::write_output(core::printable(o.out) + ": " + core::thousands(std::ssize(trials)) + " trials of " + study.name +
                     "\n");
  return 0;
}

int study_import(const StudyOptions& o) {
  const std::string text = core::read_file(o.item, kMostBytes), file = core::printable(o.item);
  OpenStudy study = open_study_of(o, search::StoreMode::Join, true);
  const search::KnownFile known = search::read_known(*config_of(study, "import").space, text, o.item);
  if (known.designs.empty() && known.left_out == 0)
    throw core::ConfigError(file + ": no designs; expected a line of names and a line for each design, or a JSON list");
  begin_if_new(study);
  const std::string who = search::kImport + std::filesystem::path(o.item).filename().string();
  StudyDesk desk(study, who, kLease, "import");
  const search::Imported imported = search::import_known(desk.context(), desk.options(), known.designs);
  study.store->log(
      {.kind = "imported", .worker = who, .text = core::printable(summary(imported, known.left_out, file))});
  if (o.format == "json") {
    print_json({{"schema_version", 1},
                {"file", o.item},
                {"feasible", imported.feasible},
                {"infeasible", imported.infeasible},
                {"refused", imported.refused},
                {"failed", imported.failed},
                {"known_already", imported.left_out},
                {"rows_left_out", known.left_out}});
    return 0;
  }
  std::string lines;
  for (const std::string& line : imported.left_out) lines += core::printable(line) + "\n";
  core::write_output(lines + summary(imported, known.left_out, file) + "\n");
  return 0;
}

}  // namespace condenser::cli
