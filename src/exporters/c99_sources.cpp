// The C text of an export: <prefix>.h and .c, the constants, the self-test, the Makefile. Printing only: every number
// comes from the Int8Program.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "condenser/core/text.hpp"
#include "exporters/c99.hpp"
#include "exporters/kernel_sources.hpp"

namespace condenser::exporters {
namespace {

constexpr size_t kColumns = 116;

struct Names {
  explicit Names(const std::string& p) : prefix(p), macro(macro_prefix(p)) {}
  std::string prefix;  // model
  std::string macro;   // MODEL
};

// Text of people inside a comment: one line of printable characters that cannot end the comment or escape its line, and
// of which no compiler warns (direction marks, bytes that are no UTF-8, trigraphs).
std::string comment_text(const std::string& text) {
  std::string result;
  for (const char c : core::printable(text)) {
    const bool plain = static_cast<unsigned char>(c) >= 0x20 && c != 0x7f && c != '\\' && c != '?';
    if (!plain) {
      result += ' ';
      continue;
    }
    const bool joins = !result.empty() && ((result.back() == '*' && c == '/') || (result.back() == '/' && c == '*'));
    if (joins) result += ' ';
    result += c;
  }
  return result;
}

std::string real(double value) { return nlohmann::json(value).dump(); }  // shortest text that reads back equal

std::string shape_text(const arch::Shape& s) {
  return std::to_string(s.h) + "x" + std::to_string(s.w) + "x" + std::to_string(s.c);
}

// Numbers separated by commas, in lines that start with `indent`.
template <class T>
std::string number_lines(std::span<const T> values, const std::string& indent) {
  std::string text;
  std::string line = indent;
  for (size_t i = 0; i < values.size(); ++i) {
    const std::string item = std::to_string(values[i]) + (i + 1 < values.size() ? "," : "");
    if (line.size() + 1 + item.size() > kColumns) {
      text += line + "\n";
      line = indent;
    }
    line += (line.size() > indent.size() ? " " : "") + item;
  }
  return text + line + "\n";
}

// ---- constants ----

template <class T>
const char* c_type();
template <>
const char* c_type<int8_t>() {
  return "int8_t";
}
template <>
const char* c_type<int32_t>() {
  return "int32_t";
}
template <>
const char* c_type<uint16_t>() {
  return "uint16_t";
}

class ConstantWriter {
 public:
  explicit ConstantWriter(const Names& names) : names_(names) {}

  template <class T>
  void add(const std::string& node, const char* what, const std::vector<T>& values) {
    const std::string declaration = std::string("const ") + c_type<T>() + " " + names_.prefix + "_" + node + "_" +
                                    what + "[" + std::to_string(values.size()) + "]";
    header_ += "extern " + declaration + ";\n";
    source_ += declaration + " = {\n" + number_lines(std::span<const T>(values), "    ") + "};\n\n";
  }

  void add_step(const std::string& node, const runtime::Step& step) {
    for (const runtime::Constant& constant : step.constants)
      std::visit([&](const auto& values) { add(node, constant.name, values); }, constant.values);
  }

  std::string header() const {
    const std::string guard = names_.macro + "_WEIGHTS_H";
    return "/* Constants of the network: weights (convolutions [out, h, w, in], depthwise [h, w, out]), biases in "
           "steps "
           "of\n * input scale times weight scale, multipliers and shifts per output channel, slopes, tables. "
           "*/\n#ifndef " +
           guard + "\n#define " + guard + "\n\n#include <stdint.h>\n\n" + header_ + "\n#endif\n";
  }
  std::string source() const {
    std::string text =
        "/* Constants of the network; see the header. */\n#include \"" + names_.prefix + "_weights.h\"\n\n" + source_;
    text.pop_back();
    return text;
  }

