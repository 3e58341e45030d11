#pragma once
// Everything that the report of a run is made of, as plain data, and the page. Absent: that stage has not run.

#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "condenser/arch/design.hpp"
#include "condenser/quant/report.hpp"
#include "condenser/report/confusion.hpp"
#include "condenser/report/page.hpp"
#include "condenser/search/study.hpp"

namespace condenser::report {

struct Searched {
  std::vector<search::Trial> trials;
  search::Objective objective;
  const search::Space* space = nullptr;
  std::string page = {};  // of the whole study, a file beside the report; empty: there is none
};

struct Trained {
  std::string metrics_csv;
  bool on_validation = false;                           // the validation part was trained on too
  std::optional<int64_t> items;                         // of the training part
  int64_t items_per_step = 0;                           // batch size times accumulated batches
  int64_t epochs = 0;                                   // asked for
  quant::Accuracy validation;                           // of the finished network; total 0: there is no validation part
  std::optional<quant::Reconstruction> reconstruction;  // of that part, where it is the task
};

struct Evaluated {
  std::string part;   // "test part", "validation part (trained on)"
  bool test = false;  // it is the test part
  quant::Accuracy accuracy;
  std::optional<quant::Reconstruction> reconstruction;  // present: it is the task, and the accuracy has no meaning
  double loss = NAN, balanced_accuracy_percent = NAN, macro_f1_percent = NAN, auc_percent = NAN;  // NaN: not known
  Confusion confusion;       // counts are empty with several classes per item
  std::string folder;        // where its files are, relative to the report
  std::string mistakes_png;  // bytes; empty: there is none
};

// A figure of the test part besides accuracy, of both forms.
struct BothForms {
  std::string key, title, unit;          // "macro_f1_percent", "macro F1", "%"
  double as_float = NAN, as_int8 = NAN;  // NaN: it has none
};

// A way to quantize that quantize.auto tried, and what it gave on the validation part.
struct QuantWay {
  std::string name;  // "percentile 99.9, learned rounding"
  double metric = NAN, loss = NAN;
  bool taken = false;
};

// What the network gives in simulation with one node alone in floats, all others in int8.
struct NodeInFloat {
  std::string node;
  double metric = NAN;
};

struct Quantized {
  std::string rounding, observer;
  std::string way;  // how it was quantized, as QuantWay::name
  int64_t calibration_samples = 0, trained_epochs = 0;
  std::string metric, metric_unit;  // that decides: of the ways and of single nodes
  bool more_is_better = true;
  std::vector<QuantWay> tried;        // in their order
  std::vector<NodeInFloat> in_float;  // in the order of the network; empty: not asked for
  double none_in_float = NAN;         // the same metric with every node in int8
  quant::Accuracy as_float, as_int8;  // of the test part
  std::optional<quant::Reconstruction> float_reconstruction, int8_reconstruction;  // instead, where that is the task
  std::vector<quant::NodeReport> nodes;
  std::vector<BothForms> figures;
};

struct Proof {
  bool passed = false;
  int64_t samples = 0;
  core::Table checks;                // as verify makes it
  std::vector<std::string> skipped;  // "clang -O2: clang is not installed"
};

// What the network takes of the stack besides the arena, on the gate's machine.
struct Stack {
  std::string machine;
  int64_t bytes = 0;
  bool measured = false;  // under the emulator; else estimated
};

struct Material {
  std::string name;                    // of the run
  std::string dataset, dataset_about;  // its card
  arch::Design design;                 // of the winner
  int64_t front_end_bytes = 0;         // of constants that stand before it, where the search chose them
  std::string hash, lowered_hash;
  std::vector<search::Verdict> verdicts;
  std::optional<Searched> searched;
  std::optional<Trained> trained;
  std::optional<Evaluated> evaluated;  // of the test part when that was evaluated, else of the validation part
  std::optional<Quantized> quantized;
  std::optional<Proof> proof;
  std::optional<Stack> stack;
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<std::string> gate_notes;  // what of the gate does not fit these data, and what was done about it
  std::vector<Warning> data_findings;
};

// The best test accuracy that is known: as evaluated, else as the quantizer measured it.
std::optional<quant::Accuracy> test_accuracy(const Material&);
std::optional<quant::Reconstruction> test_reconstruction(const Material&);  // instead, where that is the task
std::optional<double> netscore(const Material&);

Page run_page(const Material&);

// summary.json: the results and the warnings, schema-versioned.
std::string summary_json(const Material&);

}  // namespace condenser::report
