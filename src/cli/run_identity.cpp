// Which options and files decide the results of which stage, and what a call finds changed.

#include "cli/run_identity.hpp"

#include <algorithm>

#include "cli/learned.hpp"
#include "condenser/arch/spec_io.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/text.hpp"
#include "condenser/search/table.hpp"

namespace condenser::cli {

namespace fs = std::filesystem;
using core::ConfigError;

namespace {

constexpr char kNetwork[] = "network", kBefore[] = "stage before";

// Sections, or single options, that a stage reads; options that decide nothing say so where they are declared.
struct Reads {
  const char* stage;
  std::vector<std::string> paths;
};
const std::vector<Reads>& reads() {
  static const std::vector<Reads> table{
      {"search",
       {"dataset.", "space.", "gate.", "search.", "probe.", "export.targets", "export.strips", "export.fast_ram_bytes",
        "quantize.int4", "quantize.int16"}},
      {"train", {"dataset.", "train."}},
      {"quantize", {"quantize."}},
      {"export", {"export.", "verify.known_answers"}},
      {"verify", {"verify.samples", "verify.machines"}},
  };
  return table;
}

// More of these continue a search and do not make it another one.
bool extends_search(const std::string& path) { return path == "search.trials" || path == "search.max_proposals"; }

// Options of generators that were not chosen decide nothing.
bool of_another_generator(const std::string& path, const std::string& chosen) {
  return std::any_of(search::generators().begin(), search::generators().end(), [&](const auto& row) {
    return row.name != chosen && path.starts_with("search." + std::string(row.name) + ".");
  });
}

// Options that are younger than some runs, at the value that means what was done before there was a choice: they are
// left out of settings, so that those runs stay what they are.
bool as_before(const core::config::Setting& setting) {
  static const std::map<std::string, std::string> before{{"dataset.normal", "[]"},
                                                         {"dataset.size", "0"},
                                                         {"dataset.colour", "own"},
                                                         {"dataset.front_end.coefficients", "0"},
                                                         {"dataset.front_end.stride_ms", "0"},
                                                         {"export.activations", "uint8"},
                                                         {"export.fast_ram_bytes", "0"},
                                                         {"export.stream", "none"},
                                                         {"export.stream_hop", "10"},
                                                         {"gate.max_estimated_cycles", "0"},
                                                         {"gate.max_ram_bytes", "0"},
                                                         {"probe.rungs", "[]"},
                                                         {"probe.scores", "[]"},
                                                         {"quantize.auto", "false"},
                                                         {"quantize.equalize", "false"},
                                                         {"quantize.int16", "[]"},
                                                         {"quantize.int4", "[]"},
                                                         {"quantize.weight_rounding", "nearest"},
                                                         {"search.learn_from", "[]"},
                                                         {"space.downsampling", "[avg2]"},
                                                         {"space.input.size", "[]"},
                                                         {"space.input.colour", "[]"},
                                                         {"space.front_end.coefficients", "[]"},
                                                         {"space.front_end.stride_ms", "[]"}};
  const auto found = before.find(setting.path);
  return found != before.end() && found->second == setting.value;
}

// The same for options of the export at which the memory of candidates is planned as it was when searches did not read
// them.
bool plans_as_before(const core::config::Setting& setting) {
  return (setting.path == "export.strips" && setting.value == "false") ||
         (setting.path == "export.fast_ram_bytes" && setting.value == "0");
}

Settings own_settings(const RunConfig& c, const std::string& stage) {
  const auto row = std::find_if(reads().begin(), reads().end(), [&](const Reads& r) { return r.stage == stage; });
  Settings settings;
  for (const auto& setting : c.settings) {
    const std::string& path = setting.path;
    if (setting.decides == core::config::Decides::Nothing || extends_search(path)) continue;
    if (of_another_generator(path, c.search.generator)) continue;
    if (as_before(setting) || (stage == "search" && plans_as_before(setting))) continue;
    const bool measured = path.starts_with("quantize.") && !path.starts_with("quantize.qat.") &&
                          path != "quantize.auto";  // of candidates; the others are of the winner
    if (stage == "search" && searches_int8(c) && measured) settings[path] = setting.value;
    if (std::any_of(row->paths.begin(), row->paths.end(), [&](const auto& p) { return path.starts_with(p); }))
      settings[path] = setting.value;
  }
  return settings;
}

// A file counts by its content, wherever it lies; one that is gone counts as it did when it was there.
void add_file(Settings& settings, RunContext& run, const std::string& name, const fs::path& path,
              const Settings& before) {
  if (path.empty()) return;
  const auto known = before.find(name);
  if (fs::exists(path))
    settings[name] = run.checksum(path);
  else if (known != before.end())
    settings[name] = known->second;
  else
    throw ConfigError(name + ": " + core::printable(path.string()) +
                      ": no such file; expected it to stay where it was");
}

fs::path in_run(const fs::path& path, const char* file) { return fs::is_directory(path) ? path / file : path; }

void add_files(Settings& settings, RunContext& run, const std::string& section, const train::TrainOptions& o,
               const Settings& before) {
  if (!o.init.empty()) add_file(settings, run, section + ".init", in_run(o.init, "weights.safetensors"), before);
  if (o.distill.teacher.empty()) return;
  const std::string teacher = section + ".distill.teacher", spec = section + ".distill.spec";
  add_file(settings, run, teacher, in_run(o.distill.teacher, "weights.safetensors"), before);
  if (o.distill.spec.empty())
    add_file(settings, run, spec, o.distill.teacher / "winner.arch.json", before);
  else if (fs::path(o.distill.spec).is_absolute())
    add_file(settings, run, spec, o.distill.spec, before);
  else
    settings[spec] = o.distill.spec;  // a zoo name
}

// Data that are not at hand count as they did when they were.
void add_split(Settings& settings, RunContext& run, const char* split, const Settings& before) {
  const std::string name = std::string("data.") + split;
  const auto known = before.find(name);
  std::string print = run.fingerprint(split);
  if (print.empty() && known != before.end()) print = known->second;
  if (!print.empty()) settings[name] = print;
}

// What a stage reads itself: not what the stages before made. The test part is measured, and answers of it are shipped.
Settings read_settings(RunContext& run, const std::string& stage, const Settings& before) {
  Settings settings = own_settings(run.config, stage);
  if (stage == "quantize" || stage == "export") add_split(settings, run, "test", before);
  return settings;
}

Settings recorded(const RunContext& run, const std::string& stage) {
  const auto settings = [](const auto& record) { return record ? record->settings : Settings(); };
  if (stage == "search") return settings(find_record<WinnerRecord>(run.folder));
  if (stage == "train") return settings(find_record<Learned>(run.folder));
  if (stage == "quantize") return settings(find_record<QuantRecord>(run.folder));
  if (stage == "export") return settings(find_record<ExportRecord>(run.folder));
  return settings(find_record<VerifyRecord>(run.folder));
}

// A damaged record of a stage that is made anew anyway is no reason to stop.
template <class Read>
auto if_readable(const Read& read) -> decltype(read()) {
  try {
    return read();
  } catch (const core::Error& e) {
    core::log::warning(e.what());
    return {};
  }
}

// For what is not at hand any more; nothing when the record is damaged, which its readers report.
Settings of_before(const RunContext& run, const std::string& stage) {
  try {
    return recorded(run, stage);
  } catch (const core::Error&) {
    return {};
  }
}

Settings without(Settings settings, std::initializer_list<const char*> names) {
  for (const char* name : names) settings.erase(name);
  return settings;
}

// Of the parts that are trained on or chosen by: results of other data are results of another run.
bool is_data(const std::string& change) { return change.starts_with("data.") && !change.starts_with("data.test "); }

// "train, quantize and report"
std::string listed(const std::vector<std::string>& words) {
  if (words.size() < 2) return core::join(words);
  return core::join({words.begin(), words.end() - 1}) + " and " + words.back();
}

std::string refusal(const RunContext& run, const std::string& what) {
  return core::printable(run.folder.string()) + ": holds a run of another configuration (" + what +
         "); expected the same one. Use --fresh to move the old run aside, or another name (name=...)";
}

void check_meaning(RunContext& run, const Learned& learned) {
  const std::string differs = difference(learned, learned_of(run.card(), run.config.train));
  if (differs.empty()) return;
  throw ConfigError(core::printable(run.folder.string()) + ": the network was trained on data that meant something " +
                    "else (" + differs + "); expected the data as they were. Put them back, or use --fresh to move " +
                    "the old run aside, or another name (name=...)");
}

void check_search(RunContext& run, bool goes_on) {
  // Of a damaged one the study itself knows what it was made with.
  const auto winner = if_readable([&] { return find_record<WinnerRecord>(run.folder); });
  const bool studied = fs::exists(run.folder / "study.sqlite");
  if (!run.config.space) {
    if (studied) throw ConfigError(refusal(run, "a network was searched there, now spec = " + run.config.spec));
    return;
  }
  if (!winner) return;
  if (!winner->trial) {
    if (find_record<Learned>(run.folder))
      throw ConfigError(refusal(run, "a network of one's own (spec) there, now a search"));
    return;
  }
  // The winner may be packed otherwise than its search counted: its own budgets are judged again in the report.
  const auto kept = [&](const Settings& settings) {
    return goes_on ? settings : without(settings, {"quantize.int4", "quantize.int16"});
  };
  const auto changed = changes(kept(winner->settings), kept(settings_of(run, "search")));
  if (!changed.empty()) throw ConfigError(refusal(run, core::join(changed)));
  if (goes_on && run.config.search.trials < winner->examined)
    throw ConfigError(refusal(run, "search.trials " + std::to_string(winner->examined) + " -> " +
                                       std::to_string(run.config.search.trials) + ", so many are examined already"));
}

bool left_something(const fs::path& folder, const std::string& stage) {
  const std::map<std::string, const char*> files{{"quantize", QuantRecord::kFile.name},
                                                 {"export", ExportRecord::kFile.name},
                                                 {"verify", VerifyRecord::kFile.name},
                                                 {"report", "summary.json"}};
  const auto file = files.find(stage);
  return file != files.end() && fs::exists(folder / file->second);
}

// The names of the stages from `first` on that will be done, and of those that will not.
std::string made_anew(const fs::path& folder, const std::string& first, const std::vector<std::string>& asked,
                      bool keeps_search) {
  const auto& all = stage_names();
  std::vector<std::string> done, stale;
  for (auto stage = std::find(all.begin(), all.end(), first); stage != all.end(); ++stage)
    if (std::find(asked.begin(), asked.end(), *stage) != asked.end())
      done.push_back(*stage);
    else if (left_something(folder, *stage))
      stale.push_back(*stage);
  std::string text = listed(done) + (done.size() == 1 ? " is made anew" : " are made anew");
  if (!stale.empty()) text += "; what " + listed(stale) + " left belongs to the earlier options";
  return text + (keeps_search ? "; the search is kept" : "");
}

void check_own_network(const RunContext& run, const Learned& learned) {
  if (!run.config.network) return;
  const std::string hash = arch::hash(*run.config.network).hex();
  if (hash != learned.spec_hash)
    throw ConfigError(refusal(run, "spec: network " + learned.spec_hash.substr(0, 12) + " there, " +
                                       run.config.network->name + " " + hash.substr(0, 12) + " now"));
}

// The key in the weights proves that this call's settings, and with them its classes, are those of the training.
std::optional<Learned> learned_there(RunContext& run) {
  try {
    return find_record<Learned>(run.folder);
  } catch (const core::Error& e) {
    const arch::Weights weights = arch::load_weights(run.folder / "weights.safetensors");
    const auto key = weights.metadata.find("key");
    if (key == weights.metadata.end() || key->second != key_of(settings_of(run, "train"))) throw;
    core::log::warning(std::string(e.what()) + "; the data and options are those of the training: it is written anew");
    write_record(run.folder, training_record(run));
    return find_record<Learned>(run.folder);
  }
}

}  // namespace

Settings settings_of(RunContext& run, const std::string& stage) {
  const RunConfig& c = run.config;
  const Settings before = of_before(run, stage);
  Settings settings = read_settings(run, stage, before);
  if (stage == "search" || stage == "train") {
    settings.merge(meaning_of(learned_of(stage == "search" ? c.card : run.card(), c.train)));
    for (const char* split : {"train", "validation"}) add_split(settings, run, split, before);
  }
  if (stage == "search" && c.space && search::is_table(*c.space))
    settings["space.table"] = search::table_content(*c.space).hex();
  if (stage == "search") {
    add_files(settings, run, "probe", c.probe.train, before);
    for (const search::Genotype& prototype : c.search.prototypes)  // whose file may change
      settings["prototypes as choices"] += search::to_text(*c.space, prototype) + "; ";
    if (c.space && search::is_table(*c.space)) settings["space.table"] = search::table_content(*c.space).hex();
  }
  if (stage == "train") {
    add_files(settings, run, "train", c.train, before);
    settings[kNetwork] = winner_hash(run);
  }
  if (stage == "quantize") settings[kBefore] = key_of(settings_of(run, "train"));
  if (stage == "export") settings[kBefore] = key_of(settings_of(run, "quantize"));
  if (stage == "verify") settings[kBefore] = key_of(settings_of(run, "export"));
  return settings;
}

std::vector<std::string> changes(const Settings& there, const Settings& now) {
  std::vector<std::string> list;
  const auto text = [](const Settings& s, const std::string& name) {
    const auto found = s.find(name);
    return found == s.end() ? std::string("(nothing)") : core::printable(found->second);
  };
  Settings both = there;
  both.insert(now.begin(), now.end());
  for (const auto& [name, ignored] : both) {
    const std::string a = text(there, name), b = text(now, name);
    if (a == b) continue;
    const bool is_key = name == kBefore;  // says nothing to people
    list.push_back(is_key ? "what the stage before made" : core::printable(name) + " " + a + " -> " + b);
  }
  return list;
}

Learned training_record(RunContext& run) {
  Learned learned = learned_of(run.card(), run.config.train);
  learned.settings = settings_of(run, "train");
  learned.spec_hash = learned.settings.at(kNetwork);
  return learned;
}

std::vector<std::string> plan(RunContext& run, const std::vector<std::string>& stage_names) {
  std::vector<std::string> lines;
  const auto asked = [&](const std::string& stage) {
    return std::find(stage_names.begin(), stage_names.end(), stage) != stage_names.end();
  };
  check_search(run, asked("search"));
  const auto learned = learned_there(run);
  if (learned) {
    check_meaning(run, *learned);
    check_own_network(run, *learned);
  }
  bool told = false;  // one line, for the first stage that changed
  const auto tell = [&](const std::string& stage, const Settings& there, const Settings& now) {
    if (told || there.empty()) return;
    const auto changed = changes(without(there, {kNetwork, kBefore}), without(now, {kNetwork, kBefore}));
    if (changed.empty()) return;
    if (std::any_of(changed.begin(), changed.end(), is_data)) throw ConfigError(refusal(run, core::join(changed)));
    told = true;
    lines.push_back(core::join(changed) +
                    " changed: " + made_anew(run.folder, stage, stage_names, run.config.space != nullptr));
  };
  const bool has_network = run.config.network || fs::exists(run.folder / "winner.arch.json");
  if (learned && has_network && asked("train")) tell("train", learned->settings, settings_of(run, "train"));
  for (const char* stage : {"quantize", "export", "verify"})
    if (asked(stage)) {
      const Settings there = if_readable([&] { return recorded(run, stage); });
      tell(stage, there, read_settings(run, stage, there));
    }
  return lines;
}

}  // namespace condenser::cli
