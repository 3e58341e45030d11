// The binary versions of CIFAR-10 and CIFAR-100 (A. Krizhevsky, "Learning Multiple Layers of Features from Tiny
// Images", 2009): records of label bytes and the planes of the image, row by row. CIFAR-10 has one label, CIFAR-100
// two, coarse then fine; the card's `labels` says which counts. The number of records follows from the size of the
// file, so subsets read like the original; files of a split are joined in the card's order.
#include <iterator>

#include "condenser/core/error.hpp"
#include "condenser/core/files.hpp"
#include "data/formats/formats.hpp"

namespace condenser::data {
namespace {

void append_records(const std::filesystem::path& file, const Card& card, RawImages& raw) {
  const std::string bytes = core::read_file(file);
  const size_t labels = card.format == "cifar100_binary" ? 2 : 1;
  const size_t record = labels + static_cast<size_t>(card.shape.elements());
  const size_t which = labels == 2 && card.labels == "fine" ? 1 : 0;
  if (bytes.empty() || bytes.size() % record != 0) {
    throw core::Error(file.string() + ": " + std::to_string(bytes.size()) +
                      " bytes = " + std::to_string(bytes.size() / record) + " records and " +
                      std::to_string(bytes.size() % record) + " bytes; expected a multiple of " +
                      std::to_string(record) + " (" + (labels == 1 ? "label byte" : "two label bytes") + " and " +
                      shape_text(card.shape) + " image); the file is cut short or has another shape");
  }
  raw.pixels.reserve(raw.pixels.size() + bytes.size());
  for (size_t at = 0; at < bytes.size(); at += record) {
    const int label = static_cast<unsigned char>(bytes[at + which]);
    check_label(label, static_cast<int64_t>(at / record), file, card);
    raw.labels.push_back(label);
    raw.pixels.insert(raw.pixels.end(), bytes.begin() + at + labels, bytes.begin() + at + record);
  }
}

}  // namespace

void check_cifar_binary(const Card& card, const std::string& split) {
  if (card.splits.at(split).empty()) throw core::Error("split " + split + " lists no file; expected one or more");
  if (card.classes.empty() || card.classes.size() > 256) {
    throw core::Error("classes lists " + std::to_string(card.classes.size()) + " names; expected 1..256 for " +
                      card.format);
  }
}

RawImages read_cifar_binary(const Card& card, const std::vector<std::filesystem::path>& files) {
  RawImages raw;
  for (const std::filesystem::path& file : files) append_records(file, card, raw);
  return raw;
}

}  // namespace condenser::data
