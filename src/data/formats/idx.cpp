// IDX files, gzipped or raw: images as unsigned bytes in three dimensions [n, h, w] (one channel) or four [n, c, h, w],
// labels in one. Format: Y. LeCun, "The MNIST database of handwritten digits" (two zero bytes, type 8 = unsigned byte,
// number of dimensions, extents as big-endian 32-bit numbers, data).
#include <algorithm>
#include <iterator>

#include "condenser/core/error.hpp"
#include "condenser/core/files.hpp"
#include "data/formats/formats.hpp"

namespace condenser::data {
namespace {

// Larger than any set meant for memory; keeps a hostile gzip file from filling it.
constexpr size_t kMostImageBytes = size_t{4} << 30;
constexpr size_t kMostLabelBytes = size_t{64} << 20;

struct Idx {
  std::vector<int64_t> extents;
  std::string_view data;
};

std::string hex_byte(unsigned char byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  return {kDigits[byte >> 4], kDigits[byte & 15]};
}

int64_t big_endian32(std::string_view bytes) {
  uint32_t value = 0;
  for (char byte : bytes.substr(0, 4)) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

// Checks magic number and size; `dimensions` is what is expected.
Idx parse_idx(std::string_view bytes, int dimensions, const std::filesystem::path& file, std::string_view what) {
  const size_t header = 4 + 4 * static_cast<size_t>(dimensions);
  if (bytes.size() < header) {
    throw core::Error(file.string() + ": " + std::to_string(bytes.size()) +
                      " bytes (unpacked); expected at least the " + std::to_string(header) + " of an IDX header of " +
                      std::string(what) + "; the file is cut short or not IDX");
  }
  const std::string_view expected("\0\0\x08", 3);
  if (bytes.substr(0, 3) != expected || bytes[3] != static_cast<char>(dimensions)) {
    std::string found;
    for (char byte : bytes.substr(0, 4)) found += hex_byte(static_cast<unsigned char>(byte)) + " ";
    throw core::Error(file.string() + ": first bytes " + found + "are not those of IDX " + std::string(what) +
                      "; expected 00 00 08 " + hex_byte(static_cast<unsigned char>(dimensions)) +
                      " (a split lists images, then labels)");
  }
  Idx idx;
  for (int d = 0; d < dimensions; ++d) idx.extents.push_back(big_endian32(bytes.substr(4 + 4 * d)));
  idx.data = bytes.substr(header);
  return idx;
}

void check_size(const Idx& idx, int64_t expected, const std::filesystem::path& file, const std::string& reason) {
  if (std::ssize(idx.data) == expected) return;
  throw core::Error(file.string() + ": " + std::to_string(idx.data.size()) + " bytes of data (unpacked); expected " +
                    std::to_string(expected) + " for " + reason +
                    (std::ssize(idx.data) < expected ? "; the file is cut short" : "; the file has bytes too many"));
}

}  // namespace

void check_idx(const Card& card, const std::string& split) {
  if (card.splits.at(split).size() != 2) {
    throw core::Error("split " + split + " lists " + std::to_string(card.splits.at(split).size()) +
                      " files; expected two: images, then labels");
  }
  if (card.classes.empty() || card.classes.size() > 256) {
    throw core::Error("classes lists " + std::to_string(card.classes.size()) + " names; expected 1..256 for idx");
  }
}

RawImages read_idx(const Card& card, const std::vector<std::filesystem::path>& files) {
  const ItemShape shape = card.shape;
  const std::string images_bytes = core::read_gzip(files[0], kMostImageBytes);
  const Idx images = parse_idx(images_bytes, shape.c == 1 ? 3 : 4, files[0], "images");
  ItemShape found;
  if (shape.c == 1) {
    found = {1, images.extents[1], images.extents[2]};
  } else {
    found = {images.extents[1], images.extents[2], images.extents[3]};
  }
  if (found != shape) {
    throw core::Error(files[0].string() + ": images of " + shape_text(found) + "; expected " + shape_text(shape) +
                      " as in " + card.file.string());
  }
  const int64_t count = images.extents[0];
  check_size(images, count * shape.elements(), files[0], std::to_string(count) + " images of " + shape_text(shape));

  const std::string labels_bytes = core::read_gzip(files[1], kMostLabelBytes);
  const Idx labels = parse_idx(labels_bytes, 1, files[1], "labels");
  check_size(labels, labels.extents[0], files[1], std::to_string(labels.extents[0]) + " labels");
  if (labels.extents[0] != count) {
    throw core::Error(files[1].string() + ": " + std::to_string(labels.extents[0]) + " labels; expected " +
                      std::to_string(count) + ", one for each image of " + files[0].string());
  }

  RawImages raw;
  raw.pixels.assign(images.data.begin(), images.data.end());
  raw.labels.reserve(count);
  for (char byte : labels.data) {
    raw.labels.push_back(static_cast<unsigned char>(byte));
    check_label(raw.labels.back(), std::ssize(raw.labels) - 1, files[1], card);
  }
  return raw;
}

}  // namespace condenser::data
