#pragma once
// What an evaluation leaves in a run folder, for people and for `condenser report` and `condenser runs`:
//
//   evaluation.json  accuracy with its interval, loss, scores per class, confusion matrix
//   confusion.svg, confusion.csv, per_class.csv
//   predictions.csv  every item: true and predicted class, probability
//   mistakes.png     the most confident mistakes (absent when there is none)
//
// and where the network makes its input again, beside evaluation.json only
//
//   errors.csv       every item: its class, reconstruction error

#include <filesystem>
#include <string>

#include "cli/records/records.hpp"
#include "cli/tiles.hpp"
#include "condenser/data/metrics.hpp"
#include "condenser/quant/report.hpp"
#include "condenser/report/confusion.hpp"

namespace condenser::cli {

struct EvaluatedPart {
  std::string run, part;  // names for titles: "digits", "test part"
  std::string spec_hash;
  const data::Evaluation& evaluation;
  const data::Dataset& data;
  Layout layout = Layout::Picture;
};

bool has_confusion(const EvaluatedPart&);  // not with several classes per item, nor without classes
Maybe<ReconstructionRecord> reconstruction_record(const data::Evaluation&);  // none: another task
std::optional<quant::Reconstruction> reconstruction_of(const Maybe<ReconstructionRecord>&);
report::Confusion confusion_of(const EvaluatedPart&);
std::string evaluation_json(const EvaluatedPart&);

// Writes the files of a part into `folder`.
void write_evaluation(const std::filesystem::path& folder, const EvaluatedPart&);

// One row: the accuracy of `what` with its 95 % interval.
core::Table accuracy_table(const std::string& what, const quant::Accuracy&);
core::Table reconstruction_table(const std::string& what, const quant::Reconstruction&);

}  // namespace condenser::cli
