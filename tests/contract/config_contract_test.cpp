// What the reference of run files says of every option (`condenser run --help-config`) is what reading a run file does:
// both ends of each range and each choice are taken, what lies just outside is refused with name, value and range.

#include <sstream>

#include "cli/run_config.hpp"
#include "condenser/core/error.hpp"
#include "support/approve.hpp"
#include "support/process.hpp"

using namespace condenser;
using Catch::Matchers::Contains;
using core::config::Option;
using core::config::Reader;

namespace {

using Words = std::vector<std::string>;

// What has to stand beside an option, or one value of it, so that the run file makes sense. $: train or probe.
struct Beside {
  const char* setting;
  Words also;
};
const std::vector<Beside>& besides() {
  static const std::vector<Beside> table{
      {"gate.comparator.max_params", {"gate.comparator.name=x", "gate.comparator.min_accuracy=1"}},
      {"gate.comparator.max_macs", {"gate.comparator.name=x", "gate.comparator.min_accuracy=1"}},
      {"gate.comparator.min_accuracy", {"gate.comparator.name=x", "gate.comparator.max_params=1"}},
      {"gate.comparator.min_probe_accuracy", {"gate.comparator.name=x", "gate.comparator.max_params=1"}},
      {"search.trials", {"search.max_proposals=100000000"}},
      {"search.max_proposals", {"search.trials=1"}},
      {"search.parallel", {"search.window=1023"}},
      {"space.stages=[1]", {"space.merge_stage=[1]", "space.stage_strides=[1]"}},
      {"space.stages=[6]", {"space.stage_strides=[1, 1, 1, 1, 1, 1]"}},
      {"space.merge_stage=[6]", {"space.stages=[6]", "space.stage_strides=[1, 1, 1, 1, 1, 1]"}},
      {"space.stem_stride", {"space.stage_strides=[1, 1, 1]"}},
      {"export.stream_hop", {"export.stream=window"}},
      {"$.min_lr", {"$.lr=100", "$.weight_decay=0"}},
      {"$.lr", {"$.weight_decay=0", "$.min_lr=0"}},
      {"$.weight_decay", {"$.lr=0.01"}},
      {"$.warmup_epochs", {"$.epochs=100000"}},
      {"$.milestones", {"$.schedule=step", "$.epochs=100000"}},
      {"$.gamma", {"$.schedule=step", "$.milestones=[1]", "$.epochs=2"}},
      {"$.pct_start", {"$.schedule=one_cycle", "$.warmup_epochs=0", "$.epochs=5"}},
      {"$.schedule=step", {"$.milestones=[1]", "$.epochs=2"}},
      {"$.schedule=one_cycle", {"$.warmup_epochs=0"}},
      {"$.resize.sizes", {"$.resize.epochs=1", "$.epochs=10", "dataset.shape=[3, 4096, 4096]"}},
      {"dataset.shape=[1, 1, 1]", {"space.stage_strides=[1, 1, 1]", "train.augment.shift=0", "probe.augment.shift=0"}},
      {"dataset.front_end.stride_ms=1000",
       {"space.stage_strides=[1, 1, 1]", "train.augment.shift=0", "probe.augment.shift=0"}},
      {"space.input.size=[1]", {"space.stage_strides=[1, 1, 1]"}},
      {"space.front_end.coefficients=[1]", {"space.stage_strides=[1, 1, 1]"}},
      {"space.front_end.stride_ms=[1000]", {"space.stage_strides=[1, 1, 1]"}},
      {"$.augment.crop_ratio", {"$.augment.crop_area=0.5"}},
      {"$.augment.randaugment.magnitude", {"$.augment.randaugment.operations=1"}},
      {"$.augment.erasing_area", {"$.augment.erasing=0.5"}},
      {"$.augment.mix_probability", {"$.augment.mixup=0.2"}},
      {"$.augment.noise_volume", {"$.augment.noise_probability=0.5"}},
      {"probe.rungs=[100000]", {"probe.epochs=100000"}},
      {"gate.max_instructions", {"gate.machine=cortex-m4"}},
      {"gate.max_code_bytes", {"gate.machine=cortex-m4"}},
      {"gate.max_stack_bytes", {"gate.machine=cortex-m4"}},
      {"export.activations", {"export.targets=[onnx]"}},
      {"gate.max_ram_bytes", {"gate.machine=cortex-m4"}},
      {"gate.max_estimated_cycles", {"gate.machine=cortex-m4"}},
      {"probe.supernet.epochs", {"probe.scores=[inherited]"}},
      {"probe.supernet.samples", {"probe.scores=[inherited]"}},
      {"probe.supernet.candidates", {"probe.scores=[inherited]"}},
      {"$.augment.cutout", {"dataset.shape=[3, 1024, 1024]"}},
      {"$.augment.specaugment.time_width", {"$.augment.specaugment.time_masks=1"}},
      {"$.augment.specaugment.frequency_width", {"$.augment.specaugment.frequency_masks=1"}},
      {"$.distill.alpha", {"$.distill.teacher=FILE", "$.distill.spec=resnet8"}},
      {"$.distill.temperature", {"$.distill.teacher=FILE", "$.distill.spec=resnet8"}},
  };
  return table;
}

// Ends that no run file can have, and what is said instead of the range.
struct Never {
  const char* setting;
  const char* says;
};
constexpr Never kNever[] = {
    {"$.epochs=0", "or weights that are taken as they are"},
    {"$.milestones=[1e+05]", "values below the number of epochs"},
    {"$.distill.alpha=0", "the teacher has no effect"},
    {"$.resize.epochs=100000", "both or neither"},
    {"$.augment.noise_volume=0", "more than 0"},
    {"$.augment.erasing_area=[0, 0]", "an upper end above 0"},
    {"$.augment.mix_probability=0", "nothing is mixed"},
    {"$.loss=reconstruction", "spaces are made of classifiers"},
    {"$.metric=reconstruction_error", "a metric of classes"},
    {"dataset.front_end.coefficients=256", "at most bands, 40"},
    {"space.front_end.coefficients=[256]", "at most bands, 40"},
    {"space.space=table", "a CSV, or the YAML that describes it"},
    {"probe.checkpoint_steps=1000000000", "short trainings write nothing"},
    {"probe.sync_batch_norm=true", "short trainings have one process"},
    {"probe.metric=balanced_accuracy", "nothing is chosen by it"},
    {"probe.metric=macro_f1", "nothing is chosen by it"},
    {"probe.metric=auc", "nothing is chosen by it"},
    {"probe.metric=loss", "nothing is chosen by it"},
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

// A run on colour pictures, and one on sounds for the options that only they have.
class ConfigReference {
 public:
  ConfigReference() {
    for (const char* name : {"pictures/a/1.png", "pictures/b/1.png", "teacher.safetensors"}) folder_.write(name, "");
    folder_.write("card.yaml",
                  "condenser_card: 1\nname: sounds\nabout: x\nsource: x\nlicense: x\nformat: wav_folder\n"
                  "classes: [a, b]\nsplits: {train: [{path: .}], test: [{path: .}]}\n");
    const std::string space = "\nspace: {space: columns}\n";
    pictures_ = folder_.write("pictures.yaml", "name: x\ndataset: {folder: pictures, shape: [3, 128, 128]}" + space);
    sounds_ = folder_.write("sounds.yaml", "name: x\ndataset: {card: card.yaml}" + space);
    for (const search::SpaceRow& row : search::spaces())
      for (const std::string& path : options_of(row)) other_spaces_.emplace(path, row.name);
    for (const std::string& path : options_of(search::spaces().front())) other_spaces_.erase(path);
  }

  // Why a value is refused; "": it is taken.
  std::string refusal(const Option& option, const std::string& value) const {
    try {
      cli::read_run_config(file_for(option.path), overrides(option.path, value));
      return "";
    } catch (const core::ConfigError& e) {
      return e.what();
    }
  }

  void takes(const Option& option, const std::string& value) const {
    INFO(option.path << " = " << value << " (" << option.expected << ")");
    const std::string section = option.path.substr(0, option.path.find('.')), setting = option.path + "=" + value;
    for (const Never& never : kNever)
      if (replaced(never.setting, "$", section) == setting) {
        CHECK_THAT(refusal(option, value), Contains(never.says));
        return;
      }
    CHECK(refusal(option, value) == "");
  }
  void refuses(const Option& option, const std::string& value, const std::string& expected) const {
    INFO(option.path << " = " << value << " (" << option.expected << ")");
    CHECK_THAT(refusal(option, value), Contains(option.path) && Contains(" = ") && Contains(expected));
  }

 private:
  const std::string& file_for(const std::string& path) const {
    const bool of_sounds = path.find("specaugment") != std::string::npos ||
                           path.find("time_shift_ms") != std::string::npos ||
                           path.find(".noise_") != std::string::npos || path.find("front_end") != std::string::npos;
    return of_sounds ? sounds_ : pictures_;
  }

  Words overrides(const std::string& path, const std::string& value) const {
    const std::string section = path.substr(0, path.find('.'));
    Words words;
    for (const Beside& beside : besides()) {
      const std::string setting = replaced(beside.setting, "$", section);
      if (setting != path && setting != path + "=" + value) continue;
      for (const std::string& also : beside.also)
        words.push_back(
            replaced(replaced(also, "$", section), "FILE", (folder_.path() / "teacher.safetensors").string()));
    }
    if (const auto other = other_spaces_.find(path); other != other_spaces_.end())
      words.push_back("space.space=" + other->second);
    words.push_back(path + "=" + value);
    return words;
  }

  static Words options_of(const search::SpaceRow& row) {
    Reader root = Reader::empty();
    Reader space = root.section("space");
    try {
      row.make(space, {{3, 128, 128}, 10});
    } catch (const core::ConfigError&) {
      // It needs more than defaults; what it takes is known by now.
    }
    Words paths;
    for (const Option& option : root.options()) paths.push_back(option.path);
    return paths;
  }

  tests::TempFolder folder_;
  std::string pictures_, sounds_;
  std::map<std::string, std::string> other_spaces_;  // options that only another space than the first has, and which
};

struct Range {
  std::string low, high, text;
};

// "1..4096", "integers, 1..4096"; of other expectations nothing.
std::optional<Range> range_of(const std::string& expected) {
  const size_t dots = expected.find("..");
  if (dots == std::string::npos) return std::nullopt;
  const size_t begin = expected.rfind(' ', dots) == std::string::npos ? 0 : expected.rfind(' ', dots) + 1;
  return Range{expected.substr(begin, dots - begin), expected.substr(dots + 2), expected.substr(begin)};
}

// "one of a, b", "any of a, b"
Words choices_of(const std::string& expected) {
  Words words;
  std::istringstream in(expected.substr(expected.find(" of ") + 4));
  for (std::string word; std::getline(in, word, ',');) words.push_back(word.substr(word.find_first_not_of(' ')));
  return words;
}

bool is_integer(const Option& o) { return o.type == "integer" || o.expected.starts_with("integers"); }

std::string below(const Option& o, const std::string& low) {
  if (is_integer(o)) return std::to_string(std::stoll(low) - 1);
  std::ostringstream out;
  out << std::stod(low) - 0.01;
  return out.str();
}

std::string above(const Option& o, const std::string& high) {
  std::ostringstream out;
  out.precision(15);
  if (is_integer(o))
    out << std::stoull(high) + 1;
  else
    out << std::stod(high) * 1.01;
  return out.str();
}

// One element, or as many as the option demands.
std::string as_value(const Option& o, const std::string& element) {
  if (o.type != "list") return element;
  const auto is = [&](const char* end) { return o.path.ends_with(end); };
  if (is(".shape") || is(".stage_strides")) return "[" + element + ", " + element + ", " + element + "]";
  if (is(".scale") || is(".erasing_area")) return "[" + element + ", " + element + "]";
  return is(".class_weights") ? "[" + element + ", 1]" : "[" + element + "]";
}

}  // namespace

TEST_CASE("numbers of a run file are taken up to both ends of the range that the reference states",
          "[contract][cli][config]") {
  const ConfigReference reference;
  int ranges = 0;
  for (const Option& option : cli::config_options()) {
    const auto range = range_of(option.expected);
    if (!range) continue;
    ++ranges;
    reference.takes(option, as_value(option, range->low));
    reference.takes(option, as_value(option, range->high));
    reference.refuses(option, as_value(option, below(option, range->low)), range->text);
    reference.refuses(option, as_value(option, above(option, range->high)), range->text);
    reference.refuses(option, as_value(option, "nonsense"), range->text);
  }
  CHECK(ranges > 100);
}

TEST_CASE("every choice of a run file is taken, and nothing else", "[contract][cli][config]") {
  const ConfigReference reference;
  int choices = 0;
  for (const Option& option : cli::config_options()) {
    if (option.expected.find(" of ") == std::string::npos || option.expected == "a list of mappings") continue;
    ++choices;
    for (const std::string& word : choices_of(option.expected)) reference.takes(option, as_value(option, word));
    reference.refuses(option, as_value(option, "nonsense"), option.expected.substr(option.expected.find("of ")));
  }
  CHECK(choices > 20);
}

TEST_CASE("switches and paths of a run file refuse nonsense", "[contract][cli][config]") {
  const ConfigReference reference;
  for (const Option& option : cli::config_options()) {
    if (option.type == "boolean") {
      reference.takes(option, "true");
      reference.takes(option, "false");
      reference.refuses(option, "maybe", "true or false");
    }
    if (option.expected == "an existing file or folder")
      CHECK_THAT(reference.refusal(option, "no/such/file"), Contains("no/such/file"));
  }
}

TEST_CASE("the quickstart means what was approved", "[contract][cli][golden]") {
  std::string text = cli::read_run_config(CONDENSER_SOURCE_DIR "/experiments/digits_quickstart/run.yaml", {}).resolved;
  const std::string source = CONDENSER_SOURCE_DIR "/";
  for (size_t at = text.find(source); at != std::string::npos; at = text.find(source)) text.erase(at, source.size());
  tests::approve("cli/quickstart.resolved.yaml", text);
}
