// `condenser init`: a run file for data of one's own, made after a look at them.

#include <regex>

#include "cli/cost_estimate.hpp"
#include "cli/own_data.hpp"
#include "cli/progress.hpp"
#include "cli/run_config.hpp"
#include "cli/run_template.hpp"
#include "cli/verb.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/output.hpp"
#include "condenser/core/table.hpp"
#include "condenser/core/text.hpp"
#include "condenser/verify/machine.hpp"

namespace condenser::cli {

namespace fs = std::filesystem;

namespace {

constexpr int kMostKib = 1 << 20;
constexpr int kLargeFromKib = 128;  // flash that networks of the space `large` can use

struct Options {
  fs::path folder;
  fs::path from;           // empty: the digits that come along
  std::string space;       // empty: chosen
  std::string machine;     // empty: none is named
  int flash = 0, ram = 0;  // KiB; 0: as the space has it
};

void add_options(Args& args, Options& o) {
  std::vector<std::string> names;
  for (const SpaceTemplate& row : space_templates()) names.push_back(row.name);
  args.option("folder", o.folder, "folder for run.yaml; it is made, and nothing in it is replaced").required();
  args.option("--from,--data", o.from,
              "pictures (JPEG, PNG) or sounds (WAV) in <class>/, or in train/<class>/ and test/<class>/; or a table "
              "(CSV) with the columns path and label; or a data set that has a card (datasets/cifar10)");
  args.option("--space", o.space, "size of the networks and of the device; chosen by the data when absent")
      .choices(names);
  args.option("--machine", o.machine,
              "that the network is made for: bounds of its memory, and the proof under an emulator")
      .choices(verify::machine_names());
  args.option("--flash", o.flash, "KiB of flash for its constants: weights, biases, tables; its code comes on top")
      .range(1, kMostKib);
  args.option("--ram", o.ram, "KiB of RAM for its activations, input and output; its stack comes on top")
      .range(1, kMostKib);
}

// The name of a run is the name of its folder under runs/.
std::string run_name(const fs::path& folder) {
  const fs::path whole = fs::absolute(folder).lexically_normal();
  const std::string last = (whole.has_filename() ? whole : whole.parent_path()).filename().string();
  const std::string name = std::regex_replace(last, std::regex("[^A-Za-z0-9._-]"), "_").substr(0, 100);
  return std::regex_match(name, std::regex("[A-Za-z0-9].*")) ? name : "run";
}

// Beside the run file by its name alone, so that the folder can be moved.
std::string seen_from(const fs::path& folder, const fs::path& place) {
  const fs::path whole = fs::absolute(place).lexically_normal();
  const fs::path below = whole.lexically_relative(fs::absolute(folder).lexically_normal());
  const bool inside = !below.empty() && *below.begin() != ".." && below != ".";
  return core::json_quote((inside ? below : whole).string());
}

// Files are written together: when the run file cannot be read afterwards, none stays.
class NewFiles {
 public:
  explicit NewFiles(fs::path folder) : folder_(std::move(folder)), made_folder_(!fs::exists(folder_)) {}
  ~NewFiles() {
    if (kept_) return;
    std::error_code ignored;
    for (const fs::path& file : files_) fs::remove(file, ignored);
    if (made_folder_) fs::remove(folder_, ignored);
  }
  void write(const char* name, const std::string& text) {
    files_.push_back(folder_ / name);
    core::write_atomic(files_.back(), text);
  }
  void keep() { kept_ = true; }

