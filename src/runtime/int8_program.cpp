// build_program(): scales to multipliers, floats to tables, weights to the layout of the kernels. Every promise that a
// kernel asks of its caller is checked here.
#include "condenser/runtime/int8_program.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

#include "condenser/arch/int16.hpp"
#include "condenser/core/text.hpp"
#include "runtime/fixed_point.hpp"
#include "runtime/int16_steps.hpp"
#include "runtime/kernels.hpp"
#include "runtime/step_parts.hpp"

namespace condenser::runtime {
namespace {

using namespace parts;

constexpr int64_t kMaxMeanPixels = (int64_t{1} << 24) - 1;  // 128 times that, and half of it, fit 32 bits
constexpr int64_t kMaxSoftmaxTerms = 65536;                 // the sum of 16-bit exponentials fits 32 bits

template <class Pool>
std::string pool_refusal(const Pool& pool) {
  const bool fits = pool.pad.top < pool.kernel.h && pool.pad.bottom < pool.kernel.h && pool.pad.left < pool.kernel.w &&
                    pool.pad.right < pool.kernel.w;
  if (!fits) return "padding reaches the size of the kernel, so that a window may hold no pixel";
  if (int64_t{pool.kernel.h} * pool.kernel.w > kMaxMeanPixels) return "a window of more than 16,777,215 pixels";
  return "";
}

// `function` of every input, in output integers.
template <class Function>
std::vector<int8_t> function_table(const Function& function, const TensorQuant& in, const TensorQuant& out) {
  std::vector<int8_t> table;
  table.reserve(256);
  for (int q = -128; q <= 127; ++q) {
    const double y = function(in.scale * (q - in.zero_point));
    table.push_back(static_cast<int8_t>(nearest(y, out)));
  }
  return table;
}

// [out, 1, kh, kw] -> [kh, kw, out]
std::vector<int8_t> to_hwo(std::span<const int8_t> weights, const arch::Conv2d& op) {
  std::vector<int8_t> result(weights.size());
  const int64_t area = int64_t{op.kernel.h} * op.kernel.w;
  for (int64_t o = 0; o < op.out; ++o) {
    for (int64_t k = 0; k < area; ++k)
      result[static_cast<size_t>(k * op.out + o)] = weights[static_cast<size_t>(o * area + k)];
  }
  return result;
}

// Two rows of weights of 4 bits as bytes: the first one's in the lower half, as kernels/cnd_nibbles.h has it. The last
// of an odd number fills both halves.
std::vector<int8_t> pair_rows(std::span<const int8_t> weights, size_t rows, size_t row) {
  std::vector<int8_t> result;
  for (size_t o = 0; o < rows; o += 2)
    for (size_t k = 0; k < row; ++k) {
      const int low = weights[o * row + k], high = weights[std::min(o + 1, rows - 1) * row + k];
      result.push_back(static_cast<int8_t>((low >> 4 & 15) | high));
    }
  return result;
}

// The same group by group; `weights` are [groups, rows of a group, row].
std::vector<int8_t> pair_groups(std::span<const int8_t> weights, size_t groups, size_t row) {
  std::vector<int8_t> result;
  const size_t of_group = weights.size() / groups;
  for (size_t group = 0; group < groups; ++group)
    std::ranges::copy(pair_rows(weights.subspan(group * of_group, of_group), of_group / row, row),
                      std::back_inserter(result));
  return result;
}

// Neighbours of a row; `weights` are [rows, row].
std::vector<int8_t> pair_neighbours(std::span<const int8_t> weights, size_t row) {
  std::vector<int8_t> result;
  for (size_t at = 0; at < weights.size(); at += row)
    std::ranges::copy(pair_rows(weights.subspan(at, row), row, 1), std::back_inserter(result));
  return result;
}

class ProgramBuilder {
 public:
  ProgramBuilder(const arch::Spec& spec, const arch::Weights& weights, const QuantParams& quant)
      : weights_(weights), wide_(int16_nodes(spec, quant)), program_{spec, arch::analyze(spec), {}, {}, quant, {}, {}} {
    arch::count_int16_constants(program_.spec, wide_, program_.analysis);
  }

  ProgramBuilder& planned(const Planner& plan) {
    program_.plan = plan(program_.spec, program_.analysis);
    return *this;
  }

