// A CSV file that lists pictures: a header row, then one row per picture with its `path` (relative to the file, or
// absolute) and its `label`, the name of a class. With the card's `multi_label` a label holds any number of classes,
// separated by semicolons, and the rows of a picture are joined. Other columns are passed over.
#include <algorithm>
#include <map>
#include <set>

#include "condenser/core/csv.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/text.hpp"
#include "data/formats/formats.hpp"
#include "data/formats/listing.hpp"
#include "data/names.hpp"
#include "data/pictures.hpp"

namespace condenser::data {
namespace fs = std::filesystem;
namespace {

using core::shown;
using Fields = std::vector<std::string>;

constexpr size_t kMostBytes = size_t{1} << 30;
constexpr std::string_view kSeparators = ",;\t";

struct Columns {
  size_t path = 0, label = 1, count = 0;
  bool header = true;
};

// One picture of the list.
struct Row {
  int64_t line = 0;
  std::string path;
  Fields labels;
};

// Its place among the columns, letters of either case; columns.size() when it is absent.
size_t column(const Fields& header, const std::string& name) {
  const auto found = std::ranges::find(header, name, [](const std::string& field) { return look_of(field); });
  return static_cast<size_t>(found - header.begin());
}

bool is_header(const Fields& fields) {
  return column(fields, look_of("path")) < fields.size() && column(fields, look_of("label")) < fields.size();
}

Fields first_row(const std::string& text, const fs::path& file, char separator) {
  Fields first;
  const auto keep = [&](int64_t, const Fields& fields) {
    if (first.empty()) first = fields;
  };
  // Only the first line; a quoted one that goes on is left to the reader of the whole.
  const size_t begin = std::min(text.find_first_not_of("\r\n"), text.size());
  const std::string line = text.substr(begin, text.find_first_of("\r\n", begin) - begin);
  try {
    core::read_csv(line, file, keep, separator);
  } catch (const core::Error&) {
  }
  return first;
}

// The separator under which the first row names the columns; else the most frequent.
char find_separator(const std::string& text, const fs::path& file) {
  const char likely = core::separator_of(text);
  if (text.find("sep=") <= 3) return likely;
  for (const char c : kSeparators)
    if (is_header(first_row(text, file, c))) return c;
  return likely;
}

Columns read_header(const Fields& fields, const fs::path& file) {
  if (is_header(fields))
    return {column(fields, look_of("path")), column(fields, look_of("label")), fields.size(), true};
  if (fields.size() == 2 && ends_in(trimmed(fields[0]), kPictureEndings)) {
    return {0, 1, 2, false};
  }
  Fields names;
  for (const std::string& field : fields) names.push_back(shown(field));
  throw core::Error(file.string() + ":1: columns " + core::join(names) + "; expected path and label among them");
}

// "a; b" -> a, b. Empty parts do not count.
Fields split_label(const std::string& label, bool multi_label) {
  if (!multi_label) return {trimmed(label)};
  Fields parts;
  for (size_t at = 0; at <= label.size();) {
    const size_t end = std::min(label.find(';', at), label.size());
    const std::string part = trimmed(std::string_view(label).substr(at, end - at));
    if (!part.empty()) parts.push_back(part);
    at = end + 1;
  }
  return parts;
}

std::string where(const fs::path& file, int64_t line) { return file.string() + ":" + std::to_string(line) + ": "; }

struct Rows {
  std::vector<Row> rows;
  bool header = true;
};

Rows read_rows(const fs::path& file, bool multi_label) {
  const std::string text = core::read_file(file, kMostBytes);
  Columns columns;
  Rows rows;
  const auto read = [&](int64_t line, const Fields& fields) {
    if (columns.count == 0) {
      columns = read_header(fields, file);
      if (columns.header) return;
    }
    if (fields.size() != columns.count) {
      throw core::Error(where(file, line) + std::to_string(fields.size()) + " fields; expected " +
                        std::to_string(columns.count) + " as in the " + (columns.header ? "header" : "first row"));
    }
    Row row{line, fields[columns.path], split_label(fields[columns.label], multi_label)};
    if (trimmed(row.path).empty()) throw core::Error(where(file, line) + "the path is empty");
    if (!multi_label && row.labels[0].empty())
      throw core::Error(where(file, line) + "the label is empty; expected the name of a class");
    rows.rows.push_back(std::move(row));
  };
  core::read_csv(text, file, read, find_separator(text, file));
  if (columns.count == 0) throw core::Error(file.string() + ": empty; expected a header row with path and label");
  rows.header = columns.header;
  return rows;
}

// The file that a row means: without blanks around it, with / for \, unless a file is called just so.
std::string find_picture(const fs::path& folder, const std::string& path) {
  const auto below = [&](const std::string& text) { return (folder / text).lexically_normal(); };
  const fs::path plain = below(trimmed(path));
  const bool usual = trimmed(path) == path && path.find('\\') == std::string::npos;
  std::error_code ignored;
  if (usual || fs::exists(plain, ignored)) return plain.string();
  if (fs::exists(below(path), ignored)) return below(path).string();
  std::string slashes = trimmed(path);
  std::ranges::replace(slashes, '\\', '/');
  return fs::exists(below(slashes), ignored) ? below(slashes).string() : plain.string();
}

// Rows become pictures; a file that is named again is one picture.
class ListReader {
 public:
  ListReader(const Card& card, const fs::path& file) : card_(card), file_(file) {
    for (const std::string& name : card.classes) number_.emplace(name, static_cast<int>(number_.size()));
  }

