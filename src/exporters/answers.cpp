#include "exporters/answers.hpp"

#include <nlohmann/json.hpp>

#include "condenser/core/hash.hpp"
#include "condenser/core/text.hpp"

namespace condenser::exporters {
namespace {

using nlohmann::ordered_json;

std::vector<int64_t> dims_of(const arch::Shape& shape, size_t n) {
  std::vector<int64_t> dims{static_cast<int64_t>(n), shape.c};
  if (shape.h * shape.w > 1) dims.insert(dims.end(), {shape.h, shape.w});
  return dims;
}

// `values`: [h, w, c] of each sample, from `first` on. Integers, and the floats that they stand for.
void add_arrays(std::map<std::string, arch::Tensor>& arrays, const std::string& name, const arch::Shape& shape,
                const runtime::TensorQuant& quant, const std::vector<std::vector<int8_t>>& values, int64_t first,
                bool is_input) {
  std::vector<int64_t> dims = dims_of(shape, values.size());
  if (is_input) dims = {static_cast<int64_t>(values.size()), shape.c, shape.h, shape.w};
  arch::Tensor floats = arch::make_tensor(arch::DType::F32, dims);
  arch::Tensor integers = arch::make_tensor(arch::DType::I8, dims);
  size_t to = 0;
  for (const auto& sample : values)
    for (int64_t c = 0; c < shape.c; ++c)
      for (int64_t p = 0; p < shape.h * shape.w; ++p, ++to) {
        const int8_t q = sample[static_cast<size_t>(first + p * shape.c + c)];
        integers.i8()[to] = q;
        floats.f32()[to] = static_cast<float>((q - quant.zero_point) * quant.scale);
      }
  arrays[name] = std::move(floats);
  arrays[name + "_int8"] = std::move(integers);
}

}  // namespace

std::map<std::string, arch::Tensor> answer_arrays(const Package& package, const KnownAnswers& answers) {
  std::map<std::string, arch::Tensor> arrays;
  const arch::Spec& spec = package.spec;
  const arch::Analysis analysis = arch::analyze(spec);
  const auto quant = [&](int id) { return package.quant->nodes.at(spec.node(id).name).output; };
  add_arrays(arrays, "input", spec.input, quant(0), answers.inputs, 0, true);
  int64_t first = 0;
  for (size_t k = 0; k < spec.output_count(); ++k) {
    const arch::Shape shape = arch::output_shape(spec, analysis, k);
    const std::string name = spec.output_count() == 1 ? "output" : "output_" + std::to_string(k);
    add_arrays(arrays, name, shape, quant(spec.output(k)), answers.outputs, first, false);
    first += shape.elements();
  }
  return arrays;
}

void check_file_prefix(const std::string& prefix) {
  if (prefix.empty() || prefix.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string::npos)
    throw core::ConfigError("export prefix '" + core::printable(prefix) + "'; expected a name of a-z, 0-9 and _");
}

std::string manifest_text(const Package& package, const char* target, const ordered_json& own, const Files& files) {
  const arch::Spec& spec = package.spec;
  const arch::Analysis analysis = arch::analyze(spec);
  ordered_json root{{"condenser_export", 1},
                    {"target", target},
                    {"network", spec.name},
                    {"spec_hash", package.spec_hash},
                    {"lowered_hash", arch::hash(spec).hex()},
                    {"params", analysis.params},
                    {"macs", analysis.macs},
                    {"classes", package.classes},
                    {"input_note", package.input_note}};
  root.update(own);
  if (package.quant) {
    root["rounding"] = package.quant->rounding;
    for (const arch::Node& node : spec.nodes) {
      const auto& entry = package.quant->nodes.at(node.name);
      ordered_json& value = root["nodes"][node.name];
      value = {{"op", arch::op_name(node.op)}, {"scale", entry.output.scale}, {"zero_point", entry.output.zero_point}};
      if (!entry.weight_scales.empty()) value["weight_scales"] = entry.weight_scales;
    }
  }
  for (const auto& [name, content] : files)
    root["files"][name] = {{"bytes", content.size()}, {"sha256", core::sha256_hex(content)}};
  return root.dump(1) + "\n";
}

}  // namespace condenser::exporters
