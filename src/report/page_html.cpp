// A page as one HTML file that opens without a network: its style, its pictures, and where it has rows these and the
// script that shows them.

#include <string_view>

#include "condenser/arch/ops.hpp"
#include "condenser/core/html.hpp"
#include "condenser/core/text.hpp"
#include "condenser/report/page.hpp"
#include "report/page_rows.hpp"
#include "report/svg.hpp"

namespace condenser::report {
namespace {

using arch::Overloaded;

// Behind what all pages have. Tables and wide pictures scroll in boxes of their own, so that the page never does.
constexpr const char* kStyle = R"css(
nav { display: flex; flex-wrap: wrap; gap: 6px; margin: 0 0 20px; }
nav a { color: var(--accent); text-decoration: none; font-size: 14px; border: 1px solid var(--line); background: var(--sheet);
  border-radius: 999px; padding: 4px 12px; }
nav a:hover, nav a:focus-visible { border-color: var(--accent); }
.scroll { overflow-x: auto; max-width: 100%; margin: 0 0 16px; }
table { border-collapse: collapse; font-size: 14px; line-height: 1.4; min-width: 100%; overflow-wrap: normal; }
th, td { text-align: left; padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--muted); font-weight: 600; white-space: nowrap; border-bottom-width: 2px; }
td.text { white-space: nowrap; }
td.long { white-space: normal; min-width: 24ch; max-width: 60ch; overflow-wrap: anywhere; }
.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
tbody tr:last-child td { border-bottom: 0; }
figure { margin: 0 0 18px; }
figure svg, figure img { display: block; max-width: 100%; height: auto; }
figure img { background: #ffffff; border-radius: 8px; image-rendering: auto; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(300px, 100%), 1fr)); gap: 12px; }
.panels svg { width: 100%; }
figcaption { color: var(--muted); font-size: 13px; margin-top: 6px; }
details { border: 1px solid var(--line); border-radius: 10px; padding: 0 14px; margin: 0 0 16px; }
summary { cursor: pointer; padding: 10px 0; font-weight: 600; color: var(--accent); }
pre { background: var(--panel); border-radius: 8px; padding: 12px; overflow-x: auto; font: 13px/1.45 ui-monospace, "DejaVu Sans Mono", monospace;
  overflow-wrap: normal; margin: 0 0 16px; }
@media print { body { background: #ffffff; } nav { display: none; } section { break-inside: avoid-page; border: 0; padding: 0; } }
)css";

// Of what the script of rows puts there, and of plots.
constexpr const char* kRowStyle = R"css(
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(420px, 100%), 1fr)); gap: 14px; margin: 0 0 16px; }
.plots figure { margin: 0; }
.plots svg { max-width: 560px; } .panels svg { max-width: 460px; }
.plots svg { width: 100%; touch-action: pan-y; }
.plots svg[tabindex]:focus-visible, .rows button:focus-visible, .rows input:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.tip { position: absolute; z-index: 9; pointer-events: none; max-width: min(320px, 92vw); background: var(--sheet); color: var(--ink);
  border: 1px solid var(--line); border-radius: 8px; box-shadow: 0 4px 18px #0003; padding: 8px 10px; font-size: 13px; line-height: 1.35; }
.tip b { display: block; } .tip span { color: var(--muted); }
.bar { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: center; margin: 0 0 10px; font-size: 14px; }
.bar input { flex: 1 1 240px; min-width: 0; font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line);
  border-radius: 8px; padding: 7px 10px; }
.bar button, .rows th button, .rows td button { font: inherit; color: var(--accent); background: none; border: 1px solid var(--line); border-radius: 8px;
  padding: 5px 11px; cursor: pointer; }
.bar button:disabled { color: var(--muted); cursor: default; opacity: .6; }
.rows th button { border: 0; padding: 0; color: inherit; font-weight: 600; white-space: nowrap; }
.rows th[aria-sort] button { color: var(--ink); }
.rows td button { padding: 1px 9px; font-variant-numeric: tabular-nums; }
.rows td { vertical-align: baseline; }
.rows td.cut { white-space: nowrap; max-width: 34ch; overflow: hidden; text-overflow: ellipsis; }
.rows td.open { white-space: normal; background: var(--panel); padding: 10px 14px; }
.rows dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(230px, 100%), 1fr)); gap: 4px 18px; margin: 0; max-width: min(1000px, 86vw); }
.rows dl div { min-width: 0; overflow-wrap: anywhere; } .rows dl div.wide { grid-column: 1 / -1; }
.rows dt { display: inline; color: var(--muted); } .rows dt::after { content: ": "; } .rows dd { display: inline; margin: 0; }
.net { display: block; }
@media (max-width: 560px) { .plots { margin-left: -10px; margin-right: -10px; } .tip { font-size: 12px; } }
)css";

std::string html(const std::string& text) { return escaped(core::printable(text)); }

bool is_png(const std::string& bytes) { return bytes.starts_with("\x89PNG\r\n\x1a\n"); }

std::string picture(const std::string& bytes, const std::string& title) {
  if (is_png(bytes))
    return "<img alt=\"" + html(title) + "\" src=\"data:image/png;base64," + core::base64(bytes) + "\">";
  return bytes;  // SVG of our own making
}

std::string figure_html(const Figure& f) {
  std::string inside;
  if (!f.panels.empty()) {
    for (const std::string& panel : f.panels) inside += picture(panel, f.title);
    inside = "<div class=\"panels\">" + inside + "</div>";
  } else {
    inside = picture(f.bytes, f.title);
    if (f.least_width > 0)
      inside = "<div class=\"scroll\" tabindex=\"0\"><div style=\"min-width:" + number(f.least_width) + "px\">" +
               inside + "</div></div>";
  }
  return "<figure>" + inside + "<figcaption>" + html(f.title) + "</figcaption></figure>\n";
}

