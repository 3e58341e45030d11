// status.json: written by the verbs that run stages, read by `condenser runs`.

#include "cli/run_status.hpp"

#include <ctime>
#include <nlohmann/json.hpp>

#include "condenser/core/error.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/log.hpp"

namespace condenser::cli {

namespace {

// What went on before; a damaged file must not stop a run.
RunStatus status_before(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return {};
  try {
    return read_status(file);
  } catch (const core::Error& e) {
    core::log::warning(std::string(e.what()) + "; it is written anew");
    return {};
  }
}

}  // namespace

RunStatus read_status(const std::filesystem::path& file) {
  const std::string text = core::read_file(file);
  try {
    const auto j = nlohmann::json::parse(text);
    return {j.at("verb"), j.at("stage"),   j.at("state"),   j.at("message"),
            j.at("data"), j.at("created"), j.at("started"), j.at("seconds")};
  } catch (const nlohmann::json::exception& e) {
    throw core::Error(file.string() + ": no status of a run: " + e.what());
  }
}

StatusFile::StatusFile(const std::filesystem::path& folder, const std::string& verb, const std::string& data)
    : file_(folder / "status.json"), status_(status_before(file_)), begin_(std::chrono::steady_clock::now()) {
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
  const nlohmann::ordered_json j{
      {"schema_version", 1},        {"verb", status_.verb},       {"stage", status_.stage},
      {"state", status_.state},     {"message", status_.message}, {"data", status_.data},
      {"created", status_.created}, {"started", status_.started}, {"seconds", status_.seconds}};
  core::write_atomic(file_, j.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

}  // namespace condenser::cli
