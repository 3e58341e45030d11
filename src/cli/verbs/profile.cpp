// `condenser profile`: what a network takes of a machine, before anything is trained: its int8 export with random
// weights is compiled, run under an emulator, compared with the executor, and counted.

#include <nlohmann/json.hpp>

#include "cli/networks.hpp"
#include "cli/noise_export.hpp"
#include "cli/print.hpp"
#include "cli/shared_options.hpp"
#include "cli/stages/stages.hpp"
#include "cli/verb.hpp"
#include "condenser/arch/design.hpp"
#include "condenser/arch/machine_model.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "condenser/core/text.hpp"
#include "condenser/verify/machine.hpp"
#include "condenser/verify/published.hpp"

namespace condenser::cli {
namespace {

using nlohmann::ordered_json;

struct Options {
  NetworkChoice network;
  std::vector<std::string> machines = {"cortex-m4"};
  std::string format = "text";
  bool layers = false;
  bool strips = false;
  int fast_ram = 0;  // bytes
  std::filesystem::path cmsis_nn;
  std::filesystem::path out;  // where the export stays; empty: nowhere
};

void add_options(Args& args, Options& o) {
  add_format(args, o.format);
  add_network(args, o.network);
  args.option("--machine", o.machines, "where it would run; several: 1,2")
      .choices(verify::machine_names())
      .in_one_word()
      .with_default();
  args.flag("--strips", o.strips, "the first layers a few rows at a time, as with export.strips");
  args.option("--fast-ram", o.fast_ram, "bytes of the faster one of two memories, as with export.fast_ram_bytes")
      .range(0, 1'000'000'000);
  args.option("--cmsis-nn", o.cmsis_nn,
              "folder of CMSIS-NN: with its kernels, as with export.kernels: cmsis_nn and verify.cmsis_nn");
  args.flag("--layers", o.layers, "instructions of every layer too (in JSON always)");
  args.option("-o,--out", o.out, "folder where the export with its random weights stays");
}

constexpr int kAnswers = 2;

// By the model of the machine, as the gate of a search has it, which knows our own kernels; -1: not known.
arch::MachineCosts predicted(const arch::Design& design, const arch::MemoryPlan& plan, const std::string& machine,
                             const exporters::ExportOptions& options) {
  const arch::MachineModel* model = arch::find_machine_model(machine);
  if (model == nullptr || options.kernels != "own") return {-1, -1, -1, -1};
  return arch::machine_costs(*model, design.lowered, design.lowered_cost, &plan.strips);
}

ordered_json known(int64_t value) { return value < 0 ? ordered_json(nullptr) : ordered_json(value); }

// Beside what was counted.
void add_predictions(core::Table& table, const std::vector<arch::MachineCosts>& predictions) {
  const auto add = [&](const char* beside, core::Column column, int64_t arch::MachineCosts::*value) {
    const auto found = std::ranges::find(table.columns, beside, &core::Column::key);
    const auto place = found - table.columns.begin() + 1;
    table.columns.insert(table.columns.begin() + place, std::move(column));
    for (size_t i = 0; i < predictions.size(); ++i) {
      const int64_t number = predictions[i].*value;
      table.rows[i].insert(table.rows[i].begin() + place, number < 0 ? core::empty_cell() : core::cell(number));
    }
  };
  add("instructions", {"predicted_instructions", "predicted", true}, &arch::MachineCosts::instructions);
  add("estimated_cycles", {"predicted_cycles", "predicted", true}, &arch::MachineCosts::cycles);
}

ordered_json json_of(const arch::Design& design, const arch::MemoryPlan& plan, const verify::MachineResult& r,
                     const arch::MachineCosts& prediction) {
  ordered_json j{
      {"machine", r.machine},
      {"compiler_options", r.options},
      {"instructions", r.cost.instructions},
      {"predicted_instructions", known(prediction.instructions)},
      {"instructions_per_mac", static_cast<double>(r.cost.instructions) / static_cast<double>(design.cost.macs)},
      {"flash_bytes", r.cost.code_bytes + r.cost.constant_bytes},
      {"code_bytes", r.cost.code_bytes},
      {"constant_bytes", r.cost.constant_bytes},
      {"arena_bytes", plan.peak_bytes},
      {"variable_bytes", r.cost.memory_bytes},
      {"stack_bytes", r.cost.stack_bytes}};
  if (plan.fast_bytes > 0) {
    j["fast_arena_bytes"] = plan.fast_bytes;
    j["slow_arena_bytes"] = plan.peak_bytes - plan.fast_bytes;
    j["fast_share"] = plan.fast_share;
  }
  if (r.cost.stack_bytes >= 0) j["ram_bytes"] = plan.peak_bytes + r.cost.stack_bytes;
  if (r.cost.cycles >= 0)
    j.update({{"estimated_cycles", r.cost.cycles},
              {"predicted_cycles", known(prediction.cycles)},
              {"cycle_model", verify::find_machine(r.machine).timing->source}});
  if (const auto known = verify::published(design.spec.name, r.machine))
    j["published"] = {{"cycles", known->cycles}, {"source", known->source}};
  j["layers"] = ordered_json::array();
  for (const verify::LayerCost& layer : r.cost.layers) {
    j["layers"].push_back({{"layer", layer.layer}, {"instructions", layer.instructions}});
    if (layer.cycles >= 0) j["layers"].back()["estimated_cycles"] = layer.cycles;
  }
  return j;
}

std::string strips_text(const arch::Design& design, const arch::MemoryPlan& plan) {
  if (plan.strips.empty()) return "Strips would not make the arena smaller.";
  return "In " + std::to_string(plan.strips.rows.size()) + " strips of " + design.lowered.node(plan.strips.cut).name +
         ": arena " + core::thousands(plan.peak_bytes) + " bytes (" + core::thousands(design.plan.peak_bytes) +
         " whole), " + core::thousands(arch::macs_of(design.lowered_cost, plan.strips)) + " multiply-accumulates (" +
         core::thousands(design.lowered_cost.macs) + ")";
}

std::string fast_text(const arch::MemoryPlan& plan) {
  if (plan.fast_bytes == 0) return "One memory holds the arena: the fast one has room for all of it, or for nothing.";
  return "In two memories: " + core::thousands(plan.fast_bytes) + " bytes fast, " +
         core::thousands(plan.peak_bytes - plan.fast_bytes) + " slow; " + core::fixed(100 * plan.fast_share, 1) +
         " % of the bytes that kernels read and write lie in the fast one (estimated from shapes)";
}

int profile(const Options& o) {
  const arch::Design design = arch::design_of(find_network(o.network));
  const core::TemporaryFolder temporary;
  const auto folder = o.out.empty() ? temporary.path() / "export" : o.out;
  const exporters::ExportOptions options{
      .strips = o.strips, .fast_ram_bytes = o.fast_ram, .kernels = o.cmsis_nn.empty() ? "own" : "cmsis_nn"};
  const exporters::KnownAnswers answers = export_with_noise(design, kAnswers, folder, options);
  const arch::MemoryPlan plan = exporters::export_plan(design.lowered, design.lowered_cost, options);
  ordered_json json{{"schema_version", 1},
                    {"network", design.spec.name},
                    {"params", design.cost.params},
                    {"macs", design.cost.macs},
                    {"machines", ordered_json::array()}};
  std::vector<verify::MachineResult> results;
  std::vector<arch::MachineCosts> predictions;
  StageOutput out{"One inference of " + design.spec.name + " (" + core::number(static_cast<double>(design.cost.macs)) +
                      " MACs), instructions counted under qemu",
                  {},
                  {}};
  for (const std::string& name : o.machines) {
    results.push_back(verify::run_on(verify::find_machine(name), folder, answers, kAnswers, {.cmsis_nn = o.cmsis_nn}));
    const verify::MachineResult& r = results.back();
    if (!r.check.ran) throw core::Error("profile on " + name + ": " + r.check.detail);
    if (!r.check.passed)
      throw core::Error("profile on " + name + ": " + r.check.detail, core::ExitCode::VerifyMismatch);
    predictions.push_back(predicted(design, plan, name, options));
    json["machines"].push_back(json_of(design, plan, r, predictions.back()));
    if (o.layers) out.lines.push_back(name + "\n" + core::to_text(verify::layer_table(r)));
    if (r.cost.cycles >= 0)
      out.lines.push_back(name + ": cycles are an estimate: " + verify::find_machine(name).timing->source);
    if (const auto known = verify::published(design.spec.name, name))
      out.lines.push_back(name + ": " + core::number(known->cycles) + " cycles published (" + known->source + ")");
  }
  if (o.strips) out.lines.push_back(strips_text(design, plan));
  if (o.fast_ram > 0) out.lines.push_back(fast_text(plan));
  out.table = verify::to_table(results);
  add_predictions(out.table, predictions);
  print_either(json, out, o.format);
  return 0;
}

}  // namespace

Verb profile_verb() {
  return {.name = "profile",
          .group = kNetworks,
          .about = "instructions, code, memory and stack of a network on a machine",
          .example = "profile resnet8 --machine cortex-m4",
          .next = "Proven with trained weights: verify.machines in a run file",
          .declare = with_options<Options>(add_options, profile)};
}

}  // namespace condenser::cli
