// Trials in one SQLite file, through SOCI. Write-ahead log: a process may die at any moment, committed trials stay.
// Who may write (one process per run folder) is the run folder's lock, not the store's.

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/statfs.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "condenser/core/log.hpp"
#include "condenser/core/text.hpp"
#include "search/stores/file_system.hpp"
#include "search/stores/identity.hpp"

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

constexpr int kSchema = 3;                // 1 had no checksums, up to 2 refused trials had hashes too
constexpr int kBusyMilliseconds = 20000;  // another process of the same study may be writing

// Numbers as text in the shortest form that reads back to the same bits; SQLite's own REAL turns NaN into NULL.
std::string number_text(double value) {
  std::array<char, 64> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

double parse_number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) throw core::Error("number \"" + text + "\"");
  return value;
}

std::string choice_text(const Genotype& genotype);

// Of everything that is stored of a trial; lengths keep neighbouring texts apart.
std::string checksum(const Trial& trial) {
  std::string all;
  const auto add = [&](const std::string& text) { all += std::to_string(text.size()) + ":" + text; };
  for (const std::string& text :
       {std::to_string(trial.index), choice_text(trial.genotype), trial.hash.hex(), std::string(to_string(trial.state)),
        std::to_string(trial.same_as), trial.error, number_text(trial.seconds)}) {
    add(text);
  }
  for (const Verdict& v : trial.verdicts) {
    for (const std::string& text : {v.rule, std::string(v.passed ? "1" : "0"), v.node, v.value, v.limit}) add(text);
  }
  for (const auto* values : {&trial.findings.metrics, &trial.findings.node_scores}) {
    add(std::to_string(values->size()));
    for (const auto& [name, value] : *values) {
      add(name);
      add(number_text(value));
    }
  }
  return core::hash128(all).hex();
}

std::string choice_text(const Genotype& genotype) {
  std::string text;
  for (int c : genotype.choice) {
    if (!text.empty()) text += ' ';
    text += std::to_string(c);
  }
  return text;
}

Genotype parse_choice(const std::string& text) {
  Genotype genotype;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    if (*at == ' ') ++at;
    int value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc()) throw core::Error("genotype \"" + text + "\"");
    genotype.choice.push_back(value);
    at = next;
  }
  return genotype;
}

TrialState parse_state(const std::string& text) {
  for (TrialState state : {TrialState::Done, TrialState::Refused, TrialState::Failed}) {
    if (text == to_string(state)) return state;
  }
  throw core::Error("state \"" + text + "\"");
}

