// The C text of an export: <prefix>.h and .c, the constants, the self-test, the Makefile. Printing only: every number
// comes from the Int8Program.
#include <algorithm>
#include <span>

#include "condenser/core/text.hpp"
#include "exporters/c99.hpp"
#include "exporters/c99_text.hpp"
#include "exporters/cmsis_nn.hpp"
#include "exporters/kernel_sources.hpp"

namespace condenser::exporters {
namespace {

std::string shape_text(const arch::Shape& s) {
  return std::to_string(s.h) + "x" + std::to_string(s.w) + "x" + std::to_string(s.c);
}

std::string place_text(const arch::MemoryPlan& plan, int64_t offset) {
  const Place place = c99_place(plan, offset);
  return place.arena + (" + " + std::to_string(place.offset));
}

// For people; of one arena the number alone.
std::string place_words(const arch::MemoryPlan& plan, int64_t offset) {
  const Place place = c99_place(plan, offset);
  return (plan.fast_bytes > 0 ? place.arena + std::string(" ") : "") + std::to_string(place.offset);
}

// Outside of the run function.
std::string address_text(const runtime::Int8Program& program, const Names& names, int node) {
  const Place place = c99_place(program.plan, program.plan.offset[static_cast<size_t>(node)]);
  const std::string arena = program.plan.fast_bytes > 0 ? macro_prefix(place.arena) + "_ARENA" : "ARENA";
  return names.macro + "_" + arena + " + " + std::to_string(place.offset);
}

// ---- steps ----

std::string initializer(const std::vector<runtime::Param>& params) {
  std::string text;
  std::string line = "       ";
  for (const runtime::Param& param : params) {
    const std::string item = std::string(" .") + param.name + " = " + std::to_string(param.value) + ",";
    if (line.size() + item.size() > kColumns) {
      text += line + "\n";
      line = "       ";
    }
    line += item;
  }
  return text + line + "\n";
}

}  // namespace

std::string c99_call(const runtime::Int8Program& program, const runtime::Turn& turn, const Names& names) {
  const runtime::Step& step = program.steps[turn.node];
  const runtime::Call& call = step.calls[turn.call];
  const std::string kernel = step.kernel->name;
  const auto at = [&](int64_t offset) { return place_text(program.plan, offset); };
  std::vector<std::string> arguments = {"&p"};
  for (const runtime::Constant& constant : step.constants)
    arguments.push_back(names.prefix + "_" + program.spec.nodes[turn.node].name + "_" + constant.name);
  if (step.kernel->scratch != nullptr)
    arguments.push_back("(int16_t *)(void *)(" + at(program.plan.scratch[turn.node]) + ")");
  for (size_t k = 0; k < call.inputs.size(); ++k)
    arguments.push_back(at(program.plan.offset[static_cast<size_t>(call.inputs[k])] + call.input_skips[k]));
  arguments.push_back(at(program.plan.offset[turn.node] + call.output_skip));
  const CmsisNnCall* foreign = cmsis_nn_call(*step.kernel);
  const std::string params = foreign ? names.prefix + "_nn_" + foreign->params : "cnd_" + kernel + "_params";
  const std::string function = foreign ? "status = " + names.prefix + "_nn_" + foreign->function : "cnd_" + kernel;
  std::string text = "  {\n    const " + params + " p = {\n" + initializer(call.params) + "    };\n";
  std::string line = "    " + function + "(";
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string item = arguments[i] + (i + 1 < arguments.size() ? "," : ");");
    if (line.size() + 1 + item.size() > kColumns) {
      text += line + "\n";
      line = "       ";
    }
    line += (line.back() == '(' ? "" : " ") + item;
  }
  const char* check = foreign ? "    if (status != 0) {\n      return status;\n    }\n" : "";
  return text + line + "\n" + check + "  }\n";
}

