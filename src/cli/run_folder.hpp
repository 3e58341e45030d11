#pragma once
// runs/<name>/: what was run, where, and everything the stages leave. One living process at a time.
//
//   config.resolved.yaml  what is run, after defaults and overrides      env.json    versions, hardware, seed
//   study.sqlite          every trial                                    winner.arch.json, winner.json
//   status.json           last call: stage, how it ended, time           validation/, eval/: see evaluation_files.hpp
//   metrics.csv, .jsonl, events.out.tfevents.*, checkpoints/             weights.safetensors, train.json, curves.svg
//   quant.json, weights_int8.safetensors, quant_report.json              export/<target>/
//   report.html, .md, .json, pictures/, summary.json, log.txt

#include <filesystem>
#include <memory>

#include "cli/run_config.hpp"
#include "condenser/core/files.hpp"

namespace condenser::cli {

class RunFolder {
 public:
  // Creates or reopens the folder and takes its lock. A folder of another configuration is refused, unless `fresh`:
  // then it is moved aside with a time stamp.
  RunFolder(const RunConfig&, const std::filesystem::path& folder, bool fresh);
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::unique_ptr<core::FolderLock> lock_;
};

// Where the run of `subject` lives: the folder itself, or runs/<name>.
std::filesystem::path folder_of(const RunConfig&, const std::string& subject, const std::filesystem::path& runs);

}  // namespace condenser::cli
