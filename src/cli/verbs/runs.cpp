// The verb `runs`: what lies in a folder of runs. Reads the small files that stages leave, so there is no index that
// could be wrong.

#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "cli/progress.hpp"
#include "cli/records/records.hpp"
#include "cli/shared_options.hpp"
#include "cli/stages/stages.hpp"
#include "cli/verb.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"
#include "condenser/data/metrics.hpp"

namespace condenser::cli {

namespace fs = std::filesystem;

namespace {

constexpr size_t kColumns = 100;

// One row. Absent: that stage has not run, or its file cannot be read.
struct Run {
  std::string name, state, note;
  std::string stages;  // finished ones
  std::string network, data;
  std::optional<int64_t> params;
  std::optional<double> val_percent, test_percent, int8_percent;
  std::map<std::string, double> int8_metrics;  // of the test part, by key
  bool val_trained_on = false;
  std::optional<double> seconds;
  int64_t created = 0;
};

// The file that shows that a stage is done.
struct Trace {
  const char* stage;
  const char* file;
};
constexpr Trace kTraces[] = {{"search", "winner.json"}, {"train", "train.json"},   {"quantize", "quant_report.json"},
                             {"export", "export"},      {"verify", "verify.json"}, {"report", "report.md"}};

void add_note(Run& run, const std::string& note) { run.note += (run.note.empty() ? "" : ", ") + note; }

// None when there is none. What cannot be read is noted and does not spoil the list.
template <class Record>
std::optional<Record> readable(const fs::path& folder, Run& run) {
  try {
    return find_record<Record>(folder);
  } catch (const std::exception&) {
    add_note(run, std::string(Record::kFile.name) + " cannot be read");
    return std::nullopt;
  }
}

int64_t changed(const fs::path& file) {
  struct stat info {};
  return stat(file.c_str(), &info) == 0 ? static_cast<int64_t>(info.st_mtime) : 0;
}

void read_state(const fs::path& folder, Run& run) {
  const bool locked = core::is_locked(folder);
  const auto status = readable<RunStatus>(folder, run);
  const std::string state = status ? status->state : "unknown";
  run.state = locked ? "running" : state == "running" ? "killed" : state;
  if (status) {
    if (run.state != "finished" && !status->stage.empty()) run.state += " (" + status->stage + ")";
    run.data = status->data;
    run.seconds = status->seconds;
    run.created = status->created;
  }
  if (locked && run.seconds)  // the file tells of the last change
    *run.seconds += std::max(0.0, std::difftime(std::time(nullptr), changed(file_of<RunStatus>(folder))));
  if (run.created <= 0) run.created = changed(folder / "config.resolved.yaml");
}

// Figures of networks that make their input again have no column.
std::string reconstruction_text(const ReconstructionRecord& r) {
  return r.auc_percent ? "AUC " + core::fixed(*r.auc_percent, 2) + " %" : "error " + core::significant(r.error, 4);
}

void read_results(const fs::path& folder, Run& run) {
  if (const auto trained = readable<TrainRecord>(folder, run)) {
    run.network = trained->network;
    run.params = trained->params;
    run.val_trained_on = trained->on_validation;
    if (trained->validation_total > 0)
      run.val_percent = quant::Accuracy{trained->validation_correct, trained->validation_total}.percent();
  }
  if (const auto quantized = readable<QuantRecord>(folder, run)) {
    if (quantized->reconstruction_int8) {
      add_note(run, "int8 " + reconstruction_text(*quantized->reconstruction_int8));
    } else {
      run.test_percent = quantized->test_float.accuracy_percent;
      run.int8_percent = quantized->test_int8.accuracy_percent;
      run.int8_metrics = quantized->test_int8.metrics;
    }
  }
  const auto evaluated = readable<EvaluationRecord>(folder / "eval", run);
  if (evaluated && evaluated->reconstruction)
    add_note(run, "test " + reconstruction_text(*evaluated->reconstruction));
  else if (evaluated)
    run.test_percent = evaluated->accuracy_percent;
}

// What the report warned of, in short. That the validation part was trained on stands beside its figure.
void read_warnings(const fs::path& folder, Run& run) {
  const fs::path file = folder / "summary.json";
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return;
  const nlohmann::json summary = nlohmann::json::parse(core::read_file(file), nullptr, false);
  if (!summary.is_object()) return add_note(run, "summary.json cannot be read");
  for (const auto& warning : summary.value("warnings", nlohmann::json::array())) {
    if (!warning.is_object() || !warning.contains("code") || !warning["code"].is_string()) continue;
    std::string code = warning["code"];
    std::replace(code.begin(), code.end(), '_', ' ');
    if (!code.empty() && code != "trained on validation" && run.note.find(code) == std::string::npos)
      add_note(run, code);
  }
}

bool is_run(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / "config.resolved.yaml", ignored);
}

Run read_run(const fs::path& folder) {
  Run run;
  run.name = folder.filename().string();
  std::error_code ignored;
  for (const Trace& t : kTraces)
    if (fs::exists(folder / t.file, ignored)) run.stages += (run.stages.empty() ? "" : " ") + std::string(t.stage);
  read_state(folder, run);
  read_results(folder, run);
  read_warnings(folder, run);
  return run;
}

std::string time_text(int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  char text[64] = "";
  if (seconds > 0 && localtime_r(&time, &parts)) std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &parts);
  return text;
}

template <class Value>
core::Cell maybe(const std::optional<Value>& value) {
  if constexpr (std::is_same_v<Value, double>)
    return value ? core::cell(*value, 2) : core::empty_cell();
  else
    return value ? core::cell(*value) : core::empty_cell();
}

