// `condenser bench kernels`: what networks take of machines by the model of arch/machine_model.hpp, against what an
// emulator counts; with --networks the model is fitted first, to layers of random networks, and written with --out. The
// networks of the comparison are others: those of the zoo that fit the smallest board, and candidates of the space
// `columns`.

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "cli/noise_export.hpp"
#include "cli/stages/stages.hpp"
#include "cli/verbs/bench.hpp"
#include "cli/verbs/kernel_networks.hpp"
#include "condenser/arch/machine_model.hpp"
#include "condenser/arch/zoo.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/process.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "condenser/core/text.hpp"
#include "condenser/exporters/kernel_version.hpp"
#include "condenser/search/space.hpp"
#include "condenser/search/survey.hpp"
#include "condenser/verify/machine.hpp"

namespace condenser::cli {
namespace {

namespace fs = std::filesystem;
using arch::KernelModel, arch::MachineModel;

constexpr int64_t kMostConstants = 300'000, kMostArena = 150'000, kMostMacs = 20'000'000;  // of networks that are run
constexpr uint64_t kFitSeed = 1, kCheckSeed = 2;

struct Measured {
  std::string group;  // "zoo"; of networks to fit to the kernel that fills them, or "mixed"
  arch::Design design;
  verify::MachineCost cost;
  std::string options;  // of the compiler
};
using ByMachine = std::map<std::string, std::vector<Measured>>;

bool fits_boards(const arch::Design& d) {
  return d.lowered_cost.constant_bytes <= kMostConstants && d.plan.peak_bytes <= kMostArena && d.cost.macs <= kMostMacs;
}

// Runs networks on machines; kernels are compiled once for each.
class Bench {
 public:
  explicit Bench(std::vector<std::string> machines) : machines_(std::move(machines)) {}

  void measure(const std::string& group, const arch::Design& design, ByMachine& to) const {
    if (core::stop_requested()) throw core::Stopped("bench kernels: stopped");
    const core::TemporaryFolder folder;
    const fs::path exported = folder.path() / "export";
    exporters::KnownAnswers answers;
    try {
      answers = export_with_noise(design, 1, exported);
    } catch (const core::Error& e) {
      return core::log::warning(group + ": left out, " + e.what());
    }
    for (const std::string& name : machines_) {
      const verify::Machine& machine = verify::find_machine(name);
      const verify::MachineResult r = verify::run_on(machine, exported, answers, 1, {.kept = kept_.path()});
      if (!r.check.ran) throw core::Error("bench kernels on " + name + ": " + r.check.detail);
      if (!r.check.passed)
        throw core::Error("bench kernels on " + name + ": " + r.check.detail, core::ExitCode::VerifyMismatch);
      if (r.cost.layers.empty()) throw core::Error("bench kernels on " + name + ": instructions were not counted");
      to[name].push_back({group, design, r.cost, r.options});
    }
  }

 private:
  std::vector<std::string> machines_;
  core::TemporaryFolder kept_;
};

std::string version_of(const std::string& compiler) {
  const std::string version = core::run_process({compiler, "-dumpfullversion"}).out;
  return compiler + " " + version.substr(0, version.find('\n'));
}

// ---- fitting ----

// x >= 0 that makes |A x - b| smallest, by coordinate descent on the normal equations.
class NonNegative {
 public:
  explicit NonNegative(size_t columns) : gram_(columns * columns, 0), right_(columns, 0), n_(columns) {}

  void add(const double* row, double target, double weight) {
    for (size_t i = 0; i < n_; ++i) {
      right_[i] += weight * weight * row[i] * target;
      for (size_t k = 0; k < n_; ++k) gram_[i * n_ + k] += weight * weight * row[i] * row[k];
    }
  }

