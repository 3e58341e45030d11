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

// To another file beside the page.
struct Link {
  std::string text, file;
};

// One column of the page's rows: numbers, texts, or choices. Just one of the three has a value for every row.
struct RowColumn {
  std::string key;  // [a-z0-9_]+
  std::string title, unit = {};
  int digits = 0;                    // of numbers, behind the point; -1: five that count
  bool in_table = true;              // else only seen where a row is opened
  bool in_hover = false;             // told of a row that is pointed at in a plot
  std::vector<double> numbers = {};  // NaN: none
  std::vector<std::string> texts = {};
  struct Field {
    std::string name;
    std::vector<std::string> labels;
  };
  std::vector<Field> fields = {};              // of choices
  std::vector<std::vector<int>> choices = {};  // a label of every field
};

// What plots and row browsers of a page show; thousands of rows are embedded once, in a compact form.
struct PageRows {
  size_t count = 0;
  std::vector<RowColumn> columns;  // the first holds the number that a row is called by
  std::string one = "row";         // "trial": what people call a row
};

// All rows, a page of them at a time: sorted, filtered and opened by a script. Without a script, and in other forms
// than HTML, `some` is shown.
struct RowBrowser {
  core::Table some;
  std::string some_title;  // "The 50 best"
};

// Where values lie in a picture.
struct Scale {
  double low = 0, high = 1;
  bool logarithmic = false;
  double from = 0, to = 1;  // pixels of low and high
};

// A picture of every row that has both numbers; in HTML it tells which one is under the pointer, and arrow keys walk
// along `path`.
struct Scatter {
  Figure figure;     // SVG
  std::string x, y;  // keys of columns of numbers
  Scale x_scale, y_scale;
  std::vector<size_t> path;  // rows worth looking at, in order
};
// Beside each other where there is room.
struct Scatters {
  std::vector<Scatter> plots;
};

struct Block;

// What only some want to see: closed at first.
struct Details {
  std::string title;
  std::vector<Block> blocks;
  std::string id = {};  // [a-z0-9_]+: an anchor; "trial_12" is where the row of that number leads to
};

struct Block {
  std::variant<Paragraph, Heading, Bullets, core::Table, Figure, Code, Link, RowBrowser, Scatters, Details> what;
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
  PageRows rows = {};
};

std::string to_text(const Page&, size_t columns = 0);  // columns: see core::to_text
std::string to_markdown(const Page&);
// One file: nothing is loaded from elsewhere (and the page forbids it), light and dark, down to 320 pixels. A page with
// rows has one script, whose hash is the only one that the page allows; without rows there is none.
std::string to_html(const Page&);
std::string to_json(const Page&);

// The figures of a page by their files, those in details too.
std::vector<const Figure*> figures(const Page&);

}  // namespace condenser::report