  ProgramBuilder& row_by_row() {
    if (const auto wide = std::ranges::find(wide_, true); wide != wide_.end())
      throw arch::SpecError(program_.spec.nodes[static_cast<size_t>(wide - wide_.begin())].name,
                            "cannot go row by row: its values have 16 bits");
    program_.stream = arch::stream_of(program_.spec, program_.analysis);
    program_.plan = arch::plan_stream(program_.spec, program_.analysis, program_.stream);
    return *this;
  }

  Int8Program build() {
    check_quantized(program_.spec, weights_, program_.quant);
    if (program_.stream.empty()) check_bits();  // rows of 8 bits, as row_by_row() has seen to
    for (size_t i = 0; i < program_.spec.nodes.size(); ++i) {
      const arch::Node& node = program_.spec.nodes[i];
      if (program_.plan.offset[i] < 0) throw arch::SpecError(node.name, "is read by nobody; lower() the Spec first");
      std::vector<arch::Shape> inputs;
      for (const int input : node.inputs) inputs.push_back(shape(input));
      std::string refusal = int8_refusal(node.op, inputs);
      if (!refusal.empty()) throw arch::SpecError(node.name, "no int8 form: " + refusal);
      refusal = arch::int16_refusal(program_.spec, program_.analysis, wide_, static_cast<int>(i));
      if (!refusal.empty()) throw arch::SpecError(node.name, refusal);
      program_.steps.push_back(make_step(i, inputs));
      check_step(i);
    }
    program_.order = order();
    return std::move(program_);
  }

 private:
  void check_bits() const {
    const arch::Int16Nodes planned = arch::int16_nodes(program_.spec, program_.analysis, program_.plan);
    for (int i = 0; i < static_cast<int>(program_.spec.nodes.size()); ++i)
      if (arch::is_int16(planned, i) != arch::is_int16(wide_, i))
        throw arch::SpecError(program_.spec.node(i).name,
                              "has not as many bits a value in its memory plan as in its quantization");
  }

  // Of what is computed at a time.
  const arch::Shape& shape(int node) const {
    if (piece_ == nullptr) return program_.analysis.node(node).shape;
    if (node == piece_node_) return piece_->out;
    const arch::Inputs& inputs = program_.spec.node(piece_node_).inputs;
    return piece_->in[static_cast<size_t>(std::ranges::find(inputs, node) - inputs.begin())];
  }
  const arch::Shape& shape(const arch::Node& node) const {
    return shape(static_cast<int>(&node - program_.spec.nodes.data()));
  }
  int64_t row_bytes(int node) const {
    const arch::Shape& whole = program_.analysis.node(node).shape;
    return whole.w * whole.c * value_bytes(node);
  }
  int64_t value_bytes(int node) const { return arch::is_int16(wide_, node) ? 2 : 1; }
  const TensorQuant& input_quant(const arch::Node& node, size_t k) const {
    return program_.quant.nodes.at(program_.spec.node(node.inputs[k]).name).output;
  }
  const TensorQuant& output_quant(const arch::Node& node) const { return program_.quant.nodes.at(node.name).output; }

  // What the call passes is what the kernel takes, and an output over an input lies as the kernel allows.
  void check_step(size_t i) const {
    const arch::Node& node = program_.spec.nodes[i];
    const Step& step = program_.steps[i];
    if (step.kernel == nullptr) return;
    const CallableKernel& kernel = callable(step.kernel->name);
    for (const Call& call : step.calls) {
      const size_t pointers =
          step.constants.size() + (step.kernel->scratch != nullptr ? 1 : 0) + call.inputs.size() + 1;
      if (std::cmp_not_equal(call.params.size(), kernel.param_count) ||
          std::cmp_not_equal(pointers, kernel.pointer_count))
        throw arch::SpecError(node.name, std::string("arguments do not fit kernel ") + kernel.name);
    }
    for (const Call& call : step.calls) check_overlap(static_cast<int>(i), call);
  }

