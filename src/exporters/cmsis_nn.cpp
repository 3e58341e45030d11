// Which layers CMSIS-NN computes to the same integers, and the program that calls it.
#include "exporters/cmsis_nn.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "condenser/core/error.hpp"

namespace condenser::exporters {
namespace {

// Some functions count pixels, channels and the values of a window in 16 bits.
constexpr int64_t kMost = 32767;

int64_t up(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

bool small(const arch::Shape& s) { return s.h <= kMost && s.w <= kMost && s.c <= kMost; }

template <class Window>
int64_t over_right(const Window& w, const arch::Shape& in, const arch::Shape& out) {
  return (out.w - 1) * w.stride.w - w.pad.left + w.kernel.w - in.w;
}

template <class Window>
bool no_padding(const Window& w, const arch::Shape& in, const arch::Shape& out) {
  return w.pad.top == 0 && w.pad.left == 0 && over_right(w, in, out) <= 0 &&
         (out.h - 1) * w.stride.h + w.kernel.h <= in.h;
}

bool whole(const arch::Op&, const arch::Shape& in, const arch::Shape&) { return in.h * in.w <= kMost; }
bool always(const arch::Op&, const arch::Shape&, const arch::Shape&) { return true; }
bool pixel(const arch::Op&, const arch::Shape& in, const arch::Shape& out) { return small(in) && small(out); }

// Groups came with version 6. Windows of one pixel are products without padding, whatever the output's size; maps of
// one line take a path that looks only at the padding of their ends, and not in all versions at both.
bool fits_conv(const arch::Op& op, const arch::Shape& in, const arch::Shape& out) {
  const auto& conv = std::get<arch::Conv2d>(op);
  const bool point = conv.kernel == arch::square(1);
  const bool line = in.h == 1 && conv.kernel.h == 1;
  return conv.groups == 1 && small(in) && small(out) && in.c * conv.kernel.h * conv.kernel.w <= kMost &&
         (point ? no_padding(conv, in, out) : !line);
}

// The form for 3x3 takes the middle column of every window without looking.
bool fits_depthwise(const arch::Op& op, const arch::Shape& in, const arch::Shape& out) {
  const auto& conv = std::get<arch::Conv2d>(op);
  return small(in) && small(out) && int64_t{conv.kernel.h} * conv.kernel.w <= kMost && over_right(conv, in, out) <= 1;
}

bool fits_avg_pool(const arch::Op& op, const arch::Shape& in, const arch::Shape& out) {
  const auto& pool = std::get<arch::AvgPool>(op);
  return !pool.count_include_pad || no_padding(pool, in, out);
}

// ---- the table ----

// As the parameters of a layer say it: p("kernel_h").
struct Values {
  const std::vector<runtime::Param>& params;
  int64_t operator()(std::string_view name) const {
    return std::ranges::find(params, name, &runtime::Param::name)->value;
  }
};

CmsisNnBytes no_bytes(const Values&) { return {}; }

CmsisNnBytes conv_bytes(const Values& p) {
  const int64_t depth = p("kernel_h") * p("kernel_w") * p("in_c");
  if (p("kernel_h") * p("kernel_w") == 1) return {.armclang = 4 * depth};
  return {4 * up(depth, 4), 4 * up(depth, 4), 4 * up(depth, 16)};
}

CmsisNnBytes depthwise_bytes(const Values& p) {
  const int64_t area = p("kernel_h") * p("kernel_w");
  if (p("in_c") != p("out_c")) return {};
  const bool three = p("kernel_h") == 3 && p("kernel_w") == 3 && p("pad_top") <= 1 && p("pad_left") <= 1;
  const int64_t dsp = three ? 4 : up(2 * p("in_c") * area, 4);
  return {dsp, dsp, 4 * 124 * area};
}

CmsisNnBytes avg_pool_bytes(const Values& p) { return {4 * p("in_c"), 4 * p("in_c"), 4}; }

struct Row {
  const char* own;      // the kernel that it replaces
  arch::Kernel kernel;  // named as the function of the library
  CmsisNnCall call;
  bool in_place;  // as the own kernel: value by value, in order
  bool (*fits)(const arch::Op&, const arch::Shape& in, const arch::Shape& out);
  CmsisNnBytes (*bytes)(const Values&);
};

constexpr arch::Kernel foreign(const char* name) { return {name, "CMSIS-NN", nullptr, nullptr, nullptr}; }

constexpr Row kRows[] = {
    {"conv2d", foreign("arm_convolve_wrapper_s8"), {"convolve", "layer"}, false, fits_conv, conv_bytes},
    {"linear", foreign("arm_convolve_wrapper_s8"), {"convolve", "layer"}, false, pixel, conv_bytes},
    {"depthwise",
     foreign("arm_depthwise_conv_wrapper_s8"),
     {"depthwise", "layer"},
     false,
     fits_depthwise,
     depthwise_bytes},
    {"add", foreign("arm_elementwise_add_s8"), {"add", "sum"}, true, always, no_bytes},
    {"max_pool", foreign("arm_max_pool_s8"), {"max_pool", "layer"}, false, always, no_bytes},
    {"avg_pool", foreign("arm_avgpool_s8"), {"avg_pool", "layer"}, false, fits_avg_pool, avg_pool_bytes},
    {"global_avg_pool", foreign("arm_avgpool_s8"), {"avg_pool", "layer"}, false, whole, avg_pool_bytes},
};

const Row* row_of(const arch::Spec& spec, const arch::Analysis& analysis, size_t i) {
  const arch::Node& node = spec.nodes[i];
  std::vector<arch::Shape> in;
  for (const int input : node.inputs) in.push_back(analysis.node(input).shape);
  const arch::Kernel* kernel = arch::choose_kernel(node.op, in);
  if (kernel == nullptr) return nullptr;
  const auto row = std::ranges::find(kRows, std::string_view(kernel->name), &Row::own);
  return row != std::end(kRows) && row->fits(node.op, in[0], analysis.nodes[i].shape) ? row : nullptr;
}

const Row* row_of(const arch::Kernel& kernel) {
  const auto row = std::ranges::find_if(kRows, [&](const Row& r) { return &r.kernel == &kernel; });
  return row == std::end(kRows) ? nullptr : row;
}

// ---- parameters and constants ----

// What a kernel of our own calls `other`, or leaves out as it is `usual`.
struct Field {
  const char *name, *other;
  int32_t usual;
};
constexpr Field kLayer[] = {{"in_h", "", 1},
                            {"in_w", "pixels", 1},
                            {"in_c", "channels", 0},
                            {"out_h", "", 1},
                            {"out_w", "", 1},
                            {"out_c", "channels", 0},
                            {"kernel_h", "", 1},
                            {"kernel_w", "pixels", 1},
                            {"stride_h", "", 1},
                            {"stride_w", "", 1},
                            {"pad_top", "", 0},
                            {"pad_left", "", 0},
                            {"input_zero_point", "", 0},
                            {"output_zero_point", "", 0},
                            {"act_min", "", -128},
                            {"act_max", "", 127}};

std::vector<runtime::Param> layer_params(const std::vector<runtime::Param>& own, int input_zero_point) {
  std::vector<runtime::Param> params;
  for (const Field& field : kLayer) {
    const auto given = std::ranges::find_if(own, [&](const runtime::Param& p) {
      return p.name == std::string_view(field.name) || p.name == std::string_view(field.other);
    });
    params.push_back({field.name, given != own.end() ? given->value : field.usual});
    if (params.back().name == std::string_view("input_zero_point")) params.back().value = input_zero_point;
  }
  return params;
}

// The library takes the input's zero point off every value, so that its biases are not folded, and shifts by 32 bits.
void unfold(runtime::Step& step, bool by_channel, int zero_point, const std::string& node) {
  const auto& weights = std::get<std::vector<int8_t>>(step.constants[0].values);
  auto& biases = std::get<std::vector<int32_t>>(step.constants[1].values);
  const auto narrow = std::get<std::vector<int8_t>>(step.constants[3].values);
  const size_t outputs = biases.size(), depth = weights.size() / outputs;
  for (size_t o = 0; o < outputs; ++o) {
    int64_t sum = 0, magnitude = 0;
    for (size_t k = 0; k < depth; ++k) {
      const int weight = weights[by_channel ? k * outputs + o : o * depth + k];
      sum += weight;
      magnitude += std::abs(weight);
    }
    const int64_t bias = biases[o] + zero_point * sum, largest = std::abs(bias) + 255 * magnitude;
    const int64_t shifted = largest << std::max<int>(narrow[o], 0);
    if (largest > INT32_MAX || shifted > INT32_MAX || narrow[o] < -30)
      throw arch::SpecError(node, "channel " + std::to_string(o) + ": a sum may reach " + std::to_string(largest) +
                                      ", scaled by a shift of " + std::to_string(narrow[o]) +
                                      "; expected what CMSIS-NN keeps within 32 bits, export with kernels: own");
    biases[o] = static_cast<int32_t>(bias);
  }
  step.constants[3].values = std::vector<int32_t>(narrow.begin(), narrow.end());
}

}  // namespace

bool uses_cmsis_nn(const ExportOptions& options) { return options.kernels == "cmsis_nn"; }

std::vector<bool> cmsis_nn_apart(const arch::Spec& spec, const arch::Analysis& analysis) {
  std::vector<bool> apart;
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    const Row* row = row_of(spec, analysis, i);
    apart.push_back(row != nullptr && !row->in_place);
  }
  return apart;
}

runtime::Int8Program with_cmsis_nn(runtime::Int8Program program) {
  for (size_t i = 0; i < program.steps.size(); ++i) {
    runtime::Step& step = program.steps[i];
    const Row* row = step.kernel == nullptr ? nullptr : row_of(program.spec, program.analysis, i);
    if (row == nullptr) continue;
    const arch::Node& node = program.spec.nodes[i];
    const int zero_point = program.quant.nodes.at(program.spec.node(node.inputs[0]).name).output.zero_point;
    const size_t before = step.constants.empty() ? 0 : step.constants.back().bytes();
    if (!step.constants.empty()) {
      unfold(step, row->own == std::string_view("depthwise"), zero_point, node.name);
      const auto more = static_cast<int64_t>(step.constants.back().bytes() - before);
      program.analysis.nodes[i].constant_bytes += more;
      program.analysis.constant_bytes += more;
    }
    if (row->call.params == std::string_view("layer"))
      for (runtime::Call& call : step.calls) call.params = layer_params(call.params, zero_point);
    step.kernel = &row->kernel;
  }
  return program;
}

const CmsisNnCall* cmsis_nn_call(const arch::Kernel& kernel) {
  const Row* row = row_of(kernel);
  return row == nullptr ? nullptr : &row->call;
}

CmsisNnBytes cmsis_nn_bytes(const runtime::Int8Program& program) {
  CmsisNnBytes most;
  for (const runtime::Step& step : program.steps) {
    const Row* row = step.kernel == nullptr ? nullptr : row_of(*step.kernel);
    if (row == nullptr) continue;
    const CmsisNnBytes bytes = row->bytes(Values{step.calls.front().params});
    most = {std::max(most.dsp, bytes.dsp), std::max(most.armclang, bytes.armclang), std::max(most.mve, bytes.mve)};
  }
  return most;
}

std::string cmsis_nn_buffer_text(const runtime::Int8Program& program, const std::string& macro) {
  const CmsisNnBytes bytes = cmsis_nn_bytes(program);
  const std::string name = "#define " + macro + "_BUFFER_BYTES ";
  return "/* RAM for the scratch of CMSIS-NN, beside the arena. */\n#ifndef " + macro +
         "_BUFFER_BYTES\n#if defined(__ARM_FEATURE_MVE)\n" + name + std::to_string(bytes.mve) +
         "\n#elif defined(__ARMCC_VERSION)\n" + name + std::to_string(bytes.armclang) + "\n#else\n" + name +
         std::to_string(bytes.dsp) + "\n#endif\n#endif\n";
}

std::string cmsis_nn_cmake(const std::string& prefix) {
  return "if(TARGET cmsis-nn)\n  target_link_libraries(" + prefix + "_net PUBLIC cmsis-nn)\nendif()\n";
}

Files cmsis_nn_files(const std::string& prefix) {
  return {{prefix + "_cmsis_nn.h",
           c99_fill("cmsis_nn.h.in", {{"P", prefix}, {"M", macro_prefix(prefix)}, {"VERSIONS", kCmsisNnVersions}})}};
}

}  // namespace condenser::exporters
