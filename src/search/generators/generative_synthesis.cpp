// Generative synthesis: a generator draws a pool of networks, an inquisitor predicts how good each would be and moves
// the generator's distribution (Wong et al. 2018, arXiv 1809.05989: maximize U(G(s; theta)) subject to 1_r, with
// delta theta = I(G)). The learning rules are ours; src/search/README.md writes them down. Keeps no state: everything
// is read from the past and from caches of pure functions.

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_set>

#include "condenser/search/metrics.hpp"
#include "search/features/catalogue.hpp"
#include "search/predictors/gaussian_process.hpp"
#include "search/predictors/warp.hpp"
#include "search/tables.hpp"

namespace condenser::search {
namespace {

using Eigen::Index;
using Eigen::VectorXd;
using Entry = Catalogue::Entry;

struct Options {
  int pool = 2000;
  int enumerate = 20000;
  int measured = 256;
  int start = 16;
  double optimism = 2.5;
  double belief = 1.5;
  double advice = 1;
};

void read_options(core::config::Reader& reader, Options& o) {
  reader.integer("pool", o.pool, 16, 1'000'000, "networks that pass the gate, drawn for each proposal");
  reader.integer("enumerate", o.enumerate, 0, 1'000'000, "spaces up to this size are looked at whole instead");
  reader.integer("measured", o.measured, 8, 4096, "measured networks that the predictor learns from: best and latest");
  reader.integer("start", o.start, 1, 100'000, "the first proposal is the one believed best of so many");
  reader.number("optimism", o.optimism, 0, 100, "deviations added to the predicted mean: more explores more");
  reader.number("belief", o.belief, 0, 10, "how much larger networks are believed better before any is measured");
  reader.number("advice", o.advice, 0, 10, "how far predictions move the distribution that networks are drawn from");
}

struct Member {
  int64_t trial = -1;  // measured: its index
  Genotype genotype;
  std::shared_ptr<const Entry> entry;
};

// Weights of the options of each decision, which are drawn independently: theta of the generator.
using Distribution = std::vector<std::vector<double>>;

Distribution uniform(const Space& space) {
  Distribution weights;
  for (const Decision& d : space.decisions()) weights.emplace_back(d.options.size(), 1.0);
  return weights;
}

Genotype draw(const Distribution& weights, core::Rng& rng) {
  Genotype genotype;
  for (const std::vector<double>& w : weights) {
    double sum = 0;
    for (const double x : w) sum += x;
    double left = rng.uniform() * sum;
    size_t option = 0;
    while (option + 1 < w.size() && left >= w[option]) left -= w[option++];
    genotype.choice.push_back(static_cast<int>(option));
  }
  return genotype;
}

// Networks of a past that were measured, or failed at it.
struct Known {
  std::vector<Member> measured;      // not all of a long past
  std::vector<double> values;        // higher is better; a failure is as bad as the worst
  std::vector<core::Hash128> taken;  // all, ascending: need not be proposed again
};

// Also of networks that a comparator's accuracy refused: it says something.
double value_of(const Trial& trial, const Objective& objective) {
  return trial.state == TrialState::Done ? rank_value(trial, objective).value_or(NAN) : NAN;
}

// Places of values, the highest first; equal ones in their order.
std::vector<size_t> best_first(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] > values[b]; });
  return order;
}

std::span<const double> span_of(const VectorXd& v) { return {v.data(), static_cast<size_t>(v.size())}; }

// At most `most`: half of them the best, the others the latest.
std::vector<size_t> chosen(const std::vector<double>& values, size_t most) {
  std::vector<size_t> all = best_first(values);
  if (all.size() > most) {
    std::sort(all.begin() + static_cast<std::ptrdiff_t>(most / 2), all.end(), std::greater<>());
    all.resize(most);
  }
  std::sort(all.begin(), all.end());
  return all;
}

Known known_of(const Question& q, size_t most) {
  Known known;
  std::vector<const Trial*> trials;
  std::vector<double> values;
  double worst = INFINITY;
  for (size_t i = 0; i < q.past.size(); ++i) {
    const Trial& trial = q.past[i];
    if (!trial.examined()) continue;
    known.taken.push_back(trial.hash);
    trials.push_back(&trial);
    values.push_back(value_of(trial, q.past.objective));
    if (!std::isnan(values.back())) worst = std::min(worst, values.back());
  }
  std::sort(known.taken.begin(), known.taken.end());
  if (std::isinf(worst)) worst = 0;
  for (double& v : values)
    if (std::isnan(v)) v = worst;
  for (const size_t i : chosen(values, most)) {
    auto entry = q.catalogue.of(trials[i]->genotype);
    if (!entry->passed) continue;
    known.measured.push_back({trials[i]->index, trials[i]->genotype, std::move(entry)});
    known.values.push_back(values[i]);
  }
  return known;
}

