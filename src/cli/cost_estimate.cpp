// Gate construction and the estimate of --dry-run.

#include "cli/cost_estimate.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "cli/progress.hpp"
#include "cli/torch_module.hpp"
#include "condenser/core/statistics.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/core/team.hpp"
#include "condenser/core/text.hpp"
#include "condenser/search/ladder.hpp"
#include "condenser/search/probe_rows.hpp"
#include "condenser/search/table.hpp"

namespace condenser::cli {

search::Gate make_gate(const search::GateOptions& options, const std::vector<std::string>& targets) {
  std::vector<search::ExtraRule> extra;
  for (const std::string& name : targets) {
    const exporters::Target& target = exporters::find_target(name);
    extra.push_back([&target](const arch::Design& design) {
      const auto problems = target.unsupported(design);
      search::Verdict v{"exportable_to_" + target.name, problems.empty(), "", "every operator is supported",
                        "supported operators of " + target.name};
      if (!problems.empty()) {
        v.node = problems.front().node;
        v.value = problems.front().why;
      }
      return v;
    });
  }
  return search::Gate(options, std::move(extra));
}

search::Gate make_gate(const RunConfig& config) {
  const bool networks = !config.space || !search::is_table(*config.space);
  return make_gate(config.gate, networks ? config.targets : std::vector<std::string>());
}

train::Allowed allowed_by(search::Gate gate) {
  return [gate = std::move(gate)](const search::Candidate& c) { return search::passed(gate.before_training(c)); };
}

namespace {

// Training work per second and thread where nothing can be measured: forward MACs, batch 128, small column networks,
// the low end of what was measured (docs in experiments/digits_quickstart). An order of magnitude, not a promise.
constexpr double kMacsPerSecondPerThread = 1.0e9;
constexpr double kForwardBackward = 3.0;

// How long training takes here: seconds for each forward multiply-accumulate of each image.
struct Pace {
  double seconds_per_mac = 0;
  bool measured = false;
};

Pace guessed_pace(int threads) {
  const int used = threads > 0 ? threads : core::all_cores();
  return {kForwardBackward / (kMacsPerSecondPerThread * used), false};
}

// Steps of the very network on a batch of noise, for about a second. Guessed where LibTorch is absent or a GPU trains.
Pace pace_of(const arch::Design& design, const train::TrainOptions& o, double images) {
  try {
    train::Backend& backend = torch_backend();
    if (o.device != "cpu" && backend.version().find("CUDA") != std::string::npos) return guessed_pace(o.threads);
    int rounds = 0;
    std::vector<double> seconds_per_image;
    backend.measure_training(
        {.spec = design.spec,
         .batch = static_cast<int>(std::min<double>(o.batch_size, images)),
         .threads = o.threads,
         .seconds = 0.3,
         .next_round = [&] { return rounds++ < 3; },
         .round = [&](int64_t n, double s) { seconds_per_image.push_back(s / static_cast<double>(n)); }});
    return {core::median(seconds_per_image) / static_cast<double>(design.cost.macs), true};
  } catch (const core::Stopped&) {
    throw;
  } catch (const core::Error&) {
    return guessed_pace(o.threads);
  }
}

struct Sampled {
  int total = 0, passed = 0;
  double mean_macs = 0;
  std::map<std::string, int> refused;   // candidates by rule
  std::optional<arch::Design> typical;  // of those that pass, the one whose MACs are nearest to the mean
};

Sampled sample_space(const RunConfig& c) {
  const search::Gate gate = make_gate(c);
  Sampled s;
  core::Rng rng(c.seed, 0xD47);
  std::vector<search::Candidate> passed;
  for (s.total = 0; s.total < 300; ++s.total) {
    search::Candidate candidate = c.space->expand(search::sample(*c.space, rng));
    const auto verdicts = gate.before_training(candidate);
    std::set<std::string> broken;
    for (const auto& v : verdicts)
      if (!v.passed) broken.insert(v.rule);
    for (const std::string& rule : broken) ++s.refused[rule];
    if (!broken.empty()) continue;
    s.mean_macs += static_cast<double>(candidate.cost.macs);
    passed.push_back(std::move(candidate));
  }
  s.passed = static_cast<int>(passed.size());
  // A narrow gate lets one of thousands pass: without it no time could be told.
  for (int draws = 0; passed.empty() && draws < 30'000; ++draws) {
    search::Candidate candidate = c.space->expand(search::sample(*c.space, rng));
    if (!search::passed(gate.before_training(candidate))) continue;
    s.mean_macs = static_cast<double>(candidate.cost.macs);
    passed.push_back(std::move(candidate));
  }
  if (passed.empty()) return s;
  if (s.passed > 0) s.mean_macs /= s.passed;
  s.typical = *std::ranges::min_element(passed, {}, [&](const search::Candidate& candidate) {
    return std::abs(static_cast<double>(candidate.cost.macs) - s.mean_macs);
  });
  return s;
}

// What the budget brings to each rung when the best third goes on, and the most that could come to it.
void add_rungs(const RunConfig& c, double probe_seconds, StageOutput& out) {
  const std::vector<double> rungs = fidelities(c.probe);
  const std::vector<double> candidates = search::candidates_on_rungs(rungs, c.search.trials);
  for (size_t i = 0; i < rungs.size(); ++i) {
    const double from = i > 0 ? rungs[i - 1] : 0;
    const std::string epochs = i > 0 ? std::to_string(c.probe.rungs[i - 1]) + " to " : "0 to ";
    out.lines.push_back("rung " + std::to_string(i + 1) + " of " + std::to_string(rungs.size()) + ": epochs " + epochs +
                        std::to_string(c.probe.rungs[i]) + ", about " + core::fixed(candidates[i], 0) +
                        " candidates (at most " + core::fixed(std::floor(c.search.trials / rungs[i]), 0) + "), about " +
                        core::fixed(candidates[i] * (rungs[i] - from) * probe_seconds, 0) + " s");
  }
}

// The one training of shared weights: epochs, images, and the multiply-accumulates of all networks of a step.
struct SharedWork {
  double images = 0, macs = 0;
  double seconds(const train::SupernetOptions& o, const Pace& pace) const {
    return o.epochs * images * macs * pace.seconds_per_mac;
  }
};

SharedWork shared_work(const RunConfig& c, const Sampled& sampled, double probe_images, double training) {
  const train::SupernetOptions& o = c.probe.supernet;
  const train::Extremes ends = train::extremes(*c.space, allowed_by(make_gate(c)), c.probe.train.seed);
  const auto macs = [&](const search::Genotype& g) { return static_cast<double>(c.space->expand(g).cost.macs); };
  return {o.samples > 0 ? std::min<double>(o.samples, training) : probe_images,
          macs(ends.widest) + macs(ends.narrowest) + o.candidates * sampled.mean_macs};
}

// What a run does with its images, in seconds of this machine.
struct Estimate {
  Sampled sampled;
  Pace pace;
  double probe_images = 0, train_images = 0;
  double probe_s = 0, train_s = 0;       // of one candidate; of the winner
  double shared_s = 0, inherited_s = 0;  // of shared weights: once, and for each candidate
  double shared_images = 0;
  double search_seconds(int trials) const { return shared_s + trials * (probe_s + inherited_s); }
};

// `sampled`: of the space, or the one network that is trained.
Estimate estimate(const RunConfig& c, Sampled sampled, double training, double validation) {
  Estimate e{.sampled = std::move(sampled), .pace = {}};
  const Sampled& s = e.sampled;
  e.train_images = c.train_on_validation ? training + validation : training;
  e.pace = s.typical ? pace_of(*s.typical, c.train, e.train_images) : guessed_pace(c.train.threads);
  const double seconds_per_image = e.pace.seconds_per_mac * s.mean_macs;
  e.probe_images = c.probe.samples > 0 ? std::min<double>(c.probe.samples, training) : training;
  e.probe_s = seconds_per_image * (e.probe_images * c.probe.train.epochs + validation / kForwardBackward);
  e.train_s = seconds_per_image * e.train_images * c.train.epochs;
  if (!c.space || !shares_weights(c.probe) || s.passed == 0) return e;
  const SharedWork work = shared_work(c, s, e.probe_images, training);
  e.shared_images = work.images;
  e.shared_s = work.seconds(c.probe.supernet, e.pace);
  e.inherited_s = seconds_per_image * search::cost_epochs(search::find_probe_row("inherited"), 1,
                                                          static_cast<int64_t>(validation), c.probe.train.epochs);
  return e;
}

std::string basis_of(const Pace& pace) {
  if (pace.measured)
    return "times are estimates from a second of training steps on this machine, good to a factor of two while its "
           "load stays the same";
  return "times are estimates from MACs (" + core::fixed(kMacsPerSecondPerThread / 1e9, 0) +
         " GMAC/s a thread), good to a factor of three";
}

std::string refused_text(const Sampled& s) {
  std::string refused;
  for (const auto& [rule, count] : s.refused)
    if (count) refused += (refused.empty() ? "" : ", ") + rule + " " + std::to_string(count);
  return refused;
}

}  // namespace

WorkTime time_of(const RunConfig& c, double training, double validation) {
  const Estimate e = estimate(c, sample_space(c), training, validation);
  return {.search = e.search_seconds(c.search.trials),
          .train = e.train_s,
          .basis = basis_of(e.pace),
          .sampled = e.sampled.total,
          .refused = refused_text(e.sampled),
          .known = e.sampled.typical.has_value()};
}

StageOutput dry_run(RunContext& run) {
  const RunConfig& c = run.config;
  StageOutput out{"What would be done (nothing was written)",
                  {{{"stage", "stage", false}, {"what", "what", false}, {"estimated_seconds", "about, s"}}, {}},
                  {}};
  const double training = static_cast<double>(run.training()->size()),
               validation = static_cast<double>(run.validation()->size());
  Sampled s;
  if (c.space) {
    s = sample_space(c);
  } else {
    s.typical = load_winner(run);
    s.mean_macs = static_cast<double>(s.typical->cost.macs);
  }
  const Estimate e = estimate(c, std::move(s), training, validation);
  if (e.shared_s > 0)
    out.lines.push_back("shared weights, once before the first candidate: " + std::to_string(c.probe.supernet.epochs) +
                        " epochs on " + core::fixed(e.shared_images, 0) + " images of the widest, the narrowest and " +
                        std::to_string(c.probe.supernet.candidates) + " drawn networks, about " +
                        core::fixed(e.shared_s, 0) + " s");
  for (const std::string& name : c.stages) {
    std::string what = find_stage(name).about;
    core::Cell seconds = core::empty_cell();
    if (name == "search" && c.space) {
      what = std::to_string(c.search.trials) + " candidates by " + c.search.generator + ", " +
             std::to_string(c.probe.train.epochs) + " epochs on " + core::fixed(e.probe_images, 0) + " images each";
      if (c.probe.rungs.size() > 1) what += ", in " + std::to_string(c.probe.rungs.size()) + " rungs (below)";
      if (e.sampled.typical) seconds = core::cell(e.search_seconds(c.search.trials), 0);
    } else if (name == "search") {
      what = "gate check of " + c.spec;
    } else if (name == "train") {
      what = std::to_string(c.train.epochs) + " epochs on " + core::fixed(e.train_images, 0) + " images";
      if (e.sampled.typical) seconds = core::cell(e.train_s, 0);
    } else if (name == "quantize") {
      what = "int8, observer " + c.quant.observer + ", " + std::to_string(c.quant.calibration_samples) +
             " calibration images";
    } else if (name == "verify") {
      what = "compare every output integer on up to " + std::to_string(c.verify.samples) + " test images";
    }
    out.table.rows.push_back({core::cell(name), core::cell(what), seconds});
  }
  out.lines.push_back("data: " + c.card.name + ", " + core::fixed(training, 0) + " training, " +
                      core::fixed(validation, 0) + " validation images, " + std::to_string(c.card.classes.size()) +
                      " classes, " + arch::to_string(arch::Shape{c.card.shape.c, c.card.shape.h, c.card.shape.w}));
  if (c.space) {
    const double size = search::log10_size(*c.space);
    out.lines.push_back("space: " + std::to_string(c.space->decisions().size()) + " decisions, 10^" +
                        core::fixed(size, 1) + " genotypes; " + std::to_string(e.sampled.passed) + " of " +
                        std::to_string(e.sampled.total) + " sampled pass the gate" +
                        (e.sampled.typical
                             ? std::string(e.sampled.passed > 0 ? ", on average " : ", one that does has ") +
                                   core::thousands(static_cast<int64_t>(e.sampled.mean_macs)) + " MACs"
                             : ", nor does any of 30,000 more: no time can be told"));
    const std::string refused = refused_text(e.sampled);
    if (!refused.empty()) out.lines.push_back("refused in the sample: " + refused);
  }
  if (c.space && e.sampled.typical && c.probe.rungs.size() > 1) add_rungs(c, e.probe_s, out);
  out.lines.push_back("run folder: " + run.folder.string());
  out.lines.push_back(basis_of(e.pace));
  return out;
}

}  // namespace condenser::cli
