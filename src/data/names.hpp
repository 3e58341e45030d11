#pragma once
// Names of classes that people and programs write in more than one way. Private to src/data.

#include <string>
#include <string_view>
#include <vector>

namespace condenser::data {

// Without what nobody sees around it: white space of any script, byte order marks, zero-width characters, line ends.
std::string trimmed(std::string_view text);

enum class LetterCase { Any, Kept };

// What two names share that look alike: Unicode forms (NFC, NFD), kinds and numbers of spaces, invisible characters and
// quotes around them make no difference, nor does letter case unless it is kept.
std::string look_of(const std::string& name, LetterCase = LetterCase::Any);

// In quotes, with escapes for all that is not ASCII: "caf\u00e9". For messages about names that look alike.
std::string exactly(std::string_view name);

// "" or what is wrong with a list of different names: `"cat" and "cat " look alike; ...`.
std::string alike(const std::vector<std::string>& names, LetterCase = LetterCase::Any);

// The name among `names` that looks like `name`, or is spelt nearly so, for messages: `; did you mean "cat"?`, or "".
std::string suggestion(const std::string& name, const std::vector<std::string>& names);

// The first names of a list, and "..." where there are more.
std::string some_of(const std::vector<std::string>& names, size_t most = 5);

}  // namespace condenser::data
