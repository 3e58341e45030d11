// Stage `verify`: compiles the exported C, runs it, and demands the framework's integers.

#include <cmath>

#include "cli/certificate.hpp"
#include "cli/run_identity.hpp"
#include "cli/stages/package.hpp"
#include "cli/stages/stages.hpp"
#include "condenser/core/text.hpp"
#include "condenser/verify/verify.hpp"

namespace condenser::cli {

namespace {

// Of the first target; lines for people.
std::vector<std::string> write_certificate(const RunContext& run, const arch::Design& winner) {
  const auto quantized = find_record<QuantRecord>(run.folder);
  const bool measured = quantized && quantized->test_int8.total > 0;
  const CertificateRecord record =
      certify(run, winner, run.config.targets.front(),
              measured ? std::optional(quantized->test_int8.accuracy_percent) : std::nullopt);
  write_record(run.folder, record);
  std::vector<std::string> lines{
      "certificate of the export (certificate.json): " +
      std::string(record.holds ? "every rule that is demanded holds" : "NOT every rule that is demanded holds")};
  for (const search::Verdict& v : record.rules) {
    if (v.passed) continue;
    lines.push_back("  " + v.rule + (v.node.empty() ? "" : " at node " + v.node) + ": " + v.value + "; " + v.limit);
  }
  return lines;
}

}  // namespace

StageOutput stage_verify(RunContext& run) {
  const RunConfig& c = run.config;
  const arch::Design winner = load_winner(run);
  const Int8Network network = load_int8(run, winner);
  const exporters::Package package = make_package(run, winner, network);
  const auto shipped = make_known_answers(network, *run.test(), task_of(c), c.verify.known_answers);
  const auto answers = make_known_answers(network, *run.test(), task_of(c), c.verify.samples);
  StageOutput out{"Verification on " + std::to_string(answers.inputs.size()) + " test images", {}, {}};
  if (const auto exported = find_record<ExportRecord>(run.folder)) {
    const auto changed = changes(exported->settings, settings_of(run, "export"));
    if (!changed.empty())
      throw core::Error((run.folder / "export").string() + ": was made with other options or data: " +
                        core::join(changed) + "; run `condenser export` again");
  }
  VerifyRecord record{.settings = settings_of(run, "verify")};
  bool all = true, mismatch = false;
  for (const std::string& name : c.targets) {
    const auto folder = run.folder / "export" / name;
    if (!std::filesystem::exists(folder))
      throw core::Error(folder.string() + " is missing; run `condenser export` first");
    const auto checks =
        verify::verify_export(exporters::find_target(name), package, shipped, c.export_options, folder, answers);
    all = all && verify::passed(checks);
    mismatch = mismatch || verify::failed(checks);
    core::Table table = verify::to_table(checks);
    if (out.table.columns.empty()) out.table.columns = table.columns;
    for (auto& row : table.rows) out.table.rows.push_back(std::move(row));
    for (const auto& check : checks)
      record.checks.push_back({name, check.name, check.ran, check.passed, check.samples, check.differing_values,
                               std::isnan(check.accuracy_percent) ? 0 : check.accuracy_percent, check.detail});
  }
  record.passed = all;
  write_record(run.folder, record);
  if (!all) {
    print(out, "text");
    const std::string where = " (table above, " + (run.folder / "verify.json").string() + ")";
    if (mismatch)
      throw core::Error("verify: the export and the framework disagree" + where, core::ExitCode::VerifyMismatch);
    throw core::Error("verify: nothing could be compiled and run here, so nothing is proven" + where +
                      "; install gcc or clang and call `condenser verify` again");
  }
  for (const std::string& line : write_certificate(run, winner)) out.lines.push_back(line);
  return out;
}

}  // namespace condenser::cli