 private:
  fs::path folder_;
  bool made_folder_, kept_ = false;
  std::vector<fs::path> files_;
};

bool needs_large(const OwnData& data) { return data.classes > 30 || data.items > 40'000; }

const SpaceTemplate& space_of(const Options& o, const OwnData* data) {
  if (!o.space.empty()) return find_space_template(o.space);
  if (o.flash) return find_space_template(o.flash >= kLargeFromKib ? "large" : "small");
  return find_space_template(data && needs_large(*data) ? "large" : "small");
}

// The card that `--from` names: a YAML file, or a folder that holds one. Empty: none.
fs::path card_of(const fs::path& from) {
  const auto is_card = [](const fs::path& place) {
    return place.extension() == ".yaml" || place.extension() == ".yml" || fs::exists(place / "card.yaml");
  };
  if (fs::exists(from)) return is_card(from) ? from : fs::path();
  try {
    const fs::path found = core::config::find_file(from, fs::current_path() / "run.yaml");
    return is_card(found) ? found : fs::path();
  } catch (const core::ConfigError&) {
    return {};
  }
}

struct Source {
  OwnData data;
  bool card = false;
};

Source find(const Options& o, int side) {
  if (o.from.empty()) {
    const fs::path digits = card_of("datasets/digits");
    if (!digits.empty()) return {look_at_card(digits), true};
    throw core::ConfigError(
        "condenser init: which data? Give --from with a folder of pictures or sounds, a table or a card; the digits "
        "that come along (datasets/digits) are not here or above");
  }
  const fs::path card = card_of(o.from);
  if (!card.empty()) return {look_at_card(card), true};
  return {look_at(o.from, side), false};
}

// Items to learn from and to choose by, as a run will cut them.
std::pair<double, double> parts_of(const RunConfig& c, int64_t items) {
  const double rest = static_cast<double>(items) * (c.card.splits.contains("test") ? 1 : 1 - c.card.test_fraction);
  const double chosen_by = rest * c.dataset.validation_fraction;
  return {c.card.splits.contains("validation") ? rest : rest - chosen_by, chosen_by};
}

std::string about(double seconds) {
  return seconds < 99.5 ? core::fixed(std::max(1.0, seconds), 0) + " s" : duration_text(seconds);
}

std::string time_text(const RunConfig& c, const OwnData& data) {
  if (data.items == 0) return "";
  const auto [training, validation] = parts_of(c, data.items);
  const WorkTime t = time_of(c, training, validation);
  if (!t.known)
    return "warning: none of " + std::to_string(t.sampled) +
           " networks drawn from the space passes the gate (refused by " + t.refused +
           "): give the device more, make the pictures smaller (dataset.shape), or narrow the space\n";
  const double whole = t.search + t.train + data.reading_seconds;
  return "time: about " + about(whole) + " for search (" + about(t.search) + ") and training (" + about(t.train) + ")" +
         (data.reading_seconds >= 1 ? ", reading the pictures (" + about(data.reading_seconds) + ") included" : "") +
         "; " + t.basis + "\n";
}

int init(const Options& o) {
  const fs::path file = o.folder / "run.yaml", card = o.folder / "card.yaml";
  if (fs::exists(o.folder) && !fs::is_directory(o.folder))
    throw core::ConfigError(o.folder.string() + ": is a file; expected a folder, or a name for a new one");
  if (fs::exists(file))
    throw core::ConfigError(file.string() + ": is there already; expected another folder (nothing is replaced)");
  const SpaceTemplate* space = &space_of(o, nullptr);
  Source source = find(o, space->side);
  if (const SpaceTemplate* wanted = &space_of(o, &source.data); wanted != space) {
    space = wanted;
    if (!source.card && source.data.kind == OwnData::Pictures) source = find(o, space->side);  // others have their size
  }
  const OwnData& data = source.data;
  NewFiles files(o.folder);
  std::string line = (source.card ? "card: " : "folder: ") + seen_from(o.folder, data.place);
  if (!data.card.empty()) {
    line = "card: card.yaml";
    if (!fs::exists(card)) files.write("card.yaml", data.card);
  }
  files.write("run.yaml", run_file_text(run_name(o.folder), data, line, *space, file.string(),
                                        {o.machine, int64_t{1024} * o.flash, int64_t{1024} * o.ram}));
  const RunConfig config = read_run_config(file.string(), {});  // throws when something in data or card does not fit
  const std::string time = time_text(config, data);
  files.keep();
  core::write_output(core::printable(file.string()) + ": " + core::printable(data.found) + "; space " + space->name +
                     "\n" + time + "next: condenser data check " + core::printable(file.string()) +
                     "\nthen: condenser run " + core::printable(file.string()) + "\n");
  return 0;
}

}  // namespace

Verb init_verb() {
  return {
      .name = "init",
      .group = kData,
      .about = "a commented run file for data of your own",
      .example = "init my_parts --from path/to/pictures",
      .next = "Look at the data first: condenser data check my_parts/run.yaml. Then: condenser run my_parts/run.yaml",
      .declare = with_options<Options>(add_options, init)};
}

}  // namespace condenser::cli
