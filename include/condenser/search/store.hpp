#pragma once
// Where the trials of one study live, and how several workers share it.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "condenser/search/trial.hpp"

namespace condenser::search {

// Something that happened to a study and is no trial: a worker came, was lost, a budget ended.
struct Event {
  int64_t id = 0;         // 1, 2, ... in the order of the store
  double time = 0;        // seconds since 1970, of the store's clock; for people
  std::string kind = {};  // "joined", "lost", "budget", "stop", ...
  std::string worker = {};
  int64_t trial = -1;  // -1: none
  std::string text = {};
  bool operator==(const Event&) const = default;
};

struct Changes {
  int64_t revision = 0;       // hand it back to get what comes after
  std::vector<Trial> trials;  // whole, by index; each at most once
};

// Held by the one worker that makes the next proposal; given back when destroyed, and by the death of the process.
class Turn {
 public:
  virtual ~Turn() = default;
};

// Durability: a method that changes something returns when that is committed; a process that dies at any moment
// afterwards loses nothing, one that dies before leaves no part of it (of a power failure the last changes may be
// missing, never half of one).
// Order: trials may come in any order and are given back by index. A trial is appended once, may be examined (claim,
// finish) once, and never changes when it is finished.
// Processes and machines: several may hold one study open; each method is one transaction. A trial is examined by at
// most one worker whose lease has not run out; a worker that comes back too late is told so by finish().
// Truth: what is read is what was written, doubles to the bit; a row changed by anybody else is refused by name.
// Trouble (a full disk, a lost server, a damaged file) is a core::Error that names the study and the remedy; nothing is
// half done. One thread uses a Store at a time.
class Store {
 public:
  virtual ~Store() = default;
  // Identity of the study (configuration that decides results); set once, compared on reopening. Throws ConfigError
  // when it differs.
  virtual void bind(const std::string& identity) = 0;
  // Small texts beside the trials, by name ("configuration": what a worker needs to join). The first to write wins:
  // returns what is stored from now on.
  virtual std::string keep(const std::string& name, const std::string& text) = 0;
  virtual std::optional<std::string> kept(const std::string& name) const = 0;

  // Adds a trial in any state; Running ones are leased to trial.worker for `lease` seconds. False: the index is taken.
  // Throws core::Error for a negative index.
  virtual bool append(const Trial&, double lease = 0) = 0;
  // The Proposed trial of the lowest index, or a Running one whose lease has run out (event "lost"), becomes Running by
  // this worker; its `tries` count up. None: there is none.
  virtual std::optional<Trial> claim(const std::string& worker, double lease) = 0;
  // Leases of this worker's running trials start anew. False: it has none.
  virtual bool heartbeat(const std::string& worker, double lease) = 0;
  // A Running trial of trial.worker becomes what is given (Done, Failed; or Proposed: given back). False: it is not
  // this worker's any more, and nothing changes. Throws core::Error when there is no such trial.
  virtual bool finish(const Trial&) = 0;

  // All, by index; one consistent moment. Copies (same_as) come with their original's state, verdicts and findings.
  virtual std::vector<Trial> load() const = 0;
  // Those that were added or changed after `revision`; 0: all. Copies as above, but only when they changed themselves:
  // whoever keeps trials calls resolve_copies.
  virtual Changes changes(int64_t revision) const = 0;

  virtual void log(Event) = 0;  // id and time are the store's
  virtual std::vector<Event> events(int64_t after = 0) const = 0;

  // Waits until no other worker has it. Asks `give_up` now and then: true ends the waiting without it (nullptr).
  virtual std::unique_ptr<Turn> turn(const std::function<bool()>& give_up) = 0;
};

// Look: reads what is there, changes nothing (methods that would throw core::Error) and keeps nobody waiting.
enum class StoreMode { Join, Look };

std::unique_ptr<Store> make_memory_store();
// SOCI; WAL, synchronous=NORMAL; refuses network file systems. Leases go by the machine's clock.
std::unique_ptr<Store> make_sqlite_store(const std::string& file, StoreMode = StoreMode::Join);
// A file, sqlite:FILE, or postgresql://user@host:port/database?study=NAME (one database holds many studies; created
// when they are joined). Everything else of that URL is as PostgreSQL's own programs read it, environment and ~/.pgpass
// included. A server that goes away is waited for, two minutes at most; leases go by the server's clock. Throws
// ConfigError for a URL that is neither.
std::unique_ptr<Store> open_study(const std::string& url, StoreMode = StoreMode::Join);
// The same URL for messages and records, without the password.
std::string printable_study(const std::string& url);
bool holds_password(const std::string& study_url);

// Copies get state, hash, verdicts, findings and error of their originals; Proposed while these are not finished.
// `trials` by index. Throws core::Error where an original is missing.
void resolve_copies(std::vector<Trial>& trials);
void copy_findings(const Trial& original, Trial& copy);

}  // namespace condenser::search
