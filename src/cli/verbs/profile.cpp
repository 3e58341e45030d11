// `condenser profile`: what a network takes of a machine, before anything is trained: its int8 export with random
// weights is compiled, run under an emulator, compared with the executor, and counted.

#include <nlohmann/json.hpp>
#include <numeric>

#include "cli/networks.hpp"
#include "cli/print.hpp"
#include "cli/shared_options.hpp"
#include "cli/stages/package.hpp"
#include "cli/verb.hpp"
#include "condenser/arch/design.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/arch/spec_io.hpp"
#include "condenser/core/rng.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "condenser/core/text.hpp"
#include "condenser/exporters/target.hpp"
#include "condenser/quant/quantize.hpp"
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
  args.flag("--layers", o.layers, "instructions of every layer too (in JSON always)");
  args.option("-o,--out", o.out, "folder where the export with its random weights stays");
}

constexpr int kImages = 8, kAnswers = 2;
constexpr uint64_t kSeed = 1;

// Pictures of noise: ranges that hold something everywhere.
std::unique_ptr<data::Dataset> noise(const arch::Shape& shape) {
  const auto c = static_cast<size_t>(shape.c);
  std::vector<uint8_t> pixels(static_cast<size_t>(shape.elements()) * kImages);
  core::Rng rng(kSeed, 0x6e6f6973);  // "nois"
  for (uint8_t& pixel : pixels) pixel = static_cast<uint8_t>(rng.below(256));
  return data::make_image_dataset(shape, {"0"}, {std::vector<double>(c, 0.5), std::vector<double>(c, 0.25)},
                                  std::move(pixels), std::vector<int>(kImages, 0));
}

struct Exported {
  exporters::Package package;
  exporters::KnownAnswers answers;
};

Exported exported(const arch::Design& design) {
  arch::Weights weights = arch::random_weights(design.spec, kSeed);
  const arch::Spec lowered = arch::lower(design.spec, &weights);
  const auto data = noise(design.spec.input);
  quant::Quantized q = quant::quantize(design, weights, *data, {.observer = "min_max", .calibration_samples = kImages});
  runtime::Int8Executor executor(runtime::build_program(lowered, q.weights, q.quant));
  std::vector<int64_t> items(kAnswers);
  std::iota(items.begin(), items.end(), 0);
  return {{.spec = lowered,
           .weights = std::move(q.weights),
           .quant = std::move(q.quant),
           .spec_hash = arch::hash(design.spec).hex(),
           .input_note = "noise",
           .output_note = "noise"},
          known_integers(executor, *data, items)};
}

ordered_json json_of(const arch::Design& design, const arch::MemoryPlan& plan, const verify::MachineResult& r) {
  ordered_json j{
      {"machine", r.machine},
      {"compiler_options", r.options},
      {"instructions", r.cost.instructions},
      {"instructions_per_mac", static_cast<double>(r.cost.instructions) / static_cast<double>(design.cost.macs)},
      {"flash_bytes", r.cost.code_bytes + r.cost.constant_bytes},
      {"code_bytes", r.cost.code_bytes},
      {"constant_bytes", r.cost.constant_bytes},
      {"arena_bytes", plan.peak_bytes},
      {"variable_bytes", r.cost.memory_bytes},
      {"stack_bytes", r.cost.stack_bytes}};
  if (const auto known = verify::published(design.spec.name, r.machine))
    j["published"] = {{"cycles", known->cycles}, {"source", known->source}};
  j["layers"] = ordered_json::array();
  for (const verify::LayerCost& layer : r.cost.layers)
    j["layers"].push_back({{"layer", layer.layer}, {"instructions", layer.instructions}});
  return j;
}

std::string strips_text(const arch::Design& design, const arch::MemoryPlan& plan) {
  if (plan.strips.empty()) return "Strips would not make the arena smaller.";
  return "In " + std::to_string(plan.strips.rows.size()) + " strips of " + design.lowered.node(plan.strips.cut).name +
         ": arena " + core::thousands(plan.peak_bytes) + " bytes (" + core::thousands(design.plan.peak_bytes) +
         " whole), " + core::thousands(arch::macs_of(design.lowered_cost, plan.strips)) + " multiply-accumulates (" +
         core::thousands(design.lowered_cost.macs) + ")";
}

int profile(const Options& o) {
  const arch::Design design = arch::design_of(find_network(o.network));
  const exporters::Target& target = exporters::find_target("c99");
  for (const exporters::Unsupported& u : target.unsupported(design))
    throw core::Error(design.spec.name + ": node " + u.node + " cannot be exported: " + u.why);
  const Exported network = exported(design);
  const core::TemporaryFolder temporary;
  const auto folder = o.out.empty() ? temporary.path() / "export" : o.out;
  target.write(network.package, network.answers, {.strips = o.strips}, folder);
  const arch::MemoryPlan plan = o.strips ? arch::plan_strips(design.lowered, design.lowered_cost) : design.plan;
  ordered_json json{{"schema_version", 1},
                    {"network", design.spec.name},
                    {"params", design.cost.params},
                    {"macs", design.cost.macs},
                    {"machines", ordered_json::array()}};
  std::vector<verify::MachineResult> results;
  StageOutput out{"One inference of " + design.spec.name + " (" + core::number(static_cast<double>(design.cost.macs)) +
                      " MACs), instructions counted under qemu",
                  {},
                  {}};
  for (const std::string& name : o.machines) {
    results.push_back(verify::run_on(verify::find_machine(name), folder, network.answers, kAnswers));
    const verify::MachineResult& r = results.back();
    if (!r.check.ran) throw core::Error("profile on " + name + ": " + r.check.detail);
    if (!r.check.passed)
      throw core::Error("profile on " + name + ": " + r.check.detail, core::ExitCode::VerifyMismatch);
    json["machines"].push_back(json_of(design, plan, r));
    if (o.layers) out.lines.push_back(name + "\n" + core::to_text(verify::layer_table(r)));
    if (const auto known = verify::published(design.spec.name, name))
      out.lines.push_back(name + ": " + core::number(known->cycles) + " cycles published (" + known->source + ")");
  }
  if (o.strips) out.lines.push_back(strips_text(design, plan));
  out.table = verify::to_table(results);
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
