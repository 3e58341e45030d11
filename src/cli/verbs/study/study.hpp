#pragma once
// `condenser study`: what its words have in common.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "cli/stages/stages.hpp"
#include "condenser/search/driver.hpp"

namespace condenser::cli {

struct StudyOptions {
  std::string word;     // list, show, ...
  std::string subject;  // run folder, run file, study file or URL
  std::string item;     // a trial, a file, a format: see the table of words
  std::filesystem::path runs = "runs";
  std::string format;     // "": the first of the word's
  std::string objective;  // "": the configuration's
  std::string cost;       // "": params
  std::string out;        // "": standard output
  std::string worker;     // "": the user's name
  std::optional<double> lease, seconds;
  std::string genotype, metrics, failed;
  bool dry_run = false;
};

// A study that is open, and what is known of its search.
struct OpenStudy {
  std::string name;              // for people
  std::filesystem::path folder;  // of the run; "": none
  std::unique_ptr<search::Store> store;
  std::unique_ptr<RunConfig> config;  // none: `trouble` says why
  std::string trouble;

  const search::Space* space() const { return config ? config->space.get() : nullptr; }
};

// Throws ConfigError where there is no study; `may_be_new`: a run whose search has not begun is opened without a store.
OpenStudy open_study_of(const StudyOptions&, search::StoreMode, bool may_be_new = false);
// Begins such a search, as its first call does.
void begin_if_new(OpenStudy&);
// Its configuration, which the word needs; throws ConfigError saying why there is none.
const RunConfig& config_of(const OpenStudy&, const std::string& word);
// The one asked for, or the configuration's; throws ConfigError naming what there is.
search::Objective objective_of(const StudyOptions&, const OpenStudy&);
std::string cost_of(const StudyOptions&);

// Everything that asking, telling, importing and replaying need. Not to be moved.
class StudyDesk {
 public:
  StudyDesk(OpenStudy&, const std::string& worker, double lease, const std::string& word);
  StudyDesk(const StudyDesk&) = delete;
  StudyDesk& operator=(const StudyDesk&) = delete;
  const search::SearchContext& context() const { return context_; }
  const search::SearchOptions& options() const { return config_.search; }
  const RunConfig& config() const { return config_; }

 private:
  const RunConfig& config_;
  RunContext run_;
  const search::Gate gate_;
  const search::Inquisitor inquisitor_;
  const search::SearchContext context_;
};

// A trial's number as it was typed.
int64_t trial_number(const StudyOptions&);

// "2026-11-28 12:30:07"
std::string time_text(double seconds);

// The words, each returning the exit code.
int study_list(const StudyOptions&);
int study_show(const StudyOptions&);
int study_best(const StudyOptions&);
int study_front(const StudyOptions&);
int study_why(const StudyOptions&);
int study_report(const StudyOptions&);
int study_export(const StudyOptions&);
int study_import(const StudyOptions&);
int study_ask(const StudyOptions&);
int study_tell(const StudyOptions&);
int study_resume(const StudyOptions&);
int study_stop(const StudyOptions&);
int study_prune(const StudyOptions&);
int study_replay(const StudyOptions&);

}  // namespace condenser::cli
