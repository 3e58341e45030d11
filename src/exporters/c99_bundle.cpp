// What surrounds the C text of an export: builds of several kinds, and the README for those who ship it.
#include <algorithm>
#include <cmath>

#include "condenser/core/text.hpp"
#include "condenser/data/keywords.hpp"
#include "exporters/c99.hpp"
#include "exporters/c99_text.hpp"
#include "exporters/cmsis_nn.hpp"

namespace condenser::exporters {
namespace {

using Marks = std::map<std::string, std::string>;

std::string joined(const std::vector<std::string>& files, const std::string& before, const std::string& between) {
  std::string text;
  for (const std::string& file : files) text += (text.empty() ? "" : between) + before + file;
  return text;
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

std::string code_text(const Package& package, bool classes, const Names& names, size_t outputs) {
  const std::string &p = names.prefix, &m = names.macro;
  std::string includes = "#include \"" + p + ".h\"\n", fill;
  if (classes) includes += "#include \"" + p + "_classes.h\"\n";
  if (package.sound) {
    includes += "#include \"" + p + "_sound.h\"\n";
    fill = p + "_sound_input(clip);     /* " + m + "_SOUND_SAMPLES samples of 16 bits */\n";
  } else if (!package.pixels.empty()) {
    includes += "#include \"" + p + "_picture.h\"\n";
    fill = p + "_picture_input(pixels); /* " + m + "_INPUT_BYTES pixels of 8 bits */\n";
  } else {
    includes += "#include \"" + p + "_float.h\"\n";
    fill = "for (long i = 0; i < " + m + "_INPUT_BYTES; ++i) " + p + "_input()[i] = " + p + "_quantize(x[i]);\n";
  }
  const std::string read = classes ? "puts(" + p + "_class_names[" + p + "_class(" + p + "_output())]);\n"
                                   : "use(" + p + "_output(" + (outputs > 1 ? "0" : "") + "));\n";
  return includes + "\n" + fill + "if (" + p + "_run() == 0) {\n  " + read + "}\n";
}

std::string arena_rows(const arch::MemoryPlan& plan, const Names& names) {
  const auto row = [&](const char* what, int64_t bytes) {
    return std::string("| ") + what + " of `" + names.prefix + ".c`, static | " + std::to_string(bytes) + " |\n";
  };
  if (plan.fast_bytes == 0) return row("RAM: the arena", plan.peak_bytes);
  return row("fast RAM: an arena", plan.fast_bytes) + row("slow RAM: an arena", plan.peak_bytes - plan.fast_bytes);
}

std::string buffer_row(const runtime::Int8Program& program, const Names& names) {
  const CmsisNnBytes bytes = cmsis_nn_bytes(program);
  return "| RAM: buffer for CMSIS-NN of `" + names.prefix + ".c`, static (with Helium: " + std::to_string(bytes.mve) +
         ") | " + std::to_string(bytes.dsp) + " |\n";
}

// What the library computes.
Marks library_marks(const runtime::Int8Program& program, const Names& names) {
  int64_t layers = 0, foreign = 0;
  for (const runtime::Step& step : program.steps) {
    if (step.kernel == nullptr) continue;
    ++layers;
    if (cmsis_nn_call(*step.kernel) != nullptr) ++foreign;
  }
  return {{"P", names.prefix},
          {"M", names.macro},
          {"VERSIONS", kCmsisNnVersions},
          {"FOREIGN", std::to_string(foreign)},
          {"LAYERS", std::to_string(layers)}};
}

// How keywords are told from the rest; of sounds, of which the length of an answer is known.
std::string detector_text(const Package& package, const StreamTimes& times, const Names& names) {
  std::vector<std::string> keywords;
  for (const std::string& name : package.classes) keywords.push_back(data::is_keyword(name) ? "1" : "0");
  const double rate = static_cast<double>(package.sound->sample_rate) / static_cast<double>(times.period * times.piece);
  const auto answers = [&](double seconds) { return std::to_string(std::max(1L, std::lround(seconds * rate))); };
  return c99_fill("readme_detector.md.in", {{"P", names.prefix},
                                            {"M", names.macro},
                                            {"KEYWORDS", core::join(keywords)},
                                            {"ANSWERS", answers(0.3)},
                                            {"PAUSE", answers(1.0)}});
}

std::string stream_text(const runtime::Int8Program& program, const Package& package, const ExportOptions& options) {
  const StreamTimes times = stream_times(package, options);
  const Names names(options.prefix);
  const bool frames = options.stream == "frames";
  return c99_fill(
             "readme_stream.md.in",
             {{"P", names.prefix},
              {"M", names.macro},
              {"CALL", times.sound ? "push(samples)" : "push_frame(frame)"},
              {"PIECE",
               times.sound ? names.macro + "_STREAM_SAMPLES of 16 bits" : "a row of the input, [width, channel]"},
              {"FIRST", std::to_string(times.first)},
              {"PERIOD", std::to_string(times.period)},
              {"HOW",
               frames ? "Each layer keeps the last rows that it needs and computes a new one only when it can: nothing "
                        "is computed twice.\nWhere a clip has padding at its ends, a stream has what came before and "
                        "after, so that answers differ a little from those to the same clip by itself."
                      : "Every time the whole network runs on the last " + std::to_string(package.spec.input.h) +
                            " frames; features are computed once."},
              {"BYTES", std::to_string(c99_stream_bytes(program, package, options))},
              {"BESIDE", frames ? "the constants; the arena is not used" : "the arena"},
              {"PLACED", frames ? ", placed by `" + names.macro + "_STREAM_PLACE`" : ""}}) +
         "\n" + (times.sound && c99_has_classes(program, package) ? detector_text(package, times, names) : "");
}

std::string readme(const runtime::Int8Program& program, const Package& package, const ExportOptions& options,
                   const Names& names) {
  const bool classes = c99_has_classes(program, package);
  const size_t outputs = program.spec.output_count();
  const bool two = program.plan.fast_bytes > 0;
  const Marks own = {{"P", names.prefix},
                     {"M", names.macro},
                     {"SHARE", core::fixed(100 * program.plan.fast_share, 1) + " %"},
                     {"READ", outputs == 1 ? "`" + names.prefix + "_output()`"
                                           : "`" + names.prefix + "_output(i)` for each of the " +
                                                 std::to_string(outputs) + " outputs"},
                     {"KIND", package.independent ? "each class for itself" : "they sum to 1"},
                     {"EACH", outputs > 1 ? " (`" + names.prefix + "_value_0` and so on, by output)" : ""}};
  const auto text = [&](const char* part) { return c99_fill(std::string("readme_") + part + ".md.in", own); };
  Marks marks = own;
  marks.insert(
      {{"NEEDS",
        uses_cmsis_nn(options) ? c99_fill("readme_cmsis_nn_needs.md.in", own) : "This folder needs nothing else."},
       {"LIBRARY", uses_cmsis_nn(options) ? c99_fill("readme_cmsis_nn.md.in", library_marks(program, names)) : ""},
       {"ARENA_ROWS", arena_rows(program.plan, names) + (uses_cmsis_nn(options) ? buffer_row(program, names) : "")},
       {"ARENAS", two ? "arenas go" : "arena goes"},
       {"MEMORY", text(two ? "two_arenas" : "arena")},
       {"CONSTANTS", std::to_string(program.analysis.constant_bytes)},
       {"SOUND_ROW", package.sound ? "| RAM: what the front-end works with, static, beside the clip of the caller | " +
                                         std::to_string(c99_sound_bytes(program, *package.sound)) + " |\n"
                                   : ""},
       {"FLOATING", package.sound ? "Only the front-end uses floating point, in single precision but for the last step."
                                  : "No floating point is used unless\n`" + names.prefix +
                                        "_float.h` is, and only `memcpy` and `memset` may be called."},
       {"LIBM", package.sound ? " Link with `-lm`." : ""},
       {"CODE", code_text(package, classes, names, outputs)},
       {"INPUT", text(package.sound            ? "sounds"
                      : package.pixels.empty() ? "values"
                                               : "pictures")},
       {"STREAM", has_stream(options) ? stream_text(program, package, options) : ""},
       {"OUTPUT", text(classes ? "classes" : "outputs")},
       {"KIND_OF_FILE", is_binary(options) ? "bin" : "c"},
       {"WEIGHTS", text(is_binary(options) ? "weights_binary" : "weights_const")},
       {"KERNELS", kernel_note(options)}});
  return c99_fill("README.md.in", marks);
}

}  // namespace

std::vector<std::string> c99_compiled(const runtime::Int8Program& program, const Package& package,
                                      const ExportOptions& options) {
  const std::string& prefix = options.prefix;
  std::vector<std::string> files = {prefix + ".c", prefix + "_weights.c"};
  if (package.sound) files.push_back(prefix + "_sound.c");
  if (has_stream(options)) files.push_back(prefix + "_stream.c");
  if (has_stream(options) && package.sound) files.push_back(prefix + "_front_end.c");
  for (const std::string& file : c99_shared_files(program, package, options))
    if (file.ends_with(".c")) files.push_back(file);
  return files;
}

Files c99_bundle(const runtime::Int8Program& program, const Package& package, const ExportOptions& options) {
  const Names names(options.prefix);
  const std::vector<std::string> sources = c99_compiled(program, package, options);
  std::vector<std::string> headers = {names.prefix + ".h", names.prefix + "_weights.h"};
  if (uses_cmsis_nn(options)) headers.push_back(names.prefix + "_cmsis_nn.h");
  if (package.sound) headers.insert(headers.end(), {names.prefix + "_sound.h", names.prefix + "_float.h"});
  if (has_stream(options)) headers.push_back(names.prefix + "_stream.h");
  if (has_stream(options) && package.sound) headers.push_back(names.prefix + "_front_end.h");
  for (const std::string& file : c99_shared_files(program, package, options))
    if (file.ends_with(".h")) headers.push_back(file);
  std::vector<std::string> objects = sources;
  for (std::string& name : objects) name.back() = 'o';
  const Marks common = {{"P", names.prefix},
                        {"M", names.macro},
                        {"ARENA", std::to_string(program.plan.peak_bytes)},
                        {"CONSTANTS", std::to_string(program.analysis.constant_bytes)}};
  const auto filled = [&](const char* name, Marks marks) {
    marks.insert(common.begin(), common.end());
    return c99_fill(name, marks);
  };
  return {
      {"Makefile", filled("Makefile.in", {{"OBJECTS", joined(objects, "", " ")},
                                          {"HEADERS", joined(headers, "", " ")},
                                          {"LIBRARIES", package.sound ? " -lm" : ""}})},
      {"CMakeLists.txt",
       filled("CMakeLists.txt.in",
              {{"SOURCES", joined(sources, "", "\n  ")},
               {"LIBM", std::string(package.sound ? "target_link_libraries(" + names.prefix + "_net PUBLIC m)\n" : "") +
                            (uses_cmsis_nn(options) ? cmsis_nn_cmake(names.prefix) : "")}})},
      {"library.properties", filled("library.properties.in", {})},
      {"zephyr/module.yml", filled("zephyr_module.yml.in", {})},
      {"zephyr/Kconfig", filled("zephyr_Kconfig.in", {})},
      {"zephyr/CMakeLists.txt", filled("zephyr_CMakeLists.txt.in", {{"SOURCES", joined(sources, "../", "\n    ")}})},
      {"README.md", readme(program, package, options, names)}};
}

}  // namespace condenser::exporters