  PictureList read() {
    const Rows rows = read_rows(file_, card_.multi_label);
    header = rows.header;
    for (const Row& row : rows.rows) add(row);
    return std::move(list_);
  }

  UnusedFiles unused;
  bool header = true;

 private:
  int class_of(const Row& row, const std::string& label) const {
    const auto found = number_.find(label);
    if (found != number_.end()) return found->second;
    throw core::Error(where(file_, row.line) + "label " + shown(label) + " is not one of the " +
                      std::to_string(card_.classes.size()) + " classes" + suggestion(label, card_.classes));
  }

  void add(const Row& row) {
    std::vector<int> classes;
    for (const std::string& label : row.labels) classes.push_back(class_of(row, label));
    const std::string file = find_picture(file_.parent_path(), row.path);
    const auto [at, fresh] = place_.try_emplace(file, list_.files.size());
    if (!fresh) {
      unused.add(Why::ListedTwice, where(file_, row.line) + row.path);
      join(row, at->second, classes);
      return;
    }
    lines_.push_back(row.line);
    list_.files.push_back(file);
    list_.labels.push_back(classes.empty() ? -1 : classes[0]);
    if (card_.multi_label) list_.all_classes.push_back(std::move(classes));
  }

  void join(const Row& row, size_t item, const std::vector<int>& classes) {
    if (card_.multi_label) {
      std::vector<int>& all = list_.all_classes[item];
      for (const int c : classes)
        if (std::ranges::find(all, c) == all.end()) all.push_back(c);
      if (!all.empty()) list_.labels[item] = all[0];
    } else if (list_.labels[item] != classes[0]) {
      throw core::Error(where(file_, row.line) + shown(row.path) + " is " + shown(row.labels[0]) + ", and " +
                        shown(card_.classes[static_cast<size_t>(list_.labels[item])]) + " in line " +
                        std::to_string(lines_[item]) +
                        "; expected one label, or multi_label: true in the card when a picture may have several");
    }
  }

  const Card& card_;
  const fs::path& file_;
  std::map<std::string, int, std::less<>> number_;  // of a class
  std::map<std::string, size_t> place_;             // of a file in the list
  std::vector<int64_t> lines_;                      // of each picture
  PictureList list_;
};

}  // namespace

void check_csv(const Card& card, const std::string& split) { check_pictures(card, split, "CSV file"); }

std::vector<std::string> csv_classes(const Card& card, const std::string& split) {
  std::set<std::string> names;
  for (const Row& row : read_rows(place_of(card, split), card.multi_label).rows)
    names.insert(row.labels.begin(), row.labels.end());
  return {names.begin(), names.end()};
}

std::vector<std::string> csv_pictures(const Card& card, const std::string& split) {
  const fs::path file = place_of(card, split);
  std::vector<std::string> pictures;
  for (const Row& row : read_rows(file, card.multi_label).rows)
    pictures.push_back(find_picture(file.parent_path(), row.path));
  return pictures;
}

std::shared_ptr<const Dataset> open_csv(const Card& card, const std::string& split, const std::vector<fs::path>& files,
                                        const OpenOptions& options) {
  ListReader reader(card, files[0]);
  PictureList list = reader.read();
  tell_unused(files[0], reader.unused, options);
  if (!reader.header) {
    const std::string text = files[0].string() + ": no header; its columns are taken for path and label";
    tell({false, "csv_without_header", split, 1, text, {}}, options);
  }
  if (list.files.empty()) throw core::Error(files[0].string() + ": no row below the header; expected one per picture");
  return open_pictures(std::make_shared<Pictures>(std::move(list), card.shape, card.classes, card.normalization),
                       options);
}

}  // namespace condenser::data
