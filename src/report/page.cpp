// A page as text, Markdown and JSON. HTML is in page_html.cpp.

#include "condenser/report/page.hpp"

#include <nlohmann/json.hpp>

#include "condenser/arch/ops.hpp"
#include "condenser/core/text.hpp"

namespace condenser::report {
namespace {

using nlohmann::ordered_json;

using arch::Overloaded;

void collect(const std::vector<Block>& blocks, std::vector<const Figure*>& found) {
  for (const Block& block : blocks) {
    if (const auto* figure = std::get_if<Figure>(&block.what)) found.push_back(figure);
    if (const auto* details = std::get_if<Details>(&block.what)) collect(details->blocks, found);
    if (const auto* scatters = std::get_if<Scatters>(&block.what))
      for (const Scatter& plot : scatters->plots) found.push_back(&plot.figure);
  }
}

// ---- text

std::string figure_text(const Figure& f) { return "[" + core::printable(f.title + ": " + f.file) + "]\n\n"; }

std::string text_of(const std::vector<Block>& blocks, size_t columns) {
  std::string text;
  for (const Block& block : blocks)
    text +=
        std::visit(Overloaded{
                       [](const Paragraph& p) { return core::printable(p.text) + "\n\n"; },
                       [](const Heading& h) { return core::printable(h.text) + "\n\n"; },
                       [](const Bullets& b) {
                         std::string lines;
                         for (const std::string& item : b.items) lines += "- " + core::printable(item) + "\n";
                         return lines + "\n";
                       },
                       [&](const core::Table& t) { return core::to_text(t, columns) + "\n"; },
                       [](const Figure& f) { return figure_text(f); },
                       [](const Link& l) { return core::printable(l.text + ": " + l.file) + "\n\n"; },
                       [&](const RowBrowser& r) {
                         return core::printable(r.some_title) + "\n\n" + core::to_text(r.some, columns) + "\n";
                       },
                       [](const Scatters& s) {
                         std::string lines;
                         for (const Scatter& plot : s.plots) lines += figure_text(plot.figure);
                         return lines;
                       },
                       [](const Code&) { return std::string(); },
                       [&](const Details& d) { return core::printable(d.title) + "\n\n" + text_of(d.blocks, columns); },
                   },
                   block.what);
  return text;
}

// ---- Markdown

// A fence longer than any in the text.
std::string fenced(const Code& code) {
  std::string fence = "```";
  while (code.text.find(fence) != std::string::npos) fence += '`';
  return fence + code.language + "\n" + code.text + (code.text.ends_with('\n') ? "" : "\n") + fence + "\n\n";
}

std::string link(const std::string& file) {
  std::string out;
  for (const char c : file) out += c == ' ' ? "%20" : c == '(' ? "%28" : c == ')' ? "%29" : std::string(1, c);
  return out;
}

std::string figure_markdown(const Figure& f) {
  return "![" + core::markdown_text(f.title) + "](" + link(f.file) + ")\n\n";
}

std::string markdown_of(const std::vector<Block>& blocks) {
  std::string text;
  for (const Block& block : blocks)
    text +=
        std::visit(Overloaded{
                       [](const Paragraph& p) { return core::markdown_text(p.text) + "\n\n"; },
                       [](const Heading& h) { return "### " + core::markdown_text(h.text) + "\n\n"; },
                       [](const Bullets& b) {
                         std::string lines;
                         for (const std::string& item : b.items) lines += "- " + core::markdown_text(item) + "\n";
                         return lines + "\n";
                       },
                       [](const core::Table& t) { return core::to_markdown(t) + "\n"; },
                       [](const Figure& f) { return figure_markdown(f); },
                       [](const Link& l) { return "[" + core::markdown_text(l.text) + "](" + link(l.file) + ")\n\n"; },
                       [](const RowBrowser& r) {
                         return core::markdown_text(r.some_title) + "\n\n" + core::to_markdown(r.some) + "\n";
                       },
                       [](const Scatters& s) {
                         std::string pictures;
                         for (const Scatter& plot : s.plots) pictures += figure_markdown(plot.figure);
                         return pictures;
                       },
                       [](const Code& c) { return fenced(c); },
                       [](const Details& d) {
                         return "<details><summary>" + core::markdown_text(d.title) + "</summary>\n\n" +
                                markdown_of(d.blocks) + "</details>\n\n";
                       },
                   },
                   block.what);
  return text;
}

core::Table facts_table(const Page& page) {
  core::Table t{{{"what", "what", false}, {"value", "value", false}, {"detail", "", false}}, {}};
  for (const Fact& f : page.facts) t.rows.push_back({core::cell(f.label), core::cell(f.value), core::cell(f.detail)});
  return t;
}

// ---- JSON

ordered_json json_of(const std::vector<Block>& blocks) {
  ordered_json list = ordered_json::array();
  for (const Block& block : blocks)
    list.push_back(std::visit(
        Overloaded{
            [](const Paragraph& p) {
              return ordered_json{{"text", p.text}};
            },
            [](const Heading& h) {
              return ordered_json{{"heading", h.text}};
            },
            [](const Bullets& b) {
              return ordered_json{{"list", b.items}};
            },
            [](const core::Table& t) {
              return ordered_json{{"table", ordered_json::parse(core::to_json(t))}};
            },
            [](const Figure& f) {
              return ordered_json{{"picture", f.file}, {"title", f.title}};
            },
            [](const Link& l) {
              return ordered_json{{"link", l.file}, {"title", l.text}};
            },
            [](const RowBrowser& r) {
              return ordered_json{{"table", ordered_json::parse(core::to_json(r.some))}, {"title", r.some_title}};
            },
            [](const Scatters& s) {
              ordered_json plots = ordered_json::array();
              for (const Scatter& plot : s.plots)
                plots.push_back({{"picture", plot.figure.file}, {"title", plot.figure.title}});
              return ordered_json{{"plots", plots}};
            },
            [](const Code& c) {
              return ordered_json{{"code", c.text}, {"language", c.language}};
            },
            [](const Details& d) {
              return ordered_json{{"details", d.title}, {"blocks", json_of(d.blocks)}};
            },
        },
        block.what));
  return list;
}

}  // namespace

std::vector<const Figure*> figures(const Page& page) {
  std::vector<const Figure*> found;
  for (const Section& section : page.sections) collect(section.blocks, found);
  return found;
}

std::string to_text(const Page& page, size_t columns) {
  std::string text = core::printable(page.title) + "\n" + core::printable(page.subtitle) + "\n\n";
  if (!page.facts.empty()) text += core::to_text(facts_table(page), columns) + "\n";
  for (const Warning& w : page.warnings) text += "warning: " + core::printable(w.message) + "\n";
  for (const Section& section : page.sections)
    text += "\n== " + core::printable(section.title) + "\n\n" + text_of(section.blocks, columns);
  return text;
}

std::string to_markdown(const Page& page) {
  std::string text = "# " + core::markdown_text(page.title) + "\n\n";
  if (!page.subtitle.empty()) text += core::markdown_text(page.subtitle) + "\n\n";
  if (!page.facts.empty()) text += core::to_markdown(facts_table(page)) + "\n";
  if (!page.warnings.empty()) text += "## Warnings\n\n";
  for (const Warning& w : page.warnings) text += "- " + core::markdown_text(w.message) + "\n";
  if (!page.warnings.empty()) text += "\n";
  for (const Section& section : page.sections)
    text += "## " + core::markdown_text(section.title) + "\n\n" + markdown_of(section.blocks);
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

std::string to_json(const Page& page) {
  ordered_json j{{"schema_version", 1}, {"title", page.title}, {"subtitle", page.subtitle}};
  j["facts"] = ordered_json::parse(core::to_json(facts_table(page)));
  j["warnings"] = ordered_json::array();
  for (const Warning& w : page.warnings) j["warnings"].push_back({{"code", w.code}, {"message", w.message}});
  j["sections"] = ordered_json::array();
  for (const Section& s : page.sections)
    j["sections"].push_back({{"id", s.id}, {"title", s.title}, {"blocks", json_of(s.blocks)}});
  return j.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace condenser::report