  std::vector<double> solve() const {
    std::vector<double> x(n_, 0);
    for (int sweep = 0; sweep < 100'000; ++sweep) {
      double change = 0;
      for (size_t i = 0; i < n_; ++i) {
        const double own = gram_[i * n_ + i];
        if (!(own > 0)) continue;
        double slope = right_[i];
        for (size_t k = 0; k < n_; ++k) slope -= gram_[i * n_ + k] * x[k];
        const double next = std::max(0.0, x[i] + slope / own);
        change = std::max(change, std::abs(next - x[i]) * std::sqrt(own));
        x[i] = next;
      }
      if (change < 1e-9) break;
    }
    for (double& value : x) value = std::stod(core::significant(value, 5));
    return x;
  }

 private:
  std::vector<double> gram_, right_;
  size_t n_;
};

struct Layer {
  size_t node = 0, kernel = 0;
  int calls = 1;
  double counts[arch::kMaxCounts];
  double instructions = 0, cycles = -1;  // the second estimated; -1: not known
};

// The layers of a network, with what was counted for them.
std::vector<Layer> layers_of(const Measured& m) {
  std::map<std::string, verify::LayerCost> counted;
  for (const verify::LayerCost& layer : m.cost.layers) counted[layer.layer] = layer;
  std::vector<Layer> layers;
  const arch::Spec& spec = m.design.lowered;
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    const arch::Node& node = spec.nodes[i];
    std::vector<arch::Shape> in;
    for (const int input : node.inputs) in.push_back(m.design.lowered_cost.node(input).shape);
    const arch::Kernel* kernel = node.inputs.empty() ? nullptr : arch::choose_kernel(node.op, in);
    if (kernel == nullptr || !counted.contains(node.name)) continue;
    Layer layer{.node = i, .kernel = static_cast<size_t>(kernel - arch::kernels().data())};
    if (std::holds_alternative<arch::Concat>(node.op)) layer.calls = static_cast<int>(in.size());
    arch::kernel_counts(*kernel).count(node.op, in, m.design.lowered_cost.nodes[i].shape, layer.counts);
    layer.instructions = static_cast<double>(counted[node.name].instructions);
    layer.cycles = static_cast<double>(counted[node.name].cycles);
    layers.push_back(layer);
  }
  return layers;
}

// Code of calls: bytes of the network's own source, from how often it calls each kernel.
void fit_calls(MachineModel& model, const std::vector<Measured>& networks) {
  const size_t n = arch::kernels().size();
  NonNegative bytes(n + 1);
  for (const Measured& m : networks) {
    std::vector<double> row(n + 1, 0);
    row[n] = 1;
    for (const Layer& layer : layers_of(m)) row[layer.kernel] += layer.calls;
    for (const verify::SourceCost& source : m.cost.sources)
      if (source.source == "model.c")
        bytes.add(row.data(), static_cast<double>(source.code_bytes), 1);  // the long ones count
  }
  const std::vector<double> x = bytes.solve();
  for (size_t k = 0; k < n; ++k) model.kernels[k].call_bytes = x[k];
  model.run_bytes = x[n];
}

// Sources that every network with this kernel has are the kernel's. Its stack is the most of the networks that hold it
// as good as alone, as some forms of a kernel need more than others.
void fit_sources(MachineModel& model, const std::vector<Measured>& networks) {
  std::map<std::string, int64_t> bytes;
  std::vector<std::optional<std::set<std::string>>> needed(arch::kernels().size());
  for (const Measured& m : networks) {
    std::set<std::string> here;
    for (const verify::SourceCost& source : m.cost.sources)
      if (source.source.starts_with("cnd_")) {
        here.insert(source.source);
        bytes[source.source] = source.code_bytes;
      }
    for (const Layer& layer : layers_of(m)) {
      KernelModel& kernel = model.kernels[layer.kernel];
      if (m.group == arch::kernels()[layer.kernel].name)
        kernel.stack_bytes = std::max(kernel.stack_bytes, m.cost.stack_bytes);
      auto& sources = needed[layer.kernel];
      if (!sources) sources = here;
      std::erase_if(*sources, [&](const std::string& name) { return !here.contains(name); });
    }
  }
  for (const Measured& m : networks) {
    int64_t deepest = 0;
    for (const Layer& layer : layers_of(m)) deepest = std::max(deepest, model.kernels[layer.kernel].stack_bytes);
    model.run_stack_bytes = std::max(model.run_stack_bytes, m.cost.stack_bytes - deepest);
  }
  for (const auto& [name, size] : bytes) model.sources.push_back({name, size});
  for (size_t k = 0; k < needed.size(); ++k)
    for (size_t s = 0; needed[k] && s < model.sources.size(); ++s)
      if (needed[k]->contains(model.sources[s].name)) model.kernels[k].sources.push_back(s);
}

using Taken = double Layer::*;

// What a kernel's counts take each, and what the run function takes beside all kernels; empty for kernels that no layer
// has.
struct Fit {
  std::vector<std::vector<double>> kernels;
  double outside = 0;
};
Fit fit(const std::vector<Measured>& networks, Taken taken, int64_t verify::MachineCost::*of_all) {
  std::vector<NonNegative> problems;
  for (const arch::Kernel& kernel : arch::kernels()) problems.emplace_back(arch::kernel_counts(kernel).names.size());
  std::vector<bool> met(problems.size());
  double outside = 0;
  for (const Measured& m : networks) {
    outside += static_cast<double>(m.cost.*of_all) / static_cast<double>(networks.size());
    for (const Layer& layer : layers_of(m)) {
      problems[layer.kernel].add(layer.counts, layer.*taken, 1 / (layer.*taken + 200));
      met[layer.kernel] = true;
      outside -= layer.*taken / static_cast<double>(networks.size());
    }
  }
  Fit result{{}, std::round(std::max(0.0, outside))};
  for (size_t k = 0; k < problems.size(); ++k)
    result.kernels.push_back(met[k] ? problems[k].solve() : std::vector<double>());
  return result;
}

MachineModel fitted(const std::string& machine, const std::vector<Measured>& networks) {
  MachineModel model{.name = machine,
                     .compiler = version_of(verify::find_machine(machine).compiler) + " " + networks.front().options,
                     .kernel_set = exporters::kernel_version()};
  model.kernels.resize(arch::kernels().size());
  const Fit instructions = fit(networks, &Layer::instructions, &verify::MachineCost::instructions);
  model.run_instructions = instructions.outside;
  for (size_t k = 0; k < model.kernels.size(); ++k) model.kernels[k].instructions = instructions.kernels[k];
  if (std::ranges::all_of(networks, [](const Measured& m) { return m.cost.cycles >= 0; })) {
    const Fit cycles = fit(networks, &Layer::cycles, &verify::MachineCost::cycles);
    model.run_cycles = cycles.outside;
    for (size_t k = 0; k < model.kernels.size(); ++k) model.kernels[k].cycles = cycles.kernels[k];
  }
  fit_calls(model, networks);
  fit_sources(model, networks);
  return model;
}

// ---- comparing ----

// |predicted / measured - 1| of many, in percent.
struct Errors {
  std::vector<double> percent;
  double predicted = 0, measured = 0;

