// status.json: written by the verbs that run stages, read by `condenser runs`.

#include "cli/run_status.hpp"

#include <ctime>

#include "condenser/core/error.hpp"
#include "condenser/core/log.hpp"

namespace condenser::cli {

namespace {

// What went on before; a damaged file must not stop a run.
RunStatus status_before(const std::filesystem::path& folder) {
  try {
    return find_record<RunStatus>(folder).value_or(RunStatus());
  } catch (const core::Error& e) {
    core::log::warning(e.what());
    return {};
  }
}

}  // namespace

StatusFile::StatusFile(const std::filesystem::path& folder, const std::string& verb, const std::string& data)
    : folder_(folder), status_(status_before(folder)), begin_(std::chrono::steady_clock::now()) {
  seconds_before_ = status_.seconds;
  status_.verb = verb;
  status_.stage.clear();
  status_.state = "running";
  status_.message.clear();
  status_.data = data;
  status_.started = std::time(nullptr);
  if (status_.created == 0) status_.created = status_.started;
  write();
}

void StatusFile::stage(const std::string& name) {
  status_.stage = name;
  write();
}

void StatusFile::end(const std::string& state, const std::string& message) {
  status_.state = state;
  status_.message = message;
  try {
    write();
  } catch (const core::Error& e) {
    core::log::warning(e.what());
  }
}

void StatusFile::write() {
  status_.seconds = seconds_before_ + std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  write_record(folder_, status_);
}

}  // namespace condenser::cli
