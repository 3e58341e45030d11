// `condenser bench gate`: how many candidates a second one core expands, costs, lowers, plans, tells from earlier ones
// and checks, export included: all that a search does with each proposal before it examines it. What passes is also
// hashed, and then trained for seconds: that time stands beside. The other words have files of their own.

#include <ctime>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "cli/cost_estimate.hpp"
#include "cli/print.hpp"
#include "cli/stages/stages.hpp"
#include "cli/verb.hpp"
#include "cli/verbs/bench.hpp"
#include "condenser/arch/rules.hpp"
#include "condenser/core/config.hpp"
#include "condenser/core/statistics.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/verify/machine.hpp"

namespace condenser::cli {
namespace {

constexpr int kCandidates = 2000, kRounds = 9;

struct GateBench {
  double specs_per_second = 0, low = 0, high = 0;  // median, slowest and fastest round
  double nodes_per_spec = 0;
  int64_t passed = 0;
  double hash_microseconds = 0;  // of one candidate, which only those that pass pay
};

// Of processor time: one thread works and waits for nothing, so that this is what one core takes even while other
// programs want it too.
double seconds_since(std::clock_t begin) { return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC; }

double hash_microseconds(const search::Space& space, const std::vector<search::Genotype>& genotypes) {
  std::vector<arch::Spec> specs;
  for (const search::Genotype& genotype : genotypes) specs.push_back(space.expand(genotype).spec);
  const std::clock_t begin = std::clock();
  for (const arch::Spec& spec : specs) (void)arch::hash(spec);
  return 1e6 * seconds_since(begin) / static_cast<double>(specs.size());
}

// The whole space `columns` at 3x32x32 with ten classes, all rules, all budgets and the export to C99; of a machine, if
// one is named, its instructions, code and stack too.
GateBench bench_gate(const std::string& machine, bool strips = false) {
  auto reader = core::config::Reader::from_text("space: columns\n", "bench");
  auto space = search::make_space(reader, {{3, 32, 32}, 10});
  space = planned_as_exported(std::move(space), {.strips = strips});
  search::GateOptions options;
  for (const arch::Rule& rule : arch::rules()) options.rules.push_back(rule.name);
  options.max_params = 100'000;
  options.max_macs = 20'000'000;
  options.max_constant_bytes = 128 * 1024;
  options.max_arena_bytes = 64 * 1024;
  options.machine = machine;
  if (!machine.empty()) options.max_instructions = 40'000'000;
  const search::Gate gate = make_gate(options, {"c99"});
  core::Rng rng(1, 0);
  std::vector<search::Genotype> genotypes;
  for (int i = 0; i < kCandidates; ++i) genotypes.push_back(search::sample(*space, rng));

  GateBench result;
  std::vector<double> speeds;
  for (int round = 0; round <= kRounds; ++round) {  // the first warms the caches
    if (core::stop_requested()) throw core::Stopped("bench gate: stopped");
    int64_t nodes = 0;
    std::unordered_set<core::Fingerprint, core::FingerprintHash> seen;
    result.passed = 0;
    const std::clock_t begin = std::clock();
    for (const search::Genotype& genotype : genotypes) {
      const search::Candidate candidate = space->expand(genotype);
      if (!seen.insert(arch::fingerprint(candidate.spec)).second) continue;
      result.passed += search::passed(gate.before_training(candidate));
      nodes += static_cast<int64_t>(candidate.spec.nodes.size());
    }
    const double seconds = seconds_since(begin);
    result.nodes_per_spec = static_cast<double>(nodes) / static_cast<double>(seen.size());
    if (round > 0) speeds.push_back(kCandidates / seconds);
  }
  result.hash_microseconds = hash_microseconds(*space, {genotypes.begin(), genotypes.begin() + 200});
  const core::Quartiles of_rounds = core::quartiles(std::move(speeds));
  result.specs_per_second = of_rounds.median;
  result.low = of_rounds.min;
  result.high = of_rounds.max;
  return result;
}

void add_options(Args& args, BenchOptions& o) {
  add_format(args, o.format);
  args.option("what", o.what,
              "gate: expand, analyze, plan memory and check rules of random networks; data: decode and crop pictures; "
              "kernels: predicted instructions, code and stack against an emulator; "
              "proposal: what a search thinks before each trial; search: evaluations that a strategy needs on a "
              "look-up table; store: trials stored and loaded; train: "
              "training steps of a network on noise; workers: processes that share a study while their probes sleep")
      .required()
      .choices({"gate", "data", "kernels", "proposal", "search", "store", "train", "workers"});
  args.option("network", o.network, std::string("train: ") + kAboutNetwork);
  add_zoo_shape(args, o.shape, "train: ");
  args.option("--batch", o.batch, "train: batch size; search: proposals made together").range(1, 65536);
  args.option("--threads", o.threads, "proposal, train: threads; all cores when absent").range(1, 1024);
  args.option("--seconds", o.seconds, "train: of measuring; with --turns of one round; workers: of an examination")
      .range(0.001, 3600.0)
      .with_default();
  args.flag("--turns", o.turns, "train: each line on standard input starts a round, which prints a line of JSON");
  std::vector<std::string> generators;
  for (const search::GeneratorRow& row : search::generators()) generators.push_back(row.name);
  search::SearchBenchOptions& s = o.search;
  args.option("--table", s.table, "search: a CSV with a row for every network, or the YAML that describes it");
  args.option("--learn-from", s.learn_from,
              "search: the table of an earlier study, from which each search learns after as many evaluations there");
  args.option("--protocol", s.protocol,
              "search: noise_free and constrained: evaluations to the best reward; noisy, budget, trainings: what is "
              "returned")
      .choices(search::search_bench_protocols())
      .with_default();
  args.option("--generator", s.generator, "proposal, search: the strategy").choices(generators).with_default();
  args.option("--seeds", s.seeds, "search: so many searches").range(1, 1'000'000).with_default();
  args.option("--trials", s.trials,
              "search: evaluations of one at most, of trainings what may be spent; store: trials of a study, 2000 or "
              "more; workers: examinations of "
              "one run")
      .range(1, 1'000'000)
      .with_default();
  args.option("--rungs", s.rungs, "search: trainings: epochs after which one pauses, such as 2,6").in_one_word();
  args.option("--max-params", s.max_params, "search: constrained: parameters, e.g. 4e5").range(0.0, 1e15);
  args.option("--max-macs", s.max_macs, "search: constrained: multiply-accumulates, e.g. 50e6").range(0.0, 1e15);
  args.option(
      "--objective", o.objectives,
      "search: what is made as good as possible; several times: several goals, of which the share of the front's "
      "hypervolume counts");
  args.option("--constraint", o.constraints, "search: what must be met, such as \"val_accuracy >= 90\"");
  args.option("--study", o.study,
              "store, workers: a study, a file or postgresql://...; store: empty, a file that is removed when absent; "
              "workers: it grows");
  args.option("--kind", o.kind, "store: refused: appended; examined: appended, claimed, finished; both when absent")
      .choices({"refused", "examined"});
  args.option("--workers", o.workers.count, "workers: so many processes").range(1, 4096).with_default();
  args.option("--runs", o.workers.runs, "workers: measure so often, with new processes each time")
      .range(1, 1000)
      .with_default();
  args.flag("--one", o.workers.one, "workers: be one of the processes; they are started with it");
  args.option("--machine", o.machines, "kernels: machines, those of the model when absent; several: 1,2")
      .choices(verify::machine_names())
      .in_one_word();
  args.option("--networks", o.networks, "kernels: fit the model anew, to so many random networks of each kernel")
      .range(0, 1000)
      .with_default();
  args.option("--candidates", o.candidates,
              "kernels: compare on the zoo and so many networks of the space columns; -1: on none")
      .range(-1, 100000)
      .with_default();
  args.option("-o,--out", o.out,
              "train: folder for the network and one training step of it; nothing is timed; kernels: file for the "
              "fitted model");
}

int bench(const BenchOptions& o) {
  if (o.what == "data") return bench_data(o);
  if (o.what == "kernels") return bench_kernels(o);
  if (o.what == "proposal") return bench_proposal(o);
  if (o.what == "search") return bench_search(o);
  if (o.what == "store") return bench_store(o);
  if (o.what == "train") return bench_train(o);
  if (o.what == "workers") return bench_workers(o);
  const GateBench b = bench_gate(""), on_machine = bench_gate("cortex-m4"), in_strips = bench_gate("", true);
  if (o.format == "json") {
    const nlohmann::ordered_json j{{"schema_version", 1},
                                   {"benchmark", "gate"},
                                   {"specs_per_second", b.specs_per_second},
                                   {"specs_per_second_with_instructions", on_machine.specs_per_second},
                                   {"specs_per_second_in_strips", in_strips.specs_per_second},
                                   {"slowest_round", b.low},
                                   {"fastest_round", b.high},
                                   {"rounds", kRounds},
                                   {"specs", kCandidates},
                                   {"nodes_per_spec", b.nodes_per_spec},
                                   {"passed", b.passed},
                                   {"hash_microseconds", b.hash_microseconds}};
    print_json(j);
    return 0;
  }
  StageOutput out{
      "Gate, a second of one core: expand, analyze, lower, plan memory, fingerprint, rules, budgets, export rule",
      {{{"specs_per_second", "specs/s"},
        {"specs_per_second_with_instructions", "with instructions of a machine"},
        {"specs_per_second_in_strips", "in strips"},
        {"slowest_round", "slowest round"},
        {"fastest_round", "fastest round"},
        {"nodes_per_spec", "nodes per spec"},
        {"specs", "specs"},
        {"passed", "passed"},
        {"hash_microseconds", "hash, µs"}},
       {}},
      {}};
  out.table.rows.push_back({core::cell(static_cast<int64_t>(b.specs_per_second)),
                            core::cell(static_cast<int64_t>(on_machine.specs_per_second)),
                            core::cell(static_cast<int64_t>(in_strips.specs_per_second)),
                            core::cell(static_cast<int64_t>(b.low)), core::cell(static_cast<int64_t>(b.high)),
                            core::cell(b.nodes_per_spec, 1), core::cell(int64_t{kCandidates}), core::cell(b.passed),
                            core::cell(b.hash_microseconds, 0)});
  print(out, o.format);
  return 0;
}

}  // namespace

Verb bench_verb() {
  return {.name = "bench",
          .group = kTools,
          .about = "how fast condenser itself is here, and what its kernels take of machines",
          .example = "bench gate",
          .next = "Compare on one machine only.",
          .declare = with_options<BenchOptions>(add_options, bench)};
}

}  // namespace condenser::cli
