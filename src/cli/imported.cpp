#include "cli/imported.hpp"

#include <algorithm>

#include "cli/records/records.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/core/rng.hpp"
#include "condenser/core/text.hpp"
#include "condenser/runtime/int8_executor.hpp"
#include "condenser/verify/machine.hpp"

namespace condenser::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kShipped = 8, kCompared = 64, kOnMachines = 8;

struct Int8Package {
  arch::Design design;
  exporters::Package package;
};

Int8Package read_package(const fs::path& folder) {
  const auto record = read_record<ImportRecord>(folder);
  if (record.form != "int8")
    throw core::ConfigError(
        core::printable(folder.string()) + ": a network in floats; expected integers to export. Quantize it " +
        "on data first: a run file with spec: " + core::printable((folder / "winner.arch.json").string()) +
        " and train.init: " + core::printable(folder.string()));
  Int8Package result{winner_in(folder), {}};
  const Int8Network network = int8_in(folder, result.design, "");
  arch::Weights floats = float_weights_in(folder, result.design.spec, "");
  arch::lower(result.design.spec, &floats);
  exporters::Package& package = result.package;
  package.spec = network.lowered;
  package.weights = network.weights;
  package.quant = network.quant;
  package.floats = std::move(floats);
  package.spec_hash = record.spec_hash;
  package.input_note = "as " + core::printable(record.file) + " takes it (input " + core::printable(record.input_name) +
                       "), in the order height, width, channel for integers";
  return result;
}

exporters::KnownAnswers random_answers(const exporters::Package& package, size_t count) {
  runtime::Int8Executor executor(runtime::build_program(package.spec, package.weights, *package.quant));
  core::Rng rng(1);
  exporters::KnownAnswers answers;
  for (size_t i = 0; i < count; ++i) {
    std::vector<int8_t> input(static_cast<size_t>(package.spec.input.elements()));
    for (int8_t& q : input) q = static_cast<int8_t>(static_cast<int>(rng.below(256)) - 128);
    const auto output = executor.run(input);
    answers.outputs.emplace_back(output.begin(), output.end());
    answers.inputs.push_back(std::move(input));
  }
  return answers;
}

std::string refusal(const exporters::Target& target, const arch::Design& design) {
  const auto problems = target.unsupported(design);
  if (problems.empty()) return "";
  return "target " + target.name + " refuses node " + problems.front().node + ": " + problems.front().why;
}

}  // namespace

bool is_imported(const fs::path& subject) {
  std::error_code ignored;
  return fs::exists(file_of<ImportRecord>(subject), ignored) && !fs::exists(subject / "config.resolved.yaml", ignored);
}

StageOutput export_imported(const fs::path& folder, std::vector<std::string> targets) {
  const Int8Package network = read_package(folder);
  StageOutput out{"Export", {{{"target", "target", false}, {"folder", "folder", false}}, {}}, {}};
  const bool all = std::ranges::find(targets, kAllTargets) != targets.end();
  if (targets.empty()) targets = {"c99"};
  if (all) {
    targets.clear();
    for (const exporters::Target& target : exporters::targets()) targets.push_back(target.name);
  }
  const exporters::KnownAnswers answers = random_answers(network.package, kShipped);
  for (const std::string& name : targets) {
    const exporters::Target& target = exporters::find_target(name);
    const std::string why = refusal(target, network.design);
    if (!why.empty() && !all) throw core::Error(why);
    if (!why.empty()) {
      out.lines.push_back(why);
      continue;
    }
    const fs::path to = folder / "export" / name;
    core::create_folder(to.parent_path());
    target.write(network.package, answers, {}, to);
    if (const std::string remark = target.remark ? target.remark(network.package) : ""; !remark.empty())
      out.lines.push_back(remark);
    out.table.rows.push_back({core::cell(name), core::cell(core::printable(to.string()))});
  }
  out.lines.push_back("known answers are those of random inputs");
  return out;
}

StageOutput verify_imported(const fs::path& folder, const std::vector<std::string>& machines) {
  const Int8Package network = read_package(folder);
  const exporters::KnownAnswers shipped = random_answers(network.package, kShipped),
                                answers = random_answers(network.package, kCompared);
  StageOutput out{"Verification on " + std::to_string(kCompared) + " random inputs", {}, {}};
  bool all = true, mismatch = false;
  const auto add = [&](const std::string& target, const std::vector<verify::Check>& checks) {
    core::Table table = verify::to_table(checks);
    out.table.columns = std::move(table.columns);
    out.table.columns.insert(out.table.columns.begin(), {"target", "target", false});
    for (auto& row : table.rows) {
      row.insert(row.begin(), core::cell(target));
      out.table.rows.push_back(std::move(row));
    }
    all = all && verify::passed(checks);
    mismatch = mismatch || verify::failed(checks);
  };
  std::vector<verify::MachineResult> results;
  for (const exporters::Target& target : exporters::targets()) {
    const fs::path there = folder / "export" / target.name;
    if (!fs::exists(there)) continue;
    add(target.name, verify::verify_export(target, network.package, shipped, {}, there, answers));
    if (target.name != "c99") continue;
    for (const std::string& machine : machines) {
      results.push_back(verify::run_on(verify::find_machine(machine), there, answers, kOnMachines));
      add(target.name, {results.back().check});
    }
  }
  if (out.table.rows.empty())
    throw core::Error(core::printable((folder / "export").string()) + " is missing; run `condenser export` first");
  if (!results.empty()) out.lines.push_back(core::to_text(verify::to_table(results)));
  if (all) return out;
  print(out, "text");
  throw core::Error(mismatch
                        ? "verify: the export and the framework disagree (table above)"
                        : "verify: a target could not be run here, so it is not proven; install what its row names",
                    mismatch ? core::ExitCode::VerifyMismatch : core::ExitCode::RunFailed);
}

}  // namespace condenser::cli
