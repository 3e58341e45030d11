#pragma once
// status.json of a run folder: what the last call of condenser did there, and how it ended.

#include <chrono>

#include "cli/records/records.hpp"

namespace condenser::cli {

// Keeps the file while a call works in the folder. Writes at every change; trouble at the end is only warned about,
// because the work is done.
class StatusFile {
 public:
  StatusFile(const std::filesystem::path& folder, const std::string& verb, const std::string& data);
  void stage(const std::string& name);
  const std::string& current() const { return status_.stage; }
  void end(const std::string& state, const std::string& message);

 private:
  void write();
  std::filesystem::path folder_;
  RunStatus status_;
  double seconds_before_ = 0;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace condenser::cli
