// Headers that a firmware may include: floating point, names of the classes, pictures.
#include "condenser/core/text.hpp"
#include "exporters/c99.hpp"
#include "exporters/c99_text.hpp"

namespace condenser::exporters {
namespace {

using Marks = std::map<std::string, std::string>;

std::string value_function(const Names& names, const std::string& output, const std::string& function) {
  return "/* The value of an output byte" + (output == "OUTPUT" ? std::string() : " of " + output) + ". */\n" +
         "static inline float " + names.prefix + "_" + function + "(int8_t q) {\n  return (float)(q - " + names.macro +
         "_" + output + "_ZERO_POINT) * (float)" + names.macro + "_" + output + "_SCALE;\n}\n\n";
}

std::string value_functions(const runtime::Int8Program& program, const Names& names) {
  if (program.spec.output_count() == 1) return value_function(names, "OUTPUT", "value");
  std::string text;
  for (size_t k = 0; k < program.spec.output_count(); ++k)
    text += value_function(names, "OUTPUT_" + std::to_string(k), "value_" + std::to_string(k));
  return text;
}

std::string probabilities(const Package& package, const Names& names) {
  const std::string head =
      "static inline void " + names.prefix + "_probabilities(const int8_t *output, float *probabilities) {\n";
  const std::string loop = "for (int32_t i = 0; i < " + names.macro + "_OUTPUT_BYTES; ++i) {\n";
  const std::string value = names.prefix + "_value(output[i])";
  if (package.independent)
    return "/* Of every class for itself. */\n" + head + "  " + loop + "    probabilities[i] = 1.0f / (1.0f + expf(-" +
           value + "));\n  }\n}\n\n";
  return "/* Of the classes, one of which is right: they sum to 1. */\n" + head +
         "  int8_t largest = output[0];\n  float sum = 0.0f;\n  " + loop +
         "    largest = output[i] > largest ? output[i] : largest;\n  }\n  " + loop + "    probabilities[i] = expf(" +
         value + " - " + names.prefix + "_value(largest));\n    sum += probabilities[i];\n  }\n  " + loop +
         "    probabilities[i] /= sum;\n  }\n}\n\n";
}

std::string float_header(const runtime::Int8Program& program, const Package& package, const Names& names) {
  const bool classes = c99_has_classes(program, package);
  return c99_fill("float.h.in", {{"P", names.prefix},
                                 {"M", names.macro},
                                 {"AND_PROBABILITIES", classes ? " and probabilities" : ""},
                                 {"MATH", classes ? "#include <math.h>\n" : ""},
                                 {"VALUES", value_functions(program, names)},
                                 {"PROBABILITIES", classes ? probabilities(package, names) : ""}});
}

std::string classes_header(const Package& package, const Names& names) {
  std::string lines;
  for (const std::string& name : package.classes) lines += "    " + string_literal(name) + ",\n";
  return c99_fill(
      "classes.h.in",
      {{"P", names.prefix}, {"M", names.macro}, {"COUNT", std::to_string(package.classes.size())}, {"NAMES", lines}});
}

// Whether every input byte is its pixel less 128.
bool is_plain(const Package& package) {
  for (const auto& table : package.pixels) {
    for (int pixel = 0; pixel < 256; ++pixel)
      if (table[static_cast<size_t>(pixel)] != pixel - 128) return false;
  }
  return true;
}

std::string picture_header(const Package& package, const Names& names) {
  const std::string channels = names.macro + "_INPUT_CHANNELS";
  const bool plain = is_plain(package);
  std::string table;
  if (!plain) {
    table = "/* Input bytes of every pixel: normalization and quantization together. */\nstatic const int8_t " +
            names.prefix + "_pixels[" + channels + "][256] = {\n";
    for (const auto& row : package.pixels)
      table += "    {\n" + number_lines(std::span<const int8_t>(row), "        ") + "    },\n";
    table += "};\n\n";
  }
  return c99_fill("picture.h.in", {{"P", names.prefix},
                                   {"M", names.macro},
                                   {"ORDER", package.pixels.size() == 3 ? "red, green, blue" : "one value each"},
                                   {"TABLE", table},
                                   {"BYTE", plain ? "(int8_t)((int32_t)pixels[i] - 128)"
                                                  : names.prefix + "_pixels[i % " + channels + "][pixels[i]]"}});
}

}  // namespace

bool c99_has_classes(const runtime::Int8Program& program, const Package& package) {
  return program.spec.output_count() == 1 && !package.classes.empty() &&
         std::ssize(package.classes) == program.output_values();
}

Files c99_helpers(const runtime::Int8Program& program, const Package& package, const std::string& prefix) {
  const Names names(prefix);
  Files files{{prefix + "_float.h", float_header(program, package, names)}};
  if (c99_has_classes(program, package)) files[prefix + "_classes.h"] = classes_header(package, names);
  if (!package.pixels.empty()) files[prefix + "_picture.h"] = picture_header(package, names);
  return files;
}

}  // namespace condenser::exporters
