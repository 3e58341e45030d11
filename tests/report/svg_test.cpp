// Whatever a name holds, the text around it stays XML.

#include "report/svg.hpp"

#include "report/xml_fault.hpp"
#include "support/catch.hpp"

using condenser::report::escaped;

TEST_CASE("markup is escaped, and what XML cannot hold is replaced", "[report]") {
  CHECK(escaped("a<b & \"c\">") == "a&lt;b &amp; &quot;c&quot;&gt;");
  CHECK(escaped("Zürich → 東京 😀") == "Zürich → 東京 😀");
  CHECK(escaped(std::string("a\0b\n\x1b[31m", 9)) == "a?b\n?[31m");
  CHECK(escaped("\xff\xfe") == "??");
  CHECK(escaped("\xc3") == "?");                 // cut short
  CHECK(escaped("\xc0\xaf") == "??");            // overlong
  CHECK(escaped("\xed\xa0\x80") == "???");       // surrogate
  CHECK(escaped("\xef\xbf\xbf") == "???");       // U+FFFF
  CHECK(escaped("\xf4\x90\x80\x80") == "????");  // beyond U+10FFFF
}

TEST_CASE("a document is XML with any title", "[report]") {
  const std::string svg = condenser::report::svg_document(10, 10, "<\"&\x01\xff", "");
  CHECK(condenser::tests::xml_fault(svg) == "");
}
