#pragma once
// runs/<name>/: what was run, where, and everything the stages leave. One living process at a time.
//
//   config.resolved.yaml  what is run, after defaults and overrides      env.json    versions, hardware, seed
//   learned.json          what inputs and outputs of the network mean    study.sqlite  every trial
//   winner.arch.json, winner.json, winner.yaml                           earlier/    results of other options
//   status.json           last call: stage, how it ended, time           validation/, eval/: see evaluation_files.hpp
//   metrics.csv, .jsonl, events.out.tfevents.*, checkpoints/             weights.safetensors, train.json, curves.svg
//   quant.json, weights_int8.safetensors, quant_report.json              export/<target>/, export.json, verify.json
//   report.html, .md, .json, study.html, pictures/, summary.json         certificate.json, log.txt

#include <filesystem>
#include <memory>
#include <optional>

#include "cli/run_config.hpp"
#include "condenser/core/files.hpp"

namespace condenser::cli {

class RunFolder {
 public:
  // Creates or reopens the folder and takes its lock. `fresh`: a run that is there is moved aside under a name with the
  // time.
  RunFolder(const std::filesystem::path& folder, bool fresh);
  // Notes what is run and where, when work begins.
  void begin(const RunConfig&);
  // The configuration that stood there before begin(): the call was refused, and the next one starts from the old.
  void take_back() const;
  // Removes the folder when this object created it and no stage has left anything, so that a mistake leaves no trace.
  void abandon_if_empty() const;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  bool created_ = false;
  std::optional<std::string> earlier_;  // configuration before begin()
  std::unique_ptr<core::FolderLock> lock_;
};

// Where the run of `subject` lives: the folder itself, or runs/<name>.
std::filesystem::path folder_of(const RunConfig&, const std::string& subject, const std::filesystem::path& runs);
// The same without reading more of a run.yaml than its name. Throws ConfigError when there is no such folder.
std::filesystem::path find_run(const std::string& subject, const std::filesystem::path& runs);

}  // namespace condenser::cli
