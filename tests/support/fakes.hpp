#pragma once
// Stand-ins for the expensive neighbours of a search: a small space whose networks cost nothing, and a probe that is a
// formula instead of a training.

#include <cmath>
#include <functional>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/builder.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/search/driver.hpp"

namespace condenser::fakes {

// A chain of `length` 1x1 convolutions with 1..widths channels each; `stride` 2 breaks no_strided_pointwise; `unused`
// changes nothing, so every network has two genotypes.
class ChainSpace final : public search::Space {
 public:
  explicit ChainSpace(int length = 3, int widths = 5) : length_(length) {
    std::vector<int> options;
    for (int w = 1; w <= widths; ++w) options.push_back(w);
    for (int i = 0; i < length; ++i) decisions_.push_back({"w" + std::to_string(i), options});
    decisions_.push_back({"stride", {1, 2}});
    decisions_.push_back({"unused", {0, 1}});
  }

  const std::vector<search::Decision>& decisions() const override { return decisions_; }

  search::Candidate expand(const search::Genotype& genotype) const override {
    search::check(*this, genotype);
    arch::Builder b("chain", {1, 4, 4});
    int x = b.input();
    for (int i = 0; i < length_; ++i) {
      const std::string name = "c" + std::to_string(i);
      const int stride = i == 0 ? search::value(*this, genotype, "stride") : 1;
      const int out = search::value(*this, genotype, "w" + std::to_string(i));
      x = b.add(name, arch::Conv2d{.out = out, .kernel = {1, 1}, .stride = {stride, stride}}, {x});
      x = b.add(name + "_bn", arch::BatchNorm{}, {x});
      x = b.add(name + "_act", arch::Activation{}, {x});
    }
    x = b.add("gap", arch::GlobalAvgPool{}, {x});
    b.add("fc", arch::Linear{.out = 3}, {x});
    return arch::design_of(b);
  }

 private:
  int length_;
  std::vector<search::Decision> decisions_;
};

// val_accuracy falls with the squared distance of the widths from 2, 3, 4, 2, 3, ...; a hair of it comes from the seed,
// so that a wrong seed shows.
class FormulaProbe final : public search::Probe {
 public:
  std::function<void(const search::Candidate&)> before;  // may throw

  std::string name() const override { return "formula"; }
  double cost_seconds() const override { return 1; }
  std::vector<std::string> finds() const override { return {"val_accuracy"}; }

  void ask(const search::Candidate& candidate, const search::ProbeContext& context, search::Findings& f) override {
    if (before) before(candidate);
    if (context.on_progress) context.on_progress(0.5, "a formula");
    double distance = 0;
    int i = 0;
    for (const arch::Node& node : candidate.spec.nodes) {
      const auto* conv = std::get_if<arch::Conv2d>(&node.op);
      if (conv == nullptr) continue;
      const double target = 2 + i++ % 3;
      distance += (conv->out - target) * (conv->out - target);
      f.node_scores[node.name] = conv->out / 3.0;
    }
    f.metrics["val_accuracy"] = 90 - distance + 1e-3 * core::Rng(context.seed).uniform();
  }
};

// Everything a search needs, with sensible parts; tests change what they are about.
struct Bench {
  ChainSpace space;
  search::GateOptions gate_options;
  search::SearchOptions options;
  std::string generator_yaml;
  std::function<void(const search::Candidate&)> before;
  std::function<void(int64_t, int64_t, double, const std::string&)> on_progress;
  std::string worker = "main";
  double lease = 0;
  std::vector<double> rungs = {1};

  // Calls body(context) with everything made.
  template <class F>
  auto with(search::Store& store, const F& body) const {
    auto reader = core::config::Reader::from_text(generator_yaml.empty() ? "{}" : generator_yaml, "test");
    const auto generator = search::make_generator(options.generator, reader);
    auto probe = std::make_unique<FormulaProbe>();
    probe->before = before;
    std::vector<std::unique_ptr<search::Probe>> probes;
    probes.push_back(std::move(probe));
    const search::Inquisitor inquisitor(std::move(probes));
    const search::Gate gate(gate_options);
    return body(search::SearchContext{.space = space,
                                      .generator = *generator,
                                      .gate = gate,
                                      .inquisitor = inquisitor,
                                      .store = store,
                                      .rungs = rungs,
                                      .worker = worker,
                                      .lease = lease});
  }

  std::vector<search::Trial> run(search::Store& store,
                                 const std::function<void(const search::Trial&, int64_t)>& on_trial = {}) const {
    return with(store, [&](const search::SearchContext& context) {
      return search::run_search(context, options, {on_trial, on_progress});
    });
  }

  std::vector<search::Trial> run() const {
    const auto store = search::make_memory_store();
    return run(*store);
  }
};

// Equal in everything that is part of the result (seconds are not).
inline bool equal(const search::Trial& a, const search::Trial& b) {
  return a.index == b.index && a.genotype == b.genotype && a.hash == b.hash && a.state == b.state && a.rung == b.rung &&
         a.fidelity == b.fidelity && a.by == b.by && a.reason == b.reason && a.forecast == b.forecast &&
         a.same_as == b.same_as && a.verdicts == b.verdicts && a.findings == b.findings && a.error == b.error;
}

inline bool equal(const std::vector<search::Trial>& a, const std::vector<search::Trial>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const search::Trial& x, const search::Trial& y) { return equal(x, y); });
}

}  // namespace condenser::fakes