  // What a call writes lies apart from what it reads, or over it as the kernel allows.
  void check_overlap(int i, const Call& call) const {
    const arch::Node& node = program_.spec.node(i);
    const arch::Kernel& kernel = *program_.steps[static_cast<size_t>(i)].kernel;
    const arch::MemoryPlan& plan = program_.plan;
    const std::optional<arch::Piece> part = part_of(i, call.strip);
    const arch::Piece piece = part.value_or(arch::Piece{.op = node.op, .in = {}, .in_skip = {}, .out = shape(i)});
    const int64_t out = plan.offset[static_cast<size_t>(i)] + call.output_skip;
    const int64_t out_end = out + piece.out.elements() * value_bytes(i);
    for (size_t k = 0; k < call.inputs.size(); ++k) {
      const auto place = std::ranges::find(node.inputs, call.inputs[k]) - node.inputs.begin();
      const arch::Shape& from = part ? piece.in[static_cast<size_t>(place)] : shape(call.inputs[k]);
      const int64_t in = plan.offset[static_cast<size_t>(call.inputs[k])] + call.input_skips[k];
      const int64_t in_end = in + from.elements() * value_bytes(call.inputs[k]);
      const bool apart = out_end <= in || in_end <= out;
      const bool in_place =
          out == in && out_end <= in_end && kernel.in_place != nullptr && kernel.in_place(piece.op, from, piece.out);
      if (!apart && !in_place)
        throw arch::SpecError(node.name, "its memory plan overwrites an input that it still reads");
    }
  }

  // Strip by strip up to the cut, then node by node.
  std::vector<Turn> order() const {
    std::vector<Turn> turns;
    const arch::Strips& strips = program_.plan.strips;
    const auto add = [&](size_t i, size_t strip) {
      const std::vector<Call>& calls = program_.steps[i].calls;
      for (size_t c = 0; c < calls.size(); ++c)
        if (calls[c].strip == strip) turns.push_back({i, c});
    };
    for (size_t strip = 0; strip < strips.rows.size(); ++strip)
      for (size_t i = 0; i <= static_cast<size_t>(strips.cut); ++i) add(i, strip);
    for (size_t i = strips.empty() ? 0 : static_cast<size_t>(strips.cut) + 1; i < program_.steps.size(); ++i) add(i, 0);
    return turns;
  }

  Step make_step(size_t i, const std::vector<arch::Shape>& whole_inputs) {
    const arch::Node& node = program_.spec.nodes[i];
    const auto id = static_cast<int>(i);
    if (!program_.stream.empty()) {
      const arch::Piece row = part_of(id, 0).value();
      const arch::Kernel* kernel = arch::choose_kernel(row.op, row.in);
      return kernel == nullptr ? Step{} : step_of_part(id, row, *kernel, 0);
    }
    const arch::Kernel* kernel = arch::choose_kernel(program_.spec, program_.analysis, wide_, id);
    if (kernel == nullptr) return {};
    const arch::Strips& strips = program_.plan.strips;
    if (!strips.has(id)) return step_of(node, node.op, *kernel, whole_inputs);
    Step step;
    for (size_t strip = 0; strip < strips.rows.size(); ++strip) {
      Step part = step_of_part(id, part_of(id, strip).value(), *kernel, strip);
      if (strip == 0)
        step = std::move(part);
      else
        std::ranges::move(part.calls, std::back_inserter(step.calls));
    }
    return step;
  }

  // What is computed of a node at a time, where that is not all of it.
  std::optional<arch::Piece> part_of(int node, size_t strip) const {
    const Int8Program& p = program_;
    if (!p.stream.empty()) return arch::piece_of(p.spec, p.analysis, p.stream, node);
    if (p.plan.strips.has(node)) return arch::piece_of(p.spec, p.analysis, p.plan.strips, strip, node);
    return std::nullopt;
  }

  Step step_of_part(int id, const arch::Piece& piece, const arch::Kernel& kernel, size_t strip) {
    const arch::Node& node = program_.spec.node(id);
    piece_ = &piece;
    piece_node_ = id;
    Step part = step_of(node, piece.op, kernel, piece.in);
    piece_ = nullptr;
    for (Call& call : part.calls) {
      call.strip = strip;
      call.output_skip = piece.out_skip * row_bytes(id);
      for (size_t k = 0; k < call.inputs.size(); ++k) {
        const auto place = std::ranges::find(node.inputs, call.inputs[k]) - node.inputs.begin();
        call.input_skips[k] = piece.in_skip[static_cast<size_t>(place)] * row_bytes(call.inputs[k]);
      }
    }
    return part;
  }