namespace {

// Of a layer in strips: which rows of it.
std::string strip_text(const runtime::Int8Program& program, const runtime::Turn& turn) {
  const arch::Strips& strips = program.plan.strips;
  if (!strips.has(static_cast<int>(turn.node))) return "";
  const size_t strip = program.steps[turn.node].calls[turn.call].strip;
  const arch::Rows& rows = strips.rows[strip][turn.node];
  return ", strip " + std::to_string(strip + 1) + " of " + std::to_string(strips.rows.size()) + ", rows " +
         std::to_string(rows.first) + " to " + std::to_string(rows.end() - 1) + ", of the whole layer";
}

// Where the results are: a function of no argument for one output, of the output's number for several.
std::string output_function(const runtime::Int8Program& program, const Names& names) {
  const size_t count = program.spec.output_count();
  if (count == 1)
    return "const int8_t *" + names.prefix + "_output(void) { return " +
           address_text(program, names, program.spec.output()) + "; }\n\n";
  std::string places;
  const bool two = program.plan.fast_bytes > 0;
  for (size_t k = 0; k < count; ++k) {
    const int node = program.spec.output(k);
    places += (k == 0 ? "" : ", ") + (two ? address_text(program, names, node)
                                          : std::to_string(program.plan.offset[static_cast<size_t>(node)]));
  }
  const std::string head = "const int8_t *" + names.prefix + "_output(int i) {\n";
  const std::string size = "[" + names.macro + "_OUTPUTS] = {" + places + "};\n  return ";
  return head + (two ? "  const int8_t *const outputs" + size + "outputs[i];\n}\n\n"
                     : "  static const int32_t offsets" + size + names.macro + "_ARENA + offsets[i];\n}\n\n");
}

// What a layer is and takes, in one line: verify reads the name before the colon.
std::string layer_comment(const runtime::Int8Program& program, const runtime::Turn& turn) {
  const size_t node = turn.node;
  const arch::NodeCost& cost = program.analysis.nodes[node];
  std::string text = "  /* " + program.spec.nodes[node].name + ": " + arch::op_name(program.spec.nodes[node].op) +
                     " to " + shape_text(cost.shape) + strip_text(program, turn) + "; " + std::to_string(cost.macs) +
                     " MACs, " + std::to_string(cost.constant_bytes) + " bytes of constants, kernel " +
                     program.steps[node].kernel->name + ", output at " +
                     place_words(program.plan, program.plan.offset[node]);
  if (program.plan.scratch[node] >= 0) text += ", scratch at " + place_words(program.plan, program.plan.scratch[node]);
  return text + " */\n";
}

std::string model_source(const runtime::Int8Program& program, const Names& names, const ExportOptions& options) {
  const bool binary = is_binary(options);
  std::string calls, includes, last;
  for (const runtime::Turn& turn : program.order) {
    const std::string layer = layer_comment(program, turn);
    if (layer != last) calls += "\n" + layer;
    calls += c99_call(program, turn, names);
    last = layer;
  }
  for (const std::string& kernel : c99_kernels(program)) includes += "#include \"cnd_" + kernel + ".h\"\n";
  if (uses_cmsis_nn(options)) includes += "#include \"" + names.prefix + "_cmsis_nn.h\"\n";
  const std::map<std::string, std::string> own = {{"P", names.prefix}, {"M", names.macro}};
  const bool two = program.plan.fast_bytes > 0;
  const auto pointer = [&](const char* arena, const char* macro) {
    return std::string("  int8_t *const ") + arena + " = " + names.macro + macro + ";\n";
  };
  std::string pointers;
  if (!calls.empty())
    pointers = two ? pointer("fast", "_FAST_ARENA") + pointer("slow", "_SLOW_ARENA") : pointer("arena", "_ARENA");
  if (std::ranges::any_of(program.steps, [](const runtime::Step& s) { return s.kernel && cmsis_nn_call(*s.kernel); }))
    pointers += "  int status = 0;\n";
  return c99_fill("model.c.in", {{"P", names.prefix},
                                 {"M", names.macro},
                                 {"INCLUDES", includes},
                                 {"WHERE", two ? "two arenas, of a fast and a slow memory;" : "one arena;"},
                                 {"MEMORY", c99_fill(two ? "model_two_arenas.c.in" : "model_arena.c.in", own)},
                                 {"INPUT", address_text(program, names, 0)},
                                 {"OUTPUT", output_function(program, names)},
                                 {"POINTERS", pointers},
                                 {"GIVEN", two ? names.prefix + "_slow_memory" : names.prefix + "_memory"},
                                 {"WEIGHTS", binary ? c99_fill("model_weights_given.c.in", {{"P", names.prefix}}) : ""},
                                 {"CALLS", calls}});
}

std::string quant_defines(const Names& names, const std::string& tensor, const runtime::TensorQuant& quant) {
  return defined(names, tensor + "_SCALE", real(quant.scale)) +
         defined(names, tensor + "_ZERO_POINT", "(" + std::to_string(quant.zero_point) + ")");
}

// Of one output as OUTPUT_BYTES and so on; of several as OUTPUT_0_BYTES and so on, with shapes, and their sum.
std::string output_defines(const runtime::Int8Program& program, const Names& names) {
  const std::string sum = defined(names, "OUTPUT_BYTES", std::to_string(program.output_values()));
  const size_t count = program.spec.output_count();
  if (count == 1) return sum + quant_defines(names, "OUTPUT", program.output_quant());
  std::string text = defined(names, "OUTPUTS", std::to_string(count)) + sum;
  for (size_t k = 0; k < count; ++k) {
    const std::string output = "OUTPUT_" + std::to_string(k);
    const arch::Shape& shape = program.output_shape(k);
    text += defined(names, output + "_HEIGHT", std::to_string(shape.h)) +
            defined(names, output + "_WIDTH", std::to_string(shape.w)) +
            defined(names, output + "_CHANNELS", std::to_string(shape.c)) +
            defined(names, output + "_BYTES", std::to_string(shape.elements())) +
            quant_defines(names, output, program.output_quant(k));
  }
  return text;
}

// What is read after a run, as lines of the comment at the top.
std::string output_notes(const runtime::Int8Program& program, const Names& names) {
  const size_t count = program.spec.output_count();
  if (count == 1)
    return " *   read " + names.prefix + "_output(), " + std::to_string(program.output_values()) + " bytes\n *\n";
  std::string text;
  for (size_t k = 0; k < count; ++k)
    text += " *   read " + names.prefix + "_output(" + std::to_string(k) + "), " +
            std::to_string(program.output_shape(k).elements()) +
            " bytes, [height, width, channel] = " + shape_text(program.output_shape(k)) + ": " +
            program.spec.node(program.spec.output(k)).name + "\n";
  return text + " *\n";
}

std::string percent(double share) { return core::fixed(100 * share, 1) + " %"; }

// Which tensor lies where, as lines of the comment at the top; nothing where one arena has all.
std::string memory_notes(const runtime::Int8Program& program) {
  if (program.plan.fast_bytes == 0) return "";
  std::string text;
  for (const std::string arena : {"fast", "slow"}) {
    std::string line = " * In the " + arena + " arena:";
    const auto add = [&](const std::string& word, int64_t offset) {
      if (offset < 0 || c99_place(program.plan, offset).arena != arena) return;
      if (line.size() + word.size() + 2 > kColumns) {
        text += line + "\n";
        line = " *  ";
      }
      line += " " + word + ",";
    };
    for (size_t i = 0; i < program.spec.nodes.size(); ++i) {
      add(program.spec.nodes[i].name, program.plan.offset[i]);
      add("scratch of " + program.spec.nodes[i].name, program.plan.scratch[i]);
    }
    line.back() = '.';
    text += line + "\n";
  }
  return text;
}

std::string model_header(const runtime::Int8Program& program, const Package& package, const Names& names,
                         const ExportOptions& options) {
  const bool binary = is_binary(options);
  const arch::Shape& in = program.spec.input;
  const std::string& m = names.macro;
  const std::string& p = names.prefix;
  const auto integer = [&](const std::string& name, int64_t value) {
    return defined(names, name, std::to_string(value));
  };
  std::string text = "/* Network \"" + comment_text(program.spec.name) + "\", int8.\n *\n";
  text += " *   fill " + p + "_input() with " + std::to_string(in.elements()) +
          " bytes, [height, width, channel] = " + shape_text(in) + "\n *   call " + p + "_run()\n" +
          output_notes(program, names);
  text += " * An input byte is round(x / " + m + "_INPUT_SCALE) + " + m + "_INPUT_ZERO_POINT, kept within -128..127.\n";
  if (!package.input_note.empty()) text += " * Input: " + comment_text(package.input_note) + "\n";
  if (!package.output_note.empty()) text += " * Output: " + comment_text(package.output_note) + "\n";
  for (size_t i = 0; i < package.classes.size(); ++i)
    text += " * Output " + std::to_string(i) + ": " + comment_text(package.classes[i]) + "\n";
  text += memory_notes(program);
  text += " * How to add it to a program, also beside other networks: README.md.\n";
  text += " * Spec " + comment_text(package.spec_hash) + ", lowered " + arch::hash(program.spec).hex() + ". */\n";
  text += "#ifndef " + m + "_H\n#define " + m +
          "_H\n\n#include <limits.h>\n#include <stdint.h>\n\n#if INT_MAX < 2147483647\n#error \"this network needs a "
          "compiler whose int has 32 bits\"\n#endif\n\n";
  text += integer("INPUT_HEIGHT", in.h) + integer("INPUT_WIDTH", in.w) + integer("INPUT_CHANNELS", in.c);
  text += integer("INPUT_BYTES", in.elements());
  text += quant_defines(names, "INPUT", program.input_quant()) + output_defines(program, names);
  const int64_t fast = program.plan.fast_bytes, whole = program.plan.peak_bytes;
  text += integer("ARENA_BYTES", whole);
  if (fast > 0)
    text += "/* " + m + "_ARENA_BYTES are two arenas, each in a memory of its own; " +
            percent(program.plan.fast_share) +
            " of the bytes that kernels read\n * and write lie in the fast one (estimated from shapes). */\n" +
            integer("FAST_ARENA_BYTES", fast) + integer("SLOW_ARENA_BYTES", whole - fast);
  text += integer("CONSTANT_BYTES", program.analysis.constant_bytes);
  if (binary) text += integer("WEIGHTS_BYTES", c99_weights_bytes(program));
  if (uses_cmsis_nn(options)) text += cmsis_nn_buffer_text(program, names.macro);
  text += "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  text += "#ifdef " + m + "_ARENA_GIVEN\n";
  if (fast > 0)
    text += "/* The memory of the network, " + m + "_FAST_ARENA_BYTES and " + m +
            "_SLOW_ARENA_BYTES bytes aligned to 4, before\n * anything else. Returns 0, or 1 where one of them is not "
            "aligned. */\nint " +
            p + "_give_arenas(void *fast, void *slow);\n#endif\n\n";
  else
    text += "/* The memory of the network, " + m +
            "_ARENA_BYTES bytes aligned to 4, before anything else. Returns 0, or 1 where it is not aligned. */\nint " +
            p + "_give_arena(void *memory);\n#endif\n\n";
  if (binary) text += c99_fill("weights_functions.h.in", {{"P", p}, {"M", m}});
  text += "/* Where to write the input. Running overwrites it: fill it before every run. */\nint8_t *" + p +
          "_input(void);\n\n";
  text += std::string("/* Computes the output; returns 0, or 1 without an arena") +
          (binary ? ", 2 without weights" : "") +
          (uses_cmsis_nn(options) ? ",\n * 3 where CMSIS-NN asks for a larger buffer, 4 where it refuses a layer; then "
                                    "there is no result"
                                  : "") +
          (fast > 0 ? ". Not for two threads at once: they would share the arenas. */\nint "
                    : ". Not for two threads at once: there is one arena. */\nint ") +
          p + "_run(void);\n\n";
  text += program.spec.output_count() == 1
              ? "/* The result, valid until the next input is written. */\nconst int8_t *" + p + "_output(void);\n\n"
              : "/* Output i, 0.." + m + "_OUTPUTS - 1; valid until the next input is written. */\nconst int8_t *" + p +
                    "_output(int i);\n\n";
  return text + "#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
}

template <class T>
std::string sample_array(const std::string& name, const std::string& dimensions,
                         const std::vector<std::vector<T>>& samples, size_t count) {
  std::string text = std::string("static const ") + kCType<T> + " " + name + dimensions + " = {\n";
  for (size_t i = 0; i < count; ++i)
    text += "    {\n" + number_lines(std::span<const T>(samples[i]), "        ") + "    },\n";
  return text + "};\n\n";
}

// Several outputs lie apart in the arena; the known answers hold them one after the other.
std::string gathering(const runtime::Int8Program& program, const Names& names) {
  std::string text =
      "/* All outputs, one after the other. */\nstatic const int8_t *results(void) {\n  static int8_t all[" +
      names.macro + "_OUTPUT_BYTES];\n";
  int64_t at = 0;
  for (size_t k = 0; k < program.spec.output_count(); ++k) {
    const std::string number = std::to_string(k);
    text += "  memcpy(all + " + std::to_string(at) + ", " + names.prefix + "_output(" + number + "), " + names.macro +
            "_OUTPUT_" + number + "_BYTES);\n";
    at += program.output_shape(k).elements();
  }
  return text + "  return all;\n}\n\n";
}

std::string test_source(const runtime::Int8Program& program, const Package& package, const KnownAnswers& answers,
                        const ExportOptions& options) {
  const Names names(options.prefix);
  const bool binary = is_binary(options), stream = has_stream(options);
  const bool one = program.spec.output_count() == 1, sound = package.sound.has_value();
  const size_t streamed = stream ? c99_stream_clips(package, options) : 0;
  const size_t count = std::min(answers.inputs.size(), std::max(kEmbeddedAnswers, streamed));
  std::string arrays = sample_array("inputs", "[SAMPLES][" + names.macro + "_INPUT_BYTES]", answers.inputs, count) +
                       sample_array("outputs", "[SAMPLES][" + names.macro + "_OUTPUT_BYTES]", answers.outputs, count);
  const size_t clips = std::min(count, std::max(kEmbeddedClips, streamed));
  if (sound)
    arrays += "/* The sounds of the first inputs. */\nenum { CLIPS = " + std::to_string(clips) + " };\n\n" +
              sample_array("clips", "[CLIPS][" + names.macro + "_SOUND_SAMPLES]", answers.clips, clips);
  if (!one) arrays += gathering(program, names);
  const std::map<std::string, std::string> common = {
      {"P", names.prefix}, {"M", names.macro}, {"RESULT", one ? names.prefix + "_output()" : "results()"}};
  const auto part = [&](const char* name) { return sound ? c99_fill(name, common) : ""; };
  std::map<std::string, std::string> marks = common;
  marks.insert(
      {{"SAMPLES", std::to_string(count)},
       {"ARRAYS", arrays},
       {"ARENA_GIVEN", c99_fill(program.plan.fast_bytes > 0 ? "test_two_arenas.c.in" : "test_arena.c.in", common)},
       {"SOUND_INCLUDE", sound ? "#include \"" + names.prefix + "_sound.h\"\n" : ""},
       {"SOUND_TEST", part("test_sound.c.in")},
       {"SOUND_CALL", part("test_sound_call.c.in")},
       {"SOUND_NOTE", sound ? "; --clips: from sounds on, 16 bits a sample, little-endian" : ""},
       {"SOUND_USAGE", sound ? "[--clips] " : ""},
       {"SOUND_MAIN", part("test_sound_main.c.in")},
       {"STREAM_INCLUDE", stream ? "#include \"" + names.prefix + "_stream.h\"\n" : ""},
       {"STREAM_TEST", stream ? c99_stream_test(package, answers, options, sound ? clips : count) : ""},
       {"STREAM_CALL", stream ? "  differences += stream_differences();\n" : ""},
       {"STREAM_NOTE", stream ? "; --stream: as a stream" : ""},
       {"STREAM_USAGE", stream ? "[--stream] " : ""},
       {"STREAM_MAIN", stream ? c99_fill("test_stream_main.c.in", {}) : ""},
       {"WEIGHTS_TEST", binary ? c99_fill("test_weights.c.in", common) : ""},
       {"WEIGHTS_MAIN", binary ? c99_fill("test_weights_main.c.in", common) : ""}});
  return c99_fill("test.c.in", marks);
}

}  // namespace

