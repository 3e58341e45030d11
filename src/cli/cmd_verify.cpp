// Stage `verify`: compiles the exported C, runs it, and demands the framework's integers.

#include <nlohmann/json.hpp>

#include "cli/known_answers.hpp"
#include "cli/stages.hpp"
#include "condenser/verify/verify.hpp"

namespace condenser::cli {

StageOutput stage_verify(RunContext& run) {
  const RunConfig& c = run.config;
  const Int8Network network = load_int8(run, load_winner(run));
  const auto answers = make_known_answers(network, *run.test(), c.verify.samples);
  StageOutput out{"Verification on " + std::to_string(answers.inputs.size()) + " test images", {}, {}};
  nlohmann::ordered_json j;
  j["schema_version"] = 1;
  bool all = true;
  for (const std::string& name : c.targets) {
    const auto folder = run.folder / "export" / name;
    if (!std::filesystem::exists(folder))
      throw core::Error(folder.string() + " is missing; run `condenser export` first");
    const auto checks = verify::verify_c99(folder, answers);
    all = all && verify::passed(checks);
    core::Table table = verify::to_table(checks);
    if (out.table.columns.empty()) out.table.columns = table.columns;
    for (auto& row : table.rows) out.table.rows.push_back(std::move(row));
    for (const auto& check : checks)
      j["checks"].push_back({{"target", name},
                             {"name", check.name},
                             {"ran", check.ran},
                             {"passed", check.passed},
                             {"samples", check.samples},
                             {"differing_values", check.differing_values},
                             {"accuracy_percent", check.accuracy_percent},
                             {"detail", check.detail}});
  }
  j["passed"] = all;
  core::write_atomic(run.folder / "verify.json", j.dump(2) + "\n");
  if (!all) {
    print(out, "text");
    throw core::Error(
        "verify: the exported code and the framework disagree, or nothing could be compiled (table above, " +
            (run.folder / "verify.json").string() + ")",
        core::ExitCode::VerifyMismatch);
  }
  return out;
}

}  // namespace condenser::cli