  void add(double p, double m) {
    if (!(m > 0)) return;
    percent.push_back(100 * std::abs(p / m - 1));
    predicted += p;
    measured += m;
  }
  double at(double share) {
    std::sort(percent.begin(), percent.end());
    return search::quantile(percent, share);
  }
};

void add_row(core::Table& table, const std::string& machine, const std::string& what, Errors& e) {
  if (e.percent.empty()) return;
  table.rows.push_back({core::cell(machine), core::cell(what), core::cell(std::ssize(e.percent)),
                        core::cell(e.at(0.5), 2), core::cell(e.at(0.95), 2), core::cell(e.at(1), 2),
                        core::cell(100 * (e.predicted / e.measured - 1), 2)});
}

void compare(const MachineModel& model, const std::vector<Measured>& networks, core::Table& table) {
  std::map<std::string, Errors> instructions, cycles, code, stack;
  std::vector<Errors> kernels(arch::kernels().size());
  int64_t under = 0;
  for (const Measured& m : networks) {
    std::vector<double> predicted;
    const arch::MachineCosts c =
        arch::machine_costs(model, m.design.lowered, m.design.lowered_cost, nullptr, &predicted);
    instructions[m.group].add(static_cast<double>(c.instructions), static_cast<double>(m.cost.instructions));
    if (c.cycles >= 0) cycles[m.group].add(static_cast<double>(c.cycles), static_cast<double>(m.cost.cycles));
    code[m.group].add(static_cast<double>(c.code_bytes), static_cast<double>(m.cost.code_bytes));
    stack[m.group].add(static_cast<double>(c.stack_bytes), static_cast<double>(m.cost.stack_bytes));
    under += c.stack_bytes < m.cost.stack_bytes;
    for (const Layer& layer : layers_of(m)) kernels[layer.kernel].add(predicted[layer.node], layer.instructions);
  }
  for (auto& [group, e] : instructions) add_row(table, model.name, group + ": instructions", e);
  for (auto& [group, e] : cycles) add_row(table, model.name, group + ": cycles", e);
  for (auto& [group, e] : code) add_row(table, model.name, group + ": code", e);
  for (auto& [group, e] : stack) add_row(table, model.name, group + ": stack", e);
  for (size_t k = 0; k < kernels.size(); ++k)
    add_row(table, model.name, std::string("layers of ") + arch::kernels()[k].name, kernels[k]);
  if (under > 0) core::log::warning(model.name + ": stack of " + std::to_string(under) + " networks is underestimated");
}

ByMachine fit_networks(const Bench& bench, int count) {
  ByMachine measured;
  for (size_t k = 0; k < arch::kernels().size(); ++k)
    for (int i = 0; i < count; ++i) {
      core::Rng rng(kFitSeed, k, static_cast<uint64_t>(i));
      const bool pure = 2 * i < count;
      const arch::Design design = arch::design_of(kernel_network(k, pure, rng));
      bench.measure(pure ? arch::kernels()[k].name : "mixed", design, measured);
    }
  return measured;
}

ByMachine check_networks(const Bench& bench, int candidates) {
  ByMachine measured;
  for (const arch::ZooCard& card : arch::zoo()) {
    const arch::Design design = arch::design_of(card.make(card.input, card.classes));
    if (fits_boards(design)) bench.measure("zoo", design, measured);
  }
  auto reader = core::config::Reader::from_text("space: columns\n", "bench");
  const auto space = search::make_space(reader, {{3, 20, 20}, 10});
  core::Rng rng(kCheckSeed);
  for (int i = 0; i < candidates;) {
    const search::Candidate candidate = space->expand(search::sample(*space, rng));
    if (!fits_boards(candidate)) continue;
    bench.measure("columns", candidate, measured);
    ++i;
  }
  return measured;
}

}  // namespace