Place c99_place(const arch::MemoryPlan& plan, int64_t offset) {
  if (plan.fast_bytes == 0) return {"arena", offset};
  return offset < plan.fast_bytes ? Place{"fast", offset} : Place{"slow", offset - plan.fast_bytes};
}

std::set<std::string> c99_kernels(const runtime::Int8Program& program) {
  std::set<std::string> kernels;
  for (const runtime::Step& step : program.steps) {
    if (step.kernel != nullptr && cmsis_nn_call(*step.kernel) == nullptr) kernels.insert(step.kernel->name);
  }
  return kernels;
}

std::set<std::string> c99_shared_files(const runtime::Int8Program& program, const Package& package,
                                       const ExportOptions& options) {
  std::set<std::string> kernels = c99_kernels(program);
  kernels.merge(c99_stream_kernels(package, options));
  std::set<std::string> files = kernel_files(kernels);
  if (package.sound) files.insert({"cnd_frontend.c", "cnd_frontend.h"});
  return files;
}

Files c99_sources(const runtime::Int8Program& program, const Package& package, const KnownAnswers& answers,
                  const ExportOptions& options) {
  const std::string& prefix = options.prefix;
  const Names names(prefix);
  return {{prefix + ".h", model_header(program, package, names, options)},
          {prefix + ".c", model_source(program, names, options)},
          {prefix + "_test.c", test_source(program, package, answers, options)}};
}

}  // namespace condenser::exporters