class Pool {
 public:
  explicit Pool(const Question& q) : q_(q) {}

  // False: refused, or drawn before.
  bool add(Genotype genotype) {
    auto entry = q_.catalogue.of(genotype);
    if (!entry->passed || !drawn_.insert(entry->fingerprint).second) return false;
    members_.push_back({-1, std::move(genotype), std::move(entry)});
    return true;
  }

  // Until so many are there, or eight times as many were drawn in vain.
  template <class Draw>
  void fill(size_t size, const Draw& draw) {
    for (size_t tries = 8 * size; members_.size() < size && tries > 0; --tries) add(draw());
  }

  const std::vector<Member>& members() const { return members_; }

 private:
  const Question& q_;
  std::unordered_set<core::Fingerprint, core::FingerprintHash> drawn_;
  std::vector<Member> members_;
};

void add_all(const Space& space, Pool& pool) {
  Genotype g{std::vector<int>(space.decisions().size(), 0)};
  for (size_t d = 0; d < g.choice.size();) {
    if (d == 0) pool.add(g);
    if (++g.choice[d] < static_cast<int>(space.decisions()[d].options.size())) {
      d = 0;
    } else {
      g.choice[d++] = 0;
    }
  }
}

void add_neighbours(const Space& space, const Genotype& genotype, size_t size, Pool& pool) {
  for (size_t d = 0; d < genotype.choice.size(); ++d) {
    for (int option = 0; option < static_cast<int>(space.decisions()[d].options.size()); ++option) {
      if (pool.members().size() >= size) return;
      Genotype changed = genotype;
      changed.choice[d] = option;
      if (option != genotype.choice[d]) pool.add(std::move(changed));
    }
  }
}

// What the inquisitor says of rows: the measured, the pending, then the pool.
struct Opinion {
  VectorXd mean;   // averaged over warps, standardised values
  VectorXd score;  // mean and doubt together
  double noise = 0;
};

class GenerativeSynthesis final : public Generator {
 public:
  explicit GenerativeSynthesis(const Options& options) : o_(options) {}

  Proposal propose(const Question& q) const override {
    const Known known = known_of(q, static_cast<size_t>(o_.measured));
    std::vector<Member> pending;
    for (const Genotype& running : q.past.running) {
      auto entry = q.catalogue.of(running);
      if (entry->passed) pending.push_back({-1, running, std::move(entry)});
    }
    const bool whole = log10_size(q.space) <= std::log10(std::max(1, o_.enumerate));
    Pool pool(q);
    if (whole) {
      add_all(q.space, pool);
    } else {
      draw_half(q, known, pool);
      draw_advised(q, known, pending, pool);
    }
    if (pool.members().empty()) return sample(q.space, q.rng);
    if (known.measured.empty()) return believed_best(q, pool.members());
    const Opinion opinion = ask(q, known, pending, pool.members());
    return best_unknown(q, known, pending, pool.members(), opinion.score.tail(std::ssize(pool.members())));
  }

  // Where measurements are noisy the best of many is a lucky one: the predictor, which has seen all, knows better.
  int64_t recommend(const Question& q) const override {
    constexpr double kNoisy = 0.02;  // of the variance of all values
    const int64_t best = Generator::recommend(q);
    const Known known = known_of(q, static_cast<size_t>(o_.measured));
    if (best < 0 || known.measured.size() < 2) return best;
    const Opinion opinion = ask(q, known, {}, {});
    if (opinion.noise < kNoisy) return best;
    int64_t found = best;
    double value = -INFINITY;
    for (size_t i = 0; i < known.measured.size(); ++i) {
      const int64_t trial = known.measured[i].trial;
      const double mean = opinion.mean(static_cast<Index>(i));
      if (!q.past[static_cast<size_t>(trial)].feasible() || mean <= value) continue;
      found = trial;
      value = mean;
    }
    return found;
  }

 private:
  // The one of highest score that is neither known nor pending; the best of all where every one is.
  static Genotype best_unknown(const Question& q, const Known& known, const std::vector<Member>& pending,
                               const std::vector<Member>& pool, const VectorXd& score) {
    const std::vector<size_t> order = best_first(span_of(score));
    for (const size_t i : order) {
      const bool runs = std::any_of(pending.begin(), pending.end(), [&](const Member& m) {
        return m.entry->fingerprint == pool[i].entry->fingerprint;
      });
      if (runs || std::binary_search(known.taken.begin(), known.taken.end(), q.catalogue.identity(pool[i].genotype)))
        continue;
      return pool[i].genotype;
    }
    return pool[order.front()].genotype;
  }

