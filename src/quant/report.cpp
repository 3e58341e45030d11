// Reports of int8 against float on the same samples: noise and saturation per node, accuracy with its interval.
#include "condenser/quant/report.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/int16.hpp"
#include "condenser/core/team.hpp"
#include "condenser/core/text.hpp"
#include "condenser/quant/int16_trials.hpp"
#include "condenser/quant/quantize.hpp"
#include "condenser/runtime/float_executor.hpp"
#include "condenser/runtime/int8_executor.hpp"
#include "quant/calibrate.hpp"
#include "quant/observer.hpp"

namespace condenser::quant {
namespace {

// Sums over all samples of one node.
struct Tally {
  double signal = 0, noise = 0;
  int64_t values = 0, saturated = 0;
  std::vector<int64_t> histogram = std::vector<int64_t>(kHistogramBins);
};

// Float values are [c, h, w], integers [h, w, c].
void compare(const arch::Shape& shape, std::span<const float> exact, std::span<const int16_t> rounded,
             const runtime::TensorQuant& quant, Tally& tally) {
  const auto pixels = static_cast<size_t>(shape.h * shape.w), channels = static_cast<size_t>(shape.c);
  const double low = quant.low() - 0.5, high = quant.high() + 0.5;
  for (size_t c = 0; c < channels; ++c) {
    for (size_t p = 0; p < pixels; ++p) {
      const double x = exact[c * pixels + p];
      const int q = rounded[p * channels + c];
      const double error = x - quant.scale * (q - quant.zero_point);
      tally.signal += x * x;
      tally.noise += error * error;
      const double position = x / quant.scale + quant.zero_point;
      const bool inside = position >= low && position <= high;  // false for what is no number
      tally.saturated += !inside;
      if (inside)
        ++tally.histogram[std::min(kHistogramBins - 1,
                                   static_cast<size_t>((position - low) / (high - low) * kHistogramBins))];
    }
  }
  tally.values += shape.elements();
}

double snr_db(const Tally& t) {
  if (t.noise == 0) return std::numeric_limits<double>::infinity();
  return 10.0 * std::log10(t.signal / t.noise);
}

void check_samples(const arch::Spec& spec, const data::Dataset& samples) {
  if (samples.shape() == spec.input) return;
  throw core::Error("samples for " + spec.name + " are " + arch::to_string(samples.shape()) + "; expected " +
                    arch::to_string(spec.input));
}

// What the task wants of it.
void check_outputs(const arch::Spec& spec, const data::Dataset& samples, const data::Task& task) {
  check_samples(spec, samples);
  const arch::Shape output = arch::sole_output_shape(spec, "measuring what int8 costs");
  const std::string expected = data::output_misfit(task, output);
  if (!expected.empty())
    throw core::Error("accuracy of " + core::printable(spec.name) + ": output is " + arch::to_string(output) +
                      "; expected " + expected);
}

using Work = std::function<void(int64_t begin, int64_t end)>;

// Shares begin .. end among all cores.
void in_parts(int64_t begin, int64_t end, const Work& work) {
  const int64_t n = end - begin, parts = std::min<int64_t>(n, core::all_cores());
  core::Team(static_cast<int>(parts)).run(parts, [&](int64_t i) {
    work(begin + n * i / parts, begin + n * (i + 1) / parts);
  });
}

// `run(begin, end, logits)` fills in the outputs of items; they are scored in the order of the items.
template <class Run>
data::Evaluation evaluate(const data::Dataset& samples, const data::Task& task, const Run& run) {
  constexpr int64_t kAtOnce = 4096;
  data::Scorer scorer(samples, task);
  std::vector<float> logits;
  for (int64_t first = 0; first < samples.size(); first += kAtOnce) {
    const int64_t last = std::min(samples.size(), first + kAtOnce);
    logits.resize(static_cast<size_t>((last - first) * task.outputs()));
    in_parts(first, last, [&](int64_t begin, int64_t end) {
      run(begin, end,
          std::span(logits).subspan(static_cast<size_t>((begin - first) * task.outputs()),
                                    static_cast<size_t>((end - begin) * task.outputs())));
    });
    scorer.add(logits);
  }
  return scorer.finish();
}

data::Evaluation evaluate_batches(const runtime::FloatExecutor& executor, const arch::Spec& spec,
                                  const data::Dataset& samples, const data::Task& task,
                                  const runtime::FloatExecutor::Tap& tap) {
  const int64_t batch = batch_size(spec);
  const auto item = static_cast<size_t>(spec.input.elements());
  return evaluate(samples, task, [&](int64_t begin, int64_t end, std::span<float> logits) {
    std::vector<float> x;
    for (int64_t first = begin; first < end; first += batch) {
      const int64_t n = std::min(batch, end - first);
      x.resize(static_cast<size_t>(n) * item);
      for (int64_t i = 0; i < n; ++i) samples.get(first + i, std::span(x).subspan(static_cast<size_t>(i) * item, item));
      std::ranges::copy(executor.run(x, n, tap), logits.begin() + (first - begin) * task.outputs());
    }
  });
}

// To the nearest value that the grid has.
void snap(std::span<float> values, const runtime::TensorQuant& grid) {
  const auto inverse = static_cast<float>(1.0 / grid.scale), scale = static_cast<float>(grid.scale);
  const auto low = static_cast<float>(grid.low() - grid.zero_point),
             high = static_cast<float>(grid.high() - grid.zero_point);
  for (float& v : values) v = scale * std::clamp(std::round(v * inverse), low, high);
}

// Per node what its values are rounded to; nothing: they stay as they are.
using Grids = std::vector<std::optional<runtime::TensorQuant>>;

Grids grids_of(const arch::Spec& spec, const runtime::QuantParams& quant) {
  Grids grids;
  for (const arch::Node& node : spec.nodes) grids.emplace_back(quant.nodes.at(node.name).output);
  return grids;
}

// With another grid for a node and those that pass its values on.
Grids with_grid(const arch::Spec& spec, Grids grids, size_t node, const Grids::value_type& grid) {
  std::vector<bool> changed(spec.nodes.size());
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    changed[i] = i == node ||
                 (arch::passes_values_on(spec.nodes[i].op) && changed[static_cast<size_t>(spec.nodes[i].inputs[0])]);
    if (changed[i]) grids[i] = grid;
  }
  return grids;
}

// Float operators on values that are rounded to their grids.
data::Evaluation simulated(const arch::Spec& spec, const arch::Weights& weights, const Grids& grids,
                           const data::Dataset& samples, const data::Task& task) {
  const runtime::FloatExecutor executor(spec, weights);
  return evaluate_batches(executor, spec, samples, task, [&](int node, std::span<float> values) {
    if (const auto& grid = grids[static_cast<size_t>(node)]) snap(values, *grid);
  });
}

std::vector<Range> extremes_of_nodes(const arch::Spec& spec, const arch::Weights& weights,
                                     const data::Dataset& samples) {
  const runtime::FloatExecutor executor(spec, weights);
  std::vector<Range> ranges(spec.nodes.size());
  std::vector<float> x(static_cast<size_t>(spec.input.elements()));
  for (int64_t k = 0; k < samples.size(); ++k) {
    samples.get(k, x);
    executor.run(x, 1, [&](int node, std::span<const float> values) {
      Range& range = ranges[static_cast<size_t>(node)];
      const auto [low, high] = std::ranges::minmax(values);
      range = {std::min(range.low, double{low}), std::max(range.high, double{high})};
    });
  }
  return ranges;
}

core::Cell snr_cell(double db) {
  if (std::isfinite(db)) return core::cell(db, 1);
  if (std::isnan(db)) return core::empty_cell();
  return {"null", db > 0 ? "exact" : "no signal"};
}

}  // namespace

