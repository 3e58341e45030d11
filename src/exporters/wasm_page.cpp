// demo.html: its template, style and scripts, and what the page knows of the network.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "condenser/core/html.hpp"
#include "exporters/kernel_sources.hpp"
#include "exporters/wasm.hpp"

namespace condenser::exporters {
namespace {

using nlohmann::ordered_json;

template <class T>
std::string base64_of(std::span<const T> values) {
  std::string bytes;
  for (const T value : values)
    for (size_t k = 0; k < sizeof(T); ++k) bytes += static_cast<char>(static_cast<uint16_t>(value) >> (8 * k) & 0xff);
  return core::base64(bytes);
}

ordered_json quant_json(const Package& package, int node) {
  const runtime::TensorQuant& quant = package.quant->nodes.at(package.spec.node(node).name).output;
  return {{"scale", quant.scale}, {"zero_point", quant.zero_point}};
}

ordered_json outputs_json(const Package& package) {
  const arch::Analysis analysis = arch::analyze(package.spec);
  ordered_json list = ordered_json::array();
  for (size_t k = 0; k < package.spec.output_count(); ++k) {
    const arch::Shape shape = arch::output_shape(package.spec, analysis, k);
    ordered_json output = quant_json(package, package.spec.output(k));
    output["name"] = package.spec.node(package.spec.output(k)).name;
    output["bytes"] = shape.elements();
    output["by_channel"] = shape.h * shape.w == 1;  // of a network that gives its input again
    list.push_back(std::move(output));
  }
  return list;
}

ordered_json sound_json(const SoundInput& sound) {
  const data::FrontEndTables& t = sound.tables;
  return {{"rate", sound.sample_rate},
          {"samples", t.samples},
          {"frames", t.frames},
          {"values", t.coefficients > 0 ? t.coefficients : t.bands},
          {"mfcc", t.coefficients > 0},
          {"peak", t.peak},
          {"time_in_rows", t.frame_step >= t.value_step}};
}

ordered_json known_json(const KnownAnswers& answers) {
  ordered_json list = ordered_json::array();
  for (size_t i = 0; i < wasm_page_answers(answers); ++i) {
    list.push_back({{"input", base64_of(std::span<const int8_t>(answers.inputs[i]))},
                    {"output", base64_of(std::span<const int8_t>(answers.outputs[i]))}});
    if (!answers.clips.empty()) list.back()["clip"] = base64_of(std::span<const int16_t>(answers.clips[i]));
  }
  return list;
}

ordered_json data_json(const Package& package, const KnownAnswers& answers,
                       const std::map<std::string, std::string>& modules) {
  const arch::Analysis analysis = arch::analyze(package.spec);
  const arch::Shape& in = package.spec.input;
  const ordered_json outputs = outputs_json(package);
  ordered_json root{
      {"name", package.spec.name},   {"params", analysis.params},       {"macs", analysis.macs},
      {"shape", {in.h, in.w, in.c}}, {"input", quant_json(package, 0)}, {"input_note", package.input_note},
      {"outputs", outputs}};
  const int64_t values = outputs.size() == 1 ? outputs[0]["bytes"].get<int64_t>() : 0;
  if (!package.classes.empty() && std::ssize(package.classes) == values) {
    root["classes"] = package.classes;
    root["independent"] = package.independent;
  }
  root["again"] = !package.output_note.empty() && values == in.elements();
  for (const auto& table : package.pixels) root["pixels"].push_back(base64_of(std::span<const int8_t>(table)));
  if (package.sound) root["sound"] = sound_json(*package.sound);
  for (const WasmModule& module : wasm_modules()) root["modules"][module.what] = core::base64(modules.at(module.what));
  root["known"] = known_json(answers);
  return root;
}

// Inside of a script nothing may end it; names come from people.
std::string script_json(const ordered_json& root) {
  std::string text = root.dump(-1, ' ', true, ordered_json::error_handler_t::replace);
  for (size_t at = text.find('<'); at != std::string::npos; at = text.find('<', at)) text.replace(at, 1, "\\u003c");
  return text;
}

std::string script() {
  std::string text = "(() => {\n'use strict';\n";
  for (const char* part : {"network.js", "prepare.js", "page.js", "page_picture.js", "page_sound.js", "page_values.js"})
    text.append(wasm_text(part)).append("\n");
  return text + "start().catch(error => stop('The network does not run in this browser', String(error)));\n})();\n";
}

}  // namespace

size_t wasm_page_answers(const KnownAnswers& answers) {
  const auto bytes = static_cast<int64_t>(answers.inputs.front().size() + answers.outputs.front().size() +
                                          (answers.clips.empty() ? 0 : 2 * answers.clips.front().size()));
  return std::min(answers.inputs.size(), static_cast<size_t>(std::max<int64_t>(1, kMostPageBytes / bytes)));
}

std::string wasm_page(const Package& package, const KnownAnswers& answers,
                      const std::map<std::string, std::string>& modules) {
  const std::string text = script();
  const std::string page = core::filled(std::string(wasm_text("page.html.in")),
                                        {{"SOURCE", core::script_source(text)},
                                         {"STYLE", std::string(core::page_style()).append(wasm_text("page.css"))},
                                         {"SCRIPT", text}});
  // Last, as names of people may look like marks.
  return core::filled(page, {{"DATA", script_json(data_json(package, answers, modules))}});
}

}  // namespace condenser::exporters
