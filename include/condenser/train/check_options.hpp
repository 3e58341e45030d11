#pragma once
// Options that are valid alone but not together, or not with the data, the network or the number of processes: one
// table of named checks. No LibTorch here.

#include <optional>
#include <string>
#include <vector>

#include "condenser/arch/spec.hpp"
#include "condenser/data/metrics.hpp"
#include "condenser/train/options.hpp"

namespace condenser::train {

enum class ItemKind {
  PictureFiles,  // decoded when they are asked for, so that a crop shows more than the stored pixels would
  Pictures,      // stored as pixels
  Clips,         // sounds whose features are computed here
  Features,      // of sounds, computed elsewhere
};

struct DataFacts {
  std::optional<ItemKind> kind;  // absent: not known
  data::ItemShape shape;
  int64_t classes = 0;
  bool multi_label = false;
  bool told = false;             // classes are normal and anomalous, see data/anomaly.hpp
  std::optional<int64_t> items;  // of the part that is trained on; absent: not opened yet
  std::optional<data::LabelFacts> validation;

  data::LabelFacts labels(const TrainOptions&) const;  // of the validation part, as far as they are known
};
// Fills in what an opened data set says; `validation` may be null.
DataFacts facts_of(const data::Dataset& training, const data::Dataset* validation);

// What checks may look at. Those that need what is not known yet are left out.
struct Situation {
  const TrainOptions& options;
  const DataFacts* data = nullptr;
  const arch::Spec* spec = nullptr;
  int ranks = 1;           // processes that share each batch
  bool searching = false;  // the short trainings of a search: one process, nothing is written
};

// Two things that do not fit, by their keys below the section of the options.
struct Conflict {
  std::string key, with;  // "accumulate", "batch_size"; `with` is empty where the data or the network is the other one
  std::string expected;   // "at most 8 with train.batch_size = 1: ..."; names `with` and its value
};

// The first conflict of the table; none: they fit. `section` ("train", "probe") is for its text.
std::optional<Conflict> conflict(const Situation&, const std::string& section);

// "train.accumulate = 9; expected at most 8 with train.batch_size = 1: ..."
core::ConfigError conflict_error(const TrainOptions&, const std::string& section, const Conflict&);
// The same with the place in the file; `reader` is that of the section.
core::ConfigError conflict_error(core::config::Reader reader, const Conflict&);

// conflict() as ConfigError.
void check_options(const Situation&, const std::string& section);

// Items of the smallest part of a batch that goes through the network at once; 0: there would be an empty one.
int64_t smallest_part(const TrainOptions&, int64_t items, int ranks);
// What validation is judged by. A reconstruction may leave the metric at its default where nothing is chosen by it.
const data::Metric& deciding_metric(const TrainOptions&);

// [key, with] of every row of the table, for tests.
std::vector<std::pair<std::string, std::string>> checked_pairs();

}  // namespace condenser::train
