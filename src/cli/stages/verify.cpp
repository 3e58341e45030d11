// Stage `verify`: runs what was exported, target by target, and demands the framework's integers.

#include <algorithm>
#include <cmath>

#include "cli/certificate.hpp"
#include "cli/run_identity.hpp"
#include "cli/stages/package.hpp"
#include "cli/stages/stages.hpp"
#include "condenser/arch/design_costs.hpp"
#include "condenser/arch/machine_model.hpp"
#include "condenser/core/text.hpp"
#include "condenser/verify/machine.hpp"

namespace condenser::cli {

namespace {

constexpr const char* kSources = "c99";  // the target that machines run and certificates speak of

// Of the C sources; lines for people.
std::vector<std::string> write_certificate(const RunContext& run, const arch::Design& winner) {
  const auto quantized = find_record<QuantRecord>(run.folder);
  const bool measured = quantized && quantized->test_int8.total > 0;
  const CertificateRecord record =
      certify(run, winner, kSources, measured ? std::optional(quantized->test_int8.accuracy_percent) : std::nullopt);
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

constexpr int kMachineSamples = 32;  // emulators are slow

void add(const std::string& target, const verify::Check& check, VerifyRecord& record) {
  record.checks.push_back({target, check.name, check.ran, check.passed, check.samples, check.differing_values,
                           std::isnan(check.accuracy_percent) ? 0 : check.accuracy_percent, check.detail});
}

// Of our own kernels.
std::optional<arch::MachineCosts> predicted_on(const std::string& machine, const arch::Design& design,
                                               const exporters::ExportOptions& options) {
  const arch::MachineModel* model = arch::find_machine_model(machine);
  if (model == nullptr || options.kernels != "own") return std::nullopt;
  const arch::MachineCosts costs = arch::machine_costs(*model, design);
  return costs.instructions < 0 ? std::nullopt : std::optional(costs);
}

std::vector<MachineRecord> records_of(const std::vector<verify::MachineResult>& results, const arch::Design& winner,
                                      const exporters::ExportOptions& options) {
  std::vector<MachineRecord> records;
  for (const verify::MachineResult& r : results) {
    records.push_back({r.machine,
                       r.options,
                       r.cost.instructions,
                       r.cost.code_bytes,
                       r.cost.constant_bytes,
                       r.cost.memory_bytes,
                       r.cost.stack_bytes,
                       -1,
                       {}});
    if (const auto predicted = predicted_on(r.machine, winner, options))
      records.back().predicted_instructions = predicted->instructions;
    for (const verify::LayerCost& layer : r.cost.layers)
      records.back().layers.push_back({layer.layer, layer.instructions});
  }
  return records;
}

// On the machines that the run names. Their checks join those of this machine.
std::vector<verify::MachineResult> prove_on_machines(const RunContext& run, const exporters::KnownAnswers& answers,
                                                     std::vector<verify::Check>& checks) {
  std::vector<verify::MachineResult> results;
  for (const std::string& name : run.config.verify.machines) {
    results.push_back(verify::run_on(verify::find_machine(name), run.folder / "export" / kSources, answers,
                                     kMachineSamples, {.cmsis_nn = run.config.verify.cmsis_nn}));
    checks.push_back(results.back().check);
  }
  return results;
}

// What the search went by, beside what was counted.
std::vector<std::string> prediction_lines(const std::vector<verify::MachineResult>& results, const arch::Design& winner,
                                          const exporters::ExportOptions& options) {
  std::vector<std::string> lines;
  for (const verify::MachineResult& r : results) {
    const auto predicted = predicted_on(r.machine, winner, options);
    if (!predicted || r.cost.instructions <= 0 || predicted->instructions < 0) continue;
    const double error =
        100.0 * (static_cast<double>(predicted->instructions) / static_cast<double>(r.cost.instructions) - 1);
    lines.push_back(r.machine + ": " + core::thousands(r.cost.instructions) + " instructions counted, " +
                    core::thousands(predicted->instructions) + " predicted (" + (error < 0 ? "" : "+") +
                    core::fixed(error, 1) + " %)");
  }
  return lines;
}

// The gate goes by predictions; the machine itself has the last word.
void expect_budgets(const search::GateOptions& gate, const std::vector<verify::MachineResult>& results,
                    int64_t arena_bytes) {
  const auto expect = [&](const char* key, const char* what, int64_t limit, int64_t found) {
    if (limit > 0 && found > limit)
      throw core::Error("verify: " + core::thousands(found) + " " + what + " were counted on " + gate.machine +
                        "; expected at most " + core::thousands(limit) + " (gate." + key +
                        "). The search went by a prediction: lower the bound by what it missed and search again");
  };
  for (const verify::MachineResult& r : results) {
    if (r.machine != gate.machine) continue;
    expect("max_instructions", "instructions", gate.max_instructions, r.cost.instructions);
    expect("max_code_bytes", "bytes of code", gate.max_code_bytes, r.cost.code_bytes);
    expect("max_stack_bytes", "bytes of stack", gate.max_stack_bytes, r.cost.stack_bytes);
    expect("max_estimated_cycles", "cycles (estimated)", gate.max_estimated_cycles, r.cost.cycles);
    expect("max_ram_bytes", "bytes of arena and stack", gate.max_ram_bytes, arena_bytes + r.cost.stack_bytes);
  }
}

// Who names a machine wants the proof.
void expect_machines(const std::vector<verify::MachineResult>& results) {
  for (const verify::MachineResult& r : results)
    if (!r.check.ran)
      throw core::Error("verify: nothing is proven on " + r.machine + ": " + r.check.detail +
                        "; install it, or leave the machine out of verify.machines");
}

}  // namespace

StageOutput stage_verify(RunContext& run) {
  const RunConfig& c = run.config;
  const arch::Design winner = load_winner(run);
  const Int8Network network = load_int8(run, winner);
  const auto exported = find_record<ExportRecord>(run.folder);
  const std::vector<std::string> targets = exported ? exported->targets : c.targets;
  const bool sources = std::ranges::find(targets, kSources) != targets.end();
  if (!sources && !c.verify.machines.empty())
    throw core::Error(
        "verify: machines run the C sources, which were not exported; run `condenser export` with --target " +
        std::string(kSources) + ", or leave verify.machines out");
  const exporters::Package package = make_package(run, winner, network, targets);
  const auto shipped = make_known_answers(run, network, package, c.verify.known_answers);
  const auto answers = make_known_answers(run, network, package, c.verify.samples);
  StageOutput out{"Verification on " + std::to_string(answers.inputs.size()) + " test images", {}, {}};
  if (exported) {
    const auto changed = changes(exported->settings, settings_of(run, "export"));
    if (!changed.empty())
      throw core::Error((run.folder / "export").string() + ": was made with other options or data: " +
                        core::join(changed) + "; run `condenser export` again");
  }
  VerifyRecord record{.settings = settings_of(run, "verify")};
  std::vector<verify::MachineResult> machines;
  bool all = true, mismatch = false;
  for (const std::string& name : targets) {
    const auto folder = run.folder / "export" / name;
    if (!std::filesystem::exists(folder))
      throw core::Error(folder.string() + " is missing; run `condenser export` first");
    auto checks =
        verify::verify_export(exporters::find_target(name), package, shipped, c.export_options, folder, answers);
    if (name == kSources && verify::passed(checks)) machines = prove_on_machines(run, answers, checks);
    all = all && verify::passed(checks);
    mismatch = mismatch || verify::failed(checks);
    core::Table table = verify::to_table(checks);
    if (out.table.columns.empty()) {
      out.table.columns = std::move(table.columns);
      out.table.columns.insert(out.table.columns.begin(), {"target", "target", false});
    }
    for (auto& row : table.rows) {
      row.insert(row.begin(), core::cell(name));
      out.table.rows.push_back(std::move(row));
    }
    for (const auto& check : checks) add(name, check, record);
  }
  record.machines = records_of(machines, winner, c.export_options);
  record.passed = all;
  write_record(run.folder, record);
  if (!all) {
    print(out, "text");
    const std::string where = " (table above, " + (run.folder / "verify.json").string() + ")";
    if (mismatch)
      throw core::Error("verify: the export and the framework disagree" + where, core::ExitCode::VerifyMismatch);
    throw core::Error("verify: a target could not be run here, so it is not proven" + where +
                      "; install what its row names and call `condenser verify` again");
  }
  expect_machines(machines);
  if (!machines.empty()) out.lines.push_back(core::to_text(verify::to_table(machines)));
  for (const std::string& line : prediction_lines(machines, winner, c.export_options)) out.lines.push_back(line);
  for (const verify::MachineResult& r : machines)
    if (const std::string line = verify::stream_line(r, c.verify.clock_mhz); !line.empty()) out.lines.push_back(line);
  expect_budgets(c.gate, machines, winner.plan.peak_bytes);
  if (sources)
    for (const std::string& line : write_certificate(run, winner)) out.lines.push_back(line);
  return out;
}

}  // namespace condenser::cli
