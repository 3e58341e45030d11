// Rows of numbers to CSV, JSON lines and TensorBoard, with the cut that a resumed run needs.
// The encoding of TensorBoard's files is in tensorboard.cpp; which numbers are worth a row is decided by the callers.

#include "condenser/core/metrics.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <set>

#include "condenser/core/clock.hpp"
#include "condenser/core/csv.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/table.hpp"
#include "condenser/core/text.hpp"
#include "core/tensorboard.hpp"

namespace condenser::core {
namespace {

namespace fs = std::filesystem;

// Appends whole records and hands each to the system at once.
class Appender {
 public:
  explicit Appender(const fs::path& path) : path_(path), file_(std::fopen(path.c_str(), "abe"), std::fclose) {
    if (!file_) throw failure();
  }
  void append(const std::string& record) {
    if (std::fwrite(record.data(), 1, record.size(), file_.get()) != record.size() || std::fflush(file_.get()) != 0)
      throw failure();
  }

 private:
  Error failure() const { return Error(path_.string() + ": cannot write: " + std::strerror(errno)); }
  fs::path path_;
  std::unique_ptr<FILE, int (*)(FILE*)> file_;
};

// The first `count` complete lines; fewer when there are not as many. A line cut short by a crash is not complete.
std::string first_lines(const std::string& text, int64_t count) {
  size_t end = 0;
  for (; count > 0; --count) {
    const size_t newline = text.find('\n', end);
    if (newline == std::string::npos) break;
    end = newline + 1;
  }
  return text.substr(0, end);
}

// Rewrites the file with its first lines; returns them.
std::string cut(const fs::path& file, int64_t lines) {
  std::string kept;
  if (lines > 0 && fs::exists(file)) kept = first_lines(read_file(file), lines);
  if (const auto have = std::count(kept.begin(), kept.end(), '\n'); have < lines)
    log::warning(file.string() + ": " + std::to_string(have) + " lines; expected " + std::to_string(lines) +
                 "; rows of the run's beginning are lost");
  write_atomic(file, kept);
  return kept;
}

void remove_event_files(const fs::path& folder) {
  std::vector<fs::path> old;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().filename().string().starts_with(kEventFilePrefix)) old.push_back(entry.path());
  for (const fs::path& path : old) {
    std::error_code reason;
    fs::remove(path, reason);
    if (reason) throw Error(path.string() + ": cannot remove: " + reason.message());
  }
}

std::string csv_header(const Scalars& values) {
  std::string out = "step";
  for (const auto& [name, value] : values) out.append(",").append(csv_quoted(name));
  return out;
}

std::string csv_row(int64_t step, const Scalars& values) {
  std::string out = std::to_string(step);
  for (const auto& [name, value] : values) out.append(",").append(std::isnan(value) ? "" : number(value));
  return out;
}

std::string json_row(int64_t step, const Scalars& values) {
  std::string out = "{\"step\": " + std::to_string(step);
  for (const auto& [name, value] : values)
    out.append(", ").append(json_quote(name)).append(": ").append(std::isfinite(value) ? number(value) : "null");
  out += '}';
  return out;
}

void check_names(const Scalars& values) {
  std::set<std::string> seen = {"step"};
  for (const auto& [name, value] : values) {
    const bool printable = std::none_of(name.begin(), name.end(),
                                        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (name.empty() || !printable) throw Error("metrics: column name '" + name + "'; expected printable text");
    if (!seen.insert(name).second) throw Error("metrics: column " + name + " is given twice");
  }
}

// The step of the last complete row, so that TensorBoard can forget what came after it.
int64_t last_step(const std::string& csv) {
  const size_t start = csv.size() < 2 ? std::string::npos : csv.rfind('\n', csv.size() - 2);
  if (start == std::string::npos) return -1;
  int64_t step = -1;
  std::from_chars(csv.data() + start + 1, csv.data() + csv.size(), step);
  return step;
}

}  // namespace

struct Metrics::Sinks {
  Sinks(const fs::path& folder, int64_t keep_rows, const std::string& kept_csv)
      : header(kept_csv.substr(0, kept_csv.find('\n'))),
        csv_path(folder / "metrics.csv"),
        csv(csv_path),
        jsonl(folder / "metrics.jsonl"),
        events(new_event_file(folder, unix_seconds())) {
    events.append(version_event(unix_seconds()));
    if (keep_rows > 0) events.append(restart_event(unix_seconds(), last_step(kept_csv) + 1));
  }
  std::string header;  // empty until the first row
  fs::path csv_path;
  Appender csv, jsonl, events;
};

Metrics::Metrics(const fs::path& folder, int64_t keep_rows) {
  if (keep_rows < 0) throw Error("metrics: keep_rows = " + std::to_string(keep_rows) + "; expected at least 0");
  const std::string csv = cut(folder / "metrics.csv", keep_rows > 0 ? keep_rows + 1 : 0);  // and the header
  cut(folder / "metrics.jsonl", keep_rows);
  if (keep_rows == 0) remove_event_files(folder);
  sinks_ = std::make_unique<Sinks>(folder, keep_rows, csv);
}

Metrics::~Metrics() = default;

void Metrics::row(int64_t step, const Scalars& values) {
  const std::string header = csv_header(values);
  std::string lines;
  if (sinks_->header.empty()) {
    check_names(values);
    lines = header + "\n";
  } else if (header != sinks_->header) {
    throw Error(sinks_->csv_path.string() + ": columns " + header + "; expected " + sinks_->header + " as before");
  }
  sinks_->csv.append(lines + csv_row(step, values) + "\n");
  sinks_->header = header;
  sinks_->jsonl.append(json_row(step, values) + "\n");
  sinks_->events.append(scalars_event(unix_seconds(), step, values));
}

}  // namespace condenser::core
