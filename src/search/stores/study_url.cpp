#include "search/stores/study_url.hpp"

#include <algorithm>

#include "condenser/core/text.hpp"
#include "condenser/search/store.hpp"
#include "search/stores/postgresql.hpp"

namespace condenser::search {
namespace {

constexpr const char* kSchemes[] = {"postgresql://", "postgres://"};
constexpr const char* kFileScheme = "sqlite:";
constexpr const char* kDefaultStudy = "study";
constexpr const char* kHidden = "***";
constexpr size_t kLongestName = 40;  // PostgreSQL cuts names at 63 bytes

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

// "%41" -> "A"
std::string percent_decoded(const std::string& text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  const auto is_hex = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && is_hex(text[i + 1]) && is_hex(text[i + 2])) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// Takes `name=value` out of the parameters behind the question mark; "": it is not there.
std::string take_parameter(std::string& url, const std::string& name) {
  for (size_t at = url.find('?'); at != std::string::npos; at = url.find('&', at + 1)) {
    if (url.compare(at + 1, name.size() + 1, name + "=") != 0) continue;
    const size_t begin = at + name.size() + 2, end = std::min(url.find('&', begin), url.size());
    std::string value = url.substr(begin, end - begin);
    const bool last = end == url.size();
    url.erase(at + 1, end - at - (last ? 1 : 0));
    if (last) url.pop_back();  // the ? or & before it
    return value;
  }
  return "";
}

// Whatever could be one: between the first colon of the user and the last @ before the parameters.
std::string password_of(const std::string& url) {
  std::string copy = url;
  const std::string parameter = take_parameter(copy, "password");
  if (!parameter.empty()) return parameter;
  const size_t begin = url.find("://") + 3, end = url.rfind('@', url.find('?'));
  const size_t colon = url.find(':', begin);
  if (end == std::string::npos || colon == std::string::npos || colon > end) return "";
  return url.substr(colon + 1, end - colon - 1);
}

bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= kLongestName && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

}  // namespace

std::string StudyUrl::without_password(std::string text) const {
  if (password.empty()) return text;
  text = replace_all(std::move(text), password, kHidden);
  return replace_all(std::move(text), percent_decoded(password), kHidden);
}

std::string StudyUrl::printable() const {
  if (kind == Kind::Sqlite) return where;
  std::string text = password.empty() ? where : replace_all(where, password, kHidden);
  return core::printable(text + (text.find('?') == std::string::npos ? "?" : "&") + "study=" + study);
}

StudyUrl parse_study_url(const std::string& url) {
  StudyUrl parsed;
  parsed.where = url.starts_with(kFileScheme) ? url.substr(std::string(kFileScheme).size()) : url;
  const bool server = std::ranges::any_of(kSchemes, [&](const char* scheme) { return url.starts_with(scheme); });
  if (!server) {
    const size_t scheme = url.find("://");
    if (scheme != std::string::npos)
      throw core::ConfigError("study " + core::printable(url.substr(0, scheme)) +
                              "://...; expected a file, sqlite:FILE or postgresql://user@host/database?study=NAME");
    return parsed;
  }
  parsed.kind = StudyUrl::Kind::Postgresql;
  parsed.study = take_parameter(parsed.where, "study");
  if (parsed.study.empty()) parsed.study = kDefaultStudy;
  parsed.password = password_of(parsed.where);
  if (!is_name(parsed.study))
    throw core::ConfigError("study=" + core::printable(parsed.study) + " in " + parsed.printable() +
                            "; expected up to " + std::to_string(kLongestName) + " small letters, digits, _ and -");
  return parsed;
}

std::unique_ptr<Store> open_study(const std::string& url, StoreMode mode) {
  const StudyUrl parsed = parse_study_url(url);
  return parsed.kind == StudyUrl::Kind::Sqlite ? make_sqlite_store(parsed.where, mode)
                                               : make_postgresql_store(url, mode);
}

std::string printable_study(const std::string& url) { return parse_study_url(url).printable(); }

bool holds_password(const std::string& url) { return !parse_study_url(url).password.empty(); }

}  // namespace condenser::search