  Step step_of(const arch::Node& node, const arch::Op& operation, const arch::Kernel& kernel,
               const std::vector<arch::Shape>& in) {
    Step step;
    step.kernel = &kernel;
    step.calls.emplace_back(std::vector<int>(node.inputs.begin(), node.inputs.end()));
    const arch::Shape& out = shape(node);
    if (arch::meets_int16(program_.spec, wide_, static_cast<int>(&node - program_.spec.nodes.data()))) {
      Ends ends{node, operation, weights_, program_.quant, {}, in, output_quant(node), out};
      for (size_t k = 0; k < in.size(); ++k) ends.inputs.push_back(input_quant(node, k));
      fill_int16_step(ends, step);
      return step;
    }
    Params& params = step.calls.front().params;
    arch::visit(
        operation,
        arch::Overloaded{
            [](const arch::Input&) {},
            [](const arch::BatchNorm&) {},
            [](const arch::Softmax&) {},
            [&](const arch::Conv2d& op) { conv(node, op, step); },
            [&](const arch::Linear& op) { linear(node, op, step); },
            [&](const arch::Activation& op) {
              table(
                  node, [&](double x) { return activate(op.kind, x); }, step);
            },
            [&](const arch::Scale&) {
              const double factor = weights_.at(node.name + ".weight").f32()[0];
              table(
                  node, [&](double x) { return factor * x; }, step);
            },
            [&](const arch::SoftmaxMul& op) { softmax_mul(node, op, step); },
            [&](const arch::AvgPool& op) {
              params = pool_params(op, in[0], out);
              append(params,
                     {{"zero_point", output_quant(node).zero_point}, {"count_padding", op.count_include_pad ? 1 : 0}});
            },
            [&](const arch::MaxPool& op) { params = pool_params(op, in[0], out); },
            [&](const arch::GlobalAvgPool&) {
              params = {{"pixels", narrow(in[0].h * in[0].w)}, {"channels", narrow(in[0].c)}};
            },
            [&](const arch::Add& op) { params = add(node, op); },
            [&](const arch::Mul&) { params = mul(node, in); },
            [&](const arch::PRelu&) { prelu(node, step); },
            [&](const arch::BlurPool& op) {
              params = map_params(in[0], out);
              append(params, {{"stride_h", op.stride.h}, {"stride_w", op.stride.w}, {"taps", op.taps}});
            },
            [&](const arch::Upsample&) { params = map_params(in[0], out); },
            [&](const arch::Concat&) { concat(node, step); },
            [&](const arch::Slice& op) {
              params = {{"pixels", narrow(in[0].h * in[0].w)},
                        {"in_c", narrow(in[0].c)},
                        {"begin", op.begin},
                        {"count", op.count}};
            },
            [&](const arch::ChannelShuffle& op) {
              params = {{"pixels", narrow(in[0].h * in[0].w)}, {"channels", narrow(in[0].c)}, {"groups", op.groups}};
            },
        });
    return step;
  }

  void conv(const arch::Node& node, const arch::Conv2d& op, Step& step) const {
    const arch::Shape &in = shape(node.inputs[0]), &out = shape(node);
    const std::span<const int8_t> weights = weights_.at(node.name + ".weight").i8();
    const bool by_channel = runs("depthwise", step);
    const auto& stored = std::get<arch::Conv2d>(node.op);
    const int64_t stored_c = program_.analysis.node(node.inputs[0]).shape.c;
    std::vector<int8_t> packed =
        by_channel ? to_hwo(weights, stored) : to_ohwi(weights, stored, stored_c / stored.groups);
    if (op.weight_bits == 4) {
      const auto out_c = static_cast<size_t>(op.out);
      packed = by_channel ? pair_neighbours(packed, out_c)
                          : pair_groups(packed, static_cast<size_t>(op.groups), packed.size() / out_c);
    }
    const bool is_short = add_channels(node, weights, std::move(packed), op.out, step);
    Params& params = step.calls.front().params;
    if (runs("linear", step)) {
      params = {{"in_c", narrow(in.c)}, {"out_c", narrow(out.c)}};
    } else {
      params = {{"in_h", narrow(in.h)},   {"in_w", narrow(in.w)},   {"in_c", narrow(in.c)},
                {"out_h", narrow(out.h)}, {"out_w", narrow(out.w)}, {"out_c", narrow(out.c)}};
      append(params, window_params(op));
      if (runs("conv2d", step)) append(params, {{"groups", op.groups}});
      append(params, {{"input_zero_point", input_quant(node, 0).zero_point}});
    }
    finish_sums(node, op.clamp, is_short, params);
  }

