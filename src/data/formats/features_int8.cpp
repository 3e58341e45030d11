// Features that are int8 already: one file an item, in a folder with y_labels.csv (lines "file,classes,label"). This is
// how MLPerf Tiny hands out its accuracy sets; `scale` and `zero_point` of the card turn the integers into numbers.
#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "condenser/core/csv.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/text.hpp"
#include "data/formats/formats.hpp"
#include "data/formats/listing.hpp"

namespace condenser::data {
namespace fs = std::filesystem;
namespace {

constexpr char kLabels[] = "y_labels.csv";
constexpr std::string_view kEndings[] = {".bin"};
constexpr size_t kMostLabelBytes = size_t{64} << 20, kMostItemBytes = size_t{64} << 20;

struct Line {
  std::string file;
  int label = -1;
};

int number(const std::string& text) {
  int value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : -1;
}

std::vector<Line> read_labels(const fs::path& file, const Card& card) {
  std::vector<Line> lines;
  core::read_csv(core::read_file(file, kMostLabelBytes), file, [&](int64_t at, const std::vector<std::string>& fields) {
    const std::string& name = fields[0];
    const bool plain = !name.empty() && name == fs::path(name).filename().string() && name != "..";
    if (fields.size() != 3 || !plain || number(fields[1]) != std::ssize(card.classes)) {
      throw core::Error(file.string() + ": line " + std::to_string(at) + " is \"" +
                        core::shown(core::join(fields, ",")) + "\"; expected a file beside it, the number of classes " +
                        std::to_string(card.classes.size()) + ", a label");
    }
    const int label = number(fields[2]);
    check_label(label, std::ssize(lines), file, card);
    lines.push_back({name, label});
  });
  return lines;
}

class Int8Dataset : public Dataset {
 public:
  Int8Dataset(const Card& card, const fs::path& folder) : card_(card) {
    for (Line& line : read_labels(folder / kLabels, card)) {
      const fs::path file = folder / line.file;
      const std::string bytes = core::read_file(file, kMostItemBytes);
      if (std::ssize(bytes) != shape().elements()) {
        throw core::Error(file.string() + ": " + std::to_string(bytes.size()) + " bytes; expected " +
                          std::to_string(shape().elements()) + " for " + shape_text(shape()) + " as in " +
                          card.file.string());
      }
      values_.insert(values_.end(), bytes.begin(), bytes.end());
      labels_.push_back(line.label);
      names_.push_back(file.string());
    }
    if (labels_.empty()) throw core::Error((folder / kLabels).string() + ": no items; expected at least one");
    for (int q = -128; q < 128; ++q) {
      const double value = (q - card.zero_point) * card.scale;
      table_[q + 128] = static_cast<float>((value - card.normalization.mean[0]) / card.normalization.std[0]);
    }
  }

  int64_t size() const override { return std::ssize(labels_); }
  ItemShape shape() const override { return card_.shape; }
  const std::vector<std::string>& classes() const override { return card_.classes; }
  const Normalization& normalization() const override { return card_.normalization; }
  int label(int64_t i) const override { return labels_[checked(i)]; }
  std::string name(int64_t i) const override { return names_[checked(i)]; }
  void get(int64_t i, std::span<float> out) const override {
    const signed char* values = values_.data() + checked(i) * shape().elements();
    for (int64_t k = 0; k < shape().elements(); ++k) out[k] = table_[values[k] + 128];
  }

 private:
  int64_t checked(int64_t i) const {
    if (i >= 0 && i < size()) return i;
    throw core::Error("data set: item " + std::to_string(i) + " asked for; it holds " + std::to_string(size()));
  }

  const Card card_;
  std::vector<signed char> values_;  // [n, h, w]
  std::vector<int> labels_;
  std::vector<std::string> names_;
  std::array<float, 256> table_{};  // by q + 128, normalized
};

// Files beside the list that it does not name.
UnusedFiles not_used(const Dataset& dataset, const fs::path& folder) {
  UnusedFiles unused;
  std::set<std::string> named;
  for (int64_t i = 0; i < dataset.size(); ++i) named.insert(dataset.name(i));
  for (const fs::path& file : list_files(folder, kEndings).files)
    if (!named.contains(file.string())) unused.add(Why::NotListed, file);
  return unused;
}

}  // namespace

std::vector<fs::path> int8_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const fs::path& path = entry.path();
    std::error_code ignored;
    if (entry.is_regular_file(ignored) && (path.extension() == ".bin" || path.filename() == kLabels))
      files.push_back(path);
  }
  std::ranges::sort(files, {}, [](const fs::path& file) -> const std::string& { return file.native(); });
  return files;
}

void check_features_int8(const Card& card, const std::string& split) {
  if (card.splits.at(split).size() != 1) {
    throw core::Error("split " + split + " lists " + std::to_string(card.splits.at(split).size()) +
                      " paths; expected one folder, with y_labels.csv in it");
  }
  if (card.shape.c != 1) {
    throw core::Error("shape has " + std::to_string(card.shape.c) + " channels; expected 1 for features_int8");
  }
  if (card.classes.empty()) throw core::Error("classes lists no names; expected those of the labels");
}

std::shared_ptr<const Dataset> open_features_int8(const Card& card, const std::string&,
                                                  const std::vector<fs::path>& files, const OpenOptions& options) {
  auto dataset = std::make_shared<Int8Dataset>(card, files[0]);
  tell_unused(files[0], not_used(*dataset, files[0]), options);
  return dataset;
}

}  // namespace condenser::data
