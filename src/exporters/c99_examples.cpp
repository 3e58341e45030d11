// Firmware that runs an export: without a system, as an answer to the runner of MLPerf Tiny, and for Arduino.
#include "exporters/c99.hpp"
#include "exporters/c99_text.hpp"

namespace condenser::exporters {
namespace {

using Marks = std::map<std::string, std::string>;

// Prints what a benchmark wants to see: probabilities of classes, else values.
std::string results_function(const runtime::Int8Program& program, const Package& package, const Names& names) {
  const std::string &p = names.prefix, &m = names.macro;
  std::string text = "static void print_results(void) {\n";
  std::string body;
  if (c99_has_classes(program, package)) {
    text +=
        "  static float results[" + m + "_OUTPUT_BYTES];\n  " + p + "_probabilities(" + p + "_output(), results);\n";
    body = "  for (int32_t i = 0; i < " + m +
           "_OUTPUT_BYTES; ++i) {\n    print(i > 0 ? \",\" : \"\");\n"
           "    print_value(results[i]);\n  }\n";
  } else {
    for (size_t k = 0; k < program.spec.output_count(); ++k) {
      const bool one = program.spec.output_count() == 1;
      const std::string number = std::to_string(k), bytes = m + (one ? "_OUTPUT" : "_OUTPUT_" + number) + "_BYTES";
      body += "  for (int32_t i = 0; i < " + bytes + "; ++i) {\n    print(" +
              (k > 0 ? "\",\"" : "i > 0 ? \",\" : \"\"") + ");\n    print_value(" + p +
              (one ? "_value(" : "_value_" + number + "(") + p + "_output(" + (one ? "" : number) + ")[i]));\n  }\n";
    }
  }
  return text + "  print(\"m-results-[\");\n" + body + "  print(\"]\\r\\n\");\n}\n\n";
}

}  // namespace

Files c99_examples(const runtime::Int8Program& program, const Package& package, const ExportOptions& options) {
  const std::string& prefix = options.prefix;
  const Names names(prefix);
  const bool one = program.spec.output_count() == 1, pictures = !package.pixels.empty();
  std::string sources;
  for (const std::string& name : c99_compiled(program, package, options))
    sources += (sources.empty() ? "../../" : " ../../") + name;
  const bool binary = is_binary(options);
  if (binary) sources += " weights.c";
  const Marks marks = {
      {"IMAGE", binary ? "\nextern const uint32_t weights_image[];\n" : ""},
      {"USE_IMAGE",
       binary
           ? "  if (" + prefix + "_use_weights(weights_image) != 0 || " + prefix +
                 "_check_weights() != 0) {\n    print(\"e-[The constants are damaged]\\r\\n\");\n    return 1;\n  }\n"
           : ""},
      {"P", names.prefix},
      {"M", names.macro},
      {"SOURCES", sources},
      {"FIRST", names.prefix + (one ? "_output()" : "_output(0)")},
      {"FIRST_BYTES", names.macro + (one ? "_OUTPUT_BYTES" : "_OUTPUT_0_BYTES")},
      {"RESULTS", results_function(program, package, names)},
      {"INCLUDE", pictures ? "#include \"" + prefix + "_picture.h\"\n" : ""},
      {"WHAT", pictures ? "8-bit pixels in the order row, column, channel" : "the bytes of the network's input"},
      {"LOAD", pictures ? prefix + "_picture_input(buffer)" : "memcpy(" + prefix + "_input(), buffer, sizeof buffer)"}};
  Files files;
  if (binary)
    files["examples/cortex_m/weights.c"] = c99_fill("cortex_m_weights.c.in", marks);
  else  // a sketch cannot include a file of bytes
    files["examples/hello/hello.ino"] = c99_fill("arduino_hello.ino.in", marks);
  for (const char* name : {"board.h", "board.c", "link.ld", "hello.c", "mlperf_tiny.c", "Makefile"})
    files[std::string("examples/cortex_m/") + name] = c99_fill(std::string("cortex_m_") + name + ".in", marks);
  return files;
}

}  // namespace condenser::exporters
