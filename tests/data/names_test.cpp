// Which names look alike.
#include "data/names.hpp"

#include "data/fixtures.hpp"
#include "support/catch.hpp"

using namespace condenser::data;
using namespace condenser::data::testing;

TEST_CASE("what nobody sees around a name is trimmed, inside it stays", "[data][names]") {
  CHECK(trimmed("  a b\t\r\n") == "a b");
  CHECK(trimmed("\xef\xbb\xbf"
                "a\xc2\xa0\xe2\x80\x8b\xe3\x80\x80") == "a");
  CHECK(trimmed("a\xe2\x80\x8b"
                "b") ==
        "a\xe2\x80\x8b"
        "b");
  CHECK(trimmed(" \n").empty());
  CHECK(trimmed("\xff ") == "\xff");
}

TEST_CASE("names look alike in any case, form and spacing", "[data][names]") {
  const std::vector<std::pair<std::string, std::string>> same = {
      {"cat", "Cat"},
      {"cat", " cat "},
      {"a b", "a \xc2\xa0 b"},
      {"\xc3\xa9", "e\xcc\x81"},                     // e acute, NFC and NFD
      {"\xc3\x89", "e\xcc\x81"},                     // its capital
      {"\xe1\xba\xad", "a\xcc\x82\xcc\xa3"},         // two marks, in the other order
      {"\xea\xb0\x80", "\xe1\x84\x80\xe1\x85\xa1"},  // Hangul
      {"\xe3\x81\x8c", "\xe3\x81\x8b\xe3\x82\x99"},  // kana with a mark
      {"\xe2\x84\xab", "A\xcc\x8a"},                 // angstrom sign
      {"\xd0\x96", "\xd0\xb6"},                      // Cyrillic
      {"'cat'", "cat"},
      {"\xe2\x80\x9c"
       "cat\xe2\x80\x9d",
       "cat"},
      {"c\xc2\xad"
       "at",
       "cat"},  // soft hyphen
  };
  for (const auto& [a, b] : same) {
    INFO(exactly(a) << " " << exactly(b));
    CHECK(look_of(a) == look_of(b));
    CHECK_FALSE(alike({"x", a, b}).empty());
  }
  for (const auto& [a, b] : std::vector<std::pair<std::string, std::string>>{
           {"a", "b"}, {"ab", "a b"}, {"a", "\xc3\xa0"}, {"\xff", "\xfe"}, {"'", "\""}, {"a-b", "a_b"}, {"1", "01"}}) {
    INFO(exactly(a) << " " << exactly(b));
    CHECK(look_of(a) != look_of(b));
    CHECK(alike({"x", a, b}).empty());
  }
  CHECK(alike({"a", "A"}, LetterCase::Kept).empty());
  CHECK_FALSE(alike({"a", "a "}, LetterCase::Kept).empty());
  CHECK(contains(alike({"\xe2\x80\x8b"}), "shows nothing"));
}
