// A study in one SQLite file. Write-ahead log: a process may die at any moment, committed trials stay; readers neither
// wait nor are waited for.

#include <fcntl.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/file.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include "condenser/core/log.hpp"
#include "condenser/core/text.hpp"
#include "search/stores/file_system.hpp"
#include "search/stores/sql_store.hpp"
#include "search/stores/sqlite_legacy.hpp"

namespace condenser::search {

std::string network_file_system(uint64_t magic) {
  switch (magic) {
    case 0x6969: return "NFS";
    case 0x517b: return "SMB";
    case 0xff534d42: return "CIFS";
    case 0xfe534d42: return "SMB2";
    case 0x5346414f: return "AFS";
    case 0x6b414653: return "AFS";
    case 0x73757245: return "Coda";
    case 0x00c36400: return "Ceph";
    case 0x0bd00bd0: return "Lustre";
    case 0x47504653: return "GPFS";
    case 0x01021997: return "9P";
    default: return "";
  }
}

namespace {

namespace fs = std::filesystem;
using soci::into;
using soci::use;

constexpr int kBusyMilliseconds = 20000;  // another process of the same study may be writing
constexpr std::chrono::milliseconds kTurnPause{10};

// BEGIN IMMEDIATE takes the write lock at once, so that waiting happens there and not half-way; whoever has it is the
// only one to write.
constexpr Dialect kDialect = {
    .begin_read = "BEGIN",
    .begin_write = "BEGIN IMMEDIATE",
    .trial_key = "INTEGER PRIMARY KEY",
    .now = "((julianday('now') - 2440587.5) * 86400.0)",
    .next_revision = "(SELECT COALESCE(MAX(revision), 0) + 1 FROM trials)",
    .last_revision = "COALESCE(MAX(revision), 0) FROM trials",
    .for_update = "",
    .skip_locked = "",
    .lock_events = "",
    .count_tables = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = :name",
};

// Advice for a full disk must not cost the trials that are stored.
std::string remedy(const std::string& message) {
  const auto says = [&](const char* words) { return message.find(words) != std::string::npos; };
  const std::string safe = "; what is stored is safe, the same command goes on from there";
  if (says("full")) return "make room on its disk" + safe;
  if (says("I/O error")) return "make room on its disk, or look for errors of the disk" + safe;
  if (says("readonly") || says("unable to open")) return "make its folder writable" + safe;
  if (says("locked")) return "another process has been writing to it for long; end that one" + safe;
  if (says("out of memory")) return "free memory" + safe;
  return "if the file is damaged, move it away and start afresh";
}

core::Error trouble(const std::string& file, const std::string& doing) {
  const int error = errno;
  return core::Error(file + ": " + doing + ": " + std::strerror(error) +
                     (error == ENOSPC ? "; make room on its disk; what is stored is safe" : ""));
}

void refuse_network(const fs::path& file) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  struct statfs info;
  if (statfs(folder.c_str(), &info) != 0) throw trouble(file.string(), "cannot look at folder " + folder.string());
  const std::string name = network_file_system(static_cast<uint32_t>(info.f_type));
  if (name.empty()) return;
  throw core::Error(file.string() + ": lies on a network file system (" + name +
                    "), where SQLite may lose trials; put the study on a local disk, or use postgresql:// for "
                    "several machines");
}

// The lock of a file beside the database: the kernel gives it back when the process dies. A forked child that lives on
// without exec keeps it too.
class FileTurn final : public Turn {
 public:
  explicit FileTurn(const std::string& file) : file_(file) {
    fd_ = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd_ < 0) throw trouble(file, "cannot open the lock of the study");
  }
  ~FileTurn() override { close(fd_); }
  FileTurn(const FileTurn&) = delete;
  FileTurn& operator=(const FileTurn&) = delete;

  bool take() const {
    if (flock(fd_, LOCK_EX | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK && errno != EINTR) throw trouble(file_, "cannot lock the study");
    return false;
  }

 private:
  std::string file_;
  int fd_;
};

class SqliteDatabase final : public Database {
 public:
  SqliteDatabase(const std::string& file, StoreMode mode) : file_(file), looking_(mode == StoreMode::Look) {
    if (file.empty() || file.find('"') != std::string::npos) {
      throw core::Error("study file \"" + file + "\"; expected a path without double quotes");
    }
    refuse_network(file);
    if (looking_ && !fs::exists(file)) throw core::Error(file + ": no such study");
    try {
      open_file();
    } catch (const soci::soci_error& e) {
      throw core::Error(explain(e));
    }
  }

