#include "condenser/core/table.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"
#include "support/catch.hpp"

using namespace condenser::core;

namespace {

Table example() {
  return {{{"network", "network", false}, {"params", "parameters"}, {"accuracy", "accuracy"}},
          {{cell("a|b_c"), cell(1632345), cell(0.98765, 3)},
           {cell("µ \"q\", x"), cell(int64_t{-12}), cell(std::numeric_limits<double>::quiet_NaN(), 3)},
           {cell("line\nbreak"), empty_cell(), cell(12345.5, 1)}}};
}

}  // namespace

TEST_CASE("Thousands are separated", "[core]") {
  CHECK(thousands(0) == "0");
  CHECK(thousands(999) == "999");
  CHECK(thousands(1000) == "1,000");
  CHECK(thousands(-999) == "-999");
  CHECK(thousands(-100000) == "-100,000");
  CHECK(thousands(1632345) == "1,632,345");
  CHECK(thousands(std::numeric_limits<int64_t>::min()) == "-9,223,372,036,854,775,808");
  CHECK(bytes_text(24576) == "24,576 bytes (24.0 KiB)");
  CHECK(bytes_text(0) == "0 bytes (0.0 KiB)");
  CHECK(bytes_text(1632345) == "1,632,345 bytes (1,594.1 KiB)");
}

TEST_CASE("Cells keep the raw value beside the text", "[core]") {
  CHECK(cell(0.1, 3).json == "0.1");
  CHECK(cell(0.1, 3).text == "0.100");
  CHECK(cell(-0.0001, 2).text == "0.00");
  CHECK(cell(-1234567.891, 2).text == "-1,234,567.89");
  CHECK(cell(5.0, 0).text == "5");
  CHECK(cell(1e300, 0).text == "1e+300");  // digits behind that would say nothing
  CHECK(cell(999'999'999'999'999.0, 0).text == "999,999,999,999,999");
  CHECK(significant_cell(7.018383712e-09, 6).text == "7.01838e-09");
  CHECK(significant_cell(7.018383712e-09, 6).json == "7.018383712e-09");
  CHECK(significant_cell(std::numeric_limits<double>::quiet_NaN(), 6).json == "null");
  CHECK(std::stod(cell(1.0 / 3, 2).json) == 1.0 / 3);
  CHECK(cell(std::numeric_limits<double>::infinity(), 2).json == "null");
  CHECK(cell(std::numeric_limits<double>::infinity(), 2).text == "inf");
  CHECK(cell("x").json == "\"x\"");
  CHECK(empty_cell().json == "null");
}

TEST_CASE("Text is aligned by characters, not bytes", "[core]") {
  CHECK(to_text(example()) ==
        "network      parameters  accuracy\n"
        "-----------  ----------  --------\n"
        "a|b_c         1,632,345     0.988\n"
        "µ \"q\", x            -12       nan\n"
        "line\\nbreak              12,345.5\n");
}

TEST_CASE("Markdown escapes what it would interpret", "[core]") {
  CHECK(to_markdown(example()) ==
        "| network      | parameters | accuracy |\n"
        "| ------------ | ---------: | -------: |\n"
        "| a\\|b_c       |  1,632,345 |    0.988 |\n"
        "| µ \"q\", x     |        -12 |      nan |\n"
        "| line\\\\nbreak |            | 12,345.5 |\n");
  const Table tricky{{{"k", "*t*", false}}, {{cell("_x_ <b> `c` \\ [d]")}}};
  CHECK(to_markdown(tricky).find("\\*t\\*") != std::string::npos);
  CHECK(to_markdown(tricky).find("\\_x\\_ \\<b\\> \\`c\\` \\\\ \\[d\\]") != std::string::npos);
}

TEST_CASE("CSV holds raw values", "[core]") {
  CHECK(to_csv(example()) ==
        "network,params,accuracy\n"
        "a|b_c,1632345,0.98765\n"
        "\"µ \"\"q\"\", x\",-12,\n"
        "line\\nbreak,,12345.5\n");
}

TEST_CASE("CSV text that begins like a formula is text for spreadsheets", "[core]") {
  const Table table{{{"k", "k", false}, {"v", "v"}}, {{cell("=1+1"), cell(-1)}, {cell("-x,\x1b"), cell(-0.5, 1)}}};
  CHECK(to_csv(table) == "k,v\n'=1+1,-1\n\"'-x,\\x1b\",-0.5\n");
}

TEST_CASE("JSON for terminals shows what it holds and has the same value", "[core]") {
  const std::string text = "a\u009b\u202e\U000E0041é";
  CHECK(json_quote(text) == "\"a\\u009b\\u202e\\udb40\\udc41é\"");
  CHECK(nlohmann::json::parse(json_quote(text)) == text);
}

TEST_CASE("JSON reads back as the raw values", "[core]") {
  const auto json = nlohmann::json::parse(to_json(example()));
  REQUIRE(json.size() == 3);
  CHECK(json[0]["network"] == "a|b_c");
  CHECK(json[0]["params"] == 1632345);
  CHECK(json[0]["accuracy"] == 0.98765);
  CHECK(json[1]["network"] == "µ \"q\", x");
  CHECK(json[1]["accuracy"].is_null());
  CHECK(json[2]["network"] == "line\nbreak");
  CHECK(json[2]["params"].is_null());
  CHECK(nlohmann::json::parse(to_json(Table{{{"a", "a"}}, {}})).empty());
  CHECK(nlohmann::json::parse(json_quote(std::string("\x01\xff\"\\", 4))).get<std::string>().size() > 3);
}

TEST_CASE("Rows of the wrong length are refused", "[core]") {
  Table table = example();
  table.rows[1].pop_back();
  for (auto* print : {to_markdown, to_csv, to_json}) CHECK_THROWS_AS(print(table), Error);
  CHECK_THROWS_AS(to_text(table), Error);
}

TEST_CASE("A narrow terminal breaks texts between words and never a number", "[core]") {
  const Table table{
      {{"rule", "rule", false}, {"why", "why the rule exists", false}, {"params", "parameters"}},
      {{cell("antialiased_downsampling"),
        cell("at most 123,456,789,012,345 bytes (7.018e-09 KiB) and not one more than that"), cell(1632345)},
       {cell("短い名前の規則"), cell("x"), cell(-12)}}};
  const std::string wide = to_text(table);
  CHECK(to_text(table, 1000) == wide);
  CHECK(std::count(wide.begin(), wide.end(), '\n') == 4);
  for (const size_t columns : {120U, 100U, 80U, 60U, 45U}) {
    const std::string text = to_text(table, columns);
    INFO(text);
    std::string words;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      CHECK(display_width(line) <= columns);
      words += line + " ";
    }
    for (const char* number : {"123,456,789,012,345", "7.018e-09", "1,632,345", "-12"})
      CHECK(words.find(number) != std::string::npos);
  }
  const std::string tiny = to_text(table, 5);  // cannot be done: as narrow as it gets, nothing is lost
  CHECK(tiny.find("123,456,789,012,345") != std::string::npos);
  CHECK(tiny.find("1,632,345") != std::string::npos);
  CHECK(to_text(Table{}, 80).empty());
}
