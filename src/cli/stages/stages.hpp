#pragma once
// The stages of a run. Each picks up what earlier stages left in the run folder and leaves its own files there;
// finished work is found and not repeated, so calling a stage or the whole run again goes on where it stopped.

#include <list>
#include <memory>
#include <optional>
#include <set>

#include "cli/progress.hpp"
#include "cli/run_folder.hpp"
#include "condenser/core/table.hpp"
#include "condenser/quant/report.hpp"
#include "condenser/train/backend.hpp"

namespace condenser::cli {

// Everything a stage needs. Data sets are opened on first use.
class RunContext {
 public:
  RunContext(const RunConfig& config, std::filesystem::path folder) : config(config), folder(std::move(folder)) {}

  const RunConfig& config;
  const std::filesystem::path folder;  // runs/<name>; exists and is locked, except in a dry run
  bool all_ranks = false;              // this process has met others: they train together, rank 0 does the rest

  // The data as the winner sees them: as the run file says, or as the search chose.
  data::Card card() const;
  std::shared_ptr<const data::Dataset> whole_training();  // the training part before the cut
  std::shared_ptr<const data::Dataset> training();        // without the validation part
  std::shared_ptr<const data::Dataset> validation();
  std::shared_ptr<const data::Dataset> test();  // never used for a choice

  // The parts that are learned from and chosen by.
  struct Parts {
    std::shared_ptr<const data::Dataset> whole, training, validation;
  };
  // As a candidate sees them. Kept for the next that sees them so, the latest ones, within a gibibyte.
  std::shared_ptr<const Parts> parts(const data::Preparation&);
  // Looked up once: see data::fingerprint; SHA-256 of a file.
  const std::string& fingerprint(const std::string& split);
  const std::string& checksum(const std::filesystem::path& file);
  // Leaves what was noticed about the parts that this call opened in data.json; nothing when it opened none.
  void keep_findings() const;

 private:
  data::Preparation chosen() const;
  Parts split(const data::Card&);
  std::shared_ptr<const data::Dataset> open(const data::Card&, const std::string& split, double crop_area);
  void notice(const data::Finding&);
  std::shared_ptr<const data::Dataset> learned_from(std::shared_ptr<const data::Dataset> part) const;
  std::list<std::pair<data::Preparation, std::shared_ptr<const Parts>>> parts_;  // the latest first
  std::shared_ptr<const data::Dataset> test_;
  std::map<std::string, std::string> fingerprints_;
  std::map<std::filesystem::path, std::string> checksums_;
  std::set<std::string> opened_;
  std::vector<data::Finding> findings_;  // of the parts that were opened
};

// A stage's outcome for people and programs: titled tables, and lines around them.
struct StageOutput {
  std::string title;
  core::Table table;
  std::vector<std::string> lines;
};

// What the winner learns from.
std::shared_ptr<const data::Dataset> training_part(RunContext&);
ProgressFacts progress_facts(const train::Progress&, const std::string& what, bool on_validation);

struct Stage {
  const char* name;
  const char* about;
  StageOutput (*run)(RunContext&);
};
const std::vector<Stage>& stages();
const Stage& find_stage(const std::string& name);

StageOutput stage_search(RunContext&);
StageOutput stage_train(RunContext&);
void train_with_leader(RunContext&);      // what ranks other than 0 do of a run: their share of the training
StageOutput stage_quantize(RunContext&);  // throws core::Error with ExitCode::Int8Loss
StageOutput stage_export(RunContext&);
StageOutput stage_verify(RunContext&);
StageOutput stage_report(RunContext&);

// What earlier stages left. Each throws core::Error naming the verb that makes what is missing or was made with other
// options, which are named.
arch::Design load_winner(const RunContext&);  // with the memory of its export
// The winner as the search counted it: with the front-end that it chose, where it chose one.
search::Candidate as_searched(const RunContext&, const arch::Design& winner);
std::string winner_hash(const RunContext&);  // of its spec alone: cheap
arch::Weights load_float_weights(RunContext&, const arch::Spec&);
struct Int8Network {
  arch::Spec lowered;
  arch::Weights weights;
  runtime::QuantParams quant;
};
Int8Network load_int8(RunContext&, const arch::Design& winner);

// The same from a run folder alone, wherever it is. `key`: of the training that they must come from (see
// run_identity.hpp); empty: of any.
arch::Design winner_in(const std::filesystem::path& folder);
arch::Weights float_weights_in(const std::filesystem::path& folder, const arch::Spec&, const std::string& key);
Int8Network int8_in(const std::filesystem::path& folder, const arch::Design&, const std::string& key);

// Prints to stdout in the format asked for. Text fits the terminal where it can; `columns`: the width where there is no
// terminal, 0: as wide as it is.
void print(const StageOutput&, const std::string& format, size_t columns = 0);

}  // namespace condenser::cli
