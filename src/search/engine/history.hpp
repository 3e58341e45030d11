#pragma once
// What one worker knows of a study: its trials as the store has them, and what follows from them.

#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "condenser/search/driver.hpp"

namespace condenser::search {

class History {
 public:
  // Reads all. Stored trials must be what this program would make of their genotypes, else old and new results would
  // mix: throws core::Error.
  History(const Space&, const Store&, const std::vector<double>& rungs);

  // What this worker has just appended.
  void add(const Trial&, const std::optional<Candidate>&);

  // Takes what the store has new; tells of every trial that is finished now and was not before, by index.
  void sync(const std::function<void(const Trial&)>& on_finished = {});

  const std::vector<Trial>& trials() const { return trials_; }
  int64_t next() const { return std::ssize(trials_); }
  bool all_finished_below(int64_t index) const { return finished_below_ >= std::min(index, next()); }
  bool all_finished() const { return all_finished_below(next()); }
  bool any_waits() const;  // for a worker
  // The first that is not finished; it has to exist.
  const Trial& first_open() const { return trials_[static_cast<size_t>(finished_below_)]; }
  // Examinations so far, running ones too, in units of a full one.
  double spent() const { return spent_; }
  int64_t examined() const { return examined_; }  // and finished
  double seconds() const { return seconds_; }     // of examination
  // The first trial of this network at this rung; -1: none.
  int64_t first_with(const core::Fingerprint&, int rung) const;

 private:
  struct Key {
    core::Fingerprint fingerprint;
    int rung;
    bool operator==(const Key&) const = default;
  };
  struct Hasher {
    size_t operator()(const Key& key) const {
      return core::FingerprintHash{}(key.fingerprint) + static_cast<size_t>(key.rung) * 0x9e3779b97f4a7c15u;
    }
  };
  void take(Trial trial);
  double cost_of(const core::Fingerprint&, int rung) const;
  void settle(const std::function<void(const Trial&)>& on_finished);

  const Space& space_;
  const Store& store_;
  const std::vector<double>& rungs_;
  int64_t revision_ = 0;
  std::vector<Trial> trials_;
  int64_t finished_below_ = 0;
  std::vector<int64_t> open_;  // not finished when last looked at, ascending
  double spent_ = 0, seconds_ = 0;
  int64_t examined_ = 0;
  std::unordered_map<Key, int64_t, Hasher> first_with_;
};

}  // namespace condenser::search
