// A CSV file that lists pictures: a header row, then one row per picture with its `path` (relative to the file, or
// absolute) and its `label`, the name of a class. With the card's `multi_label` a label holds any number of classes,
// separated by semicolons. Other columns are passed over.
#include "data/csv.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "condenser/core/config.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/files.hpp"
#include "data/formats/formats.hpp"
#include "data/pictures.hpp"

namespace condenser::data {
namespace fs = std::filesystem;
namespace {

using Fields = std::vector<std::string>;

size_t column(const Fields& header, const std::string& name, const fs::path& file) {
  const auto found = std::ranges::find(header, name);
  if (found != header.end()) return static_cast<size_t>(found - header.begin());
  std::string list;
  for (const std::string& field : header) list += (list.empty() ? "" : ", ") + shown(field);
  throw core::Error(file.string() + ":1: columns " + list + "; expected path and label among them");
}

// "a; b" -> a, b. Empty parts do not count.
Fields split_label(const std::string& label, bool multi_label) {
  if (!multi_label) return {label};
  Fields parts;
  for (size_t at = 0; at <= label.size();) {
    const size_t end = std::min(label.find(';', at), label.size());
    const size_t first = label.find_first_not_of(' ', at);
    if (first < end) parts.push_back(label.substr(first, label.find_last_not_of(' ', end - 1) + 1 - first));
    at = end + 1;
  }
  return parts;
}

// Calls row(line, path, labels) for every picture.
template <class Row>
void read_index(const fs::path& file, bool multi_label, Row row) {
  size_t path = 0, label = 0, columns = 0;
  read_csv(core::read_file(file), file, [&](int64_t line, const Fields& fields) {
    if (columns == 0) {
      columns = fields.size();
      path = column(fields, "path", file);
      label = column(fields, "label", file);
      return;
    }
    const std::string where = file.string() + ":" + std::to_string(line);
    if (fields.size() != columns) {
      throw core::Error(where + ": " + std::to_string(fields.size()) + " fields; expected " + std::to_string(columns) +
                        " as in the header");
    }
    if (fields[path].empty()) throw core::Error(where + ": the path is empty");
    row(where, fields[path], split_label(fields[label], multi_label));
  });
  if (columns == 0) throw core::Error(file.string() + ": empty; expected a header row with path and label");
}

}  // namespace

void check_csv(const Card& card, const std::string& split) { check_pictures(card, split, "CSV file"); }

std::vector<std::string> csv_classes(const Card& card) {
  std::set<std::string> names;
  read_index(card.root / card.splits.at("train").at(0).path, card.multi_label,
             [&](const std::string& where, const std::string&, const Fields& labels) {
               for (const std::string& label : labels) {
                 if (label.empty()) throw core::Error(where + ": the label is empty; expected the name of a class");
                 names.insert(label);
               }
             });
  return {names.begin(), names.end()};
}

std::shared_ptr<const Dataset> open_csv(const Card& card, const std::string&, const std::vector<fs::path>& files,
                                        const OpenOptions& options) {
  std::map<std::string, int, std::less<>> number;
  for (const std::string& name : card.classes) number.emplace(name, static_cast<int>(number.size()));
  PictureList list;
  read_index(files[0], card.multi_label, [&](const std::string& where, const std::string& path, const Fields& labels) {
    std::vector<int> classes;
    for (const std::string& label : labels) {
      const auto found = number.find(label);
      if (found == number.end()) {
        const std::string near = core::config::nearest(label, card.classes);
        throw core::Error(where + ": label " + shown(label) + " is not one of the " +
                          std::to_string(card.classes.size()) + " classes" +
                          (near.empty() ? "" : "; did you mean " + near + "?"));
      }
      classes.push_back(found->second);
    }
    list.files.push_back((files[0].parent_path() / path).lexically_normal().string());
    list.labels.push_back(classes.empty() ? -1 : classes[0]);
    if (card.multi_label) list.all_classes.push_back(std::move(classes));
  });
  if (list.files.empty()) throw core::Error(files[0].string() + ": no row below the header; expected one per picture");
  return open_pictures(std::make_shared<Pictures>(std::move(list), card.shape, card.classes, card.normalization),
                       options);
}

}  // namespace condenser::data
