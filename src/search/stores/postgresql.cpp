#include "search/stores/postgresql.hpp"

#include <soci/postgresql/soci-postgresql.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>
#include <thread>

#include "condenser/core/log.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/core/text.hpp"
#include "search/stores/sql_store.hpp"
#include "search/stores/study_url.hpp"

namespace condenser::search {
namespace {

using soci::into;
using soci::use;
using Clock = std::chrono::steady_clock;

// Transactions run side by side. So a revision is the number of the transaction that made the change: what a reader
// knows is all changes of transactions below the oldest that still runs. It may get later ones twice, never none.
// Times are the server's: all workers share that clock.
constexpr Dialect kDialect = {
    .begin_read = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    .begin_write = "BEGIN ISOLATION LEVEL READ COMMITTED",
    .trial_key = "BIGINT PRIMARY KEY",
    .now = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)",
    .next_revision = "CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)",
    .last_revision = "CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT) - 1",
    .for_update = " FOR UPDATE",
    .skip_locked = " FOR UPDATE SKIP LOCKED",
    .lock_events = "LOCK TABLE events IN SHARE ROW EXCLUSIVE MODE",
    .count_tables = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = :name",
};

// Unless the URL says otherwise. A connection whose other end is gone is found out within a minute.
constexpr const char* kConnection[][2] = {{"connect_timeout", "10"},     {"application_name", "condenser"},
                                          {"client_encoding", "UTF8"},   {"keepalives_idle", "30"},
                                          {"keepalives_interval", "10"}, {"keepalives_count", "3"},
                                          {"tcp_user_timeout", "60000"}};
// The same for the server, so that a machine that is gone holds nothing up.
constexpr const char* kSettings[] = {
    "SET client_min_messages = error",
    "SET tcp_keepalives_idle = 30",
    "SET tcp_keepalives_interval = 10",
    "SET tcp_keepalives_count = 3",
    "SET idle_in_transaction_session_timeout = '60s'",
    "SET synchronous_commit = on",
};
constexpr const char* kTurnPause = "200ms";
constexpr std::chrono::milliseconds kFirstPause{100}, kLongestPause{2000};
constexpr const char* kSchemaPrefix = "condenser_";  // of the schema, in PostgreSQL's sense, that holds a study

std::string state_of(const soci::soci_error& e) {
  const auto* server = dynamic_cast<const soci::postgresql_soci_error*>(&e);
  return server != nullptr ? server->sqlstate() : "";
}

std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  while (text.ends_with(' ') || text.ends_with('.')) text.pop_back();
  return core::printable(text);
}

std::string remedy(const std::string& state, const std::string& message) {
  const auto says = [&](const char* words) { return message.find(words) != std::string::npos; };
  const std::string safe = "; what is stored is safe, the same command goes on from there";
  if (says("password") || says("authentication"))
    return "check user and password; the password may stand in ~/.pgpass or PGPASSWORD";
  if (says("database") && says("does not exist")) return "create it (createdb) or name another one";
  if (state == "42501" || says("permission denied")) return "grant this user CREATE on the database";
  if (state == "53100") return "make room on the server's disk" + safe;
  if (says("connect") || says("server closed") || says("terminating") || says("starting up") || says("Connection"))
    return "see whether the server runs and can be reached" + safe;
  return "see the server's log" + safe;
}

// A wait that times out in the very moment in which the lock is granted fails and leaves the lock with the connection.
// So whoever does not have the turn lets go of all locks of its connection, which has no others.
constexpr const char* kLetGo = "SELECT pg_advisory_unlock_all()";

class ServerTurn final : public Turn {
 public:
  explicit ServerTurn(soci::session& sql) : sql_(sql) {}
  ~ServerTurn() override {
    try {
      sql_ << kLetGo;
    } catch (const std::exception&) {
      // The connection is gone, and the lock with it.
    }
  }

 private:
  soci::session& sql_;
};

class PostgresqlDatabase final : public Database {
 public:
  PostgresqlDatabase(const std::string& url, StoreMode mode, double patience)
      : url_(parse_study_url(url)), name_(url_.printable()), looking_(mode == StoreMode::Look), patience_(patience) {
    try {
      connect_first();
    } catch (const soci::soci_error& e) {
      throw core::Error(explain(e));
    }
    guarded(*this, [this] { open_study(); });  // a server may go away meanwhile; what was begun is rolled back
  }

  const Dialect& dialect() const override { return kDialect; }
  const std::string& name() const override { return name_; }
  bool looking() const override { return looking_; }
  soci::session& sql() override { return sql_; }

  std::string explain(const soci::soci_error& e) const override {
    const std::string message = one_line(url_.without_password(e.what()));
    return name_ + ": study database: " + message + "; " + remedy(state_of(e), message);
  }

