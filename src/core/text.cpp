// What is printable, and how numbers become text.

#include "condenser/core/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace condenser::core {
namespace {

struct Range {
  char32_t first, last;
};

bool within(char32_t c, const Range* begin, const Range* end) {
  return std::any_of(begin, end, [c](const Range& r) { return r.first <= c && c <= r.last; });
}

// Unicode 15, general categories Cc, Cf, Zl, Zp, Cn that are seen in the wild, and blanks that look like nothing.
constexpr Range kInvisible[] = {
    {0x0000, 0x001F}, {0x007F, 0x009F},   {0x00AD, 0x00AD},   {0x034F, 0x034F},     {0x0600, 0x0605}, {0x061C, 0x061C},
    {0x06DD, 0x06DD}, {0x070F, 0x070F},   {0x115F, 0x1160},   {0x17B4, 0x17B5},     {0x180B, 0x180F}, {0x200B, 0x200F},
    {0x2028, 0x202E}, {0x2060, 0x206F},   {0x3164, 0x3164},   {0xFEFF, 0xFEFF},     {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFFB},
    {0xFFFE, 0xFFFF}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF}, {0x10FFFE, 0x10FFFF},
};

constexpr Range kCombining[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x064B, 0x065F}, {0x0900, 0x0902}, {0x093C, 0x093C},
    {0x0941, 0x0948}, {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},
    {0x20D0, 0x20FF}, {0x3099, 0x309A}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F},
};

// East Asian Width W and F, and emoji.
constexpr Range kWide[] = {
    {0x1100, 0x115F}, {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},
    {0xA000, 0xA4CF}, {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE4F},   {0xFF00, 0xFF60},
    {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1FAFF}, {0x20000, 0x3FFFD},
};

void append_escape(std::string& out, char32_t c, int digits, char letter) {
  char text[16];
  std::snprintf(text, sizeof text, "\\%c%0*x", letter, digits, static_cast<unsigned>(c));
  out += text;
}

void append_invisible(std::string& out, char32_t c) {
  switch (c) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  if (c < 0x80)
    append_escape(out, c, 2, 'x');
  else if (c <= 0xFFFF)
    append_escape(out, c, 4, 'u');
  else
    append_escape(out, c, 8, 'U');
}

std::string not_finite(double value) { return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf"; }

bool all_zeros(const std::string& text) { return text.find_first_of("123456789") == std::string::npos; }

}  // namespace

bool invisible(char32_t c) { return within(c, std::begin(kInvisible), std::end(kInvisible)); }

char32_t next_code_point(std::string_view text, size_t& at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at++);
  if (first < 0x80) return first;
  const int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
  if (first < 0xC2 || first > 0xF4 || at + static_cast<size_t>(more) > text.size()) return kNotUtf8;
  char32_t c = first & (0x3F >> more);
  for (int i = 0; i < more; ++i) {
    const unsigned char next = byte(at + static_cast<size_t>(i));
    if ((next & 0xC0) != 0x80) return kNotUtf8;
    c = c << 6 | (next & 0x3F);
  }
  constexpr std::array<char32_t, 4> kSmallest{0, 0x80, 0x800, 0x10000};
  if (c < kSmallest[static_cast<size_t>(more)] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return kNotUtf8;
  at += static_cast<size_t>(more);
  return c;
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    const char32_t c = next_code_point(text, at);
    if (c == kNotUtf8)
      append_escape(out, static_cast<unsigned char>(text[start]), 2, 'x');
    else if (invisible(c))
      append_invisible(out, c);
    else
      out.append(text, start, at - start);
  }
  return out;
}

size_t display_width(std::string_view text) {
  size_t columns = 0;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    if (within(c, std::begin(kCombining), std::end(kCombining))) continue;
    columns += within(c, std::begin(kWide), std::end(kWide)) ? 2 : 1;
  }
  return columns;
}

std::string number(double value) {
  if (!std::isfinite(value)) return not_finite(value);
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

std::string fixed(double value, int digits) {
  if (!std::isfinite(value)) return not_finite(value);
  const int behind = std::clamp(digits, 0, 60);
  std::string text(static_cast<size_t>(std::snprintf(nullptr, 0, "%.*f", behind, value)), '\0');
  std::snprintf(text.data(), text.size() + 1, "%.*f", behind, value);
  if (text[0] == '-' && all_zeros(text)) text.erase(0, 1);
  return text;
}

std::string significant(double value, int digits) {
  if (!std::isfinite(value)) return not_finite(value);
  char text[64];
  std::snprintf(text, sizeof text, "%.*g", std::clamp(digits, 1, 17), value == 0 ? 0.0 : value);
  return text;
}

std::string join(const std::vector<std::string>& parts, std::string_view between) {
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) out.append(i ? between : "").append(parts[i]);
  return out;
}

}  // namespace condenser::core
