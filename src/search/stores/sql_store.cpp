#include "search/stores/sql_store.hpp"

#include <algorithm>

#include "condenser/core/text.hpp"
#include "search/stores/identity.hpp"

namespace condenser::search {
namespace {

using soci::into;
using soci::use;

constexpr double kLongestLease = 1e8;  // seconds
// A lease that begins later than now was given before the clock was set back; so much may clocks be corrected.
constexpr const char* kClockSlack = "5";
constexpr const char* kColumns =
    "trial, state, rung, fidelity, genotype, hash, same_as, worker, tries, seconds, details, checksum";

// Values of the columns `taken` and `lease`: from when to when the trial belongs to its worker. No lease: nobody is to
// take it; one that is over: anybody.
struct Lease {
  std::string taken, until;
};

Lease lease_of(const TrialRow& row, const Dialect& d, double seconds) {
  if (row.state == to_string(TrialState::Proposed)) return {"0", "0"};
  if (row.state != to_string(TrialState::Running)) return {"0", "NULL"};
  return {d.now, std::string(d.now) + " + " + core::number(std::clamp(seconds, 0.0, kLongestLease))};
}

// For a statement that is prepared and for one that runs once, which costs a server a third of the messages.
template <class Statement>
Statement& into_row(Statement&& statement, TrialRow& r) {
  return statement, into(r.trial), into(r.state), into(r.rung), into(r.fidelity), into(r.genotype), into(r.hash),
         into(r.same_as), into(r.worker), into(r.tries), into(r.seconds), into(r.details), into(r.checksum);
}

template <class F>
void each_row(soci::session& sql, const std::string& which, const F& f) {
  TrialRow row;
  soci::statement rows = into_row(sql.prepare << "SELECT " << kColumns << " FROM trials " << which, row);
  rows.execute();
  while (rows.fetch()) f(row);
}

std::optional<TrialRow> first_row(soci::session& sql, const std::string& which) {
  TrialRow row;
  into_row(sql << "SELECT " << kColumns << " FROM trials " << which, row);
  if (!sql.got_data()) return std::nullopt;
  return row;
}

std::string of_trial(int64_t index) { return "WHERE trial = " + std::to_string(index); }

void update(soci::session& sql, const Dialect& d, const TrialRow& r, double seconds) {
  const Lease lease = lease_of(r, d, seconds);
  sql << "UPDATE trials SET state = :state, rung = :rung, fidelity = :fidelity, genotype = :genotype, hash = :hash, "
         "same_as = :same_as, worker = :worker, tries = :tries, seconds = :seconds, details = :details, "
         "checksum = :checksum, taken = "
      << lease.taken << ", lease = " << lease.until << ", revision = " << d.next_revision << " WHERE trial = :trial",
      use(r.state), use(r.rung), use(r.fidelity), use(r.genotype), use(r.hash), use(r.same_as), use(r.worker),
      use(r.tries), use(r.seconds), use(r.details), use(r.checksum), use(r.trial);
}

struct EventRow {
  long long id = 0;
  double time = 0;
  std::string kind, worker;
  long long trial = -1;
  std::string text;
};

Event decode(const EventRow& r) {
  return {.id = r.id,
          .time = r.time,
          .kind = unescape(r.kind),
          .worker = unescape(r.worker),
          .trial = r.trial,
          .text = unescape(r.text)};
}

template <class F>
void each_event(soci::session& sql, const std::string& which, const F& f) {
  EventRow r;
  soci::statement rows = (sql.prepare << "SELECT id, time, kind, worker, trial, text FROM events " << which, into(r.id),
                          into(r.time), into(r.kind), into(r.worker), into(r.trial), into(r.text));
  rows.execute();
  while (rows.fetch()) f(decode(r));
}

// Gives it the next number and the time; ends with the transaction.
void add_event(soci::session& sql, const Dialect& d, Event& event) {
  if (*d.lock_events != '\0') sql << d.lock_events;
  long long id = 0;
  sql << "SELECT COALESCE(MAX(id), 0) + 1, " << d.now << " FROM events", into(id), into(event.time);
  event.id = id;
  const long long trial = event.trial;
  const std::string kind = escape(event.kind), worker = escape(event.worker), text = escape(event.text);
  sql << "INSERT INTO events (id, time, kind, worker, trial, text) "
         "VALUES (:id, :time, :kind, :worker, :trial, :text)",
      use(id), use(event.time), use(kind), use(worker), use(trial), use(text);
}

// A change may be tried again when the connection was lost while it was committed: then each method first looks
// whether what it wrote is there.
class SqlStore final : public Store {
 public:
  explicit SqlStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  void bind(const std::string& identity) override {
    if (looking()) {
      const auto stored = reading([&] { return meta(sql(), "identity"); });
      if (stored) check_identity(name(), unescape(*stored), identity);
      return;
    }
    changing([&](Transaction& transaction) {
      add_meta(sql(), "identity", escape(identity));
      check_identity(name(), unescape(meta(sql(), "identity").value()), identity);
      transaction.commit();
      return true;
    });
  }

