// Stage `report`: report.html, report.md, report.json and summary.json from what the other stages left, and study.html
// of a search. The pages themselves are made by report/.

#include "cli/stages/report_material.hpp"
#include "cli/stages/study_material.hpp"
#include "condenser/core/files.hpp"

namespace condenser::cli {

namespace fs = std::filesystem;

StageOutput stage_report(RunContext& run) {
  const report::Material material = read_material(run);
  const report::Page page = report::run_page(material);
  // Pictures of the stages lie there already; those of the report are its own.
  for (const report::Figure* figure : report::figures(page))
    if (figure->file.starts_with("pictures/")) core::write_atomic(run.folder / figure->file, figure->bytes);
  std::vector<std::pair<const char*, std::string>> files = {{"report.html", report::to_html(page)},
                                                            {"report.md", report::to_markdown(page)},
                                                            {"report.json", report::to_json(page)},
                                                            {"summary.json", report::summary_json(material)}};
  if (material.searched) {
    report::StudyMaterial study = study_material(run.config, material.searched->trials);
    study.report_file = "report.html";
    files.insert(files.begin() + 1, {kStudyPage, report::to_html(report::study_page(study))});
  }
  StageOutput out{"Report", {{{"file", "file", false}, {"bytes", "bytes"}}, {}}, {}};
  for (const auto& [name, text] : files) {
    core::write_atomic(run.folder / name, text);
    out.table.rows.push_back({core::cell((run.folder / name).string()), core::cell(static_cast<int64_t>(text.size()))});
  }
  if (!page.warnings.empty())
    out.lines.push_back("warnings, which stand at the top of the report: " + std::to_string(page.warnings.size()));
  return out;
}

}  // namespace condenser::cli