  const Dialect& dialect() const override { return kDialect; }
  const std::string& name() const override { return file_; }
  bool looking() const override { return looking_; }
  soci::session& sql() override { return sql_; }
  bool come_back(const soci::soci_error&) override { return false; }

  std::string explain(const soci::soci_error& e) const override {
    return file_ + ": study database: " + e.get_error_message() + "; " + remedy(e.get_error_message());
  }

  std::unique_ptr<Turn> turn(const std::function<bool()>& give_up) override {
    auto turn = std::make_unique<FileTurn>(file_ + "-turn");
    while (!turn->take()) {
      if (give_up && give_up()) return nullptr;
      std::this_thread::sleep_for(kTurnPause);
    }
    return turn;
  }

 private:
  void open_file() {
    sql_.open(soci::sqlite3, "db=\"" + file_ + "\"" + (looking_ ? " readonly=true" : ""));
    sql_ << "PRAGMA busy_timeout = " << kBusyMilliseconds;
    std::string found;
    sql_ << "PRAGMA quick_check(1)", into(found);
    if (found != "ok")
      throw core::Error(file_ + ": study database is damaged: " + found + "; move it away and start afresh");
    if (looking_) {
      look();
    } else {
      join();
    }
  }

  void join() {
    std::string found;
    sql_ << "PRAGMA journal_mode = WAL", into(found);
    if (found != "wal") {
      throw core::Error(file_ + ": study database has journal mode " + found +
                        "; expected wal; put the run folder on a local disk");
    }
    sql_ << "PRAGMA synchronous = NORMAL";
    Transaction transaction(sql_, kDialect.begin_write);
    if (tables() == 0) create_tables(sql_, kDialect);
    if (const int old = legacy_schema()) take_over(old);
    check_schema(sql_, file_);
    transaction.commit();
  }

  // A study of an earlier version stays as it is: what is looked at is a copy in memory.
  void look() {
    std::optional<Legacy> old;
    {
      Transaction transaction(sql_, kDialect.begin_read);
      if (const int schema = legacy_schema()) {
        old = read_old(schema);
      } else {
        check_schema(sql_, file_);
      }
    }
    if (!old) return;
    sql_.close();
    sql_.open(soci::sqlite3, "db=\":memory:\"");
    write_new(*old);
  }

  int tables() {
    int count = 0;
    sql_ << "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'", into(count);
    return count;
  }

  // 0: it is none. Refuses the file of another program.
  int legacy_schema() {
    if (!has_table(sql_, kDialect, "condenser_study"))
      throw core::Error(file_ + ": a database of another program, not a study; choose another file");
    const std::string schema = meta(sql_, "schema").value_or("");
    for (int old = 1; old < kSchema; ++old)
      if (schema == std::to_string(old)) return old;
    return 0;
  }

  struct Legacy {
    std::optional<std::string> identity;
    std::vector<Trial> trials;
  };

  Legacy read_old(int schema) { return {meta(sql_, "identity"), read_legacy(sql_, schema, file_)}; }

  void write_new(const Legacy& old) {
    create_tables(sql_, kDialect);
    if (old.identity) add_meta(sql_, "identity", escape(*old.identity));
    for (const Trial& trial : old.trials) insert(sql_, kDialect, encode(trial), 0);
  }

  void take_over(int schema) {
    const Legacy old = read_old(schema);
    for (const char* table : {"trials", "verdicts", "findings", "condenser_study"}) sql_ << "DROP TABLE " << table;
    write_new(old);
    if (schema == 1) warn_of_failures(old.trials);
  }

  void warn_of_failures(const std::vector<Trial>& trials) const {
    std::vector<std::string> failed;
    for (const Trial& trial : trials)
      if (trial.state == TrialState::Failed) failed.push_back(std::to_string(trial.index));
    if (failed.empty()) return;
    core::log::warning(file_ +
                       ": written by a version that also stored trouble of the machine as a candidate's failure: "
                       "trials " +
                       core::join(failed) + "; if one of these was (report.md has their errors), start afresh");
  }

  std::string file_;
  bool looking_;
  soci::session sql_;
};

}  // namespace

std::unique_ptr<Store> make_sqlite_store(const std::string& file, StoreMode mode) {
  return make_sql_store(std::make_unique<SqliteDatabase>(file, mode));
}

}  // namespace condenser::search