  std::string keep(const std::string& name, const std::string& text) override {
    const std::string key = text_key(name);
    return changing([&](Transaction& transaction) {
      add_meta(sql(), key, escape(text));
      const std::string kept = unescape(meta(sql(), key).value());
      transaction.commit();
      return kept;
    });
  }

  std::optional<std::string> kept(const std::string& name) const override {
    const auto text = reading([&] { return meta(sql(), text_key(name)); });
    return text ? std::optional(unescape(*text)) : std::nullopt;
  }

  bool append(const Trial& trial, double lease) override {
    check_appendable(name(), trial);
    const TrialRow row = encode(trial);
    bool tried = false;
    return changing([&](Transaction& transaction) {
      const bool fresh = insert(sql(), dialect(), row, lease);
      if (!fresh) return tried && first_row(sql(), of_trial(row.trial)) == row;
      tried = true;
      transaction.commit();
      return true;
    });
  }

  std::optional<Trial> claim(const std::string& worker, double lease) override {
    std::optional<TrialRow> mine;
    return changing([&](Transaction& transaction) -> std::optional<Trial> {
      if (mine && first_row(sql(), of_trial(mine->trial)) == mine) return checked(*mine);
      const auto row = first_row(sql(), claimable());
      if (!row) return std::nullopt;
      Trial trial = checked(*row);
      if (trial.finished()) throw bad_row(trial.index, "it is finished, but its lease says that it is not");
      if (trial.state == TrialState::Running) {
        Event lost{.kind = "lost", .worker = trial.worker, .trial = trial.index, .text = "taken by " + worker};
        add_event(sql(), dialect(), lost);
      }
      trial.state = TrialState::Running;
      trial.worker = worker;
      ++trial.tries;
      mine = encode(trial);
      update(sql(), dialect(), *mine, lease);
      transaction.commit();
      return trial;
    });
  }

  bool heartbeat(const std::string& worker, double lease) override {
    const std::string who = escape(worker), state = to_string(TrialState::Running);
    const Lease anew = lease_of({.state = state}, dialect(), lease);
    return changing([&](Transaction& transaction) {
      long long one = 0;
      sql() << "UPDATE trials SET taken = " << anew.taken << ", lease = " << anew.until
            << " WHERE lease IS NOT NULL AND state = :state AND worker = :worker RETURNING trial",
          use(state), use(who), into(one);
      const bool any = sql().got_data();
      transaction.commit();
      return any;
    });
  }

  bool finish(const Trial& trial) override {
    std::optional<TrialRow> row;
    return changing([&](Transaction& transaction) {
      const auto stored = first_row(sql(), of_trial(trial.index) + dialect().for_update);
      if (!stored) throw no_such_trial(name(), trial.index);
      if (row && stored == row) return true;
      if (stored->state != to_string(TrialState::Running) || stored->worker != escape(trial.worker)) return false;
      Trial result = trial;
      result.tries = static_cast<int>(stored->tries);
      row = encode(result);
      update(sql(), dialect(), *row, 0);
      transaction.commit();
      return true;
    });
  }

  std::vector<Trial> load() const override {
    std::vector<Trial> all = reading([&] { return select("ORDER BY trial"); });
    resolve_copies(all);
    return all;
  }

  Changes changes(int64_t revision) const override {
    return reading([&] {
      long long last = 0;
      sql() << "SELECT " << dialect().last_revision, into(last);
      return Changes{last, select("WHERE revision > " + std::to_string(revision) + " ORDER BY trial")};
    });
  }

  void log(Event event) override {
    std::optional<Event> written;
    changing([&](Transaction& transaction) {
      if (written && !events_where("id = " + std::to_string(written->id)).empty() &&
          events_where("id = " + std::to_string(written->id)).front() == *written)
        return true;
      written = event;
      add_event(sql(), dialect(), *written);
      transaction.commit();
      return true;
    });
  }

  std::vector<Event> events(int64_t after) const override {
    return reading([&] { return events_where("id > " + std::to_string(after)); });
  }

  std::unique_ptr<Turn> turn(const std::function<bool()>& give_up) override {
    refuse_while_looking();
    return guarded([&] { return database_->turn(give_up); });
  }

 private:
  static std::string text_key(const std::string& name) { return "text " + escape(name); }

  soci::session& sql() const { return database_->sql(); }
  const Dialect& dialect() const { return database_->dialect(); }
  const std::string& name() const { return database_->name(); }
  bool looking() const { return database_->looking(); }

  void refuse_while_looking() const {
    if (looking()) throw core::Error(name() + ": is open for looking only and cannot be changed");
  }

  std::string claimable() const {
    const std::string now = dialect().now;
    return "WHERE lease IS NOT NULL AND (lease <= " + now + " OR taken > " + now + " + " + kClockSlack +
           ") ORDER BY trial LIMIT 1" + dialect().skip_locked;
  }

  template <class F>
  auto guarded(const F& body) const -> decltype(body()) {
    return search::guarded(*database_, body);
  }

