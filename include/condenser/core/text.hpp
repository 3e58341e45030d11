#pragma once
// Text for people: what comes from files and other people made printable, numbers that stay numbers, lists.

#include <string>
#include <string_view>
#include <vector>

namespace condenser::core {

// One line that shows what it holds: UTF-8 is kept; controls of ASCII and C1, line and paragraph separators, direction
// marks, other invisible characters and bytes that are no UTF-8 become escapes: \n, \t, \x1b, \u202e, \xff. Every place
// that writes text of people (names, paths, classes, keys) to a terminal, log, table, page or comment uses it.
std::string printable(std::string_view text);

// Whether a code point is shown by nothing or changes how its neighbours are shown.
bool invisible(char32_t code_point);

// The next code point of UTF-8 text at `at`, which moves behind it; kNotUtf8 for a byte that is none (`at` moves by
// one). Overlong forms, surrogates and values above U+10FFFF are no UTF-8.
constexpr char32_t kNotUtf8 = 0xFFFFFFFF;
char32_t next_code_point(std::string_view text, size_t& at);

// Columns of a terminal that the text fills: two for wide East Asian characters and emoji, none for combining marks.
size_t display_width(std::string_view text);

// The shortest decimal text that reads back as the same double: 0.1, 1e+300, 7.018e-09; nan, inf, -inf.
std::string number(double value);
// So many digits behind the point: fixed(98.754, 2) = "98.75"; never "-0.00". nan, inf, -inf.
std::string fixed(double value, int digits);
// So many digits that count, with an exponent for very small and very large values: significant(7.018e-09, 3).
std::string significant(double value, int digits);

// "a, b, c"
std::string join(const std::vector<std::string>& parts, std::string_view between = ", ");

}  // namespace condenser::core
