// Tree-structured Parzen estimators (Bergstra et al. 2011, "Algorithms for hyper-parameter optimization"): where good
// networks are dense and the others are not. Decisions are independent; densities are Parzen windows over the options
// with a uniform prior. Running networks count as bad ones (constant liar). Keeps no state.

#include <algorithm>
#include <cmath>

#include "condenser/core/text.hpp"
#include "search/generators/past.hpp"
#include "search/tables.hpp"

namespace condenser::search {
namespace {

struct TpeOptions {
  int start = 10;
  int candidates = 24;
  double good = 0.1;
  int most_good = 25;
  double prior = 1;
};

void read_options(core::config::Reader& reader, TpeOptions& o) {
  reader.integer("start", o.start, 1, 100000, "networks drawn uniformly before the first estimate");
  reader.integer("candidates", o.candidates, 1, 100000,
                 "drawn from the good ones' density; the best of them is proposed");
  reader.number("good", o.good, 0, 1, "share of the examined networks that count as good");
  reader.integer("most_good", o.most_good, 1, 100000, "no more than so many count as good");
  reader.number("prior", o.prior, 1e-6, 1000, "weight of the uniform density, in networks");
}

// Of each decision the probability of each option.
class Density {
 public:
  Density(const Space& space, double prior) : space_(space) {
    for (const Decision& d : space.decisions()) {
      const size_t options = d.options.size();
      weights_.emplace_back(options, prior / static_cast<double>(options));
    }
  }

  // Numbers are near to their neighbours, names to none: the window of a number halves with every step.
  void add(const Genotype& genotype) {
    for (size_t d = 0; d < weights_.size(); ++d) {
      const auto at = static_cast<size_t>(genotype.choice[d]);
      if (!space_.decisions()[d].labels.empty()) {
        weights_[d][at] += 1;
        continue;
      }
      std::vector<double> window(weights_[d].size());
      double sum = 0;
      for (size_t i = 0; i < window.size(); ++i)
        sum += window[i] = std::ldexp(1.0, -static_cast<int>(i > at ? i - at : at - i));
      for (size_t i = 0; i < window.size(); ++i) weights_[d][i] += window[i] / sum;
    }
  }

  Genotype draw(core::Rng& rng) const {
    Genotype genotype;
    for (const std::vector<double>& w : weights_) {
      double left = rng.uniform() * total(w);
      size_t option = 0;
      while (option + 1 < w.size() && left >= w[option]) left -= w[option++];
      genotype.choice.push_back(static_cast<int>(option));
    }
    return genotype;
  }

  double log(const Genotype& genotype) const {
    double sum = 0;
    for (size_t d = 0; d < weights_.size(); ++d)
      sum += std::log(weights_[d][static_cast<size_t>(genotype.choice[d])] / total(weights_[d]));
    return sum;
  }

 private:
  static double total(const std::vector<double>& w) {
    double sum = 0;
    for (const double x : w) sum += x;
    return sum;
  }

  const Space& space_;
  std::vector<std::vector<double>> weights_;
};

class TpeGenerator final : public Generator {
 public:
  explicit TpeGenerator(const TpeOptions& options) : o_(options) {}

  Proposal propose(const Question& q) const override {
    const Known known(q);
    std::vector<const Trial*> trials = examined_networks(q.past);
    if (trials.size() < static_cast<size_t>(o_.start)) return uniform_start(q, known);
    forget(trials, q.past.objective);
    trials = best_first(std::move(trials), q.past.objective);
    const auto middle = trials.begin() + static_cast<std::ptrdiff_t>(good_ones(trials.size()));
    if (auto further = promotion(q, {trials.begin(), middle})) return *further;
    Density good(q.space, o_.prior), bad(q.space, o_.prior);
    for (auto trial = trials.begin(); trial != trials.end(); ++trial)
      (trial < middle ? good : bad).add((*trial)->genotype);
    for (const Genotype& running : q.past.running) bad.add(running);
    Proposal found;
    double best = -INFINITY;
    for (int i = 0; i < o_.candidates; ++i) {
      Proposal candidate = first_unknown(q, known, [&] { return Proposal(good.draw(q.rng)); });
      const double gain = good.log(candidate.genotype) - bad.log(candidate.genotype);
      if (!(gain > best)) continue;
      found = std::move(candidate);
      best = gain;
    }
    found.by = "density";
    found.reason = core::significant(std::exp(best), 3) + " times as dense among the good ones as among the others";
    return found;
  }

 private:
  // Sorting several goals into fronts takes the square of their number: of a long past the latest.
  static void forget(std::vector<const Trial*>& trials, const Objective& objective) {
    constexpr size_t kMost = 2000;
    if (objective.several() && trials.size() > kMost) trials.erase(trials.begin(), trials.end() - kMost);
  }

  size_t good_ones(size_t trials) const {
    const auto share = static_cast<size_t>(std::ceil(o_.good * static_cast<double>(trials)));
    return std::min(std::clamp<size_t>(share, 1, static_cast<size_t>(o_.most_good)), trials);
  }

  TpeOptions o_;
};

}  // namespace

std::unique_ptr<Generator> make_tpe_generator(core::config::Reader& reader) {
  TpeOptions options;
  read_options(reader, options);
  return std::make_unique<TpeGenerator>(options);
}

}  // namespace condenser::search
