// One pass over the text.
#include "data/csv.hpp"

#include <algorithm>

#include "condenser/core/error.hpp"

namespace condenser::data {
namespace {

class CsvReader {
 public:
  CsvReader(std::string_view text, const std::filesystem::path& file) : text_(text), file_(file) {
    if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;
    if (text_.find('\0') != std::string_view::npos)
      throw core::Error(file_.string() + ": holds zero bytes; not a CSV file");
  }

  // False at the end.
  bool next(std::vector<std::string>& fields) {
    while (at_ < text_.size() && line_end()) {
    }
    if (at_ >= text_.size()) return false;
    first_line_ = line_;
    fields.clear();
    do {
      fields.push_back(peek() == '"' ? quoted() : plain());
    } while (take(','));
    if (at_ < text_.size() && !line_end()) {
      throw error("text after a closing quote; expected a comma or the end of the line");
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
  bool line_end() {
    const size_t length = text_.substr(at_, 2) == "\r\n" ? 2 : peek() == '\n' ? 1 : 0;
    at_ += length;
    line_ += length > 0;
    return length > 0;
  }

  std::string plain() {
    size_t end = std::min(text_.find_first_of(",\n", at_), text_.size());
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
      if (c == '"' && !take('"')) return field;
      line_ += c == '\n';
      field += c;
    }
  }

  core::Error error(const std::string& what) const {
    return core::Error(file_.string() + ":" + std::to_string(first_line_) + ": " + what);
  }

  std::string_view text_;
  const std::filesystem::path& file_;
  size_t at_ = 0;
  int64_t line_ = 1, first_line_ = 1;
};

}  // namespace

std::string shown(const std::string& field) {
  std::string text = field.substr(0, 100);
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < ' '; }, '?');
  return field.size() > 100 ? text + "..." : text;
}

void read_csv(std::string_view text, const std::filesystem::path& file,
              const std::function<void(int64_t, const std::vector<std::string>&)>& row) {
  CsvReader reader(text, file);
  for (std::vector<std::string> fields; reader.next(fields);) row(reader.line(), fields);
}

}  // namespace condenser::data