  // Half the pool from no opinion at all: uniform draws, and children of the better half of what was measured.
  void draw_half(const Question& q, const Known& known, Pool& pool) const {
    const auto half = static_cast<size_t>(o_.pool) / 2;
    pool.fill(known.measured.empty() ? half : half / 2, [&] { return sample(q.space, q.rng); });
    if (known.measured.empty()) return;
    std::vector<size_t> elite = best_first(known.values);
    elite.resize((elite.size() + 1) / 2);
    pool.fill(half, [&] {
      const auto parent = [&]() -> const Genotype& {
        return known.measured[elite[q.rng.below(elite.size())]].genotype;
      };
      Genotype child = parent();
      if (q.rng.uniform() < 0.5) child = crossover(q.space, child, parent(), q.rng);
      for (uint64_t changes = 1 + q.rng.below(3); changes > 0; --changes) child = mutate(q.space, child, q.rng);
      return child;
    });
  }

  // The other half where the predictor wants it: from the moved distribution, and around the best prediction.
  void draw_advised(const Question& q, const Known& known, const std::vector<Member>& pending, Pool& pool) const {
    const auto size = static_cast<size_t>(o_.pool);
    if (known.measured.empty() || pool.members().empty()) {
      pool.fill(size, [&] { return sample(q.space, q.rng); });
      return;
    }
    const std::vector<Member> first = pool.members();
    const Opinion opinion = ask(q, known, pending, first);
    const VectorXd mean = opinion.mean.tail(std::ssize(first));
    const Distribution moved = advised(q.space, first, mean);
    pool.fill(size * 3 / 4, [&] { return draw(moved, q.rng); });
    for (const size_t i : best_first(span_of(mean))) {
      if (pool.members().size() >= size) break;
      add_neighbours(q.space, first[i].genotype, size, pool);
    }
  }

  // delta theta: an option whose networks are predicted better than the pool's mean gains weight, shrunk where few
  // networks have it.
  Distribution advised(const Space& space, const std::vector<Member>& pool, const VectorXd& mean) const {
    constexpr double kShrink = 8;
    const double middle = mean.mean();
    const double spread = std::sqrt((mean.array() - middle).square().mean()) + 1e-9;
    Distribution sum = uniform(space), count = uniform(space), weights = uniform(space);
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
        weights[d][option] = std::exp(o_.advice * sum[d][option] / count[d][option]);
    return weights;
  }

  Genotype believed_best(const Question& q, const std::vector<Member>& pool) const {
    std::vector<const Features*> rows;
    for (const Member& m : pool) rows.push_back(&m.entry->features);
    const FeatureTable table = feature_table(rows);
    const bool larger = grows_with_size(q.past.objective);
    size_t best = q.rng.below(pool.size());
    for (int i = 1; larger && i < o_.start; ++i) {
      const size_t other = q.rng.below(pool.size());
      if (table.belief(static_cast<Index>(other)) > table.belief(static_cast<Index>(best))) best = other;
    }
    return pool[best].genotype;
  }

  Opinion ask(const Question& q, const Known& known, const std::vector<Member>& pending,
              const std::vector<Member>& pool) const {
    std::vector<const Features*> rows;
    std::vector<int> columns;
    for (const auto* members : {&known.measured, &pending, &pool})
      for (const Member& m : *members) rows.push_back(&m.entry->features);
    for (size_t i = 0; i < known.measured.size() + pending.size(); ++i) columns.push_back(static_cast<int>(i));
    const FeatureTable table = feature_table(rows);
    const Similarity similarity = similarity_of(table, columns);
    const Goal& goal = q.past.objective.goals.front();
    const bool percent = goal.metric() != nullptr && goal.metric()->unit == "%" && goal.higher_is_better;
    const double ceiling = percent ? 100 : 0;
    const GaussianProcessOptions options{.belief = grows_with_size(q.past.objective) ? o_.belief : 0};
    Opinion opinion{VectorXd::Zero(table.rows()), VectorXd::Zero(table.rows())};
    for (const Warp warp : {Warp::Ranks, Warp::SoftLog}) {
      const Prediction p = predict(table, similarity, columns, warped(known.values, warp, ceiling), options);
      opinion.mean += p.mean / 2;
      opinion.noise += p.noise / 2;
      opinion.score += (p.mean + o_.optimism * p.deviation) / 2;
    }
    return opinion;
  }

  // Accuracy and loss do; costs and scores that divide by costs do not.
  static bool grows_with_size(const Objective& objective) {
    const Goal& goal = objective.goals.front();
    const Metric* metric = goal.metric();
    return metric != nullptr && metric->better_when_larger && metric->higher_is_better == goal.higher_is_better;
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
