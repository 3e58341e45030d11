// `condenser bench train`: images per second of training steps on noise. With --turns a line on standard input starts
// each round, so that another program can measure in between (scripts/bench_train.py). With -o it writes the network
// and one step of its training instead, to compare with.
#include "cli/verbs/bench.hpp"

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/hardware.hpp"
#include "cli/networks.hpp"
#include "cli/print.hpp"
#include "cli/stages/stages.hpp"
#include "cli/torch_module.hpp"
#include "condenser/arch/analysis.hpp"
#include "condenser/arch/spec_io.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/output.hpp"
#include "condenser/core/statistics.hpp"
#include "condenser/core/team.hpp"

namespace condenser::cli {
namespace {

constexpr int kRounds = 9;

using Json = nlohmann::ordered_json;

Json sizes(const arch::Spec& spec, const BenchOptions& o, int threads) {
  const arch::Analysis cost = arch::analyze(spec);
  return {{"schema_version", 1}, {"benchmark", "train"}, {"network", spec.name}, {"params", cost.params},
          {"macs", cost.macs},   {"batch", o.batch},     {"threads", threads}};
}

void write_step(const arch::Spec& spec, const BenchOptions& o, int threads) {
  const train::TrainingStep step = torch_backend().training_step(spec, o.batch, threads);
  const int64_t n = o.batch;
  const auto classes = static_cast<int64_t>(step.logits.size()) / n;
  arch::Weights io;
  io.tensors["input"] = arch::make_f32({n, spec.input.c, spec.input.h, spec.input.w}, step.input);
  io.tensors["labels"] = arch::make_tensor(arch::DType::I64, {n});
  std::copy(step.labels.begin(), step.labels.end(), io.tensors["labels"].i64().begin());
  io.tensors["evaluated"] = arch::make_f32({n, classes}, step.evaluated);
  io.tensors["logits"] = arch::make_f32({n, classes}, step.logits);
  arch::write_spec(o.out / "spec.json", spec);
  arch::save_weights(o.out / "before.safetensors", step.before);
  arch::save_weights(o.out / "after.safetensors", step.after);
  arch::save_weights(o.out / "step.safetensors", io);
  Json facts = sizes(spec, o, threads);
  facts["lr"] = step.lr;
  facts["momentum"] = step.momentum;
  facts["weight_decay"] = step.weight_decay;
  core::write_atomic(o.out / "step.json", facts.dump(2) + "\n");
}

// One JSON line per round: {"images": 1280, "seconds": 0.98}.
void take_turns(const arch::Spec& spec, const BenchOptions& o, int threads) {
  std::string line;
  const auto tell = [](const Json& json) { core::write_output(json.dump() + "\n"); };
  bool first = true;
  torch_backend().measure_training({.spec = spec,
                                    .batch = o.batch,
                                    .threads = threads,
                                    .seconds = o.seconds,
                                    .next_round =
                                        [&] {
                                          if (first) tell({{"ready", true}});
                                          first = false;
                                          return static_cast<bool>(std::getline(std::cin, line));
                                        },
                                    .round =
                                        [&](int64_t images, double seconds) {
                                          tell({{"images", images}, {"seconds", seconds}});
                                        }});
}

void measure(const arch::Spec& spec, const BenchOptions& o, int threads) {
  std::vector<double> speeds;
  torch_backend().measure_training(
      {.spec = spec,
       .batch = o.batch,
       .threads = threads,
       .seconds = o.seconds / kRounds,
       .next_round = [&] { return speeds.size() < kRounds; },
       .round = [&](int64_t images, double seconds) { speeds.push_back(static_cast<double>(images) / seconds); }});
  const core::Quartiles q = core::quartiles(speeds);
  if (o.format == "json") {
    Json json = sizes(spec, o, threads);
    json["images_per_s"] = q.median;
    json["slowest_round"] = q.min;
    json["fastest_round"] = q.max;
    json["rounds"] = kRounds;
    print_json(json);
    return;
  }
  StageOutput out{"Training of " + spec.name + " on noise: forward, loss, backward, update",
                  {{{"images_per_s", "images/s"},
                    {"slowest_round", "slowest round"},
                    {"fastest_round", "fastest round"},
                    {"batch", "batch"},
                    {"threads", "threads"}},
                   {}},
                  {}};
  out.table.rows.push_back({core::cell(q.median, 1), core::cell(q.min, 1), core::cell(q.max, 1),
                            core::cell(int64_t{o.batch}), core::cell(int64_t{threads})});
  print(out, o.format);
}

}  // namespace

int bench_train(const BenchOptions& o) {
  if (o.network.empty())
    throw core::ConfigError("condenser bench train: which network? Expected one zoo name, spec file or run folder");
  const arch::Spec spec = find_network(o.network, o.shape);
  const int threads = o.threads > 0 ? o.threads : core::all_cores();
  if (!o.out.empty())
    write_step(spec, o, threads);
  else if (o.turns)
    take_turns(spec, o, threads);
  else
    measure(spec, o, threads);
  return 0;
}

}  // namespace condenser::cli
