// One pass over the text.
#include "condenser/core/csv.hpp"

#include <algorithm>
#include <iterator>

#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"

namespace condenser::core {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr char kSeparators[] = {',', ';', '\t'};

bool is_separator(char c) { return std::ranges::find(kSeparators, c) != std::end(kSeparators); }

std::string_view without_mark(std::string_view text) {
  return text.starts_with(kByteOrderMark) ? text.substr(kByteOrderMark.size()) : text;
}

// Spreadsheets write a first line "sep=;" for each other.
char stated_separator(std::string_view text) {
  text = without_mark(text);
  const bool stated =
      text.size() > 5 && text.starts_with("sep=") && is_separator(text[4]) && (text[5] == '\n' || text[5] == '\r');
  return stated ? text[4] : '\0';
}

// Where the rows begin.
size_t begin_of(std::string_view text) {
  const size_t mark = text.size() - without_mark(text).size();
  if (!stated_separator(text)) return mark;
  return mark + (text.substr(mark + 5, 2) == "\r\n" ? 7 : 6);
}

class CsvReader {
 public:
  CsvReader(std::string_view text, const std::filesystem::path& file, char separator)
      : text_(text), file_(file), separator_(separator) {
    if (text_.starts_with("\xff\xfe") || text_.starts_with("\xfe\xff"))
      throw Error(file_.string() + ": UTF-16; expected UTF-8: save it as \"CSV UTF-8\"");
    if (text_.find('\0') != std::string_view::npos)
      throw Error(file_.string() + ": holds zero bytes; not a CSV file, or UTF-16: save it as UTF-8");
    if (text_.find('\n') == std::string_view::npos) end_ = '\r';
    at_ = begin_of(text_);
    if (at_ > 0 && stated_separator(text_)) line_ = 2;
  }

  // False at the end.
  bool next(std::vector<std::string>& fields) {
    while (at_ < text_.size() && line_end()) {
    }
    if (at_ >= text_.size()) return false;
    first_line_ = line_;
    fields.clear();
    do {
      skip_spaces_before_quote();
      fields.push_back(peek() == '"' ? quoted() : plain());
    } while (take(separator_));
    if (at_ < text_.size() && !line_end()) {
      throw error("text after a closing quote; expected a separator or the end of the line");
    }
    return true;
  }

  int64_t line() const { return first_line_; }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  bool is_space(char c) const { return (c == ' ' || c == '\t') && c != separator_; }
  void skip_spaces_before_quote() {
    size_t at = at_;
    while (at < text_.size() && is_space(text_[at])) ++at;
    if (at < text_.size() && text_[at] == '"') at_ = at;
  }
  void skip_spaces() {
    while (is_space(peek())) ++at_;
  }
  bool line_end() {
    const size_t length = text_.substr(at_, 2) == "\r\n" ? 2 : peek() == end_ && at_ < text_.size() ? 1 : 0;
    at_ += length;
    line_ += length > 0;
    return length > 0;
  }

  std::string plain() {
    const char stops[] = {separator_, end_};
    size_t end = std::min(text_.find_first_of(std::string_view(stops, 2), at_), text_.size());
    if (end < text_.size() && text_[end] == '\n' && end > at_ && text_[end - 1] == '\r') --end;
    const std::string field(text_.substr(at_, end - at_));
    at_ = end;
    return field;
  }

  std::string quoted() {
    std::string field;
    ++at_;
    while (true) {
      if (at_ >= text_.size()) throw error("an open quote; expected a closing one");
      const char c = text_[at_++];
      if (c == '"' && !take('"')) {
        skip_spaces();
        return field;
      }
      line_ += c == '\n';
      field += c;
    }
  }

  Error error(const std::string& what) const {
    return Error(file_.string() + ":" + std::to_string(first_line_) + ": " + what);
  }

  std::string_view text_;
  const std::filesystem::path& file_;
  const char separator_;
  char end_ = '\n';  // of a row
  size_t at_ = 0;
  int64_t line_ = 1, first_line_ = 1;
};

}  // namespace

std::string shown(const std::string& field) {
  return printable(field.size() > 100 ? field.substr(0, 100) + "..." : field);
}

std::string csv_quoted(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  return out + "\"";
}

char separator_of(std::string_view text) {
  if (const char stated = stated_separator(text)) return stated;
  text = without_mark(text);
  text.remove_prefix(std::min(text.find_first_not_of("\r\n"), text.size()));
  size_t counts[std::size(kSeparators)] = {};
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '\n' || c == '\r') break;
    for (size_t i = 0; i < std::size(kSeparators); ++i) counts[i] += c == kSeparators[i];
  }
  return kSeparators[std::ranges::max_element(counts) - std::begin(counts)];
}

void read_csv(std::string_view text, const std::filesystem::path& file,
              const std::function<void(int64_t, const std::vector<std::string>&)>& row, char separator) {
  CsvReader reader(text, file, separator);
  for (std::vector<std::string> fields; reader.next(fields);) row(reader.line(), fields);
}

}  // namespace condenser::core
