#pragma once
// run.yaml as one struct: the options of all modules under one root, read strictly, with everything that later steps
// open from it.

#include <memory>
#include <optional>

#include "condenser/core/config.hpp"
#include "condenser/data/card.hpp"
#include "condenser/data/preparation.hpp"
#include "condenser/data/task.hpp"
#include "condenser/exporters/target.hpp"
#include "condenser/quant/quantize.hpp"
#include "condenser/search/driver.hpp"
#include "condenser/train/check_options.hpp"
#include "condenser/train/options.hpp"
#include "condenser/train/supernet.hpp"

namespace condenser::cli {

struct DatasetOptions {
  std::filesystem::path card;         // datasets/<name>
  std::filesystem::path folder;       // or: a folder or table of one's own, see data::folder_card
  std::vector<int> shape{3, 32, 32};  // of images from `folder`
  double validation_fraction = 0.1;   // cut from the training part when the card has no validation split
  uint64_t split_seed = 1;
  double test_fraction = 0.2;        // cut from the training part when there is no test part
  bool allow_empty_classes = false;  // a class may have no item to learn from
  std::vector<std::string> normal;   // classes that are normal, of data in which the others are anomalies
  int samples = 0;                   // use only so many training images, class-balanced (smoke runs); 0: all
  std::string cache = "auto";        // decoded pictures: auto, memory, disk, none
  std::string cache_folder;          // of `disk`; empty: the user's cache folder
  std::string on_damaged = "stop";   // pictures that cannot be decoded: stop, skip
  data::Preparation preparation;     // what they are brought to
};

// How splits are opened; `crop_area`: the smallest share of a picture that will be drawn.
data::OpenOptions open_options(const DatasetOptions&, double crop_area);

struct ProbeOptions {
  std::vector<std::string> scores;  // of the untrained candidate, asked before it is trained
  std::vector<int> rungs;           // epochs after which a training pauses; the last are all; empty: it does not
  int samples = 0;                  // training images of a probe, class-balanced; 0: all
  train::TrainOptions train;
  train::SupernetOptions supernet;  // of the score `inherited`
};

struct VerifyOptions {
  int samples = 500;                  // test images whose outputs are compared
  int known_answers = 8;              // shipped with the export
  std::vector<std::string> machines;  // of verify::machines(), that the export is also proven on
  std::string cmsis_nn;               // folder of the library, for machines
  double clock_mhz = 80;              // of a processor that a stream runs on
};

// Shares of the full examination, ascending; the last is 1.
std::vector<double> fidelities(const ProbeOptions&);

bool shares_weights(const ProbeOptions&);  // among the networks of the space: one of the scores asks for it

// How candidates are examined; no matter what, the results are the same.
struct WorkOptions {
  std::string study;            // where trials lie, see search::open_study; empty: in the run folder
  int parallel = 1;             // at the same time, each in a process of its own
  double trial_seconds = 0;     // for one candidate; 0: no limit
  int64_t trial_mebibytes = 0;  // of memory, for one candidate; 0: no limit
};

constexpr const char* kAllTargets = "all";

struct RunConfig {
  std::string name;
  uint64_t seed = 1;
  std::vector<std::string> stages;
  DatasetOptions dataset;
  std::string spec;                   // a network of one's own instead of a search, file or zoo name; empty: searched
  std::optional<arch::Spec> network;  // that network, made for the data; none: searched
  std::unique_ptr<search::Space> space;  // null with `spec`
  search::GateOptions gate;
  // U by default: accuracy against what it costs (NetScore; Wong 2018, arXiv 1806.05512).
  search::SearchOptions search{.objective = "netscore"};
  std::vector<std::string> learn_from;  // run folders, study files or URLs of earlier searches
  WorkOptions work;
  std::unique_ptr<search::Generator> generator;
  ProbeOptions probe;
  train::TrainOptions train;
  bool train_on_validation = false;
  quant::QuantOptions quant;
  std::vector<std::string> targets{"c99"};
  std::vector<std::string> export_to;  // of this call, instead of `targets`; kAllTargets: all that hold the network
  exporters::ExportOptions export_options;
  VerifyOptions verify;

  data::Card card;
  std::string resolved;                         // YAML of everything in force
  std::vector<core::config::Setting> settings;  // the same, option by option
};

// What the card says of the data, before it is opened.
train::DataFacts facts_of(const data::Card&);

// The objective needs candidates as they ship: quantized, run by the integer kernels.
bool searches_int8(const RunConfig&);

// The lowered form, its constants and its memory become those of such an export. Of the options of quantization: layers
// with weights of 4 bits, nodes with values of 16.
void as_exported(arch::Design&, const exporters::ExportOptions&, const quant::QuantOptions& = {});

// The space with such networks, for its budgets and objectives; spaces of tables as they are. Null: null.
std::unique_ptr<search::Space> planned_as_exported(std::unique_ptr<search::Space>, const exporters::ExportOptions&,
                                                   const quant::QuantOptions& = {});

// What outputs of the run's networks mean.
data::Task task_of(const RunConfig&);

bool is_audio(const data::Card&);  // items are features of sounds, [1, frames, coefficients]

const std::vector<std::string>& stage_names();  // search, train, quantize, export, verify, report

// `subject`: a run.yaml, or a run folder (its config.resolved.yaml). Paths in a file start from the file's folder, its
// parents or the working directory, whichever has them first; a run folder keeps them absolute. What a run folder has
// kept of its own (learned.json, winner.arch.json) stands in for data and a network that are no longer there. Throws
// ConfigError.
RunConfig read_run_config(const std::string& subject, const std::vector<std::string>& overrides);

// Every option with its default, range and help, for --help-config.
std::vector<core::config::Option> config_options();

}  // namespace condenser::cli
