// The C99 target: what it refuses, and the order of writing.
#include "exporters/c99.hpp"

#include <algorithm>
#include <string_view>

#include "condenser/arch/int16.hpp"
#include "condenser/core/text.hpp"
#include "exporters/cmsis_nn.hpp"
#include "exporters/export_folder.hpp"
#include "exporters/kernel_sources.hpp"

namespace condenser::exporters {
namespace {

// A firmware adds the folder of an export to its include path: <prefix>.h must not stand before a header of the C
// library or of POSIX, nor have the name of a device of Windows.
constexpr std::string_view kTakenNames[] = {
    "assert",  "complex",   "ctype",     "errno",  "fenv",   "float",  "inttypes", "iso646",      "limits",
    "locale",  "math",      "memory",    "malloc", "setjmp", "signal", "stdalign", "stdarg",      "stdatomic",
    "stdbit",  "stdbool",   "stdckdint", "stddef", "stdint", "stdio",  "stdlib",   "stdnoreturn", "string",
    "strings", "tgmath",    "threads",   "time",   "uchar",  "wchar",  "wctype",   "fcntl",       "pthread",
    "sched",   "semaphore", "termios",   "unistd", "aux",    "con",    "nul",      "prn",         "com1",
    "com2",    "com3",      "com4",      "com5",   "com6",   "com7",   "com8",     "com9",        "lpt1",
    "lpt2",    "lpt3",      "lpt4",      "lpt5",   "lpt6",   "lpt7",   "lpt8",     "lpt9"};

void check_prefix(const std::string& prefix) {
  const bool letters =
      !prefix.empty() && prefix.size() <= 64 && prefix[0] >= 'a' && prefix[0] <= 'z' &&
      std::ranges::all_of(prefix, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
  // The kernels' symbols and files start with cnd.
  if (!letters || prefix.starts_with("cnd"))
    throw core::ConfigError("export prefix '" + core::printable(prefix) +
                            "'; expected a C name of a-z, 0-9 and _ that starts with a letter, not with 'cnd'");
  if (std::ranges::find(kTakenNames, prefix) != std::end(kTakenNames))
    throw core::ConfigError(
        "export prefix '" + prefix + "'; expected another name, as a file " + prefix +
        ".h would hide a header of the C library or cannot exist on every system; for example net_" + prefix);
}

void check_clips(const KnownAnswers& answers, const SoundInput& sound) {
  if (answers.clips.size() != answers.inputs.size())
    throw core::Error("known answers: " + std::to_string(answers.clips.size()) + " clips of sound for " +
                      std::to_string(answers.inputs.size()) + " inputs; expected equal counts");
  for (size_t i = 0; i < answers.clips.size(); ++i) {
    if (std::ssize(answers.clips[i]) == sound.tables.samples) continue;
    throw core::Error("known answer " + std::to_string(i) + ": a clip of " + std::to_string(answers.clips[i].size()) +
                      " samples; expected " + std::to_string(sound.tables.samples));
  }
}

void check_answers(const KnownAnswers& answers, const runtime::Int8Program& program) {
  const auto in = static_cast<size_t>(program.spec.input.elements());
  const auto out = static_cast<size_t>(program.output_values());
  if (answers.inputs.empty()) throw core::Error("export without known answers; expected at least one sample");
  if (answers.outputs.size() != answers.inputs.size())
    throw core::Error("known answers: " + std::to_string(answers.inputs.size()) + " inputs, " +
                      std::to_string(answers.outputs.size()) + " outputs; expected equal counts");
  for (size_t i = 0; i < answers.inputs.size(); ++i) {
    if (answers.inputs[i].size() == in && answers.outputs[i].size() == out) continue;
    throw core::Error("known answer " + std::to_string(i) + ": " + std::to_string(answers.inputs[i].size()) +
                      " input and " + std::to_string(answers.outputs[i].size()) + " output values; expected " +
                      std::to_string(in) + " and " + std::to_string(out));
  }
}

// The features of a clip fill the input, and nothing else.
void check_sound(const SoundInput& sound, const arch::Shape& input) {
  const data::FrontEndTables& t = sound.tables;
  const int64_t features = int64_t{t.frames} * (t.coefficients > 0 ? t.coefficients : t.bands);
  if (features != input.elements())
    throw core::Error("front-end of sounds: " + std::to_string(features) + " features; the network's input has " +
                      std::to_string(input.elements()) + " values");
}

// The known answers of the stream are as many as its sounds, or inputs, give, and the first of these reach an answer.
void check_stream(const Package& package, const KnownAnswers& answers, const ExportOptions& options) {
  const StreamTimes times = stream_times(package, options);
  int64_t values = 0;
  for (const auto& clip : answers.clips) values += std::ssize(clip);
  if (!times.sound)
    for (const auto& input : answers.inputs) values += std::ssize(input);
  const int64_t expected = times.answers(values);
  if (std::ssize(answers.stream) != expected)
    throw core::Error("known answers of the stream: " + std::to_string(answers.stream.size()) + "; expected " +
                      std::to_string(expected));
  const size_t least = c99_stream_clips(package, options);
  if (answers.inputs.size() < least)
    throw core::Error(
        "export stream: " + std::to_string(answers.inputs.size()) +
        " known answers are too short a stream for an answer; expected verify.known_answers: " + std::to_string(least));
}

void check_kernels(const ExportOptions& options) {
  if (options.kernels != "own" && options.kernels != "cmsis_nn")
    throw core::ConfigError("export kernels '" + core::printable(options.kernels) + "'; expected own or cmsis_nn");
  if (uses_cmsis_nn(options) && options.strips)
    throw core::ConfigError(
        "export kernels cmsis_nn with strips; expected one of both, as CMSIS-NN computes whole "
        "layers");
}

std::vector<Unsupported> refusals(const arch::Spec& lowered, const arch::Analysis& cost, const arch::Int16Nodes& wide) {
  std::vector<Unsupported> refused;
  std::vector<arch::Shape> inputs;
  for (size_t i = 0; i < lowered.nodes.size(); ++i) {
    const arch::Node& node = lowered.nodes[i];
    inputs.clear();
    for (const int input : node.inputs) inputs.push_back(cost.node(input).shape);
    std::string why = runtime::int8_refusal(node.op, inputs);
    if (why.empty()) why = arch::int16_refusal(lowered, cost, wide, static_cast<int>(i));
    if (!why.empty()) refused.push_back({node.name, std::move(why)});
  }
  return refused;
}

void check_supported(const arch::Spec& spec, const arch::Int16Nodes& wide) {
  const std::vector<Unsupported> refused = refusals(spec, arch::analyze(spec), wide);
  if (refused.empty()) return;
  std::string message = "the c99 target cannot express network '" + spec.name + "':";
  for (const Unsupported& item : refused) message += " node " + item.node + ": " + item.why + ";";
  message.back() = '.';
  throw core::Error(message);
}

}  // namespace

bool has_stream(const ExportOptions& options) { return options.stream != "none"; }

std::vector<Unsupported> c99_unsupported(const arch::Design& design) {
  return refusals(design.lowered, design.lowered_cost, arch::int16_nodes(design));
}

void c99_write(const Package& package, const KnownAnswers& answers, const ExportOptions& options,
               const std::filesystem::path& folder) {
  check_prefix(options.prefix);
  if (!package.quant)
    throw core::Error("the c99 target writes int8 networks; network '" + package.spec.name +
                      "' has float weights, quantize first");
  if (options.weights != "const" && options.weights != "binary")
    throw core::ConfigError("export weights '" + core::printable(options.weights) + "'; expected const or binary");
  check_kernels(options);
  const arch::Int16Nodes wide = runtime::int16_nodes(package.spec, *package.quant);
  check_supported(package.spec, wide);
  const auto plan = [&](const arch::Spec& spec, const arch::Analysis& analysis) {
    return export_plan(spec, analysis, options, wide);
  };
  runtime::Int8Program program = runtime::build_program(package.spec, package.weights, *package.quant, plan);
  if (uses_cmsis_nn(options)) program = with_cmsis_nn(std::move(program));
  check_answers(answers, program);
  if (package.sound) {
    check_sound(*package.sound, package.spec.input);
    check_clips(answers, *package.sound);
  }
  if (has_stream(options)) check_stream(package, answers, options);
  Files files = c99_sources(program, package, answers, options);
  files.merge(c99_weights(program, options));
  files.merge(c99_bundle(program, package, options));
  files.merge(c99_examples(program, package, options));
  files.merge(c99_helpers(program, package, options.prefix));
  if (uses_cmsis_nn(options)) files.merge(cmsis_nn_files(options.prefix));
  if (package.sound) files.merge(c99_sound(program, *package.sound, options));
  if (has_stream(options)) files.merge(c99_stream(program, package, options));
  for (const std::string& name : c99_shared_files(program, package, options)) files[name] = kernel_text(name);
  const std::string tag = c99_kernel_tag(options);
  for (auto& [name, text] : files) {
    if (name.ends_with(".c") || name.ends_with(".h")) text = tag_kernels(text, tag);
  }
  files["manifest.json"] = c99_manifest(program, package, answers, options, files);
  write_export_folder(folder, files);
}

}  // namespace condenser::exporters