std::vector<NodeReport> node_reports(const arch::Spec& spec, const arch::Weights& float_weights,
                                     const arch::Weights& int8_weights, const runtime::QuantParams& quant,
                                     const data::Dataset& samples) {
  check_samples(spec, samples);
  const runtime::FloatExecutor exact(spec, float_weights);
  runtime::Int8Executor rounded(runtime::build_program(spec, int8_weights, quant));
  const std::vector<arch::NodeCost> costs = arch::analyze(spec).nodes;
  std::vector<Tally> tallies(spec.nodes.size());
  std::vector<std::vector<float>> activations(spec.nodes.size());
  std::vector<float> x(static_cast<size_t>(spec.input.elements()));
  std::vector<int8_t> q(x.size());
  for (int64_t i = 0; i < samples.size(); ++i) {
    samples.get(i, x);
    exact.run(x, 1, [&](int node, std::span<const float> values) {
      activations[static_cast<size_t>(node)].assign(values.begin(), values.end());
    });
    rounded.quantize_input(x, q);
    rounded.run(q, [&](int node, std::span<const int16_t> values) {
      const auto k = static_cast<size_t>(node);
      compare(costs[k].shape, activations[k], values, quant.nodes.at(spec.nodes[k].name).output, tallies[k]);
    });
  }
  std::vector<NodeReport> reports;
  for (size_t k = 0; k < spec.nodes.size(); ++k) {
    const Tally& t = tallies[k];
    const double saturated = t.values ? static_cast<double>(t.saturated) / static_cast<double>(t.values) : 0.0;
    reports.push_back(
        {spec.nodes[k].name, snr_db(t), saturated, quant.nodes.at(spec.nodes[k].name).output, t.histogram});
  }
  return reports;
}

