#pragma once
// Pieces of SVG text and the colours that all pictures share. Colours are one ramp of blue and one of orange, both even
// in lightness; they stay apart for the colour-blind and in grey. Where dark colours are preferred each is replaced by
// its dark twin (svg.cpp): pale becomes deep and deep becomes bright, so what is readable stays readable.

#include <array>
#include <span>
#include <string>

#include "condenser/report/picture.hpp"

namespace condenser::report {

inline constexpr const char* kInk = "#1f2933";
inline constexpr const char* kMuted = "#5b6875";
inline constexpr const char* kFaint = "#dde3e9";
inline constexpr const char* kSheet = "#ffffff";
inline constexpr const char* kPanel = "#f7f9fa";
inline constexpr const char* kTrainColour = "#216c9f";
inline constexpr const char* kAccent = "#c2571a";
inline constexpr std::array<const char*, 6> kBlues{"#dcebf5", "#b4d5ea", "#7fb8da", "#4a94c2", "#216c9f", "#0d4673"};
inline constexpr std::array<const char*, 6> kOranges{"#fdebdd", "#fbd0b0", "#f3a36f", "#de7b3b", "#b3500f", "#7d3404"};

// A colour of the pictures and the one that takes its place where dark colours are preferred.
struct Twin {
  const char* light;
  const char* dark;
};
std::span<const Twin> twins();

// Contrast of two colours "#rrggbb", 1 to 21 (WCAG 2.1).
double contrast(const std::string& a, const std::string& b);

// A coordinate: one digit after the point; whole numbers without. For places in a picture, not for figures to be read.
std::string number(double value);

// Text and attribute values: markup is escaped; what XML cannot hold (control characters, broken UTF-8) becomes '?'.
std::string escaped(const std::string& text);

std::string attribute(const char* name, const std::string& value);
std::string attribute(const char* name, double value);
std::string fill(const char* colour);
std::string stroke(const char* colour, double width);
std::string rectangle(const Rect&, double radius, const std::string& style);
std::string written(const std::string& text, Point at, double size, const char* anchor, const char* colour, bool bold);

// The document around `content`: a sheet with a title for screen readers, and the dark twins.
std::string svg_document(double width, double height, const std::string& title, const std::string& content);

}  // namespace condenser::report
