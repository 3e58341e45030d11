#pragma once
// The small JSON files of a run folder, a struct each. A struct lists its keys once, in `fields`, for writing and for
// reading. Whoever reads a file gets a struct or a core::Error that names the file, the key, what was found there, what
// was expected, and the verb that writes the file anew.
//
// Keys are stable; a file of another schema version, with a key too many or too few, or of another type is refused.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "condenser/search/gate.hpp"

namespace condenser::cli {

// Where a record lies in its folder, which verb writes it, and the version of its keys.
struct RecordFile {
  const char* name;
  const char* verb;
  int version;
};

// What decides the results of a stage, by name: options in force, what the data are, and the key of the stage before.
using Settings = std::map<std::string, std::string>;

// A line for each; and a short name, equal for equal settings.
std::string lines_of(const Settings&);
std::string key_of(const Settings&);

// A key that is written only where it says something; without it a file is read as before the key was there.
template <class T>
struct Maybe : std::optional<T> {
  using std::optional<T>::optional;
};

// How well items were made again, where that is the task.
struct ReconstructionRecord {
  double error = 0;
  std::optional<double> auc_percent;  // none: the data do not tell what is normal
  int64_t items = 0;

  template <class Self, class F>
  static void fields(Self& r, F&& f) {
    f("error", r.error);
    f("auc_percent", r.auc_percent);
    f("items", r.items);
  }
};

// learned.json: what the inputs and outputs of the network mean, written when its training begins and kept with it
// wherever the run folder goes.
struct Learned {
  static constexpr RecordFile kFile{"learned.json", "train", 1};
  std::string data;                  // name of the data set
  std::string format;                // of its files, a row of the table of formats
  std::vector<std::string> classes;  // by index of the output
  bool several_classes = false;      // an item may have any number of them
  bool independent_classes = false;  // an output is a decision of its own (sigmoid), else one of all (softmax)
  Maybe<bool> reconstructs;          // true: the outputs are the item's values again
  std::vector<int64_t> shape;        // of an item: channels, height, width
  std::vector<double> mean, std;     // per channel
  Settings front_end;                // of sounds: what is computed from a clip
  double scale = 1.0;                // of int8 features: value = scale * (q - zero_point)
  int64_t zero_point = 0;
  std::string spec_hash;  // the network that was trained
  Settings settings;      // of the training

  template <class Self, class F>
  static void fields(Self& r, F&& f) {
    f("data", r.data);
    f("format", r.format);
    f("classes", r.classes);
    f("several_classes", r.several_classes);
    f("independent_classes", r.independent_classes);
    f("reconstructs", r.reconstructs);
    f("shape", r.shape);
    f("mean", r.mean);
    f("std", r.std);
    f("front_end", r.front_end);
    f("scale", r.scale);
    f("zero_point", r.zero_point);
    f("spec_hash", r.spec_hash);
    f("settings", r.settings);
  }
};

// What stands before the winner, where the search chose it; 0, "": as the data have it. See data::Preparation.
struct InputRecord {
  int64_t size = 0;
  std::string colour;
  int64_t coefficients = 0;
  double stride_ms = 0;

  template <class Self, class F>
  static void fields(Self& r, F&& f) {
    f("size", r.size);
    f("colour", r.colour);
    f("coefficients", r.coefficients);
    f("stride_ms", r.stride_ms);
  }
};

// winner.json, beside winner.arch.json.
struct WinnerRecord {
  static constexpr RecordFile kFile{"winner.json", "search", 2};
  std::string spec_hash;
  std::optional<int64_t> trial;  // none: a network of one's own
  std::string genotype;
  Maybe<InputRecord> input;  // where the search chose it
  int64_t examined = 0;      // candidates of the search; 0: none was searched
  std::map<std::string, double> metrics;
  std::vector<search::Verdict> verdicts;
  Settings settings;  // of the search

  template <class Self, class F>
  static void fields(Self& r, F&& f) {
    f("spec_hash", r.spec_hash);
    f("trial", r.trial);
    f("genotype", r.genotype);
    f("input", r.input);
    f("examined", r.examined);
    f("metrics", r.metrics);
    f("verdicts", r.verdicts);
    f("settings", r.settings);
  }
};

// train.json: written when the training has ended.
struct TrainRecord {
  static constexpr RecordFile kFile{"train.json", "train", 2};
  std::string spec_hash, network;
  int64_t params = 0, epochs = 0, training_items = 0;
  bool on_validation = false;
  int64_t validation_correct = 0, validation_total = 0;
  Maybe<ReconstructionRecord> validation_reconstruction;
  std::string key;  // of the training: see run_identity.hpp