// Of items that were trained on: no measure, and said so.
core::Cell validation_cell(const Run& r) {
  core::Cell cell = maybe(r.val_percent);
  if (r.val_percent && r.val_trained_on) cell.text += " *";
  return cell;
}

// People want to know how far it came: a run that is finished before its last stage says which it reached.
core::Cell state_cell(const Run& r) {
  core::Cell cell = core::cell(r.state);
  const std::string last = r.stages.substr(r.stages.rfind(' ') + 1);
  if (r.state == "finished" && !last.empty() && last != "report") cell.text += " (" + last + ")";
  return cell;
}

core::Cell word(const std::string& text) { return text.empty() ? core::empty_cell() : core::cell(text); }

// The rows of the table of metrics that stand in columns of their own.
std::vector<data::Metric> int8_metrics() {
  std::vector<data::Metric> list = data::metrics();
  std::erase_if(list, [](const data::Metric& metric) { return metric.name == "accuracy"; });
  return list;
}

core::Table runs_table(const std::vector<Run>& runs) {
  core::Table t{{{"name", "name", false},
                 {"state", "state", false},
                 {"stages_done", "stages done", false},
                 {"network", "network", false},
                 {"data", "data", false},
                 {"params", "params"},
                 {"val_accuracy_percent", "val. %"},
                 {"val_trained_on", "val. trained on", false},
                 {"test_accuracy_percent", "test %"},
                 {"int8_accuracy_percent", "int8 %"},
                 {"seconds", "took"},
                 {"created", "began", false},
                 {"note", "note", false}},
                {}};
  for (const data::Metric& metric : int8_metrics())
    t.columns.push_back({"int8_" + metric.json_key, "int8 " + metric.title});
  for (const Run& r : runs) {
    t.rows.push_back(
        {core::cell(r.name),
         state_cell(r),
         word(r.stages),
         word(r.network),
         word(r.data),
         maybe(r.params),
         validation_cell(r),
         {r.val_trained_on ? "true" : "false", r.val_trained_on ? "yes" : "no"},
         maybe(r.test_percent),
         maybe(r.int8_percent),
         r.seconds ? core::Cell{core::cell(*r.seconds, 1).json, duration_text(*r.seconds)} : core::empty_cell(),
         {std::to_string(r.created), time_text(r.created)},
         word(r.note)});
    for (const data::Metric& metric : int8_metrics()) {
      const auto found = r.int8_metrics.find(metric.json_key);
      t.rows.back().push_back(found == r.int8_metrics.end() ? core::empty_cell() : core::cell(found->second, 4));
    }
  }
  return t;
}

// Without columns that are empty in every row, and without those that stand elsewhere for people: in the state, beside
// a figure, below the table.
core::Table for_people(const core::Table& t) {
  std::set<std::string> elsewhere{"stages_done", "val_trained_on", "note"};
  for (const data::Metric& metric : int8_metrics()) elsewhere.insert("int8_" + metric.json_key);
  core::Table kept;
  kept.rows.resize(t.rows.size());
  for (size_t c = 0; c < t.columns.size(); ++c) {
    const bool empty = std::all_of(t.rows.begin(), t.rows.end(), [&](const auto& row) { return row[c].text.empty(); });
    if (empty || elsewhere.contains(t.columns[c].key)) continue;
    kept.columns.push_back(t.columns[c]);
    for (size_t r = 0; r < t.rows.size(); ++r) kept.rows[r].push_back(t.rows[r][c]);
  }
  return kept;
}

struct Options {
  std::string format = "text";
  std::string folder = "runs";  // of run folders, or one run
};

void add_options(Args& args, Options& o) {
  add_format(args, o.format);
  args.option("folder", o.folder, "folder of run folders, or one run folder").with_default();
}

int list_runs(const Options& o) {
  const fs::path folder = o.folder;
  if (!fs::is_directory(folder))
    throw core::ConfigError(folder.string() + ": no such folder; expected the folder that holds run folders (runs/)");
  std::vector<Run> runs;
  int64_t others = 0;
  if (is_run(folder)) {
    runs.push_back(read_run(fs::absolute(folder).lexically_normal()));
  } else {
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (is_run(entry.path()))
        runs.push_back(read_run(entry.path()));
      else
        ++others;
    }
  }
  // The newest stands at the end, above the prompt.
  std::sort(runs.begin(), runs.end(),
            [](const Run& a, const Run& b) { return std::pair(a.created, a.name) < std::pair(b.created, b.name); });
  const core::Table table = runs_table(runs);
  StageOutput out{
      std::to_string(runs.size()) + (runs.size() == 1 ? " run in " : " runs in ") + folder.string(), table, {}};
  if (o.format == "text" || o.format == "markdown") out.table = for_people(table);
  if (others > 0) out.lines.push_back(std::to_string(others) + " other files or folders there are no runs");
  if (std::any_of(runs.begin(), runs.end(), [](const Run& r) { return r.val_percent && r.val_trained_on; }))
    out.lines.push_back("*: of items that were trained on (train.on_validation); no measure of the network");
  for (const Run& r : runs)
    if (!r.note.empty()) out.lines.push_back(core::printable(r.name) + ": " + r.note);
  print(out, o.format, kColumns);
  return 0;
}

}  // namespace

Verb runs_verb() {
  return {.name = "runs",
          .group = kRuns,
          .about = "the runs in a folder: state, network, accuracy, duration",
          .example = "runs",
          .next = "A run folder is an argument of most verbs: condenser eval runs/<name>",
          .declare = with_options<Options>(add_options, list_runs)};
}

}  // namespace condenser::cli