  void linear(const arch::Node& node, const arch::Linear& op, Step& step) const {
    const std::span<const int8_t> weights = weights_.at(node.name + ".weight").i8();
    std::vector<int8_t> packed(weights.begin(), weights.end());
    if (op.weight_bits == 4) packed = pair_groups(packed, 1, packed.size() / static_cast<size_t>(op.out));
    const bool is_short = add_channels(node, weights, std::move(packed), op.out, step);
    Params& params = step.calls.front().params;
    params = {{"in_c", narrow(shape(node.inputs[0]).c)}, {"out_c", op.out}};
    finish_sums(node, op.clamp, is_short, params);
  }

  // With weights of 8 bits or of 4.
  static bool runs(std::string_view kernel, const Step& step) {
    const std::string_view name = step.kernel->name;
    return name.substr(0, name.size() - (name.ends_with("_w4") ? 3 : 0)) == kernel;
  }

  void finish_sums(const arch::Node& node, arch::Clamp clamp, bool is_short, Params& params) const {
    append(params, range_params(output_quant(node), clamp));
    append(params, {{"short_scale", is_short ? 1 : 0}});
  }

  // Weights in the order of the kernel, folded biases, multipliers and shifts; `weights` is [out, ...] in the order of
  // the file. Returns whether all sums may be scaled in the short form (kernels/cnd_scale.h).
  bool add_channels(const arch::Node& node, std::span<const int8_t> weights, std::vector<int8_t> packed, int64_t out,
                    Step& step) const {
    const TensorQuant& in = input_quant(node, 0);
    const double out_scale = output_quant(node).scale;
    const std::vector<double>& scales = program_.quant.nodes.at(node.name).weight_scales;
    std::vector<int32_t> biases(static_cast<size_t>(out), 0), multipliers;
    std::vector<int8_t> shifts;
    if (const auto bias = weights_.tensors.find(node.name + ".bias"); bias != weights_.tensors.end())
      std::ranges::copy(bias->second.i32(), biases.begin());
    const size_t row = weights.size() / static_cast<size_t>(out);
    bool is_short = true;
    for (size_t o = 0; o < static_cast<size_t>(out); ++o) {
      const std::string where = "node " + node.name + ", channel " + std::to_string(o);
      const FoldedBias folded = fold_bias(where, weights.subspan(o * row, row), biases[o], in.zero_point);
      biases[o] = folded.bias;
      Requant requant = quantize_multiplier(in.scale * scales[o] / out_scale, where);
      if (requant.multiplier == 0) requant.shift = -1;  // nothing by any shift; this one may be short
      is_short = is_short && folded.largest_sum < int64_t{1} << 30 && requant.shift < 0;
      multipliers.push_back(requant.multiplier);
      shifts.push_back(static_cast<int8_t>(requant.shift));
    }
    step.constants = {{"weight", ConstantKind::Weights, std::move(packed)},
                      {"bias", ConstantKind::Biases, std::move(biases)},
                      {"multiplier", ConstantKind::Multipliers, std::move(multipliers)},
                      {"shift", ConstantKind::Multipliers, std::move(shifts)}};
    return is_short;
  }

  struct FoldedBias {
    int32_t bias = 0;
    int64_t largest_sum = 0;  // of the bias and any of the products, in any order
  };

  // sum((x - zero_point) * w) + bias = sum(x * w) + folded bias: kernels multiply inputs as they are stored. No partial
  // sum can leave 32 bits, whatever the input and the order of the products.
  static FoldedBias fold_bias(const std::string& where, std::span<const int8_t> weights, int32_t bias, int zero_point) {
    int64_t sum = 0, magnitude = 0;
    for (const int8_t w : weights) {
      sum += w;
      magnitude += std::abs(int{w});
    }
    const int64_t folded = bias - zero_point * sum;
    const int64_t largest = std::abs(folded) + 128 * magnitude;
    if (largest <= INT32_MAX) return {narrow(folded), largest};
    throw core::Error(where + ": a sum may reach " + std::to_string(largest) +
                      "; expected at most 2147483647, the range of the 32-bit accumulator");
  }

