// The loop of a worker. Everything that decides a trial is a function of the seed, its index and earlier trials, so a
// search that was killed, or done by many, goes on as if it had not been.

#include <algorithm>
#include <chrono>
#include <thread>

#include "condenser/core/log.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/core/text.hpp"
#include "condenser/search/fate.hpp"
#include "search/engine/desk.hpp"
#include "search/engine/heart.hpp"

namespace condenser::search {
namespace {

using Clock = std::chrono::steady_clock;

class Worker {
 public:
  Worker(const SearchContext& context, const SearchOptions& options, const SearchWatch& watch)
      : c_(context), o_(options), w_(watch) {}

  std::vector<Trial> run() {
    while (true) {
      desk_.stop_at_boundary();
      desk_.sync();
      if (w_.enough && w_.enough()) break;
      desk_.look_at_signals();
      if (std::optional<Desk::Held> held = desk_.take()) {
        examine(*held);
        waits_ = 0;
        continue;
      }
      if (!desk_.why_no_more().empty() && (desk_.history().all_finished() || desk_.stopped())) break;
      wait();
    }
    say_why_it_ended();
    return desk_.history().trials();
  }

 private:
  void examine(Desk::Held& held) {
    Trial& trial = held.trial;
    const auto start = Clock::now();
    try {
      if (!held.candidate) held.candidate = c_.space.expand(trial.genotype);
      const Heart heart(c_.store, c_.worker, c_.lease);
      desk_.judge().examine(trial, *held.candidate, context_of(trial));
    } catch (...) {
      give_back(trial.index);
      rethrow_as_trouble(trial.index);
    }
    trial.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (!c_.store.finish(trial))
      core::log::warning("search: candidate " + std::to_string(trial.index) +
                         " was examined by another worker meanwhile, whose findings count");
    core::reached("search:finish", trial.index);
  }

  // So that nobody has to wait until the lease runs out. If even that fails, it does run out.
  void give_back(int64_t index) {
    Trial trial = desk_.history().trials()[static_cast<size_t>(index)];
    trial.state = TrialState::Proposed;
    trial.worker = c_.worker;
    try {
      c_.store.finish(trial);
    } catch (const std::exception& e) {
      core::log::warning("search: candidate " + std::to_string(index) + " could not be given back: " + e.what());
    }
  }

  ProbeContext context_of(const Trial& trial) const {
    ProbeContext context;
    context.folder = c_.folder;
    if (w_.on_progress) {
      context.on_progress = [this, index = trial.index](double fraction, const std::string& doing) {
        w_.on_progress(index, desk_.history().examined(), fraction, doing);
      };
    }
    return context;
  }

  // Others finish what the next proposal must know.
  void wait() {
    if (!desk_.shared())
      throw core::Error(
          "search: a trial of the study is examined by another process; a study that is shared needs "
          "workers with a lease");
    constexpr int kLongWait = 100;
    if (++waits_ == kLongWait && !desk_.history().all_finished()) {
      const Trial& trial = desk_.history().first_open();
      core::log::info("search: waits for trial " + std::to_string(trial.index) + ", which is examined by " +
                      worker_text(trial.worker));
    }
    constexpr int kFirst = 2,
                  kDoublings = 6;  // milliseconds; often another is done in a moment, else it may take hours
    std::this_thread::sleep_for(std::chrono::milliseconds(kFirst << std::min(waits_ - 1, kDoublings)));
  }

  void say_why_it_ended() const {
    const History& history = desk_.history();
    if (desk_.stopped()) core::log::info("search: the study was told to stop; it goes on when told so");
    if (desk_.hours_ended() || desk_.stopped() || history.next() < o_.max_proposals || desk_.trials_spent()) return;
    core::log::warning("search: gave up after " + std::to_string(history.next()) + " proposals with " +
                       core::number(history.spent()) + " of " + std::to_string(o_.trials) +
                       " full examinations spent; widen the space, loosen the gate or raise search.max_proposals");
  }

  const SearchContext& c_;
  const SearchOptions& o_;
  const SearchWatch& w_;
  Desk desk_{c_, o_, w_};
  int waits_ = 0;
};

void check_several(const core::config::Reader& reader, const SearchOptions& o) {
  std::vector<std::string> able;
  for (const GeneratorRow& row : generators()) {
    if (!o.objective.several() || (row.several && row.name == o.generator)) return;
    if (row.several) able.push_back(row.name);
  }
  throw reader.error("generator", "one that takes several objectives: " + core::join(able));
}

}  // namespace

void read_options(core::config::Reader& reader, SearchOptions& o) {
  std::vector<std::string> names;
  for (const GeneratorRow& row : generators()) names.push_back(row.name);
  reader.choice("generator", o.generator, names, "how candidates are proposed");
  read_options(reader, o.objective);
  reader.integer("trials", o.trials, 1, 10'000'000, "full examinations; refused candidates and copies are free");
  reader.integer("max_proposals", o.max_proposals, 1, 100'000'000, "give up after so many proposals");
  reader.integer("window", o.window, 0, 4096, "trial k is proposed from trials below k - window (parallel runs)");
  reader.integer("batch", o.batch, 1, 4096, "so many are proposed together, from the same past; 1: one by one");
  reader.integer("seed", o.seed, uint64_t{0}, UINT64_MAX, "the same seed proposes the same candidates");
  using core::config::Decides;
  reader.number("max_hours", o.max_hours, 0, 1e6,
                "no proposals when so many hours have passed since the first; 0: go on", Decides::Nothing);
  reader.number("device_hours", o.device_hours, 0, 1e9,
                "no proposals when examinations took so many hours, all together; 0: go on", Decides::Nothing);
  reader.number("min_gain_per_hour", o.min_gain_per_hour, 0, 1e9,
                "no proposals when the objective is expected to gain less per hour of examination; 0: go on",
                Decides::Nothing);
  check_several(reader, o);
  if (o.max_proposals < o.trials) throw reader.error("max_proposals", "at least trials = " + std::to_string(o.trials));
}

std::vector<Trial> run_search(const SearchContext& context, const SearchOptions& options, const SearchWatch& watch) {
  return Worker(context, options, watch).run();
}

std::vector<int64_t> replay_search(const SearchContext& context, const SearchOptions& options) {
  const Catalogue own_catalogue(context.space, context.gate);
  const Proposer proposer(context, options, context.catalogue != nullptr ? *context.catalogue : own_catalogue);
  const History history(context.space, context.store, context.rungs);
  std::vector<int64_t> different;
  for (const Trial& stored : history.trials()) {
    if (stored.from_outside()) continue;
    const Trial again = proposer.propose(stored.index, history.trials());
    const bool same = again.genotype == stored.genotype && again.rung == stored.rung && again.by == stored.by &&
                      again.reason == stored.reason && again.forecast == stored.forecast;
    if (!same) different.push_back(stored.index);
  }
  return different;
}

}  // namespace condenser::search
