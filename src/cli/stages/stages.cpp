// The table of stages, and the files that pass between them.

#include "cli/stages/stages.hpp"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <tuple>

#include "cli/inputs.hpp"
#include "cli/progress.hpp"
#include "cli/run_identity.hpp"
#include "condenser/arch/check_finite.hpp"
#include "condenser/arch/spec_io.hpp"
#include "condenser/core/hash.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/output.hpp"
#include "condenser/core/text.hpp"
#include "condenser/data/anomaly.hpp"
#include "condenser/data/check.hpp"
#include "condenser/data/split.hpp"

namespace condenser::cli {

namespace fs = std::filesystem;

// A network that makes items again learns from the normal ones; those that are not would teach it to make them too.
std::shared_ptr<const data::Dataset> RunContext::learned_from(std::shared_ptr<const data::Dataset> part) const {
  return train::reconstructs(config.train) ? data::normal_items(std::move(part)) : part;
}

void RunContext::notice(const data::Finding& finding) {
  core::log::warning(finding.split + ": " + finding.text);
  findings_.push_back(finding);
}

// What is wrong with the files of a split is said once, however often it is prepared.
std::shared_ptr<const data::Dataset> RunContext::open(const data::Card& card, const std::string& split,
                                                      double crop_area) {
  data::OpenOptions options = open_options(config.dataset, crop_area);
  const bool again = !opened_.insert(split).second;
  options.on_finding = [&](data::Finding finding) {
    if (finding.split.empty()) finding.split = split;
    if (!again) notice(finding);
  };
  const auto dataset = data::open_split(card, split, options);
  if (again) return dataset;
  for (const data::Finding& finding : data::check_classes(*dataset, split)) notice(finding);
  return dataset;
}

void RunContext::keep_findings() const {
  if (opened_.empty()) return;
  DataRecord record;
  try {
    record = find_record<DataRecord>(folder).value_or(DataRecord());
  } catch (const core::Error& e) {
    core::log::warning(e.what());  // a damaged one is made anew
  }
  std::erase_if(record.findings, [&](const FindingRecord& f) { return opened_.contains(f.split); });
  for (const data::Finding& f : findings_) record.findings.push_back({f.problem, f.kind, f.split, f.text, f.count});
  std::ranges::sort(record.findings, {}, [](const FindingRecord& f) {  // whichever part was opened last
    return std::tuple(!f.problem, f.split != "train", f.split, f.kind, f.text);
  });
  write_record(folder, record);
}

RunContext::Parts RunContext::split(const data::Card& card) {
  core::log::debug("reading data set " + card.name);
  const double crop_area = std::min(config.train.augment.sample.crop_area, config.probe.train.augment.sample.crop_area);
  auto whole = open(card, "train", crop_area);
  if (config.dataset.samples > 0)
    whole = data::subset(whole, data::stratified_subset(*whole, config.dataset.samples, config.dataset.split_seed));
  if (card.splits.contains("validation")) {
    const auto learned = learned_from(whole);
    return {learned, learned, open(card, "validation", 1)};
  }
  data::TwoWay parts = data::stratified_split(*whole, config.dataset.validation_fraction, config.dataset.split_seed);
  data::keep_copies_together(*whole, parts);
  return {learned_from(whole), learned_from(data::subset(whole, parts.first)), data::subset(whole, parts.second)};
}

namespace {

// Of its items as a data set or a cache holds them: decoded pictures, or clips in 16 bits with their features.
int64_t bytes_of(const data::Card& card, const RunContext::Parts& parts) {
  const int64_t elements = parts.whole->shape().elements();
  const int64_t item = card.format == "wav_folder"
                           ? data::FrontEnd(card.audio).samples() * 2 + elements * static_cast<int64_t>(sizeof(float))
                           : elements;
  return (parts.whole->size() + parts.validation->size()) * item;
}

}  // namespace

std::shared_ptr<const RunContext::Parts> RunContext::parts(const data::Preparation& preparation) {
  constexpr int64_t kMostKept = int64_t{1} << 30;
  const auto found = std::ranges::find(parts_, preparation, [](const auto& entry) { return entry.first; });
  if (found != parts_.end()) {
    parts_.splice(parts_.begin(), parts_, found);
    return parts_.front().second;
  }
  const auto made = std::make_shared<const Parts>(split(data::prepare(config.card, preparation)));
  parts_.emplace_front(preparation, made);
  int64_t kept = 0;
  for (auto entry = parts_.begin(); entry != parts_.end();) {
    kept += bytes_of(config.card, *entry->second);
    entry = kept > kMostKept && entry->second != made ? parts_.erase(entry) : std::next(entry);
  }
  return made;
}

// Read every time: a search may end, or a run be moved aside, while this context lives.
data::Preparation RunContext::chosen() const {
  if (!config.space || !config.space->chooses_input()) return {};
  const auto winner = find_record<WinnerRecord>(folder);
  return winner && winner->input ? preparation_of(*winner->input) : data::Preparation();
}

data::Card RunContext::card() const { return data::prepare(config.card, chosen()); }

std::shared_ptr<const data::Dataset> RunContext::whole_training() { return parts(chosen())->whole; }
std::shared_ptr<const data::Dataset> RunContext::training() { return parts(chosen())->training; }
std::shared_ptr<const data::Dataset> RunContext::validation() { return parts(chosen())->validation; }

std::shared_ptr<const data::Dataset> RunContext::test() {
  if (test_) return test_;
  test_ = open(card(), "test", 1);
  const auto known = std::ranges::find(parts_, chosen(), [](const auto& entry) { return entry.first; });
  if (known == parts_.end()) return test_;
  opened_.insert("train and test");
  for (const data::Finding& finding : data::check_copies(*known->second->whole, *test_)) notice(finding);
  return test_;
}

const std::string& RunContext::fingerprint(const std::string& split) {
  const auto [entry, added] = fingerprints_.try_emplace(split);
  if (added) entry->second = data::fingerprint(config.card, split);
  return entry->second;
}

const std::string& RunContext::checksum(const fs::path& file) {
  const auto [entry, added] = checksums_.try_emplace(file);
  if (added) entry->second = core::sha256_file(file);
  return entry->second;
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

namespace {

arch::Spec winner_spec(const fs::path& folder) {
  const fs::path file = folder / "winner.arch.json";
  if (!fs::exists(file)) throw core::Error(file.string() + " is missing; run `condenser search` first");
  return arch::read_spec(file);
}

}  // namespace

arch::Design winner_in(const fs::path& folder) { return arch::design_of(winner_spec(folder)); }

std::string winner_hash(const RunContext& run) {
  return arch::hash(run.config.network ? *run.config.network : winner_spec(run.folder)).hex();
}

namespace {

// The name of one that may have 4 bits.
std::string a_layer(const arch::Spec& spec) {
  const auto found =
      std::ranges::find_if(spec.nodes, [](const arch::Node& node) { return arch::has_weight_bits(node.op); });
  return found == spec.nodes.end() ? "(there are none)" : found->name;
}

void check_int16_words(const arch::Design& design, const arch::Int16Words& words) {
  const std::string idle = arch::idle_int16_word(design.lowered, design.lowered_cost, words);
  if (idle.empty()) return;
  std::vector<std::string> able;
  for (int i = 1; i < static_cast<int>(design.lowered.nodes.size()); ++i)
    if (arch::may_be_int16(design.lowered, design.lowered_cost, i)) able.push_back(design.lowered.node(i).name);
  throw core::ConfigError("quantize.int16: " + core::printable(idle) +
                          " means no node of this network that has values of its own; expected all, or names with * "
                          "for anything of " +
                          (able.empty() ? "(there are none)" : core::join(able)));
}

}  // namespace

search::Candidate as_searched(const RunContext& run, const arch::Design& winner) {
  search::Candidate candidate(winner);
  const bool chosen = run.config.space && run.config.space->chooses_input();
  if (chosen && run.config.card.format == "wav_folder") search::put_before(candidate, with_front_end(run.card()));
  return candidate;
}

arch::Design load_winner(const RunContext& run) {
  arch::Design design = run.config.network ? arch::design_of(*run.config.network) : winner_in(run.folder);
  const std::string idle = arch::idle_word(design.lowered, run.config.quant.int4);
  if (!idle.empty())
    throw core::ConfigError("quantize.int4: " + core::printable(idle) +
                            " means no layer of this network; expected all, inner, or names of convolutions and linear "
                            "layers with * for anything, such as " +
                            a_layer(design.lowered));
  check_int16_words(design, run.config.quant.int16);
  as_exported(design, run.config.export_options, run.config.quant);
  return design;
}

namespace {

std::string of(const arch::Weights& weights, const char* key) {
  const auto found = weights.metadata.find(key);
  return found == weights.metadata.end() ? "" : found->second;
}

arch::WeightsFile load_matching(const fs::path& file, const std::string& verb, const std::string& spec_hash) {
  if (!fs::exists(file)) throw core::Error(file.string() + " is missing; run `condenser " + verb + "` first");
  arch::WeightsFile loaded = arch::load_weights_file(file);
  if (loaded.checksum.empty())
    throw core::Error(file.string() + ": has no checksum, as files of other programs and of earlier versions; run " +
                      "`condenser " + verb + "` again");
  const std::string found = of(loaded.weights, "spec_hash");
  if (found != spec_hash)
    throw core::Error(file.string() + ": belongs to network " + (found.empty() ? "(unknown)" : found) + "; expected " +
                      spec_hash + ". Run `condenser " + verb + "` again");
  return loaded;
}

// `metadata`: under which name the key stands in the file.
void check_key(const arch::Weights& weights, const char* metadata, const std::string& key, const fs::path& file,
               const std::string& verb) {
  if (key.empty() || of(weights, metadata) == key) return;
  throw core::Error(file.string() + ": comes from a training with other options or data than this run has now; run " +
                    "`condenser " + verb + "` again");
}

// What the run says that a stage was made with must be what this call has.
void check_settings(RunContext& run, const std::string& stage, const fs::path& file, const Settings& there) {
  const auto changed = changes(there, settings_of(run, stage));
  if (!changed.empty())
    throw core::ConfigError(file.string() + ": was made with other options or data: " + core::join(changed) +
                            "; run `condenser " + stage + "` again, or go back to those");
}

// Whether the run has weights, and says what they were trained with. Runs of earlier versions kept no record; their
// files are taken as they are.
bool is_recorded(const RunContext& run) {
  const bool trained = fs::exists(run.folder / "weights.safetensors");
  if (!trained || fs::exists(file_of<Learned>(run.folder))) return trained;
  core::log::warning(file_of<Learned>(run.folder).string() +
                     " is missing, as in runs of earlier versions: classes, shape and normalization are taken from the "
                     "data as they are now");
  return false;
}

}  // namespace

arch::Weights float_weights_in(const fs::path& folder, const arch::Spec& winner, const std::string& key) {
  const fs::path file = folder / "weights.safetensors";
  arch::Weights weights = load_matching(file, "train", arch::hash(winner).hex()).weights;
  check_key(weights, "key", key, file, "train");
  arch::check_weights(winner, weights);
  arch::check_finite(weights, file.string());
  return weights;
}

Int8Network int8_in(const fs::path& folder, const arch::Design& winner, const std::string& key) {
  Int8Network network;
  network.lowered = winner.lowered;
  const fs::path weights_file = folder / "weights_int8.safetensors", file = folder / "quant.json";
  arch::WeightsFile loaded = load_matching(weights_file, "quantize", arch::hash(winner.spec).hex());
  network.weights = std::move(loaded.weights);
  check_key(network.weights, "training", key, weights_file, "quantize");
  if (!fs::exists(file)) throw core::Error(file.string() + " is missing; run `condenser quantize` first");
  network.quant = runtime::quant_from_json(core::read_file(file), file.string());
  if (network.quant.weights_checksum != loaded.checksum)
    throw core::Error(file.string() + ": belongs to other int8 weights than " + weights_file.string() +
                      "; run `condenser quantize` again");
  runtime::check_quantized(network.lowered, network.weights, network.quant);
  return network;
}

arch::Weights load_float_weights(RunContext& run, const arch::Spec& winner) {
  if (!is_recorded(run)) return float_weights_in(run.folder, winner, "");
  check_settings(run, "train", run.folder / "weights.safetensors", read_record<Learned>(run.folder).settings);
  return float_weights_in(run.folder, winner, key_of(settings_of(run, "train")));
}

Int8Network load_int8(RunContext& run, const arch::Design& winner) {
  if (!is_recorded(run)) return int8_in(run.folder, winner, "");
  if (fs::exists(run.folder / "weights_int8.safetensors"))
    check_settings(run, "quantize", run.folder / "weights_int8.safetensors",
                   read_record<QuantRecord>(run.folder).settings);
  return int8_in(run.folder, winner, key_of(settings_of(run, "train")));
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