  Params add(const arch::Node& node, const arch::Add& op) const {
    const TensorQuant &a = input_quant(node, 0), &b = input_quant(node, 1), &out = output_quant(node);
    const std::string where = "node " + node.name;
    const SumScales scales = sum_scales(a.scale, b.scale, out.scale, 20, where);
    if (scales.sum.shift > 0)
      throw core::Error(where + ": output scale " + core::number(out.scale) +
                        " is below 2^-19 of its inputs' scales; quantize again");
    Params params = {
        {"count", narrow(shape(node).elements())}, {"a_offset", -a.zero_point}, {"b_offset", -b.zero_point}};
    append(params, scales.params());
    append(params, range_params(out, op.clamp));
    return params;
  }

  template <class Function>
  void table(const arch::Node& node, const Function& function, Step& step) const {
    step.constants = {
        {"table", ConstantKind::Tables, function_table(function, input_quant(node, 0), output_quant(node))}};
    step.calls.front().params = {{"count", narrow(shape(node).elements())}};
  }

  // An input of one pixel multiplies every pixel of the other.
  Params mul(const arch::Node& node, const std::vector<arch::Shape>& in) const {
    const TensorQuant &a = input_quant(node, 0), &b = input_quant(node, 1), &out = output_quant(node);
    const Requant requant = quantize_multiplier(a.scale * b.scale / out.scale, "node " + node.name);
    const arch::Shape& map = shape(node);
    const auto step = [&](const arch::Shape& input) { return input == map ? narrow(map.c) : 0; };
    return {{"pixels", narrow(map.h * map.w)},
            {"channels", narrow(map.c)},
            {"a_step", step(in[0])},
            {"b_step", step(in[1])},
            {"a_offset", -a.zero_point},
            {"b_offset", -b.zero_point},
            {"multiplier", requant.multiplier},
            {"shift", requant.shift},
            {"output_zero_point", out.zero_point}};
  }

  void prelu(const arch::Node& node, Step& step) const {
    const TensorQuant &in = input_quant(node, 0), &out = output_quant(node);
    const double slope_scale = program_.quant.nodes.at(node.name).weight_scales.at(0);
    const std::span<const int8_t> slope = weights_.at(node.name + ".weight").i8();
    const std::string where = "node " + node.name;
    const Requant positive = quantize_multiplier(in.scale / out.scale, where);
    const Requant negative = quantize_multiplier(in.scale * slope_scale / out.scale, where);
    step.constants = {{"slope", ConstantKind::Weights, std::vector<int8_t>(slope.begin(), slope.end())}};
    step.calls.front().params = {{"pixels", narrow(shape(node).h * shape(node).w)},
                                 {"channels", narrow(shape(node).c)},
                                 {"input_offset", -in.zero_point},
                                 {"positive_multiplier", positive.multiplier},
                                 {"positive_shift", positive.shift},
                                 {"negative_multiplier", negative.multiplier},
                                 {"negative_shift", negative.shift},
                                 {"output_zero_point", out.zero_point}};
  }

  // One call per input; one of the output's scale and zero point is copied.
  void concat(const arch::Node& node, Step& step) const {
    const TensorQuant& out = output_quant(node);
    step.calls.clear();
    int32_t first = 0;
    for (size_t k = 0; k < node.inputs.size(); ++k) {
      const TensorQuant& in = input_quant(node, k);
      const int32_t channels = narrow(shape(node.inputs[k]).c);
      const Requant requant = quantize_multiplier(in.scale / out.scale, "node " + node.name);
      Call& call = step.calls.emplace_back(std::vector<int>{node.inputs[k]});
      call.params = {{"pixels", narrow(shape(node).h * shape(node).w)},
                     {"channels", channels},
                     {"first", first},
                     {"out_c", narrow(shape(node).c)},
                     {"copy", in == out ? 1 : 0},
                     {"input_offset", -in.zero_point},
                     {"multiplier", requant.multiplier},
                     {"shift", requant.shift},
                     {"output_zero_point", out.zero_point}};
      first += channels;
    }
  }

