#pragma once
// status.json of a run folder: what the last call of condenser did there, and how it ended.

#include <chrono>
#include <filesystem>
#include <string>

namespace condenser::cli {

struct RunStatus {
  std::string verb, stage;  // of the last call; the stage that it reached
  std::string state;        // running, finished, stopped, failed. Running without a lock: the process was killed
  std::string message;      // why it stopped or failed
  std::string data;         // name of the data set
  int64_t created = 0;      // seconds since 1970, of the first call
  int64_t started = 0;      // of the last
  double seconds = 0;       // that all calls together took until the file was written
};

// Throws core::Error: missing, no status.
RunStatus read_status(const std::filesystem::path& file);

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
  std::filesystem::path file_;
  RunStatus status_;
  double seconds_before_ = 0;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace condenser::cli
