#pragma once
// Words that choose nodes of a network by name: a * stands for anything, a minus before a word takes nodes out again.

#include <string_view>

namespace condenser::arch {

// `pattern` against the whole name; * stands for any characters, also none.
bool name_fits(std::string_view pattern, std::string_view name);

inline bool takes_out(std::string_view word) { return word.starts_with('-'); }
inline std::string_view without_minus(std::string_view word) { return word.substr(takes_out(word) ? 1 : 0); }

}  // namespace condenser::arch