  template <class Self, class F>
  static void fields(Self& r, F&& f) {
    f("spec_hash", r.spec_hash);
    f("network", r.network);
    f("params", r.params);
    f("epochs", r.epochs);
    f("training_items", r.training_items);
    f("on_validation", r.on_validation);
    f("validation_correct", r.validation_correct);
    f("validation_total", r.validation_total);
    f("validation_reconstruction", r.validation_reconstruction);
    f("key", r.key);
  }
};

struct AccuracyRecord {
  int64_t correct = 0, total = 0;
  double accuracy_percent = 0, low_percent = 0, high_percent = 100;  // Wilson, 95 %
  std::map<std::string, double> metrics;  // the other rows of the table of metrics, by key; absent: without a value

  template <class Self, class F>
  static void fields(Self& r, F&& f) {
    f("correct", r.correct);
    f("total", r.total);
    f("accuracy_percent", r.accuracy_percent);
    f("low_percent", r.low_percent);
    f("high_percent", r.high_percent);
    f("metrics", r.metrics);
  }
};

struct NodeRecord {
  std::string node;
  std::optional<double> snr_db;  // none: nothing was lost
  double saturated_fraction = 0, scale = 1;
  int64_t zero_point = 0;
  Maybe<int64_t> bits;  // of a value; absent: 8
  // The deciding metric on the validation part with this node alone in floats, with values of 16 bits, or with weights
  // of 4; what those would save of the constants, and what they would add to the estimated instructions of a machine.
  Maybe<double> alone_in_float, alone_in_int16, alone_in_int4;
  Maybe<int64_t> int4_saved_bytes, int4_added_instructions;

  template <class Self, class F>
  static void fields(Self& r, F&& f) {
    f("node", r.node);
    f("snr_db", r.snr_db);
    f("saturated_fraction", r.saturated_fraction);
    f("scale", r.scale);
    f("zero_point", r.zero_point);
    f("bits", r.bits);
    f("alone_in_float", r.alone_in_float);
    f("alone_in_int16", r.alone_in_int16);
    f("alone_in_int4", r.alone_in_int4);
    f("int4_saved_bytes", r.int4_saved_bytes);
    f("int4_added_instructions", r.int4_added_instructions);
  }
};

// A way to quantize, and what it gave on the validation part.
struct QuantTrialRecord {
  std::string observer;
  double percentile = 0;  // of observer percentile
  std::string weight_rounding;
  bool equalized = false;
  double metric = 0, loss = 0;  // the deciding one

  template <class Self, class F>
  static void fields(Self& r, F&& f) {
    f("observer", r.observer);
    f("percentile", r.percentile);
    f("weight_rounding", r.weight_rounding);
    f("equalized", r.equalized);
    f("metric", r.metric);
    f("loss", r.loss);
  }
};

// quant_report.json
struct QuantRecord {
  static constexpr RecordFile kFile{"quant_report.json", "quantize", 5};
  std::string spec_hash, lowered_hash, rounding, observer;
  double percentile = 0;  // of observer percentile
  std::string weight_rounding;
  bool equalized = false;
  std::vector<QuantTrialRecord> tried;  // of quantize.auto
  int64_t calibration_samples = 0;
  int64_t trained_epochs = 0;  // in int8 form; 0: what the calibration gave
  AccuracyRecord test_float, test_int8;
  Maybe<ReconstructionRecord> reconstruction_float, reconstruction_int8;
  std::vector<NodeRecord> nodes;
  // With every node in int8, beside NodeRecord::alone_in_float: simulated, on the same samples.
  Maybe<double> none_in_float;
  Maybe<std::map<std::string, std::vector<int64_t>>> histograms;  // quant::NodeReport::histogram, by node
  Settings settings;