  template <class F>
  auto reading(const F& body) const -> decltype(body()) {
    return guarded([&] {
      Transaction transaction(sql(), dialect().begin_read);
      auto result = body();
      transaction.commit();
      return result;
    });
  }

  // `body` commits what it wants to stay.
  template <class F>
  auto changing(const F& body) -> decltype(body(std::declval<Transaction&>())) {
    refuse_while_looking();
    return guarded([&] {
      Transaction transaction(sql(), dialect().begin_write);
      return body(transaction);
    });
  }

  core::Error bad_row(int64_t trial, const std::string& what) const {
    return core::Error(name() + ": trial " + std::to_string(trial) + ": " + what +
                       "; the study is damaged: restore it or start afresh");
  }

  Trial checked(const TrialRow& row) const {
    try {
      return decode(row);
    } catch (const core::Error& e) {
      throw bad_row(row.trial, e.what());
    }
  }

  std::vector<Trial> select(const std::string& which) const {
    std::vector<Trial> trials;
    each_row(sql(), which, [&](const TrialRow& row) { trials.push_back(checked(row)); });
    return trials;
  }

  std::vector<Event> events_where(const std::string& which) const {
    std::vector<Event> events;
    each_event(sql(), "WHERE " + which + " ORDER BY id", [&](Event event) { events.push_back(std::move(event)); });
    return events;
  }

  std::unique_ptr<Database> database_;
};

}  // namespace

Transaction::~Transaction() {
  if (done_) return;
  try {
    sql_ << "ROLLBACK";
  } catch (const std::exception&) {
    // The database has rolled back by itself, or is gone; the first error is the one to report.
  }
}

void Transaction::commit() {
  sql_ << "COMMIT";
  done_ = true;
}

bool has_table(soci::session& sql, const Dialect& d, const std::string& name) {
  int count = 0;
  sql << d.count_tables, use(name, "name"), into(count);
  return count > 0;
}

std::optional<std::string> meta(soci::session& sql, const std::string& key) {
  std::string value;
  sql << "SELECT value FROM condenser_study WHERE key = :key", use(key), into(value);
  if (!sql.got_data()) return std::nullopt;
  return value;
}

bool add_meta(soci::session& sql, const std::string& key, const std::string& value) {
  if (meta(sql, key)) return false;
  sql << "INSERT INTO condenser_study (key, value) VALUES (:key, :value) ON CONFLICT DO NOTHING", use(key), use(value);
  return true;
}

void create_tables(soci::session& sql, const Dialect& d) {
  sql << "CREATE TABLE condenser_study (key TEXT PRIMARY KEY, value TEXT NOT NULL)";
  sql << "CREATE TABLE trials (trial " << d.trial_key
      << ", state TEXT NOT NULL, rung INTEGER NOT NULL, fidelity TEXT NOT NULL, genotype TEXT NOT NULL, "
         "hash TEXT NOT NULL, same_as BIGINT NOT NULL, worker TEXT NOT NULL, tries INTEGER NOT NULL, "
         "seconds TEXT NOT NULL, details TEXT NOT NULL, checksum TEXT NOT NULL, taken DOUBLE PRECISION NOT NULL, "
         "lease DOUBLE PRECISION, revision BIGINT NOT NULL)";
  sql << "CREATE INDEX trials_revision ON trials (revision)";
  sql << "CREATE INDEX trials_open ON trials (trial) WHERE lease IS NOT NULL";
  sql << "CREATE TABLE events (id BIGINT PRIMARY KEY, time DOUBLE PRECISION NOT NULL, kind TEXT NOT NULL, "
         "worker TEXT NOT NULL, trial BIGINT NOT NULL, text TEXT NOT NULL)";
  add_meta(sql, "schema", std::to_string(kSchema));
}

void check_schema(soci::session& sql, const std::string& study) {
  const std::string schema = meta(sql, "schema").value_or("none");
  if (schema == std::to_string(kSchema)) return;
  throw core::Error(study + ": study schema " + schema + "; this program reads " + std::to_string(kSchema) +
                    "; use the version that wrote it or start afresh");
}

bool insert(soci::session& sql, const Dialect& d, const TrialRow& r, double seconds) {
  const Lease lease = lease_of(r, d, seconds);
  long long added = 0;
  sql << "INSERT INTO trials (" << kColumns
      << ", taken, lease, revision) VALUES (:trial, :state, :rung, :fidelity, :genotype, :hash, :same_as, :worker, "
         ":tries, "
         ":seconds, :details, :checksum, "
      << lease.taken << ", " << lease.until << ", " << d.next_revision << ") ON CONFLICT DO NOTHING RETURNING trial",
      use(r.trial), use(r.state), use(r.rung), use(r.fidelity), use(r.genotype), use(r.hash), use(r.same_as),
      use(r.worker), use(r.tries), use(r.seconds), use(r.details), use(r.checksum), into(added);
  return sql.got_data();
}

std::unique_ptr<Store> make_sql_store(std::unique_ptr<Database> database) {
  return std::make_unique<SqlStore>(std::move(database));
}

}  // namespace condenser::search