std::vector<Sensitivity> sensitivities(const arch::Spec& spec, const arch::Weights& float_weights,
                                       const arch::Weights& int8_weights, const runtime::QuantParams& quant,
                                       const data::Dataset& samples, const data::Task& task) {
  check_outputs(spec, samples, task);
  const arch::Weights rounded = dequantize(spec, int8_weights, quant);
  const auto alone = [&](size_t exempt) {
    arch::Weights weights = rounded;
    for (const char* parameter : {".weight", ".bias"}) {
      const std::string name = spec.nodes[exempt].name + parameter;
      if (const auto found = float_weights.tensors.find(name); found != float_weights.tensors.end())
        weights.tensors[name] = found->second;
      else
        weights.tensors.erase(name);  // int8 makes biases where there were none
    }
    return simulated(spec, weights, with_grid(spec, grids_of(spec, quant), exempt, std::nullopt), samples, task);
  };
  std::vector<Sensitivity> result = {{"", simulated(spec, rounded, grids_of(spec, quant), samples, task)}};
  for (size_t i = 1; i < spec.nodes.size(); ++i)
    if (!arch::passes_values_on(spec.nodes[i].op)) result.push_back({spec.nodes[i].name, alone(i)});
  return result;
}

std::vector<Sensitivity> int16_trials(const arch::Spec& spec, const arch::Weights& float_weights,
                                      const arch::Weights& int8_weights, const runtime::QuantParams& quant,
                                      const data::Dataset& samples, const data::Task& task) {
  check_outputs(spec, samples, task);
  const arch::Analysis analysis = arch::analyze(spec);
  const arch::Weights rounded = dequantize(spec, int8_weights, quant);
  const std::vector<Range> ranges = extremes_of_nodes(spec, float_weights, samples);
  std::vector<Sensitivity> result;
  for (size_t i = 1; i < spec.nodes.size(); ++i) {
    const bool wide = quant.nodes.at(spec.nodes[i].name).output.bits == 16;
    if (wide || !arch::may_be_int16(spec, analysis, static_cast<int>(i))) continue;
    const Grids grids = with_grid(spec, grids_of(spec, quant), i, symmetric_16(ranges[i]));
    result.push_back({spec.nodes[i].name, simulated(spec, rounded, grids, samples, task)});
  }
  return result;
}

std::vector<Int4Trial> int4_trials(const arch::Design& design, const arch::Weights& float_weights,
                                   const arch::Weights& int8_weights, const runtime::QuantParams& quant,
                                   const data::Dataset& samples, const data::Task& task) {
  const arch::Int16Nodes wide = runtime::int16_nodes(design.lowered, quant);
  std::vector<Int4Trial> trials;
  for (const arch::Node& node : design.lowered.nodes) {
    if (!arch::has_weight_bits(node.op) || arch::weight_bits(node.op) == 4) continue;
    if (arch::meets_int16(design.lowered, wide, arch::find_node(design.lowered, node.name))) continue;  // takes none
    arch::Design changed = design;
    arch::choose_int4(changed, {node.name});
    const int64_t saved = design.lowered_cost.constant_bytes - changed.lowered_cost.constant_bytes;
    if (saved <= 0) continue;
    const Quantized rounded = quantize(changed.lowered, changed.lowered_cost, float_weights, quant);
    arch::Weights weights = int8_weights;
    for (const char* parameter : {".weight", ".bias"})
      weights.tensors[node.name + parameter] = rounded.weights.tensors.at(node.name + parameter);
    runtime::QuantParams scales = quant;
    scales.nodes[node.name] = rounded.quant.nodes.at(node.name);
    trials.push_back({node.name, saved, evaluate_int8(changed.lowered, weights, scales, samples, task)});
  }
  return trials;
}

core::Table to_table(const std::vector<NodeReport>& reports) {
  core::Table table;
  table.columns = {{"node", "node", false},
                   {"snr_db", "SNR (dB)"},
                   {"saturated_percent", "saturated (%)"},
                   {"scale", "scale"},
                   {"zero_point", "zero point"}};
  for (const NodeReport& r : reports) {
    table.rows.push_back({core::cell(r.node), snr_cell(r.snr_db), core::cell(100.0 * r.saturated_fraction, 3),
                          core::significant_cell(r.output.scale, 6), core::cell(r.output.zero_point)});
  }
  return table;
}

// Wilson 1927: the interval of proportions p whose own normal interval contains the observed one.
Interval wilson_95(const Accuracy& a) {
  if (a.total <= 0) return {};
  constexpr double kZ = 1.959963984540054;  // 97.5 % point of the normal distribution
  const double n = static_cast<double>(a.total), p = static_cast<double>(a.correct) / n;
  const double center = p + kZ * kZ / (2 * n);
  const double half = kZ * std::sqrt(p * (1 - p) / n + kZ * kZ / (4 * n * n));
  const double scale = 100.0 / (1 + kZ * kZ / n);
  return {std::max(0.0, scale * (center - half)), std::min(100.0, scale * (center + half))};
}