  template <class Self, class F>
  static void fields(Self& r, F&& f) {
    f("spec_hash", r.spec_hash);
    f("lowered_hash", r.lowered_hash);
    f("rounding", r.rounding);
    f("observer", r.observer);
    f("percentile", r.percentile);
    f("weight_rounding", r.weight_rounding);
    f("equalized", r.equalized);
    f("tried", r.tried);
    f("calibration_samples", r.calibration_samples);
    f("trained_epochs", r.trained_epochs);
    f("test_float", r.test_float);
    f("test_int8", r.test_int8);
    f("reconstruction_float", r.reconstruction_float);
    f("reconstruction_int8", r.reconstruction_int8);
    f("nodes", r.nodes);
    f("none_in_float", r.none_in_float);
    f("histograms", r.histograms);
    f("settings", r.settings);
  }
};

// export.json: what export/<target>/ was made of.
struct ExportRecord {
  static constexpr RecordFile kFile{"export.json", "export", 1};
  std::string spec_hash;
  std::vector<std::string> targets;
  Settings settings;

  template <class Self, class F>
  static void fields(Self& r, F&& f) {
    f("spec_hash", r.spec_hash);
    f("targets", r.targets);
    f("settings", r.settings);
  }
};

struct CheckRecord {
  std::string target, name;
  bool ran = false, passed = false;
  int64_t samples = 0, differing_values = 0;
  double accuracy_percent = 0;
  std::string detail;

  template <class Self, class F>
  static void fields(Self& r, F&& f) {
    f("target", r.target);
    f("name", r.name);
    f("ran", r.ran);
    f("passed", r.passed);
    f("samples", r.samples);
    f("differing_values", r.differing_values);
    f("accuracy_percent", r.accuracy_percent);
    f("detail", r.detail);
  }
};

// What a call of a kernel takes on a machine, for one inference.
struct LayerCostRecord {
  std::string layer;
  int64_t instructions = 0;

  template <class Self, class F>
  static void fields(Self& r, F&& f) {
    f("layer", r.layer);
    f("instructions", r.instructions);
  }
};

// What the network takes of a machine (verify/machine.hpp); -1: not known.
struct MachineRecord {
  std::string machine, options;
  int64_t instructions = -1, code_bytes = -1, constant_bytes = -1, memory_bytes = -1, stack_bytes = -1;
  int64_t predicted_instructions = -1;  // by the model of the machine; -1: it has none
  std::vector<LayerCostRecord> layers;

  template <class Self, class F>
  static void fields(Self& r, F&& f) {
    f("machine", r.machine);
    f("options", r.options);
    f("instructions", r.instructions);
    f("predicted_instructions", r.predicted_instructions);
    f("code_bytes", r.code_bytes);
    f("constant_bytes", r.constant_bytes);
    f("memory_bytes", r.memory_bytes);
    f("stack_bytes", r.stack_bytes);
    f("layers", r.layers);
  }
};

// verify.json
struct VerifyRecord {
  static constexpr RecordFile kFile{"verify.json", "verify", 4};
  std::vector<CheckRecord> checks;
  std::vector<MachineRecord> machines;
  bool passed = false;
  Settings settings;

  template <class Self, class F>
  static void fields(Self& r, F&& f) {
    f("checks", r.checks);
    f("machines", r.machines);
    f("passed", r.passed);
    f("settings", r.settings);
  }
};

// certificate.json: which rules the exported files keep.
struct CertificateRecord {
  static constexpr RecordFile kFile{"certificate.json", "verify", 1};
  std::string target, network, spec_hash, lowered_hash;  // as the export names them
  std::vector<search::Verdict> rules;                    // each one once; a broken one names its node
  bool holds = false;                                    // every rule that the gate demands

  template <class Self, class F>
  static void fields(Self& r, F&& f) {
    f("target", r.target);
    f("network", r.network);
    f("spec_hash", r.spec_hash);
    f("lowered_hash", r.lowered_hash);
    f("rules", r.rules);
    f("holds", r.holds);
  }
};

// env.json: where a run began.
struct EnvironmentRecord {
  static constexpr RecordFile kFile{"env.json", "run", 1};
  std::string condenser, compiler, build_type, libtorch, system, cpu;
  int64_t threads = 0;
  uint64_t seed = 0;
  std::string started;

  template <class Self, class F>
  static void fields(Self& r, F&& f) {
    f("condenser", r.condenser);
    f("compiler", r.compiler);
    f("build_type", r.build_type);
    f("libtorch", r.libtorch);
    f("system", r.system);
    f("cpu", r.cpu);
    f("threads", r.threads);
    f("seed", r.seed);
    f("started", r.started);
  }
};

// status.json: see run_status.hpp.
struct RunStatus {
  static constexpr RecordFile kFile{"status.json", "run", 1};
  std::string verb, stage;  // of the last call; the stage that it reached
  std::string state;        // running, finished, stopped, failed. Running without a lock: the process was killed
  std::string message;      // why it stopped or failed
  std::string data;         // name of the data set
  int64_t created = 0;      // seconds since 1970, of the first call
  int64_t started = 0;      // of the last
  double seconds = 0;       // that all calls together took until the file was written

