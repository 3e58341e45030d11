#pragma once
// A page for people in several forms: built once from headings, texts, tables and pictures, written as text, Markdown,
// one self-contained HTML file, or JSON. All texts are plain: what is markup in a form is escaped there.

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "condenser/core/table.hpp"
#include "condenser/report/warnings.hpp"

namespace condenser::report {

struct Paragraph {
  std::string text;
};

struct Bullets {
  std::vector<std::string> items;
};

// A heading inside a section.
struct Heading {
  std::string text;
};

// SVG text made by this program (HTML embeds it as it is: never text that was read from a file), or the bytes of a PNG.
struct Figure {
  std::string title;                // what is to be seen, for those who cannot see it too
  std::string file;                 // where it lies beside the page: Markdown links to it
  std::string bytes;                // of the file
  std::vector<std::string> panels;  // the same as several SVGs, which a narrow page can stack; may be empty
  double least_width = 0;           // pixels below which it cannot be read: a narrower page scrolls it; 0: shrinks
};

struct Code {
  std::string language, text;
};

struct Block;

// What only some want to see: closed at first.
struct Details {
  std::string title;
  std::vector<Block> blocks;
};

struct Block {
  std::variant<Paragraph, Heading, Bullets, core::Table, Figure, Code, Details> what;
};

struct Section {
  std::string id;  // [a-z0-9_]+, stable: anchors and keys
  std::string title;
  std::vector<Block> blocks;
};

// The figures that come before everything.
struct Fact {
  std::string label, value, detail;
};

struct Page {
  std::string title, subtitle;
  std::vector<Fact> facts;
  std::vector<Warning> warnings;
  std::vector<Section> sections;
};

std::string to_text(const Page&, size_t columns = 0);  // columns: see core::to_text
std::string to_markdown(const Page&);
// One file: no scripts, nothing is loaded from elsewhere (and the page forbids it), light and dark, down to 320 pixels.
std::string to_html(const Page&);
std::string to_json(const Page&);

// The figures of a page by their files, those in details too.
std::vector<const Figure*> figures(const Page&);

}  // namespace condenser::report
