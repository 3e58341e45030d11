// Rows, quotes, line ends and what is refused.
#include "condenser/core/csv.hpp"

#include "condenser/core/rng.hpp"
#include "data/fixtures.hpp"
#include "support/catch.hpp"

using namespace condenser::core;
using condenser::data::testing::contains;
using condenser::data::testing::error_of;

namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows rows_of(const std::string& text) {
  Rows rows;
  read_csv(text, "x.csv", [&](int64_t, const std::vector<std::string>& fields) { rows.push_back(fields); });
  return rows;
}

std::string refusal(const std::string& text) {
  return error_of([&] { rows_of(text); });
}

}  // namespace

TEST_CASE("CSV fields may be plain, quoted or empty", "[core][csv]") {
  CHECK(rows_of("a,b\nc,d\n") == Rows{{"a", "b"}, {"c", "d"}});
  CHECK(rows_of("a,b\r\nc,d") == Rows{{"a", "b"}, {"c", "d"}});
  CHECK(rows_of("\xef\xbb\xbf"
                "a\n\n\r\nb\n\n") == Rows{{"a"}, {"b"}});
  CHECK(rows_of("\"a,\"\"b\"\"\",\" c\"\n") == Rows{{"a,\"b\"", " c"}});
  CHECK(rows_of("\"two\nlines\",x\ny,z") == Rows{{"two\nlines", "x"}, {"y", "z"}});
  CHECK(rows_of(",\n\"\",a b") == Rows{{"", ""}, {"", "a b"}});
  CHECK(rows_of("a\rb,c\n") == Rows{{"a\rb", "c"}});
  CHECK(rows_of("").empty());
}

TEST_CASE("CSV of spreadsheets and hands is read as it is meant", "[core][csv]") {
  CHECK(rows_of("a, \"cat\"\nb,\"dog\" ,c\n") == Rows{{"a", "cat"}, {"b", "dog", "c"}});
  CHECK(rows_of("a,b\rc,d\r") == Rows{{"a", "b"}, {"c", "d"}});  // without \n
  CHECK(rows_of("a\rb\n") == Rows{{"a\rb"}});
  CHECK(separator_of("a,b\nc;d;e\n") == ',');
  CHECK(separator_of("\"a,b\";c\n") == ';');
  CHECK(separator_of("\n\na\tb\n") == '\t');
  CHECK(separator_of("alone") == ',');
  CHECK(separator_of("\xef\xbb\xbfsep=;\r\na,b,c;d\r\n") == ';');
  Rows rows;
  std::vector<int64_t> lines;
  const auto keep = [&](int64_t line, const std::vector<std::string>& fields) {
    rows.push_back(fields);
    lines.push_back(line);
  };
  read_csv("sep=;\r\na,b;c\r\n", "x.csv", keep, ';');
  CHECK(rows == Rows{{"a,b", "c"}});
  CHECK(lines == std::vector<int64_t>{2});
}

TEST_CASE("CSV rows know their line", "[core][csv]") {
  std::vector<int64_t> lines;
  read_csv("a\n\n\"b\nc\"\r\nd\n", "x.csv", [&](int64_t line, const auto&) { lines.push_back(line); });
  CHECK(lines == std::vector<int64_t>{1, 3, 5});
}

TEST_CASE("malformed CSV is refused by file and line", "[core][csv]") {
  CHECK(contains(refusal("a,b\nc,\"d\ne"), "x.csv:2: an open quote"));
  CHECK(contains(refusal("a\n\"b\"c\n"), "x.csv:2: text after a closing quote"));
  CHECK(contains(refusal(std::string("a\0b", 3)), "x.csv: holds zero bytes"));
  CHECK(contains(refusal(std::string("\xff\xfe"
                                     "a\0",
                                     4)),
                 "x.csv: UTF-16; expected UTF-8"));
  CHECK(contains(refusal(std::string("\xfe\xff\0a", 4)), "x.csv: UTF-16; expected UTF-8"));
}

TEST_CASE("what is written with quotes is read back", "[core][csv]") {
  condenser::core::Rng rng(3);
  const std::string letters = "ab,\"\n\r;";
  for (int round = 0; round < 200; ++round) {
    Rows rows(1 + rng.below(4));
    std::string text;
    for (auto& row : rows) {
      row.resize(1 + rng.below(3));
      for (std::string& field : row) {
        for (uint64_t n = rng.below(6); n > 0; --n) field += letters[rng.below(letters.size())];
        std::string quoted;
        for (char c : field) quoted += c == '"' ? "\"\"" : std::string(1, c);
        text += (&field == &row.front() ? "\"" : ",\"") + quoted + "\"";
      }
      text += rng.below(2) ? "\n" : "\r\n";
    }
    CHECK(rows_of(text) == rows);
  }
}
