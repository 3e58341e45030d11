// Reads run.yaml. Each module reads its own options; only what ties them together stands here.

#include "cli/run_config.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <regex>

#include "cli/inputs.hpp"
#include "cli/learned.hpp"
#include "condenser/arch/analysis.hpp"
#include "condenser/arch/spec_io.hpp"
#include "condenser/arch/zoo.hpp"
#include "condenser/core/text.hpp"
#include "condenser/data/anomaly.hpp"
#include "condenser/search/ladder.hpp"
#include "condenser/search/lesson.hpp"
#include "condenser/search/probe_rows.hpp"
#include "condenser/search/table.hpp"
#include "condenser/verify/machine.hpp"

namespace condenser::cli {

using core::ConfigError;
using core::config::Decides;
using core::config::Reader;
namespace fs = std::filesystem;

const std::vector<std::string>& stage_names() {
  static const std::vector<std::string> names{"search", "train", "quantize", "export", "verify", "report"};
  return names;
}

namespace {

void read_dataset(Reader r, DatasetOptions& o) {
  r.existing_path("card", o.card, "data set card: a folder under datasets/ or a card.yaml");
  r.existing_path(
      "folder", o.folder,
      "instead of a card: a folder with train/<class>/ and test/<class>/, or <class>/, of images (JPEG, PNG) or "
      "sounds (WAV); or a table (CSV) with the columns path and label");
  r.integers("shape", o.shape, 1, 4096,
             "channels, height, width that images of `folder` are brought to; 1 channel is grey");
  r.number("validation_fraction", o.validation_fraction, 0.01, 0.5,
           "part of the training images kept for choices when the card has no validation split");
  r.integer("split_seed", o.split_seed, 0, UINT64_MAX, "seed of the parts that are cut");
  r.number("test_fraction", o.test_fraction, 0.01, 0.5,
           "part of every class kept for the test when `folder` has no part for it");
  r.boolean("allow_empty_classes", o.allow_empty_classes, "go on when a class has no item to learn from");
  r.texts("normal", o.normal,
          "classes that are normal: the data have two classes then, normal and anomalous (train.loss=reconstruction "
          "learns from the normal ones); []: as they are");
  r.integer("samples", o.samples, 0, 1'000'000'000, "use only so many training images, class-balanced; 0: all");
  r.choice("cache", o.cache, {"auto", "memory", "disk", "none"},
           "keep pictures decoded for later epochs; auto: in memory up to 1 GiB, on disk up to 32 GiB, else none");
  r.text("cache_folder", o.cache_folder,
         "of decoded pictures on disk; empty: $XDG_CACHE_HOME/condenser or ~/.cache/condenser", Decides::Nothing);
  r.choice("on_damaged", o.on_damaged, {"stop", "skip"},
           "pictures that cannot be decoded: stop, or leave them out with a warning");
  data::read_options(r, o.preparation);
  if (o.shape.size() != 3) throw r.error("shape", "three numbers: channels, height, width");
}

// False for a link that leads to itself too, which fs::exists() alone answers with an exception.
bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

data::Card card_of(const DatasetOptions& o) {
  const data::ItemShape shape{o.shape[0], o.shape[1], o.shape[2]};
  data::Card card =
      o.folder.empty() ? data::read_card(o.card) : data::folder_card(o.folder, shape, o.test_fraction, o.split_seed);
  card.allow_empty_classes |= o.allow_empty_classes;
  return card;
}

// What the run has kept, when the data are not at hand; stages that need data say then where they were.
std::optional<data::Card> kept_card(const DatasetOptions& o, const fs::path& run_folder) {
  const fs::path& place = o.folder.empty() ? o.card : o.folder;
  if (run_folder.empty() || is_there(place)) return std::nullopt;
  auto learned = find_record<Learned>(run_folder);
  if (!learned) return std::nullopt;
  const auto winner = find_record<WinnerRecord>(run_folder);
  if (winner && winner->input) learned = as_noted(*learned, winner->settings);
  data::Card card = card_of(*learned);
  card.file = card.root = place;
  for (const char* split : {"train", "test"}) card.splits[split] = {{split, ""}};
  return card;
}

void choose_normal(data::Card& card, const std::vector<std::string>& normal, const Reader& r) {
  try {
    data::choose_normal(card, normal);
  } catch (const ConfigError& e) {
    throw r.error("normal", std::string("some classes of the data, but not all: ") + e.what());
  }
}

data::Card open_card(const DatasetOptions& o, const Reader& r, const fs::path& run_folder) {
  if (o.folder.empty() == o.card.empty())
    throw r.error(o.folder.empty() ? "card" : "folder", "exactly one of dataset.card and dataset.folder");
  if (auto card = kept_card(o, run_folder)) return *card;
  try {
    data::Card card = data::prepare(card_of(o), o.preparation);
    const auto train = card.splits.find("train");
    if (train != card.splits.end() && is_there(card.root / train->second.front().path)) {
      data::find_classes(card);
    } else if (card.classes.empty() && !run_folder.empty()) {  // left to data that are not at hand
      if (const auto learned = find_record<Learned>(run_folder)) card.classes = learned->classes;
      if (data::tells_anomalies(card.classes)) return card;
    }
    choose_normal(card, o.normal, r);
    return card;
  } catch (const ConfigError&) {
    throw;
  } catch (const core::Error& error) {
    throw ConfigError(error.what());
  }
}

void read_train(Reader& r, train::TrainOptions& o, const RunConfig& c, const std::string& section, bool help) {
  o.seed = c.seed;
  train::read_options(r, o, section);
  o.augment.specaugment.time_in_columns = is_audio(c.card) && c.card.audio.features.time == "columns";
  if (help) return;
  const train::DataFacts data = facts_of(c.card);
  const auto found = train::conflict({.options = o, .data = &data, .searching = section == "probe"}, section);
  if (found) throw train::conflict_error(r, *found);
}

void read_work(Reader& r, RunConfig& c) {
  WorkOptions& o = c.work;
  r.text("study", o.study,
         "where trials lie, for workers on several machines: postgresql://user@host/database?study=NAME; empty: in the "
         "run folder",
         Decides::Nothing);
  if (search::holds_password(o.study))
    throw r.error("study", "a URL without a password, which would lie in run folders: ~/.pgpass or PGPASSWORD has it");
  r.integer("parallel", o.parallel, 1, 1024, "examine so many candidates at the same time, each in its own process",
            Decides::Nothing);
  r.number("trial_seconds", o.trial_seconds, 0, 1e9, "a candidate that takes longer has failed; 0: no limit",
           Decides::Nothing);
  r.integer("trial_mebibytes", o.trial_mebibytes, 0, 1'000'000'000,
            "a candidate whose examination needs more memory (MiB) has failed; 0: no limit", Decides::Nothing);
  const int together = std::max(c.search.window + 1, c.search.batch);
  if (o.parallel > together)
    throw r.error("parallel", "at most " + std::to_string(together) +
                                  ": proposals know all trials but the latest, and search.window (or batch) says how "
                                  "many these are; try search.window=" +
                                  std::to_string(o.parallel - 1));
}

// What earlier studies teach; they are opened when the search begins, and never again.
void read_learn_from(Reader& r, RunConfig& c) {
  r.texts("learn_from", c.learn_from,
          "earlier studies (run folders, study.sqlite, postgresql://...) whose kernel and slopes are what this search "
          "believes before it has measured; dropped where they do not help");
  if (c.learn_from.empty()) return;
  if (c.search.generator != "generative_synthesis")
    throw r.error("learn_from", "[] with generator = " + c.search.generator +
                                    ", or generator = generative_synthesis, "
                                    "which learns");
  if (!search::can_learn(c.search.objective))
    throw r.error("learn_from",
                  "[] with this objective, or a single metric that is measured (val_accuracy) without "
                  "constraints");
  for (const std::string& study : c.learn_from)
    if (search::holds_password(study))
      throw r.error("learn_from",
                    "URLs without a password, which would lie in run folders: ~/.pgpass or PGPASSWORD "
                    "has it");
}

// Networks that a search starts from: decisions and options, in a text or a file of search/seeds/.
void read_prototypes(Reader& r, RunConfig& c) {
  std::vector<std::string> texts;
  r.texts("prototypes", texts, "networks to examine first, each as its choices: \"stages=3 stem_width=16 ...\"");
  fs::path file;
  r.existing_path("prototype", file, "a file with the choices of a network to examine first (search/seeds/*.yaml)");
  if (!c.space) return;
  try {
    if (!file.empty()) {
      Reader choices = Reader::from_file(file);
      std::map<std::string, std::string> options;
      for (const std::string& key : choices.keys()) choices.text(key, options[key], "");
      c.search.prototypes.push_back(search::parse_genotype(*c.space, options));
    }
    for (const std::string& text : texts) c.search.prototypes.push_back(search::parse_genotype(*c.space, text));
  } catch (const ConfigError&) {
    throw;
  } catch (const core::Error& e) {
    throw r.error(file.empty() ? "prototypes" : "prototype", std::string("a network of the space: ") + e.what());
  }
}

std::unique_ptr<search::Generator> read_generator(Reader& r, const std::string& name) {
  std::unique_ptr<search::Generator> chosen;
  for (const search::GeneratorRow& row : search::generators()) {
    Reader section = r.section(row.name, row.about);  // every generator's options are known, whichever is chosen
    auto generator = row.make(section);
    if (row.name == name) chosen = std::move(generator);
  }
  if (!chosen) {
    std::vector<std::string> known;
    for (const auto& row : search::generators()) known.push_back(row.name);
    std::string list;
    for (const auto& k : known) list += (list.empty() ? "" : ", ") + k;
    throw r.error("generator", "one of " + list);
  }
  return chosen;
}

// A part of the items that every class is in.
void check_samples(const Reader& r, int samples, const data::Card& card) {
  const auto classes = std::ssize(card.classes);
  if (samples > 0 && samples < classes)
    throw r.error("samples", "0 (all) or at least one for each of the " + std::to_string(classes) +
                                 " classes of data set " + core::printable(card.name));
}

bool in_zoo(const std::string& name) {
  return std::any_of(arch::zoo().begin(), arch::zoo().end(), [&](const auto& card) { return card.name == name; });
}

constexpr char kAboutSpec[] = "a network of your own instead of a search: a spec file (YAML, JSON) or a zoo name";

void check_rungs(const Reader& r, const RunConfig& c) {
  const std::vector<int>& rungs = c.probe.rungs;
  if (rungs.empty()) return;
  const int epochs = c.probe.train.epochs;
  if (std::ranges::adjacent_find(rungs, std::greater_equal()) != rungs.end() || rungs.back() != epochs)
    throw r.error("rungs", "numbers that rise, up to probe.epochs = " + std::to_string(epochs));
  const double least = 1 / search::candidates_on_rungs(fidelities(c.probe), 1).back();
  if (c.search.trials < least)
    throw r.error("rungs", "fewer of them, or search.trials of at least " + core::fixed(std::ceil(least), 0) +
                               ", so that a candidate comes to the last one");
}

void read_supernet(Reader& probe, const Reader& search, RunConfig& c, bool help) {
  if (!help && !shares_weights(c.probe)) {
    if (probe.has("supernet")) throw probe.error("supernet", "none, as no score in probe.scores needs shared weights");
    return;
  }
  Reader section = probe.section(
      "supernet", "the one training of weights that networks of the space share, for the score inherited");
  train::read_options(section, c.probe.supernet);
  check_samples(section, c.probe.supernet.samples, c.card);
  if (help) return;
  if (c.work.trial_seconds > 0)
    throw search.error("trial_seconds",
                       "0 (no limit), as the first candidate waits for the shared weights of inherited");
  if (c.space && c.space->chooses_input())
    throw probe.error("scores",
                      "no inherited: networks that choose their input (space.input, space.front_end) share no weights");
  const train::DataFacts data = facts_of(c.card);
  const train::TrainOptions shared = train::shared_options(c.probe.train, c.probe.supernet);
  const auto found = train::conflict({.options = shared, .data = &data, .searching = true}, "probe");
  if (found) throw train::conflict_error(probe, *found);
}

std::string about_scores() {
  std::string text;
  for (const search::ProbeRow& row : search::probe_rows())
    if (!row.trains()) text += (text.empty() ? "" : "; ") + row.name + ": " + row.about;
  return text;
}

// A misspelt zoo name is better answered by names than by folders.
void check_name(const Reader& root, const std::string& spec) {
  if (fs::path(spec).has_extension() || fs::path(spec).has_parent_path() || fs::exists(spec)) return;
  std::vector<std::string> names;
  for (const auto& card : arch::zoo()) names.push_back(card.name);
  const std::string near = core::config::nearest(spec, names);
  if (!near.empty()) throw root.error("spec", "a spec file or a name of `condenser zoo`; did you mean " + near + "?");
}

void check_fits(const arch::Spec& spec, const data::Card& card, const data::Task& task, const Reader& root) {
  const arch::Shape item = card.shape, output = arch::sole_output_shape(spec, "a run");
  const int64_t outputs = task.outputs();
  if (!(spec.input == item) || (outputs > 0 && output.elements() != outputs))
    throw root.error("spec", "a network for " + card.name + ": " + arch::to_string(item) + " in, " +
                                 std::to_string(outputs) + (task.reconstructs() ? " values" : " classes") +
                                 " out; network " + core::printable(spec.name) + " makes " + arch::to_string(output) +
                                 " of " + arch::to_string(spec.input));
}

// The network that `spec` names, for the data and the loss of the run. A run folder keeps its network: the file may be
// gone.
std::optional<arch::Spec> read_network(Reader& root, RunConfig& c, const fs::path& run_folder) {
  if (c.spec.empty()) return std::nullopt;
  const data::Task task = task_of(c);
  std::optional<arch::Spec> network;
  try {
    if (in_zoo(c.spec)) {
      network = arch::find_zoo(c.spec).make(c.card.shape, static_cast<int>(task.outputs()));
    } else {
      fs::path file = c.spec;
      check_name(root, c.spec);
      root.existing_path("spec", file, kAboutSpec);
      c.spec = file.string();
      const fs::path kept = run_folder / "winner.arch.json";
      network = arch::read_spec(!run_folder.empty() && !fs::exists(file) && fs::exists(kept) ? kept : file);
    }
  } catch (const arch::SpecError& e) {
    throw ConfigError(root.where("spec") + ": spec: " + e.what());
  }
  // Data whose classes have changed since the training are refused later, with both lists.
  const auto learned = run_folder.empty() ? std::nullopt : find_record<Learned>(run_folder);
  try {
    if (!learned || learned->classes == c.card.classes) check_fits(*network, c.card, task, root);
  } catch (const arch::SpecError& e) {
    throw ConfigError(root.where("spec") + ": spec: " + e.what());
  }
  return network;
}

// What a search of a table cannot do: it knows costs and rewards, but no network.
void check_table(const Reader& root, const Reader& gate, const Reader& probe, const RunConfig& c) {
  if (c.stages != std::vector<std::string>{"search"})
    throw root.error("stages", "[search]: a space that is a table has no networks to train");
  const std::string why = ": networks of a table have no layers, flash or RAM to look at";
  if (!c.gate.rules.empty()) throw gate.error("rules", "[]" + why);
  if (c.gate.max_constant_bytes > 0) throw gate.error("max_constant_bytes", "0" + why);
  if (c.gate.max_arena_bytes > 0) throw gate.error("max_arena_bytes", "0" + why);
  if (!c.gate.machine.empty()) throw gate.error("machine", "none" + why);
  if (!c.probe.scores.empty()) throw probe.error("scores", "[]" + why);
}

// Goals that are known of a machine alone.
void check_machine(const Reader& section, const RunConfig& c) {
  for (const search::Metric* metric : c.search.objective.metrics())
    if (metric->of_machine != nullptr && c.gate.machine.empty())
      throw section.error("objective", "gate.machine to say on which machine " + metric->name + " are counted (" +
                                           core::join(arch::modelled_machines()) + ")");
  const arch::MachineModel* model = arch::find_machine_model(c.gate.machine);
  if (model == nullptr) return;
  const arch::MachineCosts known{0, 0, arch::knows_stack(*model) ? 0 : -1, arch::knows_cycles(*model) ? 0 : -1};
  for (const search::Metric* metric : c.search.objective.metrics())
    if (metric->of_machine != nullptr && metric->of_machine(known, 0) < 0)
      throw section.error("objective", "another goal: " + metric->name + " is not known on " + c.gate.machine);
}

// What a stream can be is known before anything is trained; whether the network goes row by row, check_run() asks.
void check_stream(const Reader& exports, const RunConfig& c) {
  const exporters::ExportOptions& o = c.export_options;
  if (o.stream_hop != exporters::ExportOptions{}.stream_hop && o.stream != "window")
    throw exports.error("stream_hop", "its default, which only stream: window reads");
  if (o.stream == "frames" && o.kernels != "own")
    throw exports.error("stream", "window, or kernels: own, which compute single rows");
  const data::FeatureOptions& f = c.card.audio.features;
  if (o.stream == "none" || c.card.format != "wav_folder" || !o.front_end) return;
  if (f.level != "full_scale")
    throw exports.error("stream",
                        "features: {level: full_scale} in the card of the data set: a stream has no largest "
                        "sample that a clip could be divided by");
  if (f.time != "rows") throw exports.error("stream", "features: {time: rows} in the card of the data set");
}

// One place lists the sections; with `help` nothing is opened, only options are collected. `run_folder`: of a run that
// goes on; empty: none.
void read_sections(Reader& root, RunConfig& c, bool help, const fs::path& run_folder = {}) {
  int version = 1;
  root.integer("condenser", version, 1, 1, "version of this file's format");
  root.text("name", c.name, "of the run; its folder is runs/<name>", Decides::Nothing);
  root.integer("seed", c.seed, 0, UINT64_MAX, "of search, probes and training");
  c.stages = stage_names();
  root.choices("stages", c.stages, stage_names(), "what `condenser run` does, in order");

  Reader dataset = root.section("dataset", "what to learn from");
  read_dataset(dataset, c.dataset);
  if (!help) c.card = open_card(c.dataset, dataset, run_folder);
  check_samples(dataset, c.dataset.samples, c.card);

  root.text("spec", c.spec, kAboutSpec, Decides::Nothing);  // the network counts, not its place
  const search::SpaceContext context = space_context(c.card, c.dataset.preparation != data::Preparation());
  Reader space = root.section("space", "which networks are searched (search/spaces/*.yaml)");
  if (help) {
    const search::SpaceContext digits{{1, 28, 28}, 10};
    search::make_space(space, digits);  // what every space takes
    for (const auto& row : search::spaces()) {
      try {
        row.make(space, digits);
      } catch (const ConfigError&) {
        // It needs more than defaults (a table: its file); what it takes is listed by now.
      }
    }
  } else if (c.spec.empty() || space.has("space")) {
    auto searched = search::make_space(space, context);
    if (c.spec.empty()) c.space = std::move(searched);
  }
  Reader gate = root.section("gate", "hard constraints (search/budgets/*.yaml)");
  search::read_options(gate, c.gate);
  if (!help) search::fit_to_data(c.gate, c.card.name, context.input);
  Reader search_section = root.section("search", "how to search");
  c.search.seed = c.seed;
  search::read_options(search_section, c.search);
  check_machine(search_section, c);
  read_work(search_section, c);
  read_learn_from(search_section, c);
  read_prototypes(search_section, c);
  c.generator = read_generator(search_section, c.search.generator);

  Reader probe = root.section("probe", "the short training that scores a candidate");
  c.probe.train.epochs = 1;
  probe.choices("scores", c.probe.scores, search::score_names(),
                "asked of every candidate before its training: " + about_scores());
  probe.integer("samples", c.probe.samples, 0, 100'000'000, "training images of a probe, class-balanced; 0: all");
  check_samples(probe, c.probe.samples, c.card);
  probe.integers("rungs", c.probe.rungs, 1, 100000,
                 "epochs after which a training pauses, the last of them = epochs: the best third of the candidates of "
                 "a rung goes on; []: no pause");
  read_train(probe, c.probe.train, c, "probe", help);
  check_rungs(probe, c);
  read_supernet(probe, search_section, c, help);
  if (c.space && search::is_table(*c.space)) check_table(root, gate, probe, c);
  Reader train = root.section("train", "training of the winner");
  train.boolean("on_validation", c.train_on_validation,
                "train the winner on the validation part too (all choices are made by then)");
  read_train(train, c.train, c, "train", help);
  if (!help) c.network = read_network(root, c, run_folder);
  const auto check_space = [&](const train::TrainOptions& o, const Reader& section) {
    if (!help && c.space && train::reconstructs(o))
      throw section.error("loss", "another one, or a network of your own in spec: spaces are made of classifiers");
  };
  check_space(c.probe.train, probe);
  check_space(c.train, train);
  if (c.train_on_validation && train::chooses(c.train))
    throw train.error("on_validation", "false with patience or keep = best, which choose by that part");

  Reader quant = root.section("quantize", "post-training int8 quantization");
  quant::read_options(quant, c.quant);
  Reader exports = root.section("export", "files for devices");
  std::vector<std::string> known;
  for (const auto& target : exporters::targets()) known.push_back(target.name);
  exports.choices("targets", c.targets, known, "formats to write");
  exports.text("prefix", c.export_options.prefix, "of C symbols and file names");
  exports.boolean("private_kernels", c.export_options.private_kernels,
                  "C functions of the kernels carry the prefix: two whole export folders fit into one program");
  exports.boolean("strips", c.export_options.strips,
                  "the first layers are computed a few rows at a time where that makes the arena smaller; rows that "
                  "two strips need are computed twice, for at most 15 % more multiply-accumulates");
  exports.integer("fast_ram_bytes", c.export_options.fast_ram_bytes, 0, 1'000'000'000,
                  "size of the faster one of two memories: where the arena is larger, what is used most goes there and "
                  "the rest into an arena of the slower one; 0: one memory");
  exports.choice(
      "kernels", c.export_options.kernels, {"own", "cmsis_nn"},
      "own C kernels inside the export, or calls of Arm's CMSIS-NN, which the firmware brings, for the layers "
      "that it computes to the same integers");
  if (c.export_options.kernels == "cmsis_nn" && c.export_options.strips)
    throw exports.error("kernels", "own with strips: calls of CMSIS-NN compute whole layers");
  c.space = planned_as_exported(std::move(c.space), c.export_options, c.quant);
  exports.choice("weights", c.export_options.weights, {"const", "binary"},
                 "arrays of C, or a file that is flashed or loaded by itself");
  exports.choice("activations", c.export_options.activations, {"uint8", "int8"},
                 "of onnx: the type that values are stored in; ONNX Runtime is fastest with uint8 on x86");
  exports.boolean("front_end", c.export_options.front_end,
                  "of sounds (WAV): the export computes its features itself, from 16-bit samples to the answer");
  exports.choice(
      "stream", c.export_options.stream, {"none", "frames", "window"},
      "for inputs whose rows are time, sounds above all: also a network that is fed piece by piece. frames: each "
      "layer computes a row when it can, nothing twice; window: the whole network on the last rows");
  exports.integer("stream_hop", c.export_options.stream_hop, 1, 100'000,
                  "of stream: window, rows from answer to answer");
  check_stream(exports, c);
  if (!std::regex_match(c.export_options.prefix, std::regex("[a-z][a-z0-9_]{0,30}")))
    throw exports.error("prefix", "a C identifier of lower-case letters, digits and _ (at most 31)");
  const exporters::UnusedOption unused = exporters::unused_option(c.export_options, c.targets);
  if (!unused.key.empty())
    throw exports.error(unused.key, "its default, as none of export.targets reads it (" + unused.readers + " does)");
  if (c.export_options.kernels != "own" && !c.gate.machine.empty())
    throw exports.error("kernels", "own, as what gate.machine takes is only known for those");
  Reader verify = root.section("verify", "proof of the export");
  verify.integer("samples", c.verify.samples, 1, 1'000'000, "test images whose output integers are compared");
  verify.integer("known_answers", c.verify.known_answers, 1, 256, "samples shipped inside the export");
  verify.choices("machines", c.verify.machines, verify::machine_names(),
                 "machines under an emulator that the export is also proven on, and whose instructions, code and stack "
                 "are measured");
  verify.number("clock_mhz", c.verify.clock_mhz, 0.001, 100'000,
                "of a processor: the share of its time that a stream takes is said for it");
  verify.text("cmsis_nn", c.verify.cmsis_nn,
              "folder of CMSIS-NN (with Include and Source), for machines to run exports with kernels: cmsis_nn");
  if (!c.verify.cmsis_nn.empty() && c.export_options.kernels != "cmsis_nn")
    throw verify.error("cmsis_nn", "none, as export.kernels is not cmsis_nn");
}

}  // namespace

bool searches_int8(const RunConfig& c) {
  return std::ranges::any_of(c.search.objective.metrics(),
                             [](const search::Metric* metric) { return metric->name == "int8_accuracy"; });
}

void as_exported(arch::Design& design, const exporters::ExportOptions& options, const quant::QuantOptions& quant) {
  arch::choose_int4(design, quant.int4);
  const arch::Int16Nodes wide = arch::int16_nodes(design.lowered, design.lowered_cost, quant.int16);
  arch::count_int16_constants(design.lowered, wide, design.lowered_cost);
  design.plan = exporters::export_plan(design.lowered, design.lowered_cost, options, wide);
}

std::unique_ptr<search::Space> planned_as_exported(std::unique_ptr<search::Space> space,
                                                   const exporters::ExportOptions& options,
                                                   const quant::QuantOptions& quant) {
  const bool plain = quant.int4.empty() && quant.int16.empty() && !options.strips && options.fast_ram_bytes == 0;
  if (plain || space == nullptr || search::is_table(*space)) return space;
  return search::planned_by([options, quant](arch::Design& design) { as_exported(design, options, quant); },
                            std::move(space));
}

std::vector<double> fidelities(const ProbeOptions& o) {
  if (o.rungs.empty()) return {1};
  std::vector<double> shares;
  for (const int epochs : o.rungs) shares.push_back(static_cast<double>(epochs) / o.rungs.back());
  return shares;
}

bool shares_weights(const ProbeOptions& o) {
  return std::ranges::any_of(o.scores, [](const std::string& name) { return search::find_probe_row(name).inherits; });
}

train::DataFacts facts_of(const data::Card& card) {
  using train::ItemKind;
  static const std::map<std::string, ItemKind> kinds{{"image_folder", ItemKind::PictureFiles},
                                                     {"csv", ItemKind::PictureFiles},
                                                     {"wav_folder", ItemKind::Clips},
                                                     {"features_int8", ItemKind::Features}};
  const auto found = kinds.find(card.format);
  return {.kind = found == kinds.end() ? ItemKind::Pictures : found->second,
          .shape = card.shape,
          .classes = std::ssize(card.classes),
          .multi_label = card.multi_label,
          .told = data::tells_anomalies(card.classes),
          .items = std::nullopt,
          .validation = std::nullopt};
}

data::Task task_of(const RunConfig& c) {
  if (train::reconstructs(c.train)) return data::reconstruction_task(std::ssize(c.card.classes), c.card.shape);
  return {.classes = std::ssize(c.card.classes),
          .independent = train::independent_classes(c.train, c.card.multi_label),
          .several = c.card.multi_label};
}

bool is_audio(const data::Card& card) { return card.format == "wav_folder" || card.format == "features_int8"; }
data::OpenOptions open_options(const DatasetOptions& o, double crop_area) {
  const std::map<std::string, data::Cache> caches{{"auto", data::Cache::Auto},
                                                  {"memory", data::Cache::Memory},
                                                  {"disk", data::Cache::Disk},
                                                  {"none", data::Cache::None}};
  data::OpenOptions options;
  options.on_damaged = o.on_damaged == "skip" ? data::OnDamaged::Skip : data::OnDamaged::Stop;
  options.cache = caches.at(o.cache);
  options.cache_folder = o.cache_folder;
  options.crop_area = crop_area;
  return options;
}

RunConfig read_run_config(const std::string& subject, const std::vector<std::string>& overrides) {
  fs::path file = subject;
  std::error_code ignored;
  if (fs::is_directory(file, ignored)) {
    file /= "config.resolved.yaml";
    if (!fs::exists(file))
      throw ConfigError(subject + ": no config.resolved.yaml in it; expected a run folder (runs/<name>) or a run.yaml");
  }
  if (!is_there(file)) throw ConfigError(subject + ": no such file; expected a run.yaml or a run folder");
  RunConfig c;
  const bool goes_on = fs::is_directory(subject, ignored);
  Reader root = goes_on ? Reader::from_resolved_file(file, overrides) : Reader::from_file(file, overrides);
  if (!root.has("name")) c.name = fs::absolute(file).parent_path().filename().string();
  read_sections(root, c, false, goes_on ? fs::path(subject) : fs::path());
  root.finish();
  if (!std::regex_match(c.name, std::regex("[A-Za-z0-9][A-Za-z0-9._-]{0,99}")))
    throw root.error("name", "letters, digits, '.', '_' and '-' (it names a folder)");
  c.resolved = root.resolved_yaml();
  c.settings = root.settings();
  return c;
}

std::vector<core::config::Option> config_options() {
  RunConfig c;
  Reader root = Reader::empty();
  read_sections(root, c, true);
  return root.options();
}

}  // namespace condenser::cli
