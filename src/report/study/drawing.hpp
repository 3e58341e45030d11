#pragma once
// A small drawing of a network: a few kilobytes, for pages with many of them.

#include <string>

#include "condenser/report/picture.hpp"

namespace condenser::report {

// What picture_of() has laid out: boxes by colour, lines, frames and the first words of each box; no glyphs, no words
// to be pointed at, no style of its own (its colours are those of svg.hpp, which the page knows).
std::string small_svg(const Picture&);

}  // namespace condenser::report
