#pragma once
// Bits of C text that the sources of an export are made of.

#include <span>
#include <string>
#include <vector>

#include "condenser/exporters/target.hpp"

namespace condenser::exporters {

inline constexpr size_t kColumns = 116;

struct Names {
  explicit Names(const std::string& p) : prefix(p), macro(macro_prefix(p)) {}
  std::string prefix;  // model
  std::string macro;   // MODEL
};

// Text of people inside a comment: one line of printable characters that cannot end the comment or escape its line, and
// of which no compiler warns (direction marks, bytes that are no UTF-8, trigraphs).
std::string comment_text(const std::string& text);
// Text of people as a C string with its quotes: every byte that is no plain ASCII is an octal escape.
std::string string_literal(const std::string& text);

std::string real(double value);  // shortest text that reads back equal
std::string real(float value);   // a constant of C's float
std::string defined(const Names&, const std::string& name, const std::string& value);  // a line "#define MODEL_..."

template <class T>
inline constexpr const char* kCType = "";
template <>
inline constexpr const char* kCType<int8_t> = "int8_t";
template <>
inline constexpr const char* kCType<int16_t> = "int16_t";
template <>
inline constexpr const char* kCType<int32_t> = "int32_t";
template <>
inline constexpr const char* kCType<uint16_t> = "uint16_t";

inline std::string number_text(float value) { return real(value); }
template <class Integer>
std::string number_text(Integer value) {
  return std::to_string(value);
}

// Numbers separated by commas, in lines that start with `indent`.
template <class T>
std::string number_lines(std::span<const T> values, const std::string& indent) {
  std::string text;
  std::string line = indent;
  for (size_t i = 0; i < values.size(); ++i) {
    const std::string item = number_text(values[i]) + (i + 1 < values.size() ? "," : "");
    if (line.size() + 1 + item.size() > kColumns) {
      text += line + "\n";
      line = indent;
    }
    line += (line.size() > indent.size() ? " " : "") + item;
  }
  return text + line + "\n";
}

// "static const float name[3] = { ... };"
template <class T>
std::string constant_array(const std::string& type, const std::string& name, const std::vector<T>& values) {
  return "static const " + type + " " + name + "[" + std::to_string(values.size()) + "] = {\n" +
         number_lines(std::span<const T>(values), "    ") + "};\n";
}

}  // namespace condenser::exporters
