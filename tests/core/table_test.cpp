#include "condenser/core/table.hpp"

#include <limits>
#include <nlohmann/json.hpp>

#include "condenser/core/error.hpp"
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
  CHECK(cell(1e300, 0).text.size() == 301 + 100);
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
  for (auto* print : {to_text, to_markdown, to_csv, to_json}) CHECK_THROWS_AS(print(table), Error);
}
