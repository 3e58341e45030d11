// Trials in memory: for tests and for searches nobody resumes. Threads may share it.

#include <algorithm>
#include <chrono>
#include <mutex>
#include <thread>

#include "condenser/core/clock.hpp"
#include "search/stores/identity.hpp"

namespace condenser::search {
namespace {

class MemoryTurn final : public Turn {
 public:
  explicit MemoryTurn(std::unique_lock<std::timed_mutex> lock) : lock_(std::move(lock)) {}

 private:
  std::unique_lock<std::timed_mutex> lock_;
};

class MemoryStore final : public Store {
 public:
  void bind(const std::string& identity) override {
    const std::scoped_lock lock(mutex_);
    if (identity_) check_identity("study", *identity_, identity);
    identity_ = identity;
  }

  std::string keep(const std::string& name, const std::string& text) override {
    const std::scoped_lock lock(mutex_);
    return kept_.emplace(name, text).first->second;
  }

  std::optional<std::string> kept(const std::string& name) const override {
    const std::scoped_lock lock(mutex_);
    const auto found = kept_.find(name);
    return found == kept_.end() ? std::nullopt : std::optional(found->second);
  }

  bool append(const Trial& trial, double lease) override {
    check_appendable("study", trial);
    const std::scoped_lock lock(mutex_);
    const auto [row, fresh] = rows_.emplace(trial.index, Row{trial, core::unix_seconds() + lease, 0});
    if (fresh) touch(row->second);
    return fresh;
  }

  std::optional<Trial> claim(const std::string& worker, double lease) override {
    const std::scoped_lock lock(mutex_);
    for (auto& [index, row] : rows_) {
      const bool lost = row.trial.state == TrialState::Running && row.lease_ends <= core::unix_seconds();
      const bool waits = row.trial.state == TrialState::Proposed && row.trial.same_as < 0;
      if (!lost && !waits) continue;
      if (lost) add({.kind = "lost", .worker = row.trial.worker, .trial = index, .text = "taken by " + worker});
      row.trial.state = TrialState::Running;
      row.trial.worker = worker;
      ++row.trial.tries;
      row.lease_ends = core::unix_seconds() + lease;
      touch(row);
      return row.trial;
    }
    return std::nullopt;
  }

  bool heartbeat(const std::string& worker, double lease) override {
    const std::scoped_lock lock(mutex_);
    bool any = false;
    for (auto& [index, row] : rows_) {
      if (row.trial.state != TrialState::Running || row.trial.worker != worker) continue;
      row.lease_ends = core::unix_seconds() + lease;
      any = true;
    }
    return any;
  }

  bool finish(const Trial& trial) override {
    const std::scoped_lock lock(mutex_);
    const auto found = rows_.find(trial.index);
    if (found == rows_.end()) throw no_such_trial("study", trial.index);
    Row& row = found->second;
    if (row.trial.state != TrialState::Running || row.trial.worker != trial.worker) return false;
    const int tries = row.trial.tries;
    row.trial = trial;
    row.trial.tries = tries;
    touch(row);
    return true;
  }

  std::vector<Trial> load() const override {
    std::vector<Trial> all = changes(0).trials;
    resolve_copies(all);
    return all;
  }

  Changes changes(int64_t revision) const override {
    const std::scoped_lock lock(mutex_);
    Changes changes{revision_, {}};
    for (auto change = changed_.upper_bound(revision); change != changed_.end(); ++change)
      changes.trials.push_back(rows_.at(change->second).trial);
    std::ranges::sort(changes.trials, {}, &Trial::index);
    return changes;
  }

  void log(Event event) override {
    const std::scoped_lock lock(mutex_);
    add(std::move(event));
  }

  std::vector<Event> events(int64_t after) const override {
    const std::scoped_lock lock(mutex_);
    const size_t seen = std::min(static_cast<size_t>(std::max<int64_t>(0, after)), events_.size());
    return {events_.begin() + static_cast<std::ptrdiff_t>(seen), events_.end()};
  }

  std::unique_ptr<Turn> turn(const std::function<bool()>& give_up) override {
    std::unique_lock lock(turn_, std::defer_lock);
    while (!lock.try_lock_for(std::chrono::milliseconds(20)))
      if (give_up && give_up()) return nullptr;
    return std::make_unique<MemoryTurn>(std::move(lock));
  }

 private:
  struct Row {
    Trial trial;
    double lease_ends = 0;
    int64_t revision = 0;
  };

  void touch(Row& row) {
    changed_.erase(row.revision);
    row.revision = ++revision_;
    changed_.emplace(row.revision, row.trial.index);
  }

  void add(Event event) {
    event.id = std::ssize(events_) + 1;
    event.time = core::unix_seconds();
    events_.push_back(std::move(event));
  }

  mutable std::mutex mutex_;
  std::timed_mutex turn_;
  std::optional<std::string> identity_;
  std::map<std::string, std::string> kept_;
  std::map<int64_t, Row> rows_;
  std::map<int64_t, int64_t> changed_;  // revision -> index
  int64_t revision_ = 0;
  std::vector<Event> events_;
};

}  // namespace

std::unique_ptr<Store> make_memory_store() { return std::make_unique<MemoryStore>(); }

}  // namespace condenser::search
