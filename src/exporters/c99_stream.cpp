// The network on a stream: <prefix>_stream.h and .c, and its part of the self-test.
#include <algorithm>
#include <map>

#include "condenser/data/frames.hpp"
#include "exporters/c99.hpp"
#include "exporters/c99_text.hpp"
#include "exporters/kernel_sources.hpp"

namespace condenser::exporters {
namespace {

using Marks = std::map<std::string, std::string>;

constexpr int64_t kFloatBytes = 4;

int64_t row_bytes(const runtime::Int8Program& program, size_t node) {
  const arch::Shape& shape = program.analysis.nodes[node].shape;
  return shape.w * shape.c;
}

// "now >= 9u && (now - 9u) % 2u == 0u", or nothing for what is computed in every frame.
std::string condition(const arch::StreamNode& node) {
  const std::string first = std::to_string(node.first) + "u";
  std::string text = node.first > 0 ? "now >= " + first : "";
  if (node.period > 1)
    text += (text.empty() ? "" : " && ") + (node.first > 0 ? "(now - " + first + ")" : std::string("now")) + " % " +
            std::to_string(node.period) + "u == 0u";
  return text;
}

std::string indented(const std::string& text) {
  std::string result = "  ";
  for (size_t i = 0; i < text.size(); ++i) {
    result += text[i];
    if (text[i] == '\n' && i + 1 < text.size()) result += "  ";
  }
  return result;
}

std::string place(int64_t offset) { return "arena + " + std::to_string(offset); }

// Makes room for a new row, where older ones are kept.
std::string forget(const runtime::Int8Program& program, size_t node, const Names& names) {
  const int64_t row = row_bytes(program, node), older = program.plan.bytes[node] - row;
  if (older == 0) return "";
  return "  " + names.prefix + "_forget(" + place(program.plan.offset[node]) + ", " + std::to_string(row) + "u, " +
         std::to_string(older) + "u);\n";
}

std::string comment(const runtime::Int8Program& program, size_t node) {
  const arch::StreamNode& n = program.stream.nodes[node];
  const std::string rows = n.period == 1 ? "a row each frame" : "a row in " + std::to_string(n.period) + " frames";
  return "  /* " + program.spec.nodes[node].name + ": " + rows + " from the " + std::to_string(n.first + 1) +
         ". on, of " + std::to_string(row_bytes(program, node)) + " bytes; keeps " + std::to_string(n.kept) + ". " +
         program.steps[node].kernel->name + " */\n";
}

// Layers that compute in the same frames stand in one block.
std::string calls(const runtime::Int8Program& program, const Names& names) {
  std::string text, open;
  const auto close = [&] {
    if (!open.empty()) text += "  }\n";
    open.clear();
  };
  for (size_t i = 0; i < program.order.size(); ++i) {
    const runtime::Turn& turn = program.order[i];
    const std::string when = condition(program.stream.nodes[turn.node]);
    if (when != open) {
      close();
      if (!when.empty()) text += "\n  if (" + when + ") {\n";
      open = when;
    }
    std::string layer;
    if (i == 0 || program.order[i - 1].node != turn.node)
      layer = comment(program, turn.node) + forget(program, turn.node, names);
    layer += c99_call(program, turn, names);
    text += open.empty() ? "\n" + layer : indented(layer);
  }
  close();
  return text;
}

// Where what is used within a frame begins: the front-end works there too, before the frame.
int64_t lasting_bytes(const runtime::Int8Program& program) {
  int64_t end = 0;
  for (size_t i = 0; i < program.stream.nodes.size(); ++i)
    if (program.stream.nodes[i].lasting) end = std::max(end, program.plan.offset[i] + program.plan.bytes[i]);
  return (end + kFloatBytes - 1) / kFloatBytes * kFloatBytes;
}

int64_t scratch_floats(const data::FrontEndTables& t) { return t.fft + t.fft / 2 + 1 + t.bands; }

// The program of a stream has the constants of the network as a whole, so that they are there once.
void check_constants(const runtime::Int8Program& whole, const runtime::Int8Program& rows) {
  for (size_t i = 0; i < whole.steps.size(); ++i) {
    const auto &a = whole.steps[i].constants, &b = rows.steps[i].constants;
    const bool same = std::ranges::equal(
        a, b, [](const runtime::Constant& x, const runtime::Constant& y) { return x.values == y.values; });
    if (!same) throw arch::SpecError(whole.spec.nodes[i].name, "has other constants on a stream than as a whole");
  }
}

struct StreamText {
  int64_t bytes = 0;   // of memory, in all
  std::string source;  // of <prefix>_stream.c
};

Marks common_marks(const Package& package, const Names& names, const StreamTimes& times) {
  const arch::Shape& in = package.spec.input;
  Marks marks = {{"P", names.prefix},
                 {"M", names.macro},
                 {"PUSH", times.sound ? "push" : "push_frame"},
                 {"FRAME_BYTES", std::to_string(in.w * in.c)},
                 {"FIRST", std::to_string(times.first)},
                 {"PERIOD", std::to_string(times.period)},
                 {"RESTART", ""},
                 {"SOUND", ""},
                 {"SOUND_INCLUDES", ""}};
  if (!times.sound) return marks;
  const std::string& p = names.prefix;
  marks["SOUND_INCLUDES"] = "#include \"" + p + "_float.h\"\n#include \"" + p + "_front_end.h\"\n";
  marks["RESTART"] = "  " + p + "_stream_filling = FILLING;\n";
  return marks;
}

std::string sound_text(const SoundInput& sound, const Names& names, const std::string& scratch) {
  const data::FrontEndTables& t = sound.tables;
  return c99_fill("stream_sound.c.in", {{"P", names.prefix},
                                        {"M", names.macro},
                                        {"WINDOW", std::to_string(t.window)},
                                        {"FILLING", std::to_string(data::pieces_before_frames(t))},
                                        {"VALUES", std::to_string(data::frame_values(t))},
                                        {"SCRATCH", scratch},
                                        {"MEAN", real(static_cast<float>(sound.mean))},
                                        {"STD", real(static_cast<float>(sound.std))}});
}

int64_t sound_bytes(const SoundInput& sound) {
  return 2 * int64_t{sound.tables.window} + kFloatBytes * data::frame_values(sound.tables);
}

StreamText of_frames(const runtime::Int8Program& whole, const Package& package, const ExportOptions& options,
                     Marks marks) {
  const Names names(options.prefix);
  const runtime::Int8Program program = runtime::build_stream_program(package.spec, package.weights, *package.quant);
  check_constants(whole, program);
  StreamText text{.bytes = program.plan.peak_bytes, .source = ""};
  if (package.sound) {
    const int64_t begin = lasting_bytes(program);
    text.bytes = std::max(text.bytes, begin + kFloatBytes * scratch_floats(package.sound->tables));
    marks["SOUND"] = sound_text(*package.sound, names,
                                "float *const scratch = (float *)(void *)((int8_t *)" + names.prefix +
                                    "_stream_memory + " + std::to_string(begin) + ")");
  }
  std::string includes;
  for (const std::string& kernel : c99_kernels(program)) includes += "#include \"cnd_" + kernel + ".h\"\n";
  const auto last = static_cast<size_t>(program.spec.output());
  const int64_t steady = program.stream.steady();
  const std::string answered = condition(program.stream.nodes[last]);
  const auto newest = [&](size_t node) {
    return program.plan.offset[node] + program.plan.bytes[node] - row_bytes(program, node);
  };
  marks.insert({{"INCLUDES", includes},
                {"INPUT", forget(program, 0, names)},
                {"NEWEST", std::to_string(newest(0))},
                {"CALLS", calls(program, names)},
                {"STEADY", std::to_string(steady)},
                {"END", std::to_string(steady + program.stream.cycle())},
                {"ANSWERED", answered.empty() ? "1" : answered + " ? 1 : 0"},
                {"OUTPUT", std::to_string(newest(last))},
                {"WEIGHTS", is_binary(options) ? c99_fill("stream_weights_given.c.in", {{"P", names.prefix}}) : ""}});
  text.source = c99_fill("stream_frames.c.in", marks);
  if (package.sound) text.bytes += sound_bytes(*package.sound);
  return text;
}

StreamText of_windows(const runtime::Int8Program& whole, const Package& package, const ExportOptions& options,
                      Marks marks) {
  const Names names(options.prefix);
  StreamText text{.bytes = package.spec.input.elements(), .source = ""};
  if (package.sound) {
    const std::string& p = names.prefix;
    const std::string scratch = c99_sound_scratch(whole, *package.sound);
    const bool input = scratch.find("input") != std::string::npos;
    marks["SOUND"] = sound_text(*package.sound, names,
                                (input ? "int8_t *const input = " + p + "_input();\n  " : std::string()) + scratch);
    text.bytes += sound_bytes(*package.sound) + (input ? 0 : kFloatBytes * scratch_floats(package.sound->tables));
  }
  text.source = c99_fill("stream_window.c.in", marks);
  return text;
}

std::string header(const Package& package, const ExportOptions& options, const StreamTimes& times, int64_t bytes,
                   Marks marks) {
  const bool frames = options.stream == "frames";
  const int64_t rows = package.spec.input.h;
  const std::string p = options.prefix, macro = macro_prefix(p);
  marks.insert(
      {{"HOW", frames ? "Layers keep what they need of the last frames and compute a row of their output when it\n"
                        " * can be, so that nothing is computed twice."
                      : "The network runs on the last " + std::to_string(rows) + " frames, each " +
                            std::to_string(options.stream_hop) + " of them."},
       {"NOTE", frames ? " Where a clip of " + std::to_string(rows) +
                             " frames has padding at its ends, a stream has the frames before and after.\n *"
                       : ""},
       {"PIECE", times.sound ? macro + "_STREAM_SAMPLES samples of 16 bits" : "a frame"},
       {"BYTES", std::to_string(bytes)},
       {"DEFINES", times.sound ? "#define " + macro + "_STREAM_RATE " + std::to_string(package.sound->sample_rate) +
                                     "\n#define " + macro + "_STREAM_SAMPLES " + std::to_string(times.piece) + "\n"
                               : ""},
       {"DECLARATION", times.sound ? c99_fill("stream_push.h.in", {{"P", p}, {"M", macro}}) : ""},
       {"ERRORS", frames ? (is_binary(options) ? ", -1 without weights" : "") : ", -1 where " + p + "_run() fails"}});
  return c99_fill("stream.h.in", marks);
}

}  // namespace

int64_t c99_stream_bytes(const runtime::Int8Program& whole, const Package& package, const ExportOptions& options) {
  const Marks marks = common_marks(package, Names(options.prefix), stream_times(package, options));
  return (options.stream == "frames" ? of_frames : of_windows)(whole, package, options, marks).bytes;
}

Files c99_stream(const runtime::Int8Program& whole, const Package& package, const ExportOptions& options) {
  const StreamTimes times = stream_times(package, options);
  const Marks marks = common_marks(package, Names(options.prefix), times);
  const StreamText text = (options.stream == "frames" ? of_frames : of_windows)(whole, package, options, marks);
  Files files{{options.prefix + "_stream.h", header(package, options, times, text.bytes, marks)},
              {options.prefix + "_stream.c", text.source}};
  if (c99_has_classes(whole, package))
    files["stream_detector.h"] = core::source_text(detector_sources(), "stream_detector.h");
  return files;
}

std::set<std::string> c99_stream_kernels(const Package& package, const ExportOptions& options) {
  if (options.stream != "frames") return {};
  return c99_kernels(runtime::build_stream_program(package.spec, package.weights, *package.quant));
}

size_t c99_stream_clips(const Package& package, const ExportOptions& options) {
  const StreamTimes times = stream_times(package, options);
  const int64_t clip = package.sound ? package.sound->tables.samples : package.spec.input.elements();
  return static_cast<size_t>((times.first * times.piece + clip - 1) / clip);
}

std::string c99_stream_test(const Package& package, const KnownAnswers& answers, const ExportOptions& options,
                            size_t samples) {
  const Names names(options.prefix);
  const StreamTimes times = stream_times(package, options);
  const std::string clip = names.macro + (times.sound ? "_SOUND_SAMPLES" : "_INPUT_BYTES");
  const int64_t values = static_cast<int64_t>(samples) *
                         (times.sound ? int64_t{package.sound->tables.samples} : package.spec.input.elements());
  const auto count = static_cast<size_t>(times.answers(values));
  std::string outputs;
  for (size_t i = 0; i < count; ++i)
    outputs += "    {\n" + number_lines(std::span<const int8_t>(answers.stream[i]), "        ") + "    },\n";
  return c99_fill(
      "test_stream.c.in",
      {{"P", names.prefix},
       {"M", names.macro},
       {"PUSH", times.sound ? "push" : "push_frame"},
       {"PIECE", names.macro + (times.sound ? "_STREAM_SAMPLES" : "_STREAM_FRAME_BYTES")},
       {"ANSWERS", std::to_string(count)},
       {"OF_WHAT", times.sound ? "the sounds above" : "the inputs above"},
       {"OUTPUTS", outputs},
       {"TYPE", times.sound ? "int16_t" : "int8_t"},
       {"VALUES", std::to_string(values)},
       {"VALUE",
        std::string(times.sound ? "clips" : "inputs") + "[(from + i) / " + clip + "][(from + i) % " + clip + "]"},
       {"DECODE", times.sound ? "      const int sample = bytes[2 * i] + 256 * bytes[2 * i + 1];\n      piece[i] = "
                                "(int16_t)(sample < 32768 ? sample : sample - 65536);\n"
                              : "      piece[i] = (int8_t)(bytes[i] < 128 ? bytes[i] : bytes[i] - 256);\n"}});
}

}  // namespace condenser::exporters
