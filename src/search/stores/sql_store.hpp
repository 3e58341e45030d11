#pragma once
// The statements of a study in an SQL database, written once for all databases; what these differ in is a Database.

#include <soci/soci.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "condenser/search/store.hpp"
#include "search/stores/trial_row.hpp"

namespace condenser::search {

// 1 had no checksums, up to 2 refused trials had hashes too, up to 3 verdicts and findings were tables of their own and
// all trials were finished.
constexpr int kSchema = 4;

// Pieces of SQL that the databases say in different words.
struct Dialect {
  const char* begin_read;     // a transaction that sees one moment
  const char* begin_write;    // a transaction that others wait for
  const char* trial_key;      // type of the key of the table of trials
  const char* now;            // seconds since 1970 by the one clock that all workers of a study share
  const char* next_revision;  // of the change that is being written
  const char* last_revision;  // all changes up to this one can be seen by now
  const char* for_update;     // keeps others from changing the rows that are read
  const char* skip_locked;    // the same, leaving out those that others keep
  const char* lock_events;    // keeps others from adding events until the end of the transaction; "": they cannot
  const char* count_tables;   // named :name
};

class Database {
 public:
  virtual ~Database() = default;
  virtual const Dialect& dialect() const = 0;
  virtual const std::string& name() const = 0;  // of the study, for messages: holds no password
  virtual bool looking() const = 0;             // opened to read only
  virtual soci::session& sql() = 0;
  virtual std::string explain(const soci::soci_error&) const = 0;  // study, what went wrong, remedy
  // After an error: whether the same should be tried again, because the connection was lost and is there again.
  virtual bool come_back(const soci::soci_error&) = 0;
  virtual std::unique_ptr<Turn> turn(const std::function<bool()>& give_up) = 0;
};

// Tries again where the database comes back; what is thrown in the end explains the error. `body` leaves nothing half
// done.
template <class F>
auto guarded(Database& database, const F& body) -> decltype(body()) {
  constexpr int kMostTries = 20;
  for (int tries = 1;; ++tries) {
    try {
      return body();
    } catch (const soci::soci_error& e) {
      if (tries == kMostTries || !database.come_back(e)) throw core::Error(database.explain(e));
    }
  }
}

std::unique_ptr<Store> make_sql_store(std::unique_ptr<Database>);

// Rolls back unless committed.
class Transaction {
 public:
  Transaction(soci::session& sql, const char* begin) : sql_(sql) { sql_ << begin; }
  ~Transaction();
  void commit();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

 private:
  soci::session& sql_;
  bool done_ = false;
};

// For opening; inside a transaction.
bool has_table(soci::session&, const Dialect&, const std::string& name);
std::optional<std::string> meta(soci::session&, const std::string& key);
// False: the key has a value already.
bool add_meta(soci::session&, const std::string& key, const std::string& value);
void create_tables(soci::session&, const Dialect&);
void check_schema(soci::session&, const std::string& study);
// False: the index is taken. The lease begins now and counts for Running trials.
bool insert(soci::session&, const Dialect&, const TrialRow&, double lease);

}  // namespace condenser::search