// BEGIN IMMEDIATE takes the write lock at once, so that waiting happens there and not half-way. Rolls back unless
// committed.
class Transaction {
 public:
  Transaction(soci::session& sql, const char* begin) : sql_(sql) { sql_ << begin; }
  ~Transaction() {
    if (done_) return;
    try {
      sql_ << "ROLLBACK";
    } catch (const std::exception&) {
      // SQLite has rolled back by itself; the first error is the one to report.
    }
  }
  void commit() {
    sql_ << "COMMIT";
    done_ = true;
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

 private:
  soci::session& sql_;
  bool done_ = false;
};

// Advice for a full disk must not cost the trials that are stored.
std::string remedy(const std::string& message) {
  const auto says = [&](const char* words) { return message.find(words) != std::string::npos; };
  const std::string safe = "; what is stored is safe, the same command goes on from there";
  if (says("full")) return "make room on its disk" + safe;
  if (says("readonly") || says("unable to open")) return "make its folder writable" + safe;
  if (says("locked")) return "another process has been writing to it for long; end that one" + safe;
  if (says("out of memory")) return "free memory" + safe;
  return "if the file is damaged, move it away and start afresh";
}

void refuse_network(const fs::path& file) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  struct statfs info;
  if (statfs(folder.c_str(), &info) != 0) {
    throw core::Error(file.string() + ": cannot look at folder " + folder.string() + ": " + std::strerror(errno));
  }
  const std::string name = network_file_system(static_cast<uint32_t>(info.f_type));
  if (name.empty()) return;
  throw core::Error(file.string() + ": lies on a network file system (" + name +
                    "), where SQLite may lose trials; put the run folder on a local disk");
}

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(const std::string& file) : file_(file) {
    if (file.empty() || file.find('"') != std::string::npos) {
      throw core::Error("study file \"" + file + "\"; expected a path without double quotes");
    }
    refuse_network(file);
    guarded([&] { open(); });
  }

  void bind(const std::string& identity) override {
    guarded([&] {
      Transaction transaction(sql_, "BEGIN IMMEDIATE");
      const std::optional<std::string> stored = meta("identity");
      if (stored) {
        check_identity(file_, *stored, identity);
      } else {
        set_meta("identity", identity);
      }
      transaction.commit();
    });
  }

  void append(const Trial& trial) override {
    check_appendable(file_, trial);
    guarded([&] {
      Transaction transaction(sql_, "BEGIN IMMEDIATE");
      int taken = 0;
      long long index = trial.index;
      sql_ << "SELECT COUNT(*) FROM trials WHERE trial = :i", use(index), into(taken);
      if (taken > 0) throw index_exists(file_, trial.index);
      write_trial(trial);
      write_verdicts(trial);
      write_findings(trial.index, "metric", trial.findings.metrics);
      write_findings(trial.index, "node", trial.findings.node_scores);
      transaction.commit();
    });
  }

  std::vector<Trial> load() const override {
    std::map<int64_t, Trial> trials;
    guarded([&] {
      Transaction transaction(sql_, "BEGIN");  // one consistent view while another process may append
      trials = read_all();
      check_checksums(trials);
      transaction.commit();
    });
    std::vector<Trial> all;
    for (auto& [index, trial] : trials) all.push_back(std::move(trial));
    return all;
  }

 private:
  template <class F>
  void guarded(const F& body) const {
    try {
      body();
    } catch (const soci::soci_error& e) {
      throw core::Error(file_ + ": study database: " + e.get_error_message() + "; " + remedy(e.get_error_message()));
    }
  }

  void open() {
    sql_.open(soci::sqlite3, "db=\"" + file_ + "\"");
    sql_ << "PRAGMA busy_timeout = " << kBusyMilliseconds;
    std::string found;
    sql_ << "PRAGMA quick_check(1)", into(found);
    if (found != "ok")
      throw core::Error(file_ + ": study database is damaged: " + found + "; move it away and start afresh");
    sql_ << "PRAGMA journal_mode = WAL", into(found);
    if (found != "wal") {
      throw core::Error(file_ + ": study database has journal mode " + found +
                        "; expected wal; put the run folder on a local disk");
    }
    sql_ << "PRAGMA synchronous = NORMAL";
    Transaction transaction(sql_, "BEGIN IMMEDIATE");
    int tables = 0;
    sql_ << "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'", into(tables);
    if (tables == 0) create();
    check_schema();
    transaction.commit();
  }

  void create() {
    sql_ << "CREATE TABLE condenser_study (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID";
    sql_ << "CREATE TABLE trials (trial INTEGER PRIMARY KEY, genotype TEXT NOT NULL, hash TEXT NOT NULL, "
            "state TEXT NOT NULL, same_as INTEGER NOT NULL, error TEXT NOT NULL, seconds TEXT NOT NULL, "
            "checksum TEXT NOT NULL)";
    sql_ << "CREATE TABLE verdicts (trial INTEGER NOT NULL, position INTEGER NOT NULL, rule TEXT NOT NULL, "
            "passed INTEGER NOT NULL, node TEXT NOT NULL, value TEXT NOT NULL, allowed TEXT NOT NULL, "
            "PRIMARY KEY (trial, position)) WITHOUT ROWID";
    sql_ << "CREATE TABLE findings (trial INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, "
            "value TEXT NOT NULL, PRIMARY KEY (trial, kind, name)) WITHOUT ROWID";
    set_meta("schema", std::to_string(kSchema));
  }

  void check_schema() {
    int ours = 0;
    sql_ << "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'condenser_study'", into(ours);
    if (ours == 0) throw core::Error(file_ + ": a database of another program, not a study; choose another file");
    if (meta("schema") == "1") add_checksums();
    if (meta("schema") == "2") set_schema("3");  // hashes that are there stay; earlier programs would miss the others
    const std::string schema = meta("schema").value_or("none");
    if (schema != std::to_string(kSchema)) {
      throw core::Error(file_ + ": study schema " + schema + "; this program reads " + std::to_string(kSchema) +
                        "; use the version that wrote it or start afresh");
    }
  }

  // From schema 1. What is there then is taken for what was written.
  void add_checksums() {
    sql_ << "ALTER TABLE trials ADD COLUMN checksum TEXT NOT NULL DEFAULT ''";
    const std::map<int64_t, Trial> trials = read_all();
    std::vector<std::string> failed;
    for (const auto& [number, trial] : trials) {
      const long long index = number;
      const std::string sum = checksum(trial);
      sql_ << "UPDATE trials SET checksum = :c WHERE trial = :i", use(sum), use(index);
      if (trial.state == TrialState::Failed) failed.push_back(std::to_string(number));
    }
    set_schema("2");
    if (failed.empty()) return;
    core::log::warning(file_ +
                       ": written by a version that also stored trouble of the machine as a candidate's failure: "
                       "trials " +
                       core::join(failed) + "; if one of these was (report.md has their errors), start afresh");
  }

  std::optional<std::string> meta(const std::string& key) const {
    std::string value;
    sql_ << "SELECT value FROM condenser_study WHERE key = :k", use(key), into(value);
    if (!sql_.got_data()) return std::nullopt;
    return value;
  }

  void set_schema(const std::string& schema) {
    sql_ << "UPDATE condenser_study SET value = :v WHERE key = 'schema'", use(schema);
  }

  void set_meta(const std::string& key, const std::string& value) {
    sql_ << "INSERT INTO condenser_study (key, value) VALUES (:k, :v)", use(key), use(value);
  }

  void write_trial(const Trial& trial) {
    const long long index = trial.index, same_as = trial.same_as;
    const std::string genotype = choice_text(trial.genotype), hash = trial.hash.hex(), state = to_string(trial.state),
                      seconds = number_text(trial.seconds), sum = checksum(trial);
    sql_ << "INSERT INTO trials (trial, genotype, hash, state, same_as, error, seconds, checksum) "
            "VALUES (:i, :g, :h, :s, :a, :e, :t, :c)",
        use(index), use(genotype), use(hash), use(state), use(same_as), use(trial.error), use(seconds), use(sum);
  }

  void write_verdicts(const Trial& trial) {
    long long index = trial.index;
    int position = 0, ok = 0;
    std::string rule, node, value, limit;
    soci::statement insert =
        (sql_.prepare << "INSERT INTO verdicts (trial, position, rule, passed, node, value, allowed) "
                         "VALUES (:i, :p, :r, :k, :n, :v, :l)",
         use(index), use(position), use(rule), use(ok), use(node), use(value), use(limit));
    for (const Verdict& v : trial.verdicts) {
      rule = v.rule, node = v.node, value = v.value, limit = v.limit;
      ok = v.passed ? 1 : 0;
      insert.execute(true);
      ++position;
    }
  }

  void write_findings(int64_t trial, const std::string& kind, const std::map<std::string, double>& values) {
    long long index = trial;
    std::string name, value;
    soci::statement insert = (sql_.prepare << "INSERT INTO findings (trial, kind, name, value) VALUES (:i, :k, :n, :v)",
                              use(index), use(kind), use(name), use(value));
    for (const auto& [key, number] : values) {
      name = key;
      value = number_text(number);
      insert.execute(true);
    }
  }

  // A row that this program cannot have written: say which.
  core::Error bad_row(int64_t trial, const std::string& what) const {
    return core::Error(file_ + ": trial " + std::to_string(trial) + ": cannot read " + what +
                       "; the study is damaged; move it away and start afresh");
  }

  std::map<int64_t, Trial> read_all() const {
    std::map<int64_t, Trial> trials;
    read_trials(trials);
    read_verdicts(trials);
    read_findings(trials);
    return trials;
  }

  void check_checksums(const std::map<int64_t, Trial>& trials) const {
    long long index = 0;
    std::string stored;
    soci::statement rows = (sql_.prepare << "SELECT trial, checksum FROM trials", into(index), into(stored));
    rows.execute();
    while (rows.fetch()) {
      if (checksum(trials.at(index)) != stored)
        throw core::Error(
            file_ + ": trial " + std::to_string(index) +
            ": its checksum is not that of its values, which somebody or something has changed; restore the "
            "file or move it away and start afresh");
    }
  }

  Trial& trial_of(std::map<int64_t, Trial>& trials, int64_t index, const char* what) const {
    const auto it = trials.find(index);
    if (it == trials.end()) throw bad_row(index, std::string(what) + " of a trial that is not stored");
    return it->second;
  }

  void read_trials(std::map<int64_t, Trial>& trials) const {
    long long index = 0, same_as = 0;
    std::string genotype, hash, state, error, seconds;
    soci::statement rows =
        (sql_.prepare << "SELECT trial, genotype, hash, state, same_as, error, seconds FROM trials", into(index),
         into(genotype), into(hash), into(state), into(same_as), into(error), into(seconds));
    rows.execute();
    while (rows.fetch()) {
      try {
        trials[index] = {.index = index,
                         .genotype = parse_choice(genotype),
                         .hash = core::Hash128::from_hex(hash),
                         .state = parse_state(state),
                         .same_as = same_as,
                         .error = error,
                         .seconds = parse_number(seconds)};
      } catch (const core::Error& e) {
        throw bad_row(index, e.what());
      }
    }
  }

  void read_verdicts(std::map<int64_t, Trial>& trials) const {
    long long index = 0;
    int ok = 0;
    std::string rule, node, value, limit;
    soci::statement rows =
        (sql_.prepare << "SELECT trial, rule, passed, node, value, allowed FROM verdicts ORDER BY trial, position",
         into(index), into(rule), into(ok), into(node), into(value), into(limit));
    rows.execute();
    while (rows.fetch()) trial_of(trials, index, "verdict").verdicts.push_back({rule, ok != 0, node, value, limit});
  }

  void read_findings(std::map<int64_t, Trial>& trials) const {
    long long index = 0;
    std::string kind, name, value;
    soci::statement rows = (sql_.prepare << "SELECT trial, kind, name, value FROM findings", into(index), into(kind),
                            into(name), into(value));
    rows.execute();
    while (rows.fetch()) {
      Findings& findings = trial_of(trials, index, "finding").findings;
      try {
        (kind == "metric" ? findings.metrics : findings.node_scores)[name] = parse_number(value);
      } catch (const core::Error& e) {
        throw bad_row(index, e.what());
      }
    }
  }

  std::string file_;
  mutable soci::session sql_;  // reading needs it too
};

}  // namespace

std::unique_ptr<Store> make_sqlite_store(const std::string& file) { return std::make_unique<SqliteStore>(file); }

}  // namespace condenser::search
