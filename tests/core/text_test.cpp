#include "condenser/core/text.hpp"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace condenser;

TEST_CASE("printable text is one line that shows what it holds", "[core][text]") {
  CHECK(core::printable("grüße 猫 🙂 \"a\\b\"") == "grüße 猫 🙂 \"a\\b\"");
  CHECK(core::printable("a\x1b[31mRED\x1b]0;own\a\nerror: forged") == "a\\x1b[31mRED\\x1b]0;own\\x07\\nerror: forged");
  CHECK(core::printable("\t\r\x7f") == "\\t\\r\\x7f");
  CHECK(core::printable("\u009b31m") == "\\u009b31m");
  CHECK(core::printable("\u202egnp.exe\u2066\u200b\ufeff") == "\\u202egnp.exe\\u2066\\u200b\\ufeff");
  CHECK(core::printable("\u2028\U000E0041") == "\\u2028\\U000e0041");
  CHECK(core::printable(std::string_view("\0x", 2)) == "\\x00x");
}

TEST_CASE("bytes that are no UTF-8 are escaped one by one", "[core][text]") {
  CHECK(core::printable("\xff") == "\\xff");
  CHECK(core::printable("caf\xe9!") == "caf\\xe9!");
  CHECK(core::printable("\xc0\xaf") == "\\xc0\\xaf");           // overlong '/'
  CHECK(core::printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // a surrogate
  CHECK(core::printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
  CHECK(core::printable("\xe2\x82") == "\\xe2\\x82");  // cut off
  CHECK(core::printable("\xe2\x82\xac") == "\u20ac");
}

TEST_CASE("every printable text is printable", "[core][text]") {
  for (int a = 0; a < 256; ++a)
    for (int b = 0; b < 256; ++b) {
      const std::string text{static_cast<char>(a), static_cast<char>(b)};
      const std::string once = core::printable(text);
      REQUIRE(core::printable(once) == once);
      for (const char c : once) REQUIRE((static_cast<unsigned char>(c) >= 0x20 && c != 0x7f));
    }
}

TEST_CASE("width counts columns, not bytes", "[core][text]") {
  CHECK(core::display_width("abc") == 3);
  CHECK(core::display_width("grüße") == 5);
  CHECK(core::display_width("gru\u0308n") == 4);
  CHECK(core::display_width("猫") == 2);
}

TEST_CASE("numbers read back as themselves over the range of doubles", "[core][text]") {
  for (const double value : {0.0, 0.1, 7.018e-09, 1e300, 1.7976931348623157e308, 5e-324, 2.2250738585072014e-308,
                             9007199254740993.0, -123456789.125, 1.0 / 3})
    CHECK(std::strtod(core::number(value).c_str(), nullptr) == value);
  CHECK(core::number(7.018e-09) == "7.018e-09");
  CHECK(core::number(-0.0) == "-0");
  CHECK(core::number(std::nan("")) == "nan");
  CHECK(core::number(-std::numeric_limits<double>::infinity()) == "-inf");
}

TEST_CASE("numbers with a chosen number of digits are never cut", "[core][text]") {
  CHECK(core::fixed(98.754, 2) == "98.75");
  CHECK(core::fixed(-0.001, 2) == "0.00");
  CHECK(core::fixed(1e300, 0).size() == 301);
  CHECK(core::significant(7.0183837e-09, 4) == "7.018e-09");
  CHECK(core::significant(-0.0, 3) == "0");
  CHECK(core::significant(1234567, 3) == "1.23e+06");
}

TEST_CASE("digits that count keep sign, size and reading over the range of doubles", "[core][text]") {
  std::vector<double> values{
      0.0,         -0.0, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 9007199254740993.0, 1e15, 1e16,
      123456789.0, 0.1,  1.0 / 3};
  for (int exponent = -320; exponent <= 308; exponent += 7) values.push_back(7.0183837e0 * std::pow(10.0, exponent));
  for (const double value : values)
    for (const double signed_value : {value, -value})
      for (const int digits : {1, 3, 6, 12, 17}) {
        const std::string text = core::significant(signed_value, digits);
        const double read = std::strtod(text.c_str(), nullptr);
        INFO(core::number(signed_value) << " as " << text);
        if (!std::isfinite(read)) continue;  // the largest double, rounded up
        CHECK(std::abs(read - signed_value) <=
              0.5000001 * std::pow(10.0, 1 - digits) * std::abs(signed_value) + 5e-324);
        CHECK(core::fixed(signed_value, 3).find('e') == std::string::npos);
      }
}

TEST_CASE("lists are joined", "[core][text]") {
  CHECK(core::join({}) == "");
  CHECK(core::join({"a", "b"}) == "a, b");
  CHECK(core::join({"a", "b"}, "\n") == "a\nb");
}