 private:
  const Names& names_;
  std::string header_, source_;
};

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

// One call of a kernel.
std::string call_text(const runtime::Int8Program& program, const runtime::Turn& turn, const Names& names) {
  const runtime::Step& step = program.steps[turn.node];
  const runtime::Call& call = step.calls[turn.call];
  const std::string kernel = step.kernel->name;
  const auto at = [](int64_t offset) { return "arena + " + std::to_string(offset); };
  std::vector<std::string> arguments = {"&p"};
  for (const runtime::Constant& constant : step.constants)
    arguments.push_back(names.prefix + "_" + program.spec.nodes[turn.node].name + "_" + constant.name);
  if (step.kernel->scratch != nullptr)
    arguments.push_back("(int16_t *)(void *)(" + at(program.plan.scratch[turn.node]) + ")");
  for (size_t k = 0; k < call.inputs.size(); ++k)
    arguments.push_back(at(program.plan.offset[static_cast<size_t>(call.inputs[k])] + call.input_skips[k]));
  arguments.push_back(at(program.plan.offset[turn.node] + call.output_skip));
  std::string text = "  {\n    const cnd_" + kernel + "_params p = {\n" + initializer(call.params) + "    };\n";
  std::string line = "    cnd_" + kernel + "(";
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string item = arguments[i] + (i + 1 < arguments.size() ? "," : ");");
    if (line.size() + 1 + item.size() > kColumns) {
      text += line + "\n";
      line = "       ";
    }
    line += (line.back() == '(' ? "" : " ") + item;
  }
  return text + line + "\n  }\n";
}

// What a call computes, as a comment.
std::string layer_text(const runtime::Int8Program& program, const runtime::Turn& turn) {
  const arch::Node& node = program.spec.nodes[turn.node];
  const arch::Strips& strips = program.plan.strips;
  std::string text = node.name + ": " + arch::op_name(node.op) + " to " +
                     shape_text(program.analysis.nodes[turn.node].shape);
  if (!strips.has(static_cast<int>(turn.node))) return text;
  const size_t strip = program.steps[turn.node].calls[turn.call].strip;
  const arch::Rows& rows = strips.rows[strip][turn.node];
  return text + ", strip " + std::to_string(strip + 1) + " of " + std::to_string(strips.rows.size()) + ": rows " +
         std::to_string(rows.first) + " to " + std::to_string(rows.end() - 1);
}

// Where the results are: a function of no argument for one output, of the output's number for several.
std::string output_function(const runtime::Int8Program& program, const Names& names) {
  const std::string base = "(int8_t *)" + names.prefix + "_arena";
  const auto offset = [&](size_t k) {
    return std::to_string(program.plan.offset[static_cast<size_t>(program.spec.output(k))]);
  };
  if (program.spec.output_count() == 1)
    return "const int8_t *" + names.prefix + "_output(void) { return " + base + " + " + offset(0) + "; }\n\n";
  std::string offsets;
  for (size_t k = 0; k < program.spec.output_count(); ++k) offsets += (k ? ", " : "") + offset(k);
  return "const int8_t *" + names.prefix + "_output(int i) {\n  static const int32_t offsets[" + names.macro +
         "_OUTPUTS] = {" + offsets + "};\n  return " + base + " + offsets[i];\n}\n\n";
}

std::string model_source(const runtime::Int8Program& program, const Names& names) {
  std::string calls, last;
  for (const runtime::Turn& turn : program.order) {
    const std::string layer = layer_text(program, turn);
    if (layer != last) calls += "\n  /* " + layer + " */\n";
    calls += call_text(program, turn, names);
    last = layer;
  }
  std::string includes;
  for (const std::string& kernel : c99_kernels(program)) includes += "#include \"cnd_" + kernel + ".h\"\n";
  const std::string arena = names.prefix + "_arena";
  const std::string base = "(int8_t *)" + arena;
  const auto offset = [&](size_t node) { return " + " + std::to_string(program.plan.offset[node]); };
  return "/* The network as straight calls of kernels. All activations live in one arena; offsets come from the "
         "memory\n"
         " * plan, and some steps write over their input. */\n#include \"" +
         names.prefix + ".h\"\n\n" + includes + "#include \"" + names.prefix +
         "_weights.h\"\n\n/* Words, so that it is aligned; the kernels see bytes. */\nstatic int32_t " + arena + "[(" +
         names.macro + "_ARENA_BYTES + 3) / 4];\n\nint8_t *" + names.prefix + "_input(void) { return " + base +
         offset(0) + "; }\n\n" + output_function(program, names) + "int " + names.prefix + "_run(void) {\n" +
         (calls.empty() ? "" : "  int8_t *const arena = " + base + ";\n") + calls + "\n  return 0;\n}\n";
}

std::string defined(const Names& names, const std::string& name, const std::string& value) {
  return "#define " + names.macro + "_" + name + " " + value + "\n";
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

std::string model_header(const runtime::Int8Program& program, const Package& package, const Names& names) {
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
  text += " * How to add it to a program, also beside other networks: README.md.\n";
  text += " * Spec " + comment_text(package.spec_hash) + ", lowered " + arch::hash(program.spec).hex() + ". */\n";
  text += "#ifndef " + m + "_H\n#define " + m + "_H\n\n#include <stdint.h>\n\n";
  text += integer("INPUT_HEIGHT", in.h) + integer("INPUT_WIDTH", in.w) + integer("INPUT_CHANNELS", in.c);
  text += integer("INPUT_BYTES", in.elements());
  text += quant_defines(names, "INPUT", program.input_quant()) + output_defines(program, names);
  text += integer("ARENA_BYTES", program.plan.peak_bytes);
  text += integer("CONSTANT_BYTES", program.analysis.constant_bytes);
  text += "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  text += "/* Where to write the input. Running overwrites it: fill it before every run. */\nint8_t *" + p +
          "_input(void);\n\n";
  text += "/* Computes the output; returns 0. Not for two threads at once: there is one arena. */\nint " + p +
          "_run(void);\n\n";
  text += program.spec.output_count() == 1
              ? "/* The result, valid until the next input is written. */\nconst int8_t *" + p + "_output(void);\n\n"
              : "/* Output i, 0.." + m + "_OUTPUTS - 1; valid until the next input is written. */\nconst int8_t *" + p +
                    "_output(int i);\n\n";
  return text + "#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
}

std::string sample_array(const std::string& name, const std::string& bytes,
                         const std::vector<std::vector<int8_t>>& samples, size_t count) {
  std::string text = "static const int8_t " + name + "[SAMPLES][" + bytes + "] = {\n";
  for (size_t i = 0; i < count; ++i)
    text += "    {\n" + number_lines(std::span<const int8_t>(samples[i]), "        ") + "    },\n";
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

std::string test_source(const runtime::Int8Program& program, const KnownAnswers& answers, const Names& names) {
  const bool one = program.spec.output_count() == 1;
  const size_t count = std::min(answers.inputs.size(), kEmbeddedAnswers);
  return c99_fill("test.c.in",
                  {{"P", names.prefix},
                   {"M", names.macro},
                   {"SAMPLES", std::to_string(count)},
                   {"RESULT", one ? names.prefix + "_output()" : "results()"},
                   {"ARRAYS", sample_array("inputs", names.macro + "_INPUT_BYTES", answers.inputs, count) +
                                  sample_array("outputs", names.macro + "_OUTPUT_BYTES", answers.outputs, count) +
                                  (one ? "" : gathering(program, names))}});
}

std::string makefile(const runtime::Int8Program& program, const Names& names) {
  std::string objects = names.prefix + ".o " + names.prefix + "_weights.o";
  std::string headers = names.prefix + ".h " + names.prefix + "_weights.h";
  for (const std::string& file : kernel_files(c99_kernels(program))) {
    if (file.ends_with(".c")) objects += " " + file.substr(0, file.size() - 2) + ".o";
    if (file.ends_with(".h")) headers += " " + file;
  }
  return c99_fill("Makefile.in", {{"P", names.prefix}, {"M", names.macro}, {"OBJECTS", objects}, {"HEADERS", headers}});
}

// How kernels are put together with those of another export.
std::string kernel_note(const ExportOptions& options) {
  const std::string tag = "`_" + c99_kernel_tag(options) + "`";
  if (options.private_kernels)
    return "The functions of the kernels (`cnd_*` files) end in " + tag +
           ", which no other\nprefix has: add the whole folder.";
  return "The functions of the kernels (`cnd_*` files) end in " + tag +
         ",\nwhich stands for their text:\n\n"
         "- Exports with the same ending share kernels: compile every `cnd_*.c` file once, taken from any of the "
         "folders. Each folder\n  holds only those its network uses, so the folders together have all that is needed. "
         "Or link one library per folder.\n"
         "- Exports with different endings come from different versions and never use each other's kernels: compile "
         "every\n  folder whole.\n"
         "- To add folders whole in every case, export with `export.private_kernels: true`; shared code is then there "
         "twice.";
}

std::string readme(const runtime::Int8Program& program, const ExportOptions& options, const Names& names) {
  return c99_fill("README.md.in", {{"P", names.prefix},
                                   {"M", names.macro},
                                   {"ARENA", std::to_string(program.plan.peak_bytes)},
                                   {"CONSTANTS", std::to_string(program.analysis.constant_bytes)},
                                   {"READ", program.spec.output_count() == 1
                                                ? "read `" + names.prefix + "_output()`"
                                                : "read `" + names.prefix + "_output(i)` for each of the " +
                                                      std::to_string(program.spec.output_count()) + " outputs"},
                                   {"KERNELS", kernel_note(options)}});
}

}  // namespace

std::set<std::string> c99_kernels(const runtime::Int8Program& program) {
  std::set<std::string> kernels;
  for (const runtime::Step& step : program.steps) {
    if (step.kernel != nullptr) kernels.insert(step.kernel->name);
  }
  return kernels;
}

Files c99_sources(const runtime::Int8Program& program, const Package& package, const KnownAnswers& answers,
                  const ExportOptions& options) {
  const std::string& prefix = options.prefix;
  const Names names(prefix);
  ConstantWriter constants(names);
  for (size_t i = 0; i < program.spec.nodes.size(); ++i)
    constants.add_step(program.spec.nodes[i].name, program.steps[i]);
  return {{prefix + ".h", model_header(program, package, names)},
          {prefix + ".c", model_source(program, names)},
          {prefix + "_weights.h", constants.header()},
          {prefix + "_weights.c", constants.source()},
          {prefix + "_test.c", test_source(program, answers, names)},
          {"Makefile", makefile(program, names)},
          {"README.md", readme(program, options, names)}};
}

}  // namespace condenser::exporters
