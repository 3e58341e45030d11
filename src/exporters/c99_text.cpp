#include "exporters/c99_text.hpp"

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "condenser/core/text.hpp"

namespace condenser::exporters {

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

std::string string_literal(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\' && c != '?') {
      result += c;
      continue;
    }
    result += '\\';
    for (const int shift : {6, 3, 0}) result += static_cast<char>('0' + ((byte >> shift) & 7));
  }
  return result + "\"";
}

std::string real(double value) { return nlohmann::json(value).dump(); }

std::string real(float value) {
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  std::string text(buffer.data(), end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text + "f";
}

std::string defined(const Names& names, const std::string& name, const std::string& value) {
  return "#define " + names.macro + "_" + name + " " + value + "\n";
}

}  // namespace condenser::exporters
