// Pieces of SVG text. What is drawn, and where, is decided by the pictures.

#include "report/svg.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>

namespace condenser::report {
namespace {

// Bytes of the UTF-8 character that begins at `at`; 0 when there is none (RFC 3629: no overlong forms, no surrogates).
size_t utf8_length(const std::string& text, size_t at) {
  const auto byte = [&](size_t k) { return at + k < text.size() ? static_cast<uint8_t>(text[at + k]) : uint8_t{0}; };
  const auto follows = [&](size_t k) { return (byte(k) & 0xC0) == 0x80; };
  const uint8_t b = byte(0);
  if (b < 0x80) return 1;
  if (b >= 0xC2 && b <= 0xDF) return follows(1) ? 2 : 0;
  if (b >= 0xE0 && b <= 0xEF) {
    if (!follows(1) || !follows(2) || (b == 0xE0 && byte(1) < 0xA0) || (b == 0xED && byte(1) > 0x9F)) return 0;
    return b == 0xEF && byte(1) == 0xBF && byte(2) >= 0xBE ? 0 : 3;  // U+FFFE and U+FFFF are no characters of XML
  }
  if (b >= 0xF0 && b <= 0xF4) {
    const bool in_range = (b != 0xF0 || byte(1) >= 0x90) && (b != 0xF4 || byte(1) <= 0x8F);
    return in_range && follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::span<const Twin> twins() {
  static constexpr Twin kTwins[] = {
      {kSheet, "#14191f"},
      {kInk, "#e4e9ee"},
      {kMuted, "#9aa7b4"},
      {kFaint, "#2c343d"},
      {kPanel, "#1b2128"},
      {kAccent, "#f0935a"},
      {kBlues[0], "#17293a"},
      {kBlues[1], "#1c3d59"},
      {kBlues[2], "#245379"},
      {kBlues[3], "#2f6c9c"},
      {kBlues[4], "#7db8e0"},
      {kBlues[5], "#c4e1f5"},
      {kOranges[0], "#33221a"},
      {kOranges[1], "#4f2f1a"},
      {kOranges[2], "#74401b"},
      {kOranges[3], "#9c561f"},
      {kOranges[4], "#f0a068"},
      {kOranges[5], "#fbd8bd"},
      // of the network's picture: lines, borders, nothing, frames, parts
      {"#7b8794", "#8b98a5"},
      {"#b8c2cc", "#4a5560"},
      {"#eceff2", "#262e36"},
      {"#f4f6f8", "#1b2128"},
      {"#f5f7f9", "#1f262e"},
      {"#cfd7df", "#3a4550"},
  };
  return kTwins;
}

double contrast(const std::string& a, const std::string& b) {
  const auto luminance = [](const std::string& colour) {
    const double weights[] = {0.2126, 0.7152, 0.0722};
    double sum = 0;
    for (size_t k = 0; k < 3; ++k) {
      const double v = std::stoi(colour.substr(1 + 2 * k, 2), nullptr, 16) / 255.0;
      sum += weights[k] * (v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4));
    }
    return sum;
  };
  const double x = luminance(a) + 0.05, y = luminance(b) + 0.05;
  return std::max(x, y) / std::min(x, y);
}

std::string number(double value) {
  const auto tenths = static_cast<long long>(std::llround(value * 10));
  const long long whole = std::abs(tenths) / 10, rest = std::abs(tenths) % 10;
  std::string text = (tenths < 0 ? "-" : "") + std::to_string(whole);
  return rest == 0 ? text : text + "." + std::to_string(rest);
}

std::string escaped(const std::string& text) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const size_t length = utf8_length(text, at);
    const char c = text[at];
    if (length > 1)
      result.append(text, at, length);
    else if (length == 0 || (static_cast<uint8_t>(c) < 0x20 && c != '\n'))
      result += '?';
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '&')
      result += "&amp;";
    else if (c == '"')
      result += "&quot;";
    else
      result += c;
    at += length > 0 ? length : 1;
  }
  return result;
}

std::string attribute(const char* name, const std::string& value) {
  return std::string(" ") + name + "=\"" + value + "\"";
}
std::string attribute(const char* name, double value) { return attribute(name, number(value)); }

std::string fill(const char* colour) { return attribute("fill", colour); }
std::string stroke(const char* colour, double width) {
  return attribute("stroke", colour) + attribute("stroke-width", width);
}

std::string rectangle(const Rect& r, double radius, const std::string& style) {
  return "<rect" + attribute("x", r.x) + attribute("y", r.y) + attribute("width", r.w) + attribute("height", r.h) +
         (radius > 0 ? attribute("rx", radius) : "") + style + "/>";
}

std::string written(const std::string& text, Point at, double size, const char* anchor, const char* colour, bool bold) {
  return "<text" + attribute("x", at.x) + attribute("y", at.y) + attribute("font-size", size) +
         (std::string(anchor) == "start" ? "" : attribute("text-anchor", anchor)) + fill(colour) +
         (bold ? attribute("font-weight", "600") : "") + ">" + escaped(text) + "</text>";
}

namespace {

// Attributes give way to rules, so readers without style sheets show the light colours.
std::string dark_style() {
  std::string text = "<style>@media (prefers-color-scheme: dark) {\n";
  for (const Twin& t : twins())
    for (const char* what : {"fill", "stroke"})
      text += std::string("[") + what + "=\"" + t.light + "\"]{" + what + ":" + t.dark + "}";
  return text + "\n}</style>\n";
}

}  // namespace

std::string svg_document(double width, double height, const std::string& title, const std::string& content) {
  return "<svg xmlns=\"http://www.w3.org/2000/svg\"" + attribute("width", width) + attribute("height", height) +
         attribute("viewBox", "0 0 " + number(width) + " " + number(height)) +
         attribute("font-family", "system-ui, 'Segoe UI', Helvetica, Arial, sans-serif") + ">\n<title>" +
         escaped(title) + "</title>\n" + dark_style() + rectangle({0, 0, width, height}, 10, fill(kSheet)) + "\n" +
         content + "</svg>\n";
}

}  // namespace condenser::report