  bool come_back(const soci::soci_error& e) override {
    const std::string state = state_of(e);
    if (state == "40001" || state == "40P01") return true;  // two transactions in each other's way
    if (connected()) return false;
    core::log::warning(name_ + ": the server has gone away; waiting for it for " + core::number(patience_) + " s");
    if (!connect_again()) return false;
    core::log::info(name_ + ": the server is there again");
    return true;
  }

  std::unique_ptr<Turn> turn(const std::function<bool()>& give_up) override {
    const std::string key = lock_key("turn");
    while (!take(key))
      if (give_up && give_up()) return nullptr;
    return std::make_unique<ServerTurn>(sql_);
  }

 private:
  bool connected() {
    try {
      return sql_.is_connected();
    } catch (const std::exception&) {
      return false;
    }
  }

  std::string connection() const {
    std::string text = url_.where;
    for (const auto& [key, value] : kConnection) {
      if (text.find(std::string(key) + "=") != std::string::npos) continue;
      text += (text.find('?') == std::string::npos ? "?" : "&") + std::string(key) + "=" + value;
    }
    return text;
  }

  void connect() {
    sql_.close();
    sql_.open(soci::postgresql, connection());
    for (const char* setting : kSettings) sql_ << setting;
    if (looking_) sql_ << "SET default_transaction_read_only = on";
    sql_ << "SET search_path TO \"" << schema() << "\"";
  }

  // A server that is about to be there is waited for; whatever else is wrong is said at once.
  void connect_first() {
    try {
      connect();
    } catch (const soci::soci_error& e) {
      const std::string message = e.what();
      const auto says = [&](const char* words) { return message.find(words) != std::string::npos; };
      if (!says("starting up") && !says("shutting down") && !says("recovery") && !says("too many")) throw;
      if (!connect_again()) throw;
    }
  }

  bool connect_again() {
    const auto end = Clock::now() + std::chrono::duration<double>(patience_);
    for (auto pause = kFirstPause; Clock::now() < end && !core::stop_requested();) {
      std::this_thread::sleep_for(pause);
      pause = std::min(2 * pause, kLongestPause);
      try {
        connect();
        return true;
      } catch (const soci::soci_error& e) {
        core::log::debug(explain(e));
      }
    }
    return false;
  }

  std::string schema() const { return kSchemaPrefix + url_.study; }

  // Advisory locks are numbers of one database.
  std::string lock_key(const std::string& purpose) const {
    const core::Hash128 hash = core::hash128(purpose + " " + schema());
    int64_t key = 0;
    std::memcpy(&key, hash.bytes.data(), sizeof key);
    return "CAST('" + std::to_string(key) + "' AS BIGINT)";
  }

  void open_study() {
    Transaction transaction(sql_, looking_ ? kDialect.begin_read : kDialect.begin_write);
    if (!looking_) sql_ << "SELECT pg_advisory_xact_lock(" << lock_key("open") << ")";
    if (!has_schema()) create_schema();
    if (!looking_ && !has_table(sql_, kDialect, "condenser_study")) create_tables(sql_, kDialect);
    check_schema(sql_, name_);
    transaction.commit();
  }

  bool has_schema() {
    int count = 0;
    const std::string schema_name = schema();
    sql_ << "SELECT COUNT(*) FROM pg_namespace WHERE nspname = :name", use(schema_name), into(count);
    return count > 0;
  }

  void create_schema() {
    if (looking_) throw core::Error(name_ + ": no such study; this database holds " + studies());
    sql_ << "CREATE SCHEMA \"" << schema() << "\"";
  }

  std::string studies() {
    std::vector<std::string> names;
    std::string found;
    const size_t prefix = std::strlen(kSchemaPrefix);
    soci::statement rows =
        (sql_.prepare
             << "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'condenser\\_%' ORDER BY nspname LIMIT 20",
         into(found));
    rows.execute();
    while (rows.fetch()) names.push_back(found.substr(prefix));
    return names.empty() ? "none" : core::join(names);
  }

  // Waits a moment.
  bool take(const std::string& key) {
    int free = 0;
    sql_ << "SELECT CAST(pg_try_advisory_lock(" << key << ") AS INTEGER)", into(free);
    if (free != 0) return true;
    sql_ << "SET lock_timeout = '" << kTurnPause << "'";
    bool taken = true;
    try {
      sql_ << "SELECT pg_advisory_lock(" << key << ")";
    } catch (const soci::postgresql_soci_error& e) {
      if (e.sqlstate() != "55P03") throw;  // lock_not_available
      sql_ << kLetGo;
      taken = false;
    }
    sql_ << "SET lock_timeout = 0";
    return taken;
  }

  StudyUrl url_;
  std::string name_;
  bool looking_;
  double patience_;
  soci::session sql_;
};

}  // namespace

std::unique_ptr<Store> make_postgresql_store(const std::string& url, StoreMode mode, double patience) {
  return make_sql_store(std::make_unique<PostgresqlDatabase>(url, mode, patience));
}

}  // namespace condenser::search