  void softmax_mul(const arch::Node& node, const arch::SoftmaxMul& op, Step& step) const {
    const arch::Shape& in = shape(node.inputs[0]);
    const TensorQuant &value = input_quant(node, 1), &out = output_quant(node);
    const double rescale = op.rescale ? static_cast<double>(softmax_terms(op, in)) : 1.0;
    const Requant gain = quantize_gain(rescale * value.scale / out.scale, "node " + node.name);
    step.constants = {{"table", ConstantKind::Tables, exponential_table(input_quant(node, 0).scale)}};
    Params& params = step.calls.front().params;
    params = line_params(op, in);
    append(params, {{"value_offset", -value.zero_point},
                    {"multiplier", gain.multiplier},
                    {"shift", gain.shift},
                    {"output_zero_point", out.zero_point}});
  }

  const arch::Weights& weights_;
  const arch::Int16Nodes wide_;
  Int8Program program_;
  const arch::Piece* piece_ = nullptr;  // what is being made of a node in strips
  int piece_node_ = -1;
};

}  // namespace

std::string int8_refusal(const arch::Op& op, const std::vector<arch::Shape>& inputs) {
  return arch::visit(
      op,
      arch::Overloaded{
          [](const arch::Input&) -> std::string { return ""; },
          [](const arch::Conv2d&) -> std::string { return ""; },
          [](const arch::BatchNorm&) -> std::string { return "batch norm is folded by lower(); lower the Spec first"; },
          [](const arch::Activation&) -> std::string { return ""; },
          [](const arch::Softmax&) -> std::string {
            return "a softmax outside softmax_mul would squeeze probabilities of mean 1/terms into 8 bits";
          },
          [&](const arch::SoftmaxMul& op) -> std::string {
            const char* terms = op.axis == arch::SoftmaxAxis::Channels ? "channels" : "pixels";
            return softmax_terms(op, inputs[0]) <= kMaxSoftmaxTerms
                       ? ""
                       : std::string("a softmax over more than 65,536 ") + terms;
          },
          [](const arch::AvgPool& op) { return pool_refusal(op); },
          [](const arch::MaxPool& op) { return pool_refusal(op); },
          [&](const arch::GlobalAvgPool&) -> std::string {
            return inputs[0].h * inputs[0].w > kMaxMeanPixels ? "a mean over more than 16,777,215 pixels" : "";
          },
          [](const arch::Linear&) -> std::string { return ""; },
          [](const arch::Add&) -> std::string { return ""; },
          [](const arch::Mul&) -> std::string { return ""; },
          [](const arch::PRelu&) -> std::string { return ""; },
          [](const arch::Scale&) -> std::string { return ""; },
          [](const arch::BlurPool&) -> std::string { return ""; },
          [](const arch::Upsample&) -> std::string { return ""; },
          [](const arch::Concat&) -> std::string { return ""; },
          [](const arch::Slice&) -> std::string { return ""; },
          [](const arch::ChannelShuffle&) -> std::string { return ""; },
      });
}

size_t Constant::bytes() const {
  return std::visit([](const auto& list) { return list.size() * sizeof(list[0]); }, values);
}

int64_t Int8Program::output_values() const {
  int64_t values = 0;
  for (size_t k = 0; k < spec.output_count(); ++k) values += output_shape(k).elements();
  return values;
}

Int8Program build_program(const arch::Spec& lowered, const arch::Weights& weights, const QuantParams& quant) {
  return build_program(lowered, weights, quant, [&](const arch::Spec& spec, const arch::Analysis& analysis) {
    return arch::plan_memory(spec, analysis, int16_nodes(lowered, quant));
  });
}

Int8Program build_program(const arch::Spec& lowered, const arch::Weights& weights, const QuantParams& quant,
                          const Planner& plan) {
  arch::validate(lowered);
  return ProgramBuilder(lowered, weights, quant).planned(plan).build();
}

Int8Program build_stream_program(const arch::Spec& lowered, const arch::Weights& weights, const QuantParams& quant) {
  arch::validate(lowered);
  return ProgramBuilder(lowered, weights, quant).row_by_row().build();
}

}  // namespace condenser::runtime
