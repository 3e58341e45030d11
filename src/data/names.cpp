// Names are compared after canonical decomposition (Unicode Standard Annex 15), with marks in one order, letters in one
// case, spaces as one space.
#include "data/names.hpp"

#include <locale.h>
#include <wctype.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <map>

#include "condenser/core/config.hpp"
#include "condenser/core/text.hpp"
#include "data/decompositions.hpp"

namespace condenser::data {
namespace {

constexpr char32_t kByte = 0x110000;  // + a byte that is no UTF-8: stays different from every character

bool is_space(char32_t c) {
  return c == ' ' || (c >= 0x09 && c <= 0x0D) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x2800 ||
         c == 0x3000;
}

bool is_blank(char32_t c) { return is_space(c) || (c < kByte && core::invisible(c)); }

bool is_quote(char32_t c) { return c == '"' || c == '\'' || (c >= 0x2018 && c <= 0x201F) || c == 0xAB || c == 0xBB; }

// The next character, or kByte and a byte.
char32_t next(std::string_view text, size_t& at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  const char32_t c = core::next_code_point(text, at);
  return c == core::kNotUtf8 ? kByte + byte : c;
}

void decompose(char32_t c, std::u32string& out) {
  constexpr char32_t kHangul = 0xAC00, kLead = 0x1100, kVowel = 0x1161, kTail = 0x11A7, kVowels = 21, kTails = 28;
  if (c >= kHangul && c < kHangul + 19 * kVowels * kTails) {
    const char32_t s = c - kHangul;
    out += kLead + s / (kVowels * kTails);
    out += kVowel + s / kTails % kVowels;
    if (s % kTails != 0) out += kTail + s % kTails;
    return;
  }
  const auto found = std::ranges::lower_bound(kDecompositions, c, {}, &Decomposition::whole);
  if (found == std::end(kDecompositions) || found->whole != c) {
    out += c;
    return;
  }
  decompose(found->first, out);
  if (found->second != 0) decompose(found->second, out);
}

// Of every script, whatever the user's language is; of ASCII where the C library knows no C.UTF-8.
char32_t lower(char32_t c) {
  static const locale_t all = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
  return all && c < kByte ? static_cast<char32_t>(::towlower_l(static_cast<wint_t>(c), all)) : c;
}

bool is_mark(char32_t c) {
  return (c >= 0x300 && c <= 0x36F) || (c >= 0x591 && c <= 0x5C7) || (c >= 0x610 && c <= 0x670) ||
         (c >= 0x3099 && c <= 0x309A) || (c >= 0x1AB0 && c <= 0x1AFF) || (c >= 0x1DC0 && c <= 0x1DFF);
}

void order_marks(std::u32string& text) {
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    while (end < text.size() && is_mark(text[end])) ++end;
    std::sort(text.begin() + static_cast<std::ptrdiff_t>(at), text.begin() + static_cast<std::ptrdiff_t>(end));
    at = end + 1;
  }
}

}  // namespace

std::string trimmed(std::string_view text) {
  size_t begin = text.size(), end = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    if (is_blank(next(text, at))) continue;
    begin = std::min(begin, start);
    end = at;
  }
  return begin < end ? std::string(text.substr(begin, end - begin)) : std::string();
}

std::string look_of(const std::string& name, LetterCase letter_case) {
  std::u32string text;
  const std::string inner = trimmed(name);
  for (size_t at = 0; at < inner.size();) {
    const char32_t c = next(inner, at);
    if (is_space(c)) {
      if (text.empty() || text.back() != U' ') text += U' ';
    } else if (!is_blank(c)) {
      decompose(c, text);
    }
  }
  while (text.size() > 2 && is_quote(text.front()) && is_quote(text.back())) text = text.substr(1, text.size() - 2);
  if (letter_case == LetterCase::Any) std::ranges::transform(text, text.begin(), lower);
  order_marks(text);
  return {reinterpret_cast<const char*>(text.data()), text.size() * sizeof(char32_t)};
}

std::string exactly(std::string_view name) {
  std::string out = "\"";
  for (size_t at = 0; at < name.size();) {
    const size_t start = at;
    const char32_t c = next(name, at);
    char escape[16];
    if (c < 0x80 || c >= kByte) {
      out += core::printable(name.substr(start, at - start));
      continue;
    }
    std::snprintf(escape, sizeof escape, c > 0xFFFF ? "\\U%08x" : "\\u%04x", static_cast<unsigned>(c));
    out += escape;
  }
  return out + "\"";
}

std::string alike(const std::vector<std::string>& names, LetterCase letter_case) {
  std::map<std::string, const std::string*> known;
  for (const std::string& name : names) {
    const std::string look = look_of(name, letter_case);
    if (look.empty()) return "the name " + exactly(name) + " shows nothing; expected a name that can be read";
    const auto [at, fresh] = known.try_emplace(look, &name);
    if (fresh) continue;
    return exactly(*at->second) + " and " + exactly(name) +
           " look alike (spaces, letter case, Unicode form or invisible characters); expected one spelling for one "
           "class";
  }
  return "";
}

std::string suggestion(const std::string& name, const std::vector<std::string>& names) {
  const std::string look = look_of(name);
  for (const std::string& other : names)
    if (look_of(other) == look)
      return "; it looks like " + exactly(other) + " of the classes, and is spelt " + exactly(name);
  const std::string near = core::config::nearest(name, names);
  return near.empty() ? "" : "; did you mean " + near + "?";
}

std::string some_of(const std::vector<std::string>& names, size_t most) {
  std::vector<std::string> first(names.begin(),
                                 names.begin() + std::min(std::ssize(names), static_cast<int64_t>(most)));
  if (names.size() > most) first.emplace_back("...");
  return core::join(first);
}

}  // namespace condenser::data
