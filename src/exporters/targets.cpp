// The destinations of export, one row each.
#include <algorithm>
#include <utility>

#include "condenser/arch/int16.hpp"
#include "condenser/arch/memory_apart.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"
#include "exporters/c99.hpp"
#include "exporters/cmsis_nn.hpp"
#include "exporters/onnx.hpp"
#include "exporters/tflite.hpp"
#include "exporters/torch.hpp"
#include "exporters/wasm.hpp"

namespace condenser::exporters {

const std::vector<Target>& targets() {
  static const std::vector<Target> list = {
      {.name = "c99",
       .about = "int8 C sources without dependencies: model, weights, kernels, self-test, Makefile, manifest",
       .options = {"prefix", "private_kernels", "front_end", "strips", "fast_ram_bytes", "weights", "kernels", "stream",
                   "stream_hop"},
       .unsupported = c99_unsupported,
       .write = c99_write},
      {.name = "onnx",
       .about = "ONNX: the int8 network in QDQ form and the float network, for ONNX Runtime and compilers of vendors",
       .floats = true,
       .options = {"prefix", "activations"},
       .unsupported = onnx_unsupported,
       .write = onnx_write},
      {.name = "tflite",
       .about =
           "TensorFlow Lite: the int8 network and the float network, for LiteRT, TensorFlow Lite Micro and compilers "
           "of vendors",
       .floats = true,
       .options = {"prefix"},
       .unsupported = tflite_unsupported,
       .write = tflite_write,
       .remark = tflite_remark},
      {.name = "torch",
       .about = "PyTorch: a module that needs nothing but torch, safetensors in floats and in int8",
       .floats = true,
       .options = {},
       .unsupported = torch_unsupported,
       .write = torch_write},
      {.name = "wasm",
       .about = "WebAssembly, and a page of one file on which people try the network in a browser",
       .options = {"prefix", "front_end"},
       .unsupported = c99_unsupported,  // it is the C sources, compiled
       .write = wasm_write},
  };
  return list;
}

const Target& find_target(const std::string& name) {
  std::string known;
  for (const Target& target : targets()) {
    if (target.name == name) return target;
    known += (known.empty() ? "" : ", ") + target.name;
  }
  throw core::ConfigError("export target '" + name + "' does not exist; expected one of " + known);
}

UnusedOption unused_option(const ExportOptions& o, const std::vector<std::string>& targets) {
  const ExportOptions standard;
  const std::pair<const char*, bool> changed[] = {{"prefix", o.prefix != standard.prefix},
                                                  {"private_kernels", o.private_kernels != standard.private_kernels},
                                                  {"front_end", o.front_end != standard.front_end},
                                                  {"strips", o.strips != standard.strips},
                                                  {"fast_ram_bytes", o.fast_ram_bytes != standard.fast_ram_bytes},
                                                  {"weights", o.weights != standard.weights},
                                                  {"activations", o.activations != standard.activations},
                                                  {"kernels", o.kernels != standard.kernels},
                                                  {"stream", o.stream != standard.stream},
                                                  {"stream_hop", o.stream_hop != standard.stream_hop}};
  const auto reads = [](const Target& target, const char* key) {
    return std::ranges::find(target.options, key) != target.options.end();
  };
  for (const auto& [key, differs] : changed) {
    const char* const option = key;
    if (!differs ||
        std::ranges::any_of(targets, [&](const std::string& name) { return reads(find_target(name), option); }))
      continue;
    std::vector<std::string> readers;
    for (const Target& target : exporters::targets())
      if (reads(target, option)) readers.push_back(target.name);
    return {option, core::join(readers)};
  }
  return {};
}

arch::MemoryPlan export_plan(const arch::Spec& lowered, const arch::Analysis& analysis, const ExportOptions& options,
                             const std::vector<bool>& wide) {
  if (uses_cmsis_nn(options)) {
    if (const auto at = std::ranges::find(wide, true); at != wide.end())
      throw core::ConfigError("export kernels cmsis_nn: node " +
                              lowered.nodes[static_cast<size_t>(at - wide.begin())].name +
                              " has values of 16 bits; expected export.kernels: own, or all of 8 bits");
    const std::vector<bool> apart = cmsis_nn_apart(lowered, analysis);
    const arch::MemoryPlan one = arch::plan_memory_apart(lowered, analysis, apart);
    if (options.fast_ram_bytes == 0 || one.peak_bytes <= options.fast_ram_bytes) return one;
    return arch::plan_memory_apart(lowered, analysis, apart, {.fast_bytes = options.fast_ram_bytes});
  }
  arch::MemoryPlan plan =
      options.strips ? arch::plan_strips(lowered, analysis, wide) : arch::plan_memory(lowered, analysis, wide);
  if (options.fast_ram_bytes > 0 && plan.peak_bytes > options.fast_ram_bytes)
    plan = arch::plan_memory(lowered, analysis, wide, {.fast_bytes = options.fast_ram_bytes}, plan.strips);
  return plan;
}

std::string macro_prefix(std::string prefix) {
  for (char& c : prefix) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return prefix;
}

}  // namespace condenser::exporters