std::string table_html(const core::Table& t) {
  constexpr size_t kLong = 32;  // characters from which on a cell may be broken
  std::string text = "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>";
  for (const core::Column& c : t.columns)
    text += std::string(c.right ? "<th class=\"n\"" : "<th") + " scope=\"col\">" + html(c.title) + "</th>";
  text += "</tr></thead><tbody>\n";
  for (const auto& row : t.rows) {
    text += "<tr>";
    for (size_t c = 0; c < row.size(); ++c) {
      const char* kind = t.columns[c].right ? "n" : row[c].text.size() > kLong ? "text long" : "text";
      text += std::string("<td class=\"") + kind + "\">" + html(row[c].text) + "</td>";
    }
    text += "</tr>\n";
  }
  return text + "</tbody></table></div>\n";
}

// The SVG carries where its values lie, for the script.
std::string scatters_html(const Scatters& s) {
  const auto scale = [](const Scale& v) {
    return core::number(v.low) + " " + core::number(v.high) + " " + number(v.from) + " " + number(v.to) + " " +
           (v.logarithmic ? "1" : "0");
  };
  std::string text;
  for (const Scatter& plot : s.plots) {
    std::string path;
    for (const size_t row : plot.path) path += (path.empty() ? "" : " ") + std::to_string(row);
    std::string svg = plot.figure.bytes;
    svg.insert(svg.find("<svg") + 4, attribute("data-x", plot.x) + attribute("data-y", plot.y) +
                                         attribute("data-xs", scale(plot.x_scale)) +
                                         attribute("data-ys", scale(plot.y_scale)) + attribute("data-path", path));
    text += "<figure>" + svg + "</figure>\n";  // the picture says its title
  }
  return "<div class=\"plots\">" + text + "</div>\n";
}

std::string blocks_html(const std::vector<Block>& blocks) {
  std::string text;
  for (const Block& block : blocks)
    text += std::visit(
        Overloaded{
            [](const Paragraph& p) { return "<p>" + html(p.text) + "</p>\n"; },
            [](const Heading& h) { return "<h3>" + html(h.text) + "</h3>\n"; },
            [](const Bullets& b) {
              std::string items;
              for (const std::string& item : b.items) items += "<li>" + html(item) + "</li>\n";
              return "<ul>" + items + "</ul>\n";
            },
            [](const core::Table& t) { return table_html(t); },
            [](const Figure& f) { return figure_html(f); },
            [](const Link& l) { return "<p><a href=\"" + html(l.file) + "\">" + html(l.text) + "</a></p>\n"; },
            [](const RowBrowser& r) {
              return "<div class=\"rows\" data-rows><h3>" + html(r.some_title) + "</h3>\n" + table_html(r.some) +
                     "</div>\n";
            },
            [](const Scatters& s) { return scatters_html(s); },
            [](const Code& c) { return "<pre>" + escaped(c.text) + "</pre>\n"; },
            [](const Details& d) {
              return "<details" + (d.id.empty() ? "" : attribute("id", d.id)) + "><summary>" + html(d.title) +
                     "</summary>\n" + blocks_html(d.blocks) + "</details>\n";
            },
        },
        block.what);
  return text;
}

std::string facts_html(const std::vector<Fact>& facts) {
  if (facts.empty()) return "";
  std::string text = "<dl class=\"facts\">\n";
  for (const Fact& f : facts)
    text += "<div class=\"fact\"><dt>" + html(f.label) + "</dt><dd class=\"value\" style=\"margin-left:0\">" +
            html(f.value) + "</dd>" + (f.detail.empty() ? "" : "<dd class=\"detail\">" + html(f.detail) + "</dd>") +
            "</div>\n";
  return text + "</dl>\n";
}

std::string warnings_html(const std::vector<Warning>& warnings) {
  if (warnings.empty()) return "";
  std::string text =
      "<aside class=\"warnings\" aria-label=\"Warnings\"><h2>" +
      (warnings.size() == 1 ? std::string("One warning") : std::to_string(warnings.size()) + " warnings") +
      "</h2><ul>\n";
  for (const Warning& w : warnings) text += "<li>" + html(w.message) + "</li>\n";
  return text + "</ul></aside>\n";
}

}  // namespace

std::string to_html(const Page& page) {
  const bool rows = page.rows.count > 0;
  const std::string script = rows ? row_script() : "";
  const std::string allowed = rows ? "; script-src " + core::script_source(script) : std::string();
  std::string text =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src "
      "data:" +
      allowed + "\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
      html(page.title) + "</title>\n<style>" + std::string(core::page_style()) + kStyle + (rows ? kRowStyle : "") +
      "</style>\n</head>\n<body>\n<header>\n<h1>" + html(page.title) + "</h1>\n<p class=\"sub\">" +
      html(page.subtitle) + "</p>\n" + facts_html(page.facts) + warnings_html(page.warnings) +
      "<nav aria-label=\"Sections\">";
  for (const Section& s : page.sections) text += "<a href=\"#" + s.id + "\">" + html(s.title) + "</a>";
  text += "</nav>\n</header>\n<main>\n";
  for (const Section& s : page.sections)
    text += "<section id=\"" + s.id + "\">\n<h2>" + html(s.title) + "</h2>\n" + blocks_html(s.blocks) + "</section>\n";
  text += "</main>\n<footer>Written by condenser.</footer>\n";
  if (rows)
    text += "<script type=\"application/json\" id=\"rows\">" + rows_json(page.rows) + "</script>\n<script>" + script +
            "</script>\n";
  return text + "</body>\n</html>\n";
}

}  // namespace condenser::report
