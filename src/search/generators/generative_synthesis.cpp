// Generative synthesis: a generator draws a pool of networks, an inquisitor predicts how good each would be and moves
// the generator's distribution (Wong et al. 2018, arXiv 1809.05989: maximize U(G(s; theta)) subject to 1_r, with
// delta theta = I(G)). The learning rules are ours; src/search/README.md writes them down. Keeps no state: everything
// is read from the past and from caches of pure functions.

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <utility>

#include "condenser/core/text.hpp"
#include "condenser/search/metrics.hpp"
#include "search/generators/forecast.hpp"
#include "search/generators/past.hpp"
#include "search/generators/pool.hpp"
#include "search/predictors/promise.hpp"
#include "search/predictors/warp.hpp"
#include "search/tables.hpp"

namespace condenser::search {
namespace {

using Eigen::Index;
using Eigen::VectorXd;
using Member = Catalogue::Member;

// What is examined beside others should tell more than what is examined alone: in batches, doubt is worth so much more.
constexpr double kAmongPending = 2;
constexpr const char* kWentOn = "the most promising that was examined at a lower rung";

struct Options {
  int pool = 2000;
  int enumerate = kMostEnumerated;
  int measured = kMostMeasured;
  int start = 16;
  double optimism = 2;
  double advice = 1;
  OpinionOptions opinion;
};

void read_options(core::config::Reader& reader, Options& o) {
  reader.integer("pool", o.pool, 16, 1'000'000, "networks that pass the gate, drawn for each proposal");
  reader.integer("enumerate", o.enumerate, 0, 1'000'000, "spaces up to this size are looked at whole instead");
  reader.integer("measured", o.measured, 8, 4096, "measured networks that the predictor learns from: best and latest");
  reader.integer("start", o.start, 1, 100'000, "the first proposal is the one believed best of so many");
  reader.number("optimism", o.optimism, 0, 100, "deviations added to the predicted mean: more explores more");
  reader.number("belief", o.opinion.belief, 0, 10,
                "how much larger networks are believed better before any is measured");
  reader.number("advice", o.advice, 0, 10, "how far predictions move the distribution that networks are drawn from");
}

std::span<const double> span_of(const VectorXd& v) { return {v.data(), static_cast<size_t>(v.size())}; }

bool contains(const std::vector<Member>& members, const core::Fingerprint& print) {
  return std::any_of(members.begin(), members.end(), [&](const Member& m) { return m.entry->fingerprint == print; });
}

class GenerativeSynthesis final : public Generator {
 public:
  explicit GenerativeSynthesis(const Options& options) : o_(options) {}

  Proposal propose(const Question& q) const override {
    const Knowledge known = knowledge_of(q, static_cast<size_t>(o_.measured));
    const std::vector<Member> pending = pending_of(q);
    if (auto promoted = promotion(q, known, pending, false)) return *promoted;
    const Catalogue::Whole* whole = q.catalogue.whole(o_.enumerate);
    return whole != nullptr ? of_whole(q, known, pending, *whole) : of_pool(q, known, pending);
  }

  // Where measurements are noisy the best of many is a lucky one: the predictor, which has seen all, knows better.
  int64_t recommend(const Question& q) const override {
    constexpr double kNoisy = 0.02;  // of the variance of all values
    const int64_t best = Generator::recommend(q);
    const Knowledge known = knowledge_of(q, static_cast<size_t>(o_.measured));
    if (known.measured.size() < 2 || q.past.objective.several()) return best;
    const Field field = field_of(q, known, {}, {});
    const Opinion opinion = opinion_of(q, known, {}, field, o_.opinion);
    if (best >= 0 && opinion.noise < kNoisy) return best;
    int64_t found = best;
    double value = -INFINITY;
    for (const Measured& m : known.measured) {
      const Trial& trial = q.past[static_cast<size_t>(m.trial)];
      const double mean = opinion.mean(field.row(m.member.entry->fingerprint));
      if (!trial.feasible() || (best >= 0 && !trial.full()) || mean <= value) continue;
      found = m.trial;
      value = mean;
    }
    return found;
  }

 private:
  static std::vector<Member> pending_of(const Question& q) {
    std::vector<Member> pending;
    for (const Genotype& running : q.past.running) {
      auto entry = q.catalogue.of(running);
      if (entry->passed) pending.push_back({running, std::move(entry)});
    }
    return pending;
  }

  Field field_of(const Question& q, const Knowledge& known, const std::vector<Member>& pending,
                 const std::vector<Member>& pool) const {
    const Catalogue::Whole* whole = q.catalogue.whole(o_.enumerate);
    return whole != nullptr ? Field(*whole) : Field(known, pending, pool);
  }

  Proposal of_whole(const Question& q, const Knowledge& known, const std::vector<Member>& pending,
                    const Catalogue::Whole& whole) const {
    if (whole.members.empty()) return anything(q);
    if (known.measured.empty() && pending.empty()) return believed_best(q, whole.members, whole.table);
    return best_unknown(q, known, pending, whole.members, Field(whole),
                        [](size_t) { return "the most promising of the whole space"; });
  }

  Proposal of_pool(const Question& q, const Knowledge& known, const std::vector<Member>& pending) const {
    Pool pool(q);
    draw_half(q, known, pool);
    const Fit fitted = draw_advised(q, known, pending, pool);
    if (pool.members().empty()) return anything(q);
    const Field field(known, pending, pool.members());
    if (known.measured.empty() && pending.empty()) return believed_best(q, pool.members(), field.table());
    return best_unknown(
        q, known, pending, pool.members(), field, [&](size_t i) { return pool.origin(i); },
        known.measured.empty() ? nullptr : &fitted);
  }

  // Nothing that was drawn passes the gate: its refusal will say why.
  static Proposal anything(const Question& q) {
    Proposal proposal(sample(q.space, q.rng));
    proposal.by = "start";
    proposal.reason = "nothing that was drawn passes the gate";
    return proposal;
  }

  // The one of highest mean and doubt together that is neither known nor pending; where every one is, what is worth a
  // closer look, or the best of all.
  template <class Origin>
  Proposal best_unknown(const Question& q, const Knowledge& known, const std::vector<Member>& pending,
                        const std::vector<Member>& members, const Field& field, const Origin& origin,
                        const Fit* fitted = nullptr) const {
    const Views views = views_of(q, known, pending, members, field, fitted);
    size_t chosen = views.order.front();
    bool unknown = false;
    for (const size_t i : views.order) {
      if (contains(pending, members[i].entry->fingerprint) || is_taken(q, known, members[i])) continue;
      chosen = i;
      unknown = true;
      break;
    }
    if (!unknown)
      if (auto promoted = promotion(q, known, pending, true)) return *promoted;
    Proposal proposal(members[chosen].genotype);
    proposal.by = "pool";
    if (known.measured.empty())
      proposal.reason = "unlike what is being examined, and larger networks are believed better";
    else
      views.speak(chosen, origin(chosen), proposal);
    return proposal;
  }

  // What is thought of some networks, and how that is said.
  struct Views {
    std::vector<double> score;
    std::vector<size_t> order;  // best first
    std::function<void(size_t member, const std::string& origin, Proposal&)> speak;
  };

  Promise promise(const Question& q, const std::vector<Member>& pending, const std::vector<Member>& members) const {
    return Promise({q, static_cast<size_t>(o_.measured), pending, members, o_.opinion,
                    o_.optimism * (pending.empty() ? 1 : kAmongPending),
                    [&](const Knowledge& k) { return field_of(q, k, pending, members); }});
  }

  // By the promise of networks where one prediction is not enough, else by mean and doubt together.
  Views views_of(const Question& q, const Knowledge& known, const std::vector<Member>& pending,
                 const std::vector<Member>& members, const Field& field, const Fit* fitted) const {
    Views views;
    if (needs_promise(q.past.objective) && !known.measured.empty()) {
      const auto promised = std::make_shared<const Promise>(promise(q, pending, members));
      views.score = promised->scores();
      views.speak = [promised](size_t member, const std::string& origin, Proposal& proposal) {
        proposal.forecast = promised->forecast(member);
        proposal.reason = promised->reason(member) + "; " + origin;
      };
    } else {
      const auto opinion = std::make_shared<const Opinion>(opinion_of(q, known, pending, field, o_.opinion, fitted));
      std::vector<int> rows;
      const double optimism = o_.optimism * (pending.empty() ? 1 : kAmongPending);
      for (const Member& m : members) {
        rows.push_back(field.row(m.entry->fingerprint));
        views.score.push_back(opinion->mean(rows.back()) + optimism * opinion->deviation(rows.back()));
      }
      views.speak = [&q, &known, opinion, rows](size_t member, const std::string& origin, Proposal& proposal) {
        Forecaster(q, known).speak(opinion->mean(rows[member]), opinion->deviation(rows[member]), origin, proposal);
      };
    }
    views.order = best_first(views.score);
    return views;
  }

  static bool is_taken(const Question& q, const Knowledge& known, const Member& m) {
    const bool measured = std::any_of(known.measured.begin(), known.measured.end(), [&](const Measured& k) {
      return k.member.entry->fingerprint == m.entry->fingerprint;
    });
    return measured || std::binary_search(known.taken.begin(), known.taken.end(), q.catalogue.identity(m.genotype));
  }

  // Each rung may cost as much as the one below it has cost: the network with the best prediction goes on. `anyhow`: as
  // soon as there is one to go on.
  std::optional<Proposal> promotion(const Question& q, const Knowledge& known, const std::vector<Member>& pending,
                                    bool anyhow) const {
    const std::vector<double>& rungs = q.past.rungs;
    std::vector<double> spent = known.spent;
    for (const Measured& m : known.measured)  // those that are going on
      if (contains(pending, m.member.entry->fingerprint) && static_cast<size_t>(m.rung) + 1 < rungs.size())
        spent[static_cast<size_t>(m.rung) + 1] +=
            rungs[static_cast<size_t>(m.rung) + 1] - rungs[static_cast<size_t>(m.rung)];
    for (size_t rung = rungs.size() - 1; rung > 0; --rung) {
      const double price = rungs[rung] - rungs[rung - 1];
      if (!anyhow && spent[rung] + price > spent[rung - 1] + 1e-9) continue;
      if (auto proposal = promoted_to(q, known, pending, static_cast<int>(rung))) return proposal;
    }
    return std::nullopt;
  }

  std::optional<Proposal> promoted_to(const Question& q, const Knowledge& known, const std::vector<Member>& pending,
                                      int rung) const {
    std::vector<const Measured*> able;
    for (const Measured& m : known.measured) {
      if (m.rung == rung - 1 && q.past[static_cast<size_t>(m.trial)].feasible() && !m.failed &&
          !contains(pending, m.member.entry->fingerprint))
        able.push_back(&m);
    }
    if (able.empty()) return std::nullopt;
    std::vector<Member> members;
    for (const Measured* m : able) members.push_back(m->member);
    return needs_promise(q.past.objective) ? promoted_by_promise(q, pending, members, rung)
                                           : promoted_by_mean(q, known, pending, members, rung);
  }

  static Proposal going_on(const Member& member, int rung) {
    Proposal proposal(member.genotype);
    proposal.rung = rung;
    proposal.by = "promotion";
    return proposal;
  }

  Proposal promoted_by_promise(const Question& q, const std::vector<Member>& pending, const std::vector<Member>& able,
                               int rung) const {
    const Promise promised = promise(q, pending, able);
    const size_t best = best_first(promised.scores()).front();
    Proposal proposal = going_on(able[best], rung);
    proposal.forecast = promised.forecast(best);
    proposal.reason = promised.reason(best) + "; " + kWentOn;
    return proposal;
  }

  Proposal promoted_by_mean(const Question& q, const Knowledge& known, const std::vector<Member>& pending,
                            const std::vector<Member>& able, int rung) const {
    const Field field = field_of(q, known, pending, {});
    const Opinion opinion = opinion_of(q, known, pending, field, o_.opinion);
    std::vector<double> mean;
    for (const Member& m : able) mean.push_back(opinion.mean(field.row(m.entry->fingerprint)));
    const Member& best = able[best_first(mean).front()];
    const int row = field.row(best.entry->fingerprint);
    Proposal proposal = going_on(best, rung);
    Forecaster(q, known).speak(opinion.mean(row), opinion.deviation(row), kWentOn, proposal);
    return proposal;
  }

  // Half the pool from no opinion at all: uniform draws, and children of the better half of what was measured.
  void draw_half(const Question& q, const Knowledge& known, Pool& pool) const {
    const auto half = static_cast<size_t>(o_.pool) / 2;
    pool.fill(known.measured.empty() ? half : half / 2, "drawn uniformly", [&] { return sample(q.space, q.rng); });
    if (known.measured.empty()) return;
    std::vector<const Trial*> elite;
    for (const Measured& m : known.measured) elite.push_back(&q.past[static_cast<size_t>(m.trial)]);
    if (needs_promise(q.past.objective)) {
      elite = best_first(std::move(elite), q.past.objective);
    } else {
      const std::vector<const Trial*> measured = std::exchange(elite, {});
      for (const size_t i : best_first(known.values())) elite.push_back(measured[i]);
    }
    elite.resize((elite.size() + 1) / 2);
    pool.fill(half, "a child of good ones", [&] {
      const auto parent = [&]() -> const Genotype& { return elite[q.rng.below(elite.size())]->genotype; };
      Genotype child = parent();
      if (q.rng.uniform() < 0.5) child = crossover(q.space, child, parent(), q.rng);
      for (uint64_t changes = 1 + q.rng.below(3); changes > 0; --changes) child = mutate(q.space, child, q.rng);
      return child;
    });
  }

  // The other half where the predictor wants it: from the moved distribution, and around the best predictions.
  Fit draw_advised(const Question& q, const Knowledge& known, const std::vector<Member>& pending, Pool& pool) const {
    const auto size = static_cast<size_t>(o_.pool);
    if (known.measured.empty() || pool.members().empty()) {
      pool.fill(size, "drawn uniformly", [&] { return sample(q.space, q.rng); });
      return {};
    }
    const std::vector<Member> first = pool.members();
    Fit fitted;
    VectorXd mean(std::ssize(first));
    if (needs_promise(q.past.objective)) {
      mean = warped(promise(q, pending, first).scores(), Warp::Ranks);
    } else {
      const Field field(known, pending, first);
      OpinionOptions means = o_.opinion;
      means.doubt = false;
      const Opinion opinion = opinion_of(q, known, pending, field, means);
      for (size_t i = 0; i < first.size(); ++i)
        mean(static_cast<Index>(i)) = opinion.mean(field.row(first[i].entry->fingerprint));
      fitted = opinion.fit;
    }
    const Distribution moved = advised(q.space, first, mean);
    pool.fill(size * 3 / 4, "from the moved distribution", [&] { return draw(moved, q.rng); });
    for (const size_t i : best_first(span_of(mean))) {
      if (pool.members().size() >= size) break;
      pool.add_neighbours(first[i].genotype, size, "a neighbour of good predictions");
    }
    return fitted;
  }

  // delta theta: an option whose networks are predicted better than the pool's mean gains weight over what the user
  // believes of it, shrunk where few networks have it.
  Distribution advised(const Space& space, const std::vector<Member>& pool, const VectorXd& mean) const {
    constexpr double kShrink = 8;
    const double middle = mean.mean();
    const double spread = std::sqrt((mean.array() - middle).square().mean()) + 1e-9;
    Distribution weights = prior_of(space), sum = weights, count = weights;
    for (auto& w : sum) std::fill(w.begin(), w.end(), 0);
    for (auto& w : count) std::fill(w.begin(), w.end(), kShrink);
    for (size_t i = 0; i < pool.size(); ++i) {
      for (size_t d = 0; d < weights.size(); ++d) {
        const auto option = static_cast<size_t>(pool[i].genotype.choice[d]);
        sum[d][option] += (mean(static_cast<Index>(i)) - middle) / spread;
        count[d][option] += 1;
      }
    }
    for (size_t d = 0; d < weights.size(); ++d)
      for (size_t option = 0; option < weights[d].size(); ++option)
        weights[d][option] *= std::exp(o_.advice * sum[d][option] / count[d][option]);
    return weights;
  }

  // `table`: of the field that the members stand in, in their order.
  Proposal believed_best(const Question& q, const std::vector<Member>& members, const FeatureTable& table) const {
    const bool larger = grows_with_size(q.past.objective) && !q.past.objective.several();
    const bool taught = q.past.lesson != nullptr;
    const VectorXd belief = taught ? search::taught(table, *q.past.lesson) : table.belief;
    size_t best = q.rng.below(members.size());
    for (int i = 1; (larger || taught) && i < o_.start; ++i) {
      const size_t other = q.rng.below(members.size());
      if (belief(static_cast<Index>(other)) > belief(static_cast<Index>(best))) best = other;
    }
    Proposal proposal(members[best].genotype);
    proposal.by = "start";
    proposal.reason = taught
                          ? "nothing is measured yet; what earlier studies teach is best of " + std::to_string(o_.start)
                      : larger ? "nothing is measured yet; the largest and deepest of " + std::to_string(o_.start)
                               : "nothing is measured yet; drawn uniformly";
    return proposal;
  }

  Options o_;
};

}  // namespace

std::unique_ptr<Generator> make_generative_synthesis_generator(core::config::Reader& reader) {
  Options options;
  read_options(reader, options);
  return std::make_unique<GenerativeSynthesis>(options);
}

}  // namespace condenser::search