  template <class Self, class F>
  static void fields(Self& r, F&& f) {
    f("verb", r.verb);
    f("stage", r.stage);
    f("state", r.state);
    f("message", r.message);
    f("data", r.data);
    f("created", r.created);
    f("started", r.started);
    f("seconds", r.seconds);
  }
};

struct FindingRecord {
  bool problem = false;  // else it may be meant so
  std::string kind, split, text;
  int64_t count = 0;

  template <class Self, class F>
  static void fields(Self& r, F&& f) {
    f("problem", r.problem);
    f("kind", r.kind);
    f("split", r.split);
    f("text", r.text);
    f("count", r.count);
  }
};

// data.json: what was noticed about the parts of the data when they were opened last.
struct DataRecord {
  static constexpr RecordFile kFile{"data.json", "train", 1};
  std::vector<FindingRecord> findings;

  template <class Self, class F>
  static void fields(Self& r, F&& f) {
    f("findings", r.findings);
  }
};

struct ClassRecord {
  std::string name;
  std::optional<double> precision_percent, recall_percent, f1_percent;  // none: no item of the class
  int64_t support = 0;

  template <class Self, class F>
  static void fields(Self& r, F&& f) {
    f("class", r.name);
    f("precision_percent", r.precision_percent);
    f("recall_percent", r.recall_percent);
    f("f1_percent", r.f1_percent);
    f("support", r.support);
  }
};

// evaluation.json, in the folder of the part that was evaluated.
struct EvaluationRecord {
  static constexpr RecordFile kFile{"evaluation.json", "eval", 1};
  std::string part, spec_hash;
  int64_t correct = 0, total = 0;
  double accuracy_percent = 0, low_percent = 0, high_percent = 100;
  std::optional<double> loss, balanced_accuracy_percent, macro_f1_percent, auc_percent;  // none: not defined here
  Maybe<ReconstructionRecord> reconstruction;
  std::vector<std::string> classes;
  std::vector<ClassRecord> per_class;           // the last is the macro average; empty with several classes per item
  std::vector<std::vector<int64_t>> confusion;  // [label][prediction]; empty with several classes per item

  template <class Self, class F>
  static void fields(Self& r, F&& f) {
    f("part", r.part);
    f("spec_hash", r.spec_hash);
    f("correct", r.correct);
    f("total", r.total);
    f("accuracy_percent", r.accuracy_percent);
    f("low_percent", r.low_percent);
    f("high_percent", r.high_percent);
    f("loss", r.loss);
    f("balanced_accuracy_percent", r.balanced_accuracy_percent);
    f("macro_f1_percent", r.macro_f1_percent);
    f("auc_percent", r.auc_percent);
    f("reconstruction", r.reconstruction);
    f("classes", r.classes);
    f("per_class", r.per_class);
    f("confusion", r.confusion);
  }
};

// import.json: where a network of another program came from.
struct ImportRecord {
  static constexpr RecordFile kFile{"import.json", "import", 1};
  std::string file, sha256, form;  // form: float, int8
  std::string spec_hash;
  std::string input_name, input_axes;  // of the file
  std::vector<std::string> notes;      // what is not as it was there

  template <class Self, class F>
  static void fields(Self& r, F&& f) {
    f("file", r.file);
    f("sha256", r.sha256);
    f("form", r.form);
    f("spec_hash", r.spec_hash);
    f("input_name", r.input_name);
    f("input_axes", r.input_axes);
    f("notes", r.notes);
  }
};

// Defined for every record above.
template <class Record>
std::string to_text(const Record&);  // JSON, ends with a line feed
template <class Record>
Record from_text(const std::string& text, const std::string& where);  // `where` stands in messages

template <class Record>
std::filesystem::path file_of(const std::filesystem::path& folder) {
  return folder / Record::kFile.name;
}
template <class Record>
Record read_record(const std::filesystem::path& folder);  // a missing file is an error too
template <class Record>
std::optional<Record> find_record(const std::filesystem::path& folder);  // none: there is no such file
template <class Record>
void write_record(const std::filesystem::path& folder, const Record&);

}  // namespace condenser::cli
