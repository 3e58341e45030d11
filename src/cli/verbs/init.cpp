// `condenser init`: a run file for data of one's own, made after a look at them.

#include <regex>

#include "cli/own_data.hpp"
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

struct Options {
  fs::path folder;
  fs::path data, card;  // at most one; neither: the digits that come along
  std::string space;    // empty: chosen
  std::string machine;  // empty: none is named
};

void add_options(Args& args, Options& o) {
  std::vector<std::string> names;
  for (const SpaceTemplate& row : space_templates()) names.push_back(row.name);
  args.option("folder", o.folder, "folder for run.yaml; it is made, and nothing in it is replaced").required();
  args.option("--data", o.data,
              "pictures (JPEG, PNG) or sounds (WAV) in <class>/, or in train/<class>/ and test/<class>/");
  args.option("--card", o.card, "a data set that has a card: a folder under datasets/ or a card.yaml");
  args.option("--space", o.space, "size of the networks and of the device; chosen by the data when absent")
      .choices(names);
  args.option("--machine", o.machine,
              "that the network is made for: bounds of its memory, and the proof under an emulator")
      .choices(verify::machine_names());
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

OwnData look(const Options& o, int side) {
  if (!o.data.empty()) return look_at_folder(o.data, side);
  if (!o.card.empty()) return look_at_card(core::config::find_file(o.card, fs::current_path() / "run.yaml"));
  try {
    return look_at_card(core::config::find_file("datasets/digits", fs::current_path() / "run.yaml"));
  } catch (const core::ConfigError&) {
    throw core::ConfigError(
        "condenser init: which data? Give --data with a folder of pictures or sounds, or --card with a card; "
        "the digits that come along (datasets/digits) are not here or above");
  }
}

int init(const Options& o) {
  const fs::path file = o.folder / "run.yaml", card = o.folder / "card.yaml";
  if (!o.data.empty() && !o.card.empty()) throw core::ConfigError("--data and --card: expected one of them");
  if (fs::exists(o.folder) && !fs::is_directory(o.folder))
    throw core::ConfigError(o.folder.string() + ": is a file; expected a folder, or a name for a new one");
  if (fs::exists(file))
    throw core::ConfigError(file.string() + ": is there already; expected another folder (nothing is replaced)");
  const SpaceTemplate* space = &find_space_template(o.space.empty() ? "small" : o.space);
  OwnData data = look(o, space->side);
  if (o.space.empty() && needs_large(data)) {
    space = &find_space_template("large");
    if (!o.data.empty() && data.kind == OwnData::Pictures) data = look(o, space->side);  // others have their size
  }
  NewFiles files(o.folder);
  std::string line = (o.data.empty() ? "card: " : "folder: ") + seen_from(o.folder, data.place);
  if (!data.card.empty()) {
    line = "card: card.yaml";
    if (!fs::exists(card)) files.write("card.yaml", data.card);
  }
  files.write("run.yaml", run_file_text(run_name(o.folder), data, line, *space, file.string(), o.machine));
  read_run_config(file.string(), {});  // throws when something in the data or the card does not fit
  files.keep();
  core::write_output(core::printable(file.string()) + ": " + core::printable(data.found) + "; space " + space->name +
                     "\nnext: condenser data check " + core::printable(file.string()) + "\nthen: condenser run " +
                     core::printable(file.string()) + " --dry-run\n");
  return 0;
}

}  // namespace

Verb init_verb() {
  return {
      .name = "init",
      .group = kData,
      .about = "a commented run file for data of your own",
      .example = "init my_parts --data path/to/pictures",
      .next = "Look at the data first: condenser data check my_parts/run.yaml. Then: condenser run my_parts/run.yaml",
      .declare = with_options<Options>(add_options, init)};
}

}  // namespace condenser::cli
