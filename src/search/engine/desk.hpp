#pragma once
// What whoever works on a study does with it: look at it, take a trial, propose one, hand back what was found. The loop
// of a worker and single questions of people (ask_tell.hpp) share it, and with it budget, gate and order.

#include <chrono>
#include <set>

#include "search/engine/judge.hpp"
#include "search/engine/proposer.hpp"

namespace condenser::search {

// Events that end or open a study for everybody.
class Signals {
 public:
  explicit Signals(const Store& store) : store_(store) {}
  void look();  // at most once a second
  bool stopped() const { return stopped_; }
  std::optional<double> started() const { return started_; }
  bool told(const std::string& budget) const { return budgets_.contains(budget); }

 private:
  using Clock = std::chrono::steady_clock;
  const Store& store_;
  int64_t seen_ = 0;
  bool stopped_ = false;
  std::optional<double> started_;
  std::set<std::string> budgets_;  // texts of the events that told of their end
  Clock::time_point due_ = Clock::time_point::min();
};

class Desk {
 public:
  // Throws ConfigError for an objective that no probe in force finds and for rungs that are none.
  Desk(const SearchContext&, const SearchOptions&, const SearchWatch&);

  // A trial that this worker has taken on.
  struct Held {
    Trial trial;
    std::optional<Candidate> candidate;
    bool of_another = false;
  };

  void sync();  // tells the watch of what is finished
  void look_at_signals() { signals_.look(); }

  // Why nothing more is proposed, for people; "": more is wanted. An end of the hours is logged as an event, once.
  std::string why_no_more();
  // One that nobody works on, or else the next proposal that is to be examined; what the gate refuses on the way is
  // stored. None: there is none now.
  std::optional<Held> take();
  // What somebody outside proposes, under the same gate: Running, Refused, Failed or a copy. None: why_no_more().
  std::optional<Held> take(const Proposal&);
  // Stores what is finished already. In turn only.
  void append(Held&);
  // Throws core::Stopped once a stop was requested.
  void stop_at_boundary() const;

  const History& history() const { return history_; }
  const Judge& judge() const { return judge_; }
  bool stopped() const { return signals_.stopped(); }
  bool hours_ended() const { return !ended_by_.empty(); }
  bool trials_spent() const;
  bool shared() const { return c_.lease > 0; }

 private:
  using Clock = std::chrono::steady_clock;
  bool wants_more() { return why_no_more().empty(); }
  std::string hours_over();
  std::string gain_too_small();
  std::string end(const std::string& what, const std::string& words);
  std::optional<Trial> claim();
  bool may_propose();
  Held propose();
  Held admit(Trial);

  const SearchContext& c_;
  const SearchOptions& o_;
  const SearchWatch& w_;
  const Catalogue own_catalogue_{c_.space, c_.gate};
  const Catalogue& catalogue_ = c_.catalogue != nullptr ? *c_.catalogue : own_catalogue_;
  History history_{c_.space, c_.store, c_.rungs};
  const Judge judge_{c_.space, c_.gate, c_.inquisitor, o_.objective, o_.seed};
  const Proposer proposer_{c_, o_, catalogue_};
  Signals signals_{c_.store};
  std::string ended_by_;
  Clock::time_point next_claim_ = Clock::time_point::min();
};

// To be called while an exception is handled: what ends a search says nothing about the candidate.
[[noreturn]] void rethrow_as_trouble(int64_t trial);

}  // namespace condenser::search
