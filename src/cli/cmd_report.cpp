// Stage `report`: report.md and summary.json from what the other stages left. The text itself is made by report/.

#include <nlohmann/json.hpp>

#include "cli/cost_estimate.hpp"
#include "cli/summary.hpp"
#include "condenser/report/markdown.hpp"

namespace condenser::cli {

StageOutput stage_report(RunContext& run) {
  const std::string summary = to_text(summary_of(run));
  report::Material m;
  m.name = run.config.name;
  m.summary_json = summary;
  m.winner = load_winner(run);
  if (run.config.space && std::filesystem::exists(run.folder / "study.sqlite")) {
    m.trials = search::make_sqlite_store((run.folder / "study.sqlite").string())->load();
    m.objective = run.config.search.objective;
    m.space = run.config.space.get();
  }
  const auto text_of = [&](const char* file) {
    return std::filesystem::exists(run.folder / file) ? core::read_file(run.folder / file) : std::string();
  };
  m.quant_report_json = text_of("quant_report.json");
  m.verify_json = text_of("verify.json");
  m.env_json = text_of("env.json");
  m.metrics_csv = text_of("metrics.csv");
  m.curves = std::filesystem::exists(run.folder / "curves.svg");
  m.evaluation_folder = std::filesystem::exists(run.folder / "eval" / "evaluation.json") ? "eval" : "validation";
  m.evaluation_json = text_of((m.evaluation_folder + "/evaluation.json").c_str());
  m.mistakes = std::filesystem::exists(run.folder / m.evaluation_folder / "mistakes.png");
  m.dataset = run.config.card.name + ": " + run.config.card.about;
  core::write_atomic(run.folder / "summary.json", summary);
  core::write_atomic(run.folder / "report.md", report::to_markdown(m));
  StageOutput out{"Report", {{{"file", "file", false}, {"bytes", "bytes"}}, {}}, {}};
  for (const char* file : {"report.md", "summary.json"})
    out.table.rows.push_back({core::cell((run.folder / file).string()),
                              core::cell(static_cast<int64_t>(std::filesystem::file_size(run.folder / file)))});
  return out;
}

}  // namespace condenser::cli