int bench_kernels(const BenchOptions& o) {
  const Bench bench(o.machines.empty() ? arch::modelled_machines() : o.machines);
  std::vector<MachineModel> models(arch::machine_models().begin(), arch::machine_models().end());
  if (o.networks > 0) {
    for (auto& [name, networks] : fit_networks(bench, o.networks)) {
      MachineModel model = fitted(name, networks);
      const auto old = std::ranges::find(models, name, &MachineModel::name);
      if (old != models.end())
        *old = std::move(model);
      else
        models.push_back(std::move(model));
    }
    if (!o.out.empty()) core::write_atomic(o.out, arch::to_csv(models));
  }
  StageOutput out{"Predicted against counted under qemu, of networks that nothing was fitted to",
                  {{{"machine", "machine", false},
                    {"what", "what", false},
                    {"count", "of"},
                    {"median_percent", "median error, %"},
                    {"p95_percent", "95th percentile"},
                    {"max_percent", "largest"},
                    {"sum_percent", "of the sum"}},
                   {}},
                  {}};
  if (o.candidates >= 0) {
    for (const auto& [name, networks] : check_networks(bench, o.candidates)) {
      const auto model = std::ranges::find(models, name, &MachineModel::name);
      if (model == models.end())
        throw core::ConfigError("bench kernels: no model of " + name + "; add --networks 5, so that one is fitted");
      compare(*model, networks, out.table);
    }
  }
  if (!out.table.rows.empty()) print(out, o.format);
  return 0;
}

}  // namespace condenser::cli
