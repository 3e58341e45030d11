// The table of stages, and the files that pass between them.

#include "cli/stages.hpp"

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "cli/progress.hpp"
#include "condenser/arch/spec_io.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/output.hpp"
#include "condenser/data/split.hpp"

namespace condenser::cli {

namespace fs = std::filesystem;

void RunContext::split() {
  if (whole_) return;
  core::log::debug("reading data set " + config.card.name);
  const double crop_area = std::min(config.train.augment.sample.crop_area, config.probe.train.augment.sample.crop_area);
  whole_ = data::open_split(config.card, "train", open_options(config.dataset, crop_area));
  if (config.dataset.samples > 0)
    whole_ = data::subset(whole_, data::stratified_subset(*whole_, config.dataset.samples, config.dataset.split_seed));
  if (config.card.splits.contains("validation")) {
    training_ = whole_;
    validation_ = data::open_split(config.card, "validation", open_options(config.dataset, 1));
    return;
  }
  const data::TwoWay parts =
      data::stratified_split(*whole_, config.dataset.validation_fraction, config.dataset.split_seed);
  training_ = data::subset(whole_, parts.first);
  validation_ = data::subset(whole_, parts.second);
}

std::shared_ptr<const data::Dataset> RunContext::whole_training() { return split(), whole_; }
std::shared_ptr<const data::Dataset> RunContext::training() { return split(), training_; }
std::shared_ptr<const data::Dataset> RunContext::validation() { return split(), validation_; }
std::shared_ptr<const data::Dataset> RunContext::test() {
  if (!test_) test_ = data::open_split(config.card, "test", open_options(config.dataset, 1));
  return test_;
}

const std::vector<Stage>& stages() {
  static const std::vector<Stage> table{
      {"search", "find a network inside the constraints", stage_search},
      {"train", "train the winner", stage_train},
      {"quantize", "post-training int8 quantization with a report", stage_quantize},
      {"export", "write files for devices", stage_export},
      {"verify", "prove the export: compile, run, compare every integer", stage_verify},
      {"report", "write report.html, report.md and summary.json", stage_report},
  };
  return table;
}

const Stage& find_stage(const std::string& name) {
  for (const Stage& stage : stages())
    if (name == stage.name) return stage;
  throw core::ConfigError("stage " + name + " does not exist");
}

arch::Design load_winner(const RunContext& run) {
  if (!run.config.spec.empty()) return arch::design_of(arch::read_spec(run.config.spec));
  const fs::path file = run.folder / "winner.arch.json";
  if (!fs::exists(file)) throw core::Error(file.string() + " is missing; run `condenser search` first");
  return arch::design_of(arch::read_spec(file));
}

namespace {
arch::Weights load_matching(const fs::path& file, const std::string& verb, const std::string& spec_hash) {
  if (!fs::exists(file)) throw core::Error(file.string() + " is missing; run `condenser " + verb + "` first");
  arch::Weights weights = arch::load_weights(file);
  const auto found = weights.metadata.find("spec_hash");
  if (found == weights.metadata.end() || found->second != spec_hash)
    throw core::Error(file.string() + ": belongs to network " +
                      (found == weights.metadata.end() ? "(unknown)" : found->second) + "; expected " + spec_hash +
                      ". Run `condenser " + verb + "` again");
  return weights;
}
}  // namespace

arch::Weights load_float_weights(const RunContext& run, const arch::Spec& winner) {
  arch::Weights weights = load_matching(run.folder / "weights.safetensors", "train", arch::hash(winner).hex());
  arch::check_weights(winner, weights);
  return weights;
}

Int8Network load_int8(const RunContext& run, const arch::Design& winner) {
  Int8Network network;
  network.lowered = winner.lowered;
  network.weights = load_matching(run.folder / "weights_int8.safetensors", "quantize", arch::hash(winner.spec).hex());
  const fs::path file = run.folder / "quant.json";
  if (!fs::exists(file)) throw core::Error(file.string() + " is missing; run `condenser quantize` first");
  network.quant = runtime::quant_from_json(core::read_file(file), file.string());
  runtime::check_quantized(network.lowered, network.weights, network.quant);
  return network;
}

void print(const StageOutput& output, const std::string& format, size_t columns) {
  const size_t terminal = output_columns();
  std::string text;
  if (format == "json") {
    text = core::to_json(output.table);
  } else if (format == "csv") {
    text = core::to_csv(output.table);
  } else {
    text = format == "markdown" ? "### " + output.title + "\n\n" + core::to_markdown(output.table)
                                : output.title + "\n" + core::to_text(output.table, terminal ? terminal : columns);
    for (const std::string& line : output.lines) text += line + "\n";
  }
  if (text.empty() || text.back() != '\n') text += '\n';
  core::write_output(text);
}

}  // namespace condenser::cli
