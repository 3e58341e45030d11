#pragma once
// The table of figures that an Evaluation gives: training options, metrics.csv, evaluation files and `eval` read it.

#include <string>
#include <vector>

#include "condenser/data/task.hpp"

namespace condenser::data {

enum class Better { Higher, Lower };

// What labels can tell; -1: not known yet.
struct LabelFacts {
  int64_t classes = 0;
  bool several = false;    // classes per item
  int64_t positives = -1;  // marks of items as being of a class
  int64_t contrasts = -1;  // classes that some items have and others have not
  bool told = false;       // they are normal and anomalous (data/anomaly.hpp)
  TaskKind kind = TaskKind::Classes;
};
LabelFacts label_facts(const Dataset&);

struct Metric {
  std::string name;      // in options and, behind "val/", in metrics.csv: "macro_f1"
  std::string json_key;  // with its unit: "macro_f1_percent"
  std::string title;     // for people: "macro F1"
  std::string unit;      // "%" or ""
  Better better;
  double (*value)(const Evaluation&);           // NaN: it has none
  std::string (*undefined)(const LabelFacts&);  // why labels like these give it no value; "": they do
};
const std::vector<Metric>& metrics();  // accuracy first; those of reconstructions stand behind those of classes
std::vector<std::string> metric_names();
const Metric& find_metric(const std::string& name);  // throws ConfigError

// Turned so that larger is better.
double score_of(const Metric&, const Evaluation&);

}  // namespace condenser::data
