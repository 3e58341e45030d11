// `condenser study report`: the page of a study, wherever its trials lie and however far it has come.

#include "cli/stages/study_material.hpp"
#include "cli/verbs/study/study.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/text.hpp"

namespace condenser::cli {
namespace {

// Without a configuration there are trials and no space: decisions have numbers, networks no drawings.
report::StudyMaterial material_of(const OpenStudy& study, const search::Objective& objective) {
  std::vector<search::Trial> trials = study.store->load();
  report::StudyMaterial m;
  if (study.space() != nullptr) {
    m = study_material(*study.config, std::move(trials));
  } else {
    m.title = study.name;
    m.subtitle = "Its configuration cannot be had: " + study.trouble;
    m.trials = std::move(trials);
  }
  m.objective = objective;
  return m;
}

}  // namespace

int study_report(const StudyOptions& o) {
  const OpenStudy study = open_study_of(o, search::StoreMode::Look);
  report::StudyMaterial material = material_of(study, objective_of(o, study));
  const std::filesystem::path file = !o.out.empty() ? std::filesystem::path(o.out) : study.folder / kStudyPage;
  std::error_code ignored;
  if (!study.folder.empty() && std::filesystem::equivalent(file.parent_path(), study.folder, ignored) &&
      std::filesystem::exists(study.folder / "report.html"))
    material.report_file = "report.html";
  const std::string html = report::to_html(report::study_page(material));
  core::write_atomic(file, html);
  print({"Page of " + study.name,
         {{{"file", "file", false}, {"bytes", "bytes"}, {"trials", "trials"}},
          {{core::cell(file.string()), core::cell(static_cast<int64_t>(html.size())),
            core::cell(static_cast<int64_t>(material.trials.size()))}}},
         {}},
        o.format);
  return 0;
}

}  // namespace condenser::cli
