// The PyTorch target: one module for every network, which reads arch.json and safetensors.
#include "exporters/torch.hpp"

#include <nlohmann/json.hpp>

#include "condenser/arch/spec_io.hpp"
#include "exporters/answers.hpp"
#include "exporters/c99.hpp"
#include "exporters/eight_bits.hpp"
#include "exporters/export_folder.hpp"
#include "exporters/kernel_sources.hpp"
#include "exporters/npz.hpp"

namespace condenser::exporters {
namespace {

arch::Tensor scalar(arch::DType type, double value) {
  arch::Tensor tensor = arch::make_tensor(type, {1});
  if (type == arch::DType::F32) tensor.f32()[0] = static_cast<float>(value);
  if (type == arch::DType::I32) tensor.i32()[0] = static_cast<int32_t>(value);
  return tensor;
}

// Integers, and beside them "<node>.weight_scale" (one per output channel) and "<node>.scale", "<node>.zero_point" of
// its values.
arch::Weights with_scales(const Package& package) {
  arch::Weights all = package.weights;
  all.metadata = {{"lowered_hash", arch::hash(package.spec).hex()}, {"spec_hash", package.spec_hash}};
  for (const auto& [name, node] : package.quant->nodes) {
    all.tensors[name + ".scale"] = scalar(arch::DType::F32, node.output.scale);
    all.tensors[name + ".zero_point"] = scalar(arch::DType::I32, node.output.zero_point);
    if (node.weight_scales.empty()) continue;
    const std::vector<float> scales(node.weight_scales.begin(), node.weight_scales.end());
    all.tensors[name + ".weight_scale"] = arch::make_f32({static_cast<int64_t>(scales.size())}, scales);
  }
  return all;
}

std::string readme(const Package& package) {
  return "# " + package.spec.name +
         " in PyTorch\n\n`model.py` needs nothing but torch. It builds the network from `arch.json` and reads the " +
         "safetensors by itself.\n\n```python\nimport numpy as np\nimport torch\nimport model\n\n" +
         "network = model.load()  # floats; model.load(int8=True): int8 weights, values rounded to 8 bits\n" +
         "known = np.load(\"known_answers.npz\")\n" +
         "print(network(torch.from_numpy(known[\"input\"])) - torch.from_numpy(known[\"output\"]))  # what 8 bits "
         "cost\n```\n\n" +
         "Input [n, c, h, w] in floats: " + package.input_note + "\n\n" +
         "Batch norms are folded into the convolutions before them. Weights are in the order of PyTorch: convolutions "
         "[out, in / groups, " +
         "h, w], linear layers [out, in]; int8 weights are symmetric with one scale per output channel "
         "(`<node>.weight_scale`), a bias is " +
         "int32 in units of input scale times weight scale, a value is scale * (q - zero_point). `known_answers.npz` "
         "holds what the int8 " +
         "network answers, in floats and as integers. `manifest.json` has all scales, layouts and the SHA-256 of all "
         "files.\n";
}

}  // namespace

std::vector<Unsupported> torch_unsupported(const arch::Design& design) {
  std::vector<Unsupported> refused = c99_unsupported(design);  // the same int8 network
  refuse_16_bits(design, ", and its module rounds all to 8", refused);
  return refused;
}

void torch_write(const Package& package, const KnownAnswers& answers, const ExportOptions&,
                 const std::filesystem::path& folder) {
  if (!package.quant || !package.floats)
    throw core::Error("the torch target writes both forms of a network; network '" + package.spec.name +
                      "' lacks its " + (package.quant ? "floats" : "int8 form, quantize first"));
  check_8_bits(package, "torch");
  runtime::check_quantized(package.spec, package.weights, *package.quant);
  arch::Weights floats = *package.floats;
  floats.metadata = {{"lowered_hash", arch::hash(package.spec).hex()}, {"spec_hash", package.spec_hash}};
  Files files;
  files["model.py"] = std::string(torch_sources().front().text);
  files["arch.json"] = arch::to_json(package.spec);
  files["weights.safetensors"] = arch::to_safetensors(floats);
  files["weights_int8.safetensors"] = arch::to_safetensors(with_scales(package));
  files["known_answers.npz"] = to_npz(answer_arrays(package, answers));
  files["README.md"] = readme(package);
  files["manifest.json"] = manifest_text(
      package, "torch", {{"input_layout", "nchw"}, {"weight_layout", "oihw"}, {"linear_layout", "oi"}}, files);
  write_export_folder(folder, files);
}

}  // namespace condenser::exporters
