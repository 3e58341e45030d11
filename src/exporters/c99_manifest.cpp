// manifest.json of a C99 export: everything a build system or a person asks before flashing.
#include <nlohmann/json.hpp>

#include "condenser/core/hash.hpp"
#include "exporters/c99.hpp"

namespace condenser::exporters {
namespace {

using nlohmann::ordered_json;

constexpr int kVersion = 1;

struct ConstantBytes {
  size_t weights = 0, biases = 0, multipliers = 0, tables = 0;
};

void count(const runtime::ChannelConstants& c, ConstantBytes& bytes) {
  bytes.biases += 4 * c.bias.size();
  bytes.multipliers += 4 * c.multiplier.size() + c.shift.size();
}

ConstantBytes count_constants(const runtime::Int8Program& program) {
  ConstantBytes bytes;
  for (const runtime::Step& step : program.steps) {
    std::visit(arch::Overloaded{
                   [](const runtime::InputStep&) {},
                   [&](const runtime::ConvStep& s) {
                     bytes.weights += s.weights.size();
                     count(s.channels, bytes);
                   },
                   [&](const runtime::LinearStep& s) {
                     bytes.weights += s.weights.size();
                     count(s.channels, bytes);
                   },
                   [](const runtime::AvgPoolStep&) {},
                   [](const runtime::MaxPoolStep&) {},
                   [](const runtime::GlobalAvgPoolStep&) {},
                   [](const runtime::AddStep&) {},
                   [&](const runtime::ActivationStep& s) { bytes.tables += s.table.size(); },
                   [&](const runtime::SoftmaxMulStep& s) { bytes.tables += 2 * s.table.size(); },
                   [](const runtime::MulStep&) {},
                   [&](const runtime::PReluStep& s) { bytes.weights += s.slope.size(); },
                   [](const runtime::BlurPoolStep&) {},
                   [](const runtime::UpsampleStep&) {},
                   [](const runtime::ConcatStep&) {},
                   [](const runtime::SliceStep&) {},
                   [](const runtime::ChannelShuffleStep&) {},
               },
               step);
  }
  return bytes;
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
                    {"arena_offset", program.plan.offset[i]},
                    {"bytes", program.plan.bytes[i]},
                    {"constant_bytes", cost.constant_bytes},
                    {"macs", cost.macs}});
  }
  return list;
}

}  // namespace

std::string c99_manifest(const runtime::Int8Program& program, const Package& package, const KnownAnswers& answers,
                         const ExportOptions& options, const Files& files) {
  const ConstantBytes constants = count_constants(program);
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
  root["weight_layout"] = {{"conv2d", "OHWI"}, {"depthwise", "HWO"}, {"linear", "OI"}};
  root["input"] = tensor(program.spec.input, program.input_quant());
  root["input"]["note"] = package.input_note;
  if (program.spec.output_count() == 1)
    root["output"] = tensor(program.output_shape(), program.output_quant());
  else
    root["outputs"] = outputs(program);
  if (!package.output_note.empty()) root["output"]["note"] = package.output_note;
  root["classes"] = package.classes;
  root["arena_bytes"] = program.plan.peak_bytes;
  root["constant_bytes"] = {{"weights", constants.weights},
                            {"biases", constants.biases},
                            {"multipliers", constants.multipliers},
                            {"tables", constants.tables},
                            {"total", constants.weights + constants.biases + constants.multipliers + constants.tables}};
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