std::string to_string(const Accuracy& a) {
  const Interval i = wilson_95(a);
  return core::fixed(a.percent(), 2) + " % (" + std::to_string(a.correct) + "/" + std::to_string(a.total) +
         ", 95 % interval " + core::fixed(i.low_percent, 2) + ".." + core::fixed(i.high_percent, 2) + ")";
}

Accuracy accuracy_of(const data::Evaluation& e) {
  return e.kind == data::TaskKind::Classes ? Accuracy{e.correct, e.total} : Accuracy{};
}

std::optional<Reconstruction> reconstruction_of(const data::Evaluation& e) {
  if (e.kind != data::TaskKind::Reconstruction) return std::nullopt;
  return Reconstruction{e.reconstruction_error, e.auc, e.total};
}

std::string to_string(const Reconstruction& r) {
  const std::string items = std::to_string(r.items) + " items";
  const std::string error = "reconstruction error " + core::significant(r.error, 5);
  return std::isnan(r.auc_percent) ? error + " (" + items + ")"
                                   : "AUC " + core::fixed(r.auc_percent, 2) + " % (" + items + "), " + error;
}

data::Evaluation evaluate_float(const arch::Spec& spec, const arch::Weights& weights, const data::Dataset& samples,
                                const data::Task& task) {
  check_outputs(spec, samples, task);
  const runtime::FloatExecutor executor(spec, weights);
  return evaluate_batches(executor, spec, samples, task, {});
}

data::Evaluation evaluate_int8(const arch::Spec& spec, const arch::Weights& weights, const runtime::QuantParams& quant,
                               const data::Dataset& samples, const data::Task& task) {
  check_outputs(spec, samples, task);
  const runtime::Int8Program program = runtime::build_program(spec, weights, quant);
  const auto outputs = static_cast<size_t>(task.outputs());
  return evaluate(samples, task, [&](int64_t begin, int64_t end, std::span<float> logits) {
    runtime::Int8Executor executor(program);
    std::vector<float> x(static_cast<size_t>(spec.input.elements()));
    std::vector<int8_t> q(x.size());
    for (int64_t i = begin; i < end; ++i) {
      samples.get(i, x);
      executor.quantize_input(x, q);
      dequantize(executor.run(q), program.output_shape(), program.output_quant(),
                 logits.subspan(static_cast<size_t>(i - begin) * outputs, outputs));
    }
  });
}

arch::Weights dequantize(const arch::Spec& spec, const arch::Weights& weights, const runtime::QuantParams& quant) {
  arch::Weights result;
  const auto put = [&](const std::string& name, const arch::Tensor& from, const auto& integers,
                       const std::vector<double>& scales, double factor) {
    arch::Tensor to = arch::make_tensor(arch::DType::F32, from.shape);
    const size_t row = integers.size() / scales.size();
    for (size_t i = 0; i < integers.size(); ++i)
      to.f32()[i] = static_cast<float>(scales[i / row] * factor * integers[i]);
    result.tensors[name] = std::move(to);
  };
  for (const arch::Node& node : spec.nodes) {
    const std::vector<double>& scales = quant.nodes.at(node.name).weight_scales;
    const auto weight = weights.tensors.find(node.name + ".weight");
    if (weight == weights.tensors.end()) continue;
    if (scales.empty()) {  // the factor of a scale node
      result.tensors[weight->first] = weight->second;
      continue;
    }
    put(weight->first, weight->second, weight->second.i8(), scales, 1.0);
    const auto bias = weights.tensors.find(node.name + ".bias");
    if (bias != weights.tensors.end())
      put(bias->first, bias->second, bias->second.i32(), scales,
          quant.nodes.at(spec.node(node.inputs[0]).name).output.scale);
  }
  return result;
}

namespace {

template <class Integer>
void to_floats(std::span<const Integer> hwc, const core::Shape& shape, const runtime::TensorQuant& quant,
               std::span<float> chw) {
  const auto pixels = static_cast<size_t>(shape.h * shape.w), channels = static_cast<size_t>(shape.c);
  for (size_t p = 0; p < pixels; ++p)
    for (size_t c = 0; c < channels; ++c)
      chw[c * pixels + p] = static_cast<float>(quant.scale * (hwc[p * channels + c] - quant.zero_point));
}

}  // namespace

void dequantize(std::span<const int8_t> hwc, const core::Shape& shape, const runtime::TensorQuant& quant,
                std::span<float> chw) {
  to_floats(hwc, shape, quant, chw);
}

void dequantize(std::span<const int16_t> hwc, const core::Shape& shape, const runtime::TensorQuant& quant,
                std::span<float> chw) {
  to_floats(hwc, shape, quant, chw);
}

}  // namespace condenser::quant
