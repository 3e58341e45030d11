// Gate construction and the estimate of --dry-run.

#include "cli/cost_estimate.hpp"

#include <cmath>
#include <map>
#include <thread>

#include "cli/progress.hpp"
#include "condenser/arch/analysis.hpp"
#include "condenser/arch/passes.hpp"

namespace condenser::cli {

search::Gate make_gate(const RunConfig& config) {
  std::vector<search::ExtraRule> extra;
  for (const std::string& name : config.targets) {
    const exporters::Target& target = exporters::find_target(name);
    extra.push_back([&target](const arch::Spec& spec) {
      const auto problems = target.unsupported(arch::lower(spec, nullptr));
      search::Verdict v{"exportable_to_" + target.name, problems.empty(), "", "every operator is supported",
                        "supported operators of " + target.name};
      if (!problems.empty()) v.node = problems.front().node, v.value = problems.front().why;
      return v;
    });
  }
  return search::Gate(config.gate, std::move(extra));
}

namespace {

// Training work per second and thread, forward MACs, batch 128, small column networks: the low end of what was measured
// (docs in experiments/digits_quickstart). An order of magnitude, not a promise.
constexpr double kMacsPerSecondPerThread = 1.0e9;
constexpr double kForwardBackward = 3.0;

double training_seconds(double macs, double images, double epochs, int threads) {
  const int used = threads > 0 ? threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  return kForwardBackward * macs * images * epochs / (kMacsPerSecondPerThread * used);
}

struct Sampled {
  int total = 0, passed = 0;
  double mean_macs = 0;
  std::map<std::string, int> refused;
};

Sampled sample_space(const RunConfig& c) {
  const search::Gate gate = make_gate(c);
  Sampled s;
  core::Rng rng(c.seed, 0xD47);
  for (s.total = 0; s.total < 300; ++s.total) {
    const arch::Spec spec = c.space->expand(search::sample(*c.space, rng)).spec;
    const auto verdicts = gate.before_training(spec);
    if (search::passed(verdicts)) {
      ++s.passed;
      s.mean_macs += static_cast<double>(arch::analyze(spec).macs);
    }
    for (const auto& v : verdicts) s.refused[v.rule] += !v.passed;
  }
  if (s.passed) s.mean_macs /= s.passed;
  return s;
}

std::string fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

}  // namespace

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
    s.mean_macs = static_cast<double>(arch::analyze(load_winner(run)).macs);
  }
  const double probe_images = c.probe.samples > 0 ? std::min<double>(c.probe.samples, training) : training;
  const double probe_s = training_seconds(s.mean_macs, probe_images + validation / kForwardBackward,
                                          c.probe.train.epochs, c.probe.train.threads);
  const double train_images = c.train_on_validation ? training + validation : training;
  const double train_s = training_seconds(s.mean_macs, train_images, c.train.epochs, c.train.threads);
  for (const std::string& name : c.stages) {
    std::string what = find_stage(name).about;
    core::Cell seconds = core::empty_cell();
    if (name == "search" && c.space) {
      what = std::to_string(c.search.trials) + " candidates by " + c.search.generator + ", " +
             std::to_string(c.probe.train.epochs) + " epochs on " + fixed(probe_images, 0) + " images each";
      seconds = core::cell(c.search.trials * probe_s, 0);
    } else if (name == "search") {
      what = "gate check of " + c.spec;
    } else if (name == "train") {
      what = std::to_string(c.train.epochs) + " epochs on " + fixed(train_images, 0) + " images";
      seconds = core::cell(train_s, 0);
    } else if (name == "quantize") {
      what = "int8, observer " + c.quant.observer + ", " + std::to_string(c.quant.calibration_samples) +
             " calibration images";
    } else if (name == "verify") {
      what = "compare every output integer on " + std::to_string(c.verify.samples) + " test images";
    }
    out.table.rows.push_back({core::cell(name), core::cell(what), seconds});
  }
  out.lines.push_back("data: " + c.card.name + ", " + fixed(training, 0) + " training, " + fixed(validation, 0) +
                      " validation images, " + std::to_string(c.card.classes.size()) + " classes, " +
                      arch::to_string(arch::Shape{c.card.shape.c, c.card.shape.h, c.card.shape.w}));
  if (c.space) {
    const double size = search::log10_size(*c.space);
    out.lines.push_back("space: " + std::to_string(c.space->decisions().size()) + " decisions, 10^" + fixed(size, 1) +
                        " genotypes; " + std::to_string(s.passed) + " of " + std::to_string(s.total) +
                        " sampled pass the gate, on average " + core::thousands(static_cast<int64_t>(s.mean_macs)) +
                        " MACs");
    std::string refused;
    for (const auto& [rule, count] : s.refused)
      if (count) refused += (refused.empty() ? "" : ", ") + rule + " " + std::to_string(count);
    if (!refused.empty()) out.lines.push_back("refused in the sample: " + refused);
  }
  out.lines.push_back("run folder: " + run.folder.string());
  out.lines.push_back("times are estimates from MACs (" + fixed(kMacsPerSecondPerThread / 1e9, 0) +
                      " GMAC/s a thread), good to a factor of three");
  return out;
}

}  // namespace condenser::cli
