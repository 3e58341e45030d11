// One page, four forms: nothing is lost in any, and no text of people is markup in one.

#include "condenser/report/page.hpp"

#include <nlohmann/json.hpp>

#include "report/xml_fault.hpp"
#include "support/catch.hpp"

using namespace condenser;
using Catch::Matchers::Contains;
using nlohmann::json;

namespace {

constexpr const char* kEvil = "<script>alert(1)</script> & \"x\" 'y' \x1b[31m\nnext|`*_";

report::Page page(const std::string& words) {
  report::Page p{words, words, {{words, words, words}}, {{"code", words}}, {}};
  core::Table table{{{"k", words, false}, {"n", "n"}}, {{core::cell(words), core::cell(7.018383712e-09, 2)}}};
  report::Section s{"first", words, {}};
  s.blocks = {
      {report::Paragraph{words}},
      {report::Heading{words}},
      {report::Bullets{{words, words}}},
      {table},
      {report::Figure{words, "pictures/a (1).svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>", {}, 0}},
      {report::Code{"text", words + "\n```\n"}},
      {report::Details{words, {{table}, {report::Figure{"inner", "b.png", "\x89PNG\r\n\x1a\nrest", {}, 500}}}}}};
  p.sections = {s};
  return p;
}

size_t count(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

}  // namespace

TEST_CASE("every block is in every form", "[report]") {
  const report::Page p = page("some words");
  for (const std::string& text : {report::to_text(p), report::to_markdown(p), report::to_html(p), report::to_json(p)})
    CHECK(count(text, "some words") >= 11);
  CHECK(report::figures(p).size() == 2);
  const json j = json::parse(report::to_json(p));
  CHECK(j["sections"][0]["id"] == "first");
  CHECK(j["sections"][0]["blocks"][3]["table"][0]["n"] == 7.018383712e-09);
  CHECK(j["warnings"][0]["code"] == "code");
  CHECK_THAT(report::to_markdown(p), Contains("(pictures/a%20%281%29.svg)") && Contains("````text"));
  CHECK_THAT(report::to_html(p), Contains("data:image/png;base64,iVBORw0KGgpyZXN0\""));
}

TEST_CASE("text of people is text in every form", "[report]") {
  const report::Page p = page(kEvil);
  const std::string html = report::to_html(p);
  CHECK(count(html, "<script") == 0);
  CHECK(count(html, "\x1b") == 0);
  CHECK_THAT(html, Contains("&lt;script&gt;alert(1)") && Contains("\\x1b[31m"));
  const std::string markdown = report::to_markdown(p);
  CHECK(count(markdown, "\x1b") == 1);      // in the code block, which is kept as it is
  CHECK(count(markdown, "<script>") == 1);  // there too, where it is shown and not obeyed
  CHECK(count(report::to_text(p), "\x1b") == 0);
  CHECK(json::parse(report::to_json(p))["title"] == kEvil);
}

TEST_CASE("the HTML file is whole, well-formed and loads nothing", "[report]") {
  for (const report::Page& p : {page("some words"), page(kEvil), report::Page{}}) {
    std::string html = report::to_html(p);
    CHECK_THAT(html, Contains("default-src 'none'") && Contains("prefers-color-scheme: dark") &&
                         Contains("width=device-width"));
    for (const char* loads : {"src=\"http", "href=\"http", "url(", "@import", "<link", "<script", "<iframe", "src=\"/"})
      CHECK(count(html, loads) == 0);
    html.erase(0, html.find('\n') + 1);           // the document type
    for (const char* open : {"<meta ", "<img "})  // HTML does not close them
      for (size_t at = html.find(open); at != std::string::npos; at = html.find(open, at + 1))
        html.insert(html.find('>', at), "/");
    CHECK(tests::xml_fault(html) == "");
  }
}
