// manifest.json of a C99 export: everything a build system or a person asks before flashing.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "condenser/core/hash.hpp"
#include "exporters/c99.hpp"
#include "exporters/cmsis_nn.hpp"

namespace condenser::exporters {
namespace {

using nlohmann::ordered_json;

constexpr int kVersion = 1;

ordered_json constant_bytes(const runtime::Int8Program& program) {
  ordered_json bytes = {{"weights", 0}, {"biases", 0}, {"multipliers", 0}, {"tables", 0}, {"total", 0}};
  const char* const names[] = {"weights", "biases", "multipliers", "tables"};  // as ConstantKind
  for (const runtime::Step& step : program.steps) {
    for (const runtime::Constant& constant : step.constants) {
      for (const char* name : {names[static_cast<size_t>(constant.kind)], "total"})
        bytes[name] = bytes[name].get<size_t>() + constant.bytes();
    }
  }
  return bytes;
}

// Kernels and the instruction sets that they have forms for.
ordered_json kernels(const runtime::Int8Program& program) {
  ordered_json forms = ordered_json::object();
  for (const runtime::Step& step : program.steps) {
    if (step.kernel != nullptr) forms[step.kernel->name] = step.kernel->forms;
  }
  return forms;
}

ordered_json tensor(const arch::Shape& shape, const runtime::TensorQuant& quant) {
  return {{"shape", {shape.h, shape.w, shape.c}},
          {"bytes", shape.elements()},
          {"scale", quant.scale},
          {"zero_point", quant.zero_point}};
}

ordered_json outputs(const runtime::Int8Program& program) {
  ordered_json list = ordered_json::array();
  for (size_t k = 0; k < program.spec.output_count(); ++k) {
    list.push_back({{"name", program.spec.node(program.spec.output(k)).name}});
    list.back().update(tensor(program.output_shape(k), program.output_quant(k)));
  }
  return list;
}

ordered_json nodes(const runtime::Int8Program& program) {
  ordered_json list = ordered_json::array();
  for (size_t i = 0; i < program.spec.nodes.size(); ++i) {
    const arch::NodeCost& cost = program.analysis.nodes[i];
    list.push_back({{"name", program.spec.nodes[i].name},
                    {"op", arch::op_name(program.spec.nodes[i].op)},
                    {"shape", {cost.shape.h, cost.shape.w, cost.shape.c}},
                    {"arena_offset", c99_place(program.plan, program.plan.offset[i]).offset},
                    {"bytes", program.plan.bytes[i]},
                    {"constant_bytes", cost.constant_bytes},
                    {"macs", cost.macs}});
    const runtime::Step& step = program.steps[i];
    if (step.kernel != nullptr) list.back()["kernel"] = step.kernel->name;
    if (const int bits = arch::weight_bits(program.spec.nodes[i].op); bits != 8) list.back()["weight_bits"] = bits;
    const int value_bits = program.quant.nodes.at(program.spec.nodes[i].name).output.bits;
    if (value_bits != 8) list.back()["value_bits"] = value_bits;
    const bool two = program.plan.fast_bytes > 0;
    if (two) list.back()["arena"] = c99_place(program.plan, program.plan.offset[i]).arena;
    if (program.plan.scratch[i] < 0) continue;
    const Place scratch = c99_place(program.plan, program.plan.scratch[i]);
    list.back()["scratch_offset"] = scratch.offset;
    if (two) list.back()["scratch_arena"] = scratch.arena;
  }
  return list;
}

}  // namespace

std::string c99_manifest(const runtime::Int8Program& program, const Package& package, const KnownAnswers& answers,
                         const ExportOptions& options, const Files& files) {
  ordered_json root;
  root["condenser_export"] = kVersion;
  root["target"] = "c99";
  root["prefix"] = options.prefix;
  root["kernel_tag"] = c99_kernel_tag(options);
  root["network"] = program.spec.name;
  root["spec_hash"] = package.spec_hash;
  root["lowered_hash"] = arch::hash(program.spec).hex();
  root["rounding"] = program.quant.rounding;
  root["layout"] = "HWC";
  root["kernels"] = kernels(program);
  if (uses_cmsis_nn(options)) {
    const CmsisNnBytes bytes = cmsis_nn_bytes(program);
    root["library"] = {{"name", "CMSIS-NN"},
                       {"versions", kCmsisNnVersions},
                       {"buffer_bytes", {{"dsp", bytes.dsp}, {"mve", bytes.mve}, {"armclang", bytes.armclang}}}};
  }
  root["weight_layout"] = {{"conv2d", "OHWI"}, {"depthwise", "HWO"}, {"linear", "OI"}};
  if (std::ranges::any_of(program.spec.nodes, [](const arch::Node& n) { return arch::weight_bits(n.op) == 4; }))
    root["weight_layout"]["w4"] = "two neighbouring O in a byte, the first one low; the last of an odd number twice";
  root["input"] = tensor(program.spec.input, program.input_quant());
  root["input"]["note"] = package.input_note;
  if (package.sound) {
    const data::FrontEndTables& t = package.sound->tables;
    root["sound"] = {{"sample_rate", package.sound->sample_rate}, {"samples", t.samples}, {"frames", t.frames}};
  }
  if (has_stream(options)) {
    const StreamTimes times = stream_times(package, options);
    root["stream"] = {
        {"form", options.stream}, {"piece", times.piece},   {"of", times.sound ? "samples" : "input bytes"},
        {"first", times.first},   {"period", times.period}, {"bytes", c99_stream_bytes(program, package, options)}};
  }
  if (program.spec.output_count() == 1)
    root["output"] = tensor(program.output_shape(), program.output_quant());
  else
    root["outputs"] = outputs(program);
  if (!package.output_note.empty()) root["output"]["note"] = package.output_note;
  root["classes"] = package.classes;
  if (is_binary(options))
    root["weights_file"] = {{"name", options.prefix + "_weights.bin"}, {"bytes", c99_weights_bytes(program)}};
  root["arena_bytes"] = program.plan.peak_bytes;
  if (program.plan.fast_bytes > 0) {
    root["fast_arena_bytes"] = program.plan.fast_bytes;
    root["slow_arena_bytes"] = program.plan.peak_bytes - program.plan.fast_bytes;
  }
  root["constant_bytes"] = constant_bytes(program);
  root["macs"] = program.analysis.macs;
  root["params"] = program.analysis.params;
  root["known_answers"] = std::min(answers.inputs.size(), kEmbeddedAnswers);
  root["nodes"] = nodes(program);
  root["files"] = ordered_json::object();
  for (const auto& [name, content] : files) root["files"][name] = core::sha256_hex(content);
  // Names and notes come from people: bytes that are not UTF-8 are replaced, not refused.
  return root.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace condenser::exporters
