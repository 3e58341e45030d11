// IDX files: what is read, and every way in which one can be wrong.
#include "condenser/core/error.hpp"
#include "data/fixtures.hpp"
#include "data/formats/formats.hpp"
#include "support/catch.hpp"

using namespace condenser::data;
using namespace condenser::data::testing;

namespace {

Card idx_card(ItemShape shape = {1, 2, 3}) {
  Card card;
  card.file = "card.yaml";
  card.format = "idx";
  card.shape = shape;
  card.classes = {"zero", "one", "two"};
  card.splits["train"] = {{"images", ""}, {"labels", ""}};
  return card;
}

const std::string kPixels = "abcdefghijklmnopqr";  // three images of 1x2x3
const std::string kLabels("\2\0\1", 3);

std::string error_with(const std::string& images, const std::string& labels, const Card& card = idx_card()) {
  TempFolder folder;
  const std::vector<std::filesystem::path> files = {folder.write("images", images), folder.write("labels", labels)};
  return error_of([&] { read_idx(card, files); });
}

}  // namespace

TEST_CASE("IDX is read raw and gzipped", "[data]") {
  TempFolder folder;
  const auto images = idx_bytes({3, 2, 3}, kPixels), labels = idx_bytes({3}, kLabels);
  for (bool packed : {false, true}) {
    const RawImages raw = read_idx(idx_card(), {folder.write("images", packed ? gzip(images) : images),
                                                folder.write("labels", packed ? gzip(labels) : labels)});
    CHECK(std::string(raw.pixels.begin(), raw.pixels.end()) == kPixels);
    CHECK(raw.labels == std::vector<int>{2, 0, 1});
  }
}

TEST_CASE("IDX with channels has four dimensions", "[data]") {
  TempFolder folder;
  const auto labels = idx_bytes({3}, kLabels);
  const RawImages raw = read_idx(
      idx_card({3, 1, 2}), {folder.write("images", idx_bytes({3, 3, 1, 2}, kPixels)), folder.write("labels", labels)});
  CHECK(std::string(raw.pixels.begin(), raw.pixels.end()) == kPixels);
  CHECK(contains(error_with(idx_bytes({3, 2, 3}, kPixels), labels, idx_card({3, 1, 2})), "00 00 08 04"));
}

TEST_CASE("IDX errors say file, found and expected", "[data]") {
  const auto images = idx_bytes({3, 2, 3}, kPixels), labels = idx_bytes({3}, kLabels);
  REQUIRE(error_with(images, labels).empty());
  const std::string cut = error_with(images.substr(0, images.size() - 1), labels);
  CHECK(contains(cut, "images: 17 bytes of data (unpacked); expected 18 for 3 images of 1x2x3; the file is cut short"));
  CHECK(contains(error_with(images + "x", labels), "19 bytes of data (unpacked); expected 18"));
  CHECK(contains(error_with(images, labels.substr(0, labels.size() - 1)), "labels: 2 bytes of data (unpacked)"));
  CHECK(contains(error_with("", labels), "images: 0 bytes (unpacked); expected at least the 16"));
  CHECK(contains(error_with(images, "\0\0"), "expected at least the 8"));
  CHECK(contains(error_with(labels + images, images), "first bytes 00 00 08 01 are not those of IDX images"));
  CHECK(contains(error_with(images, images), "not those of IDX labels"));
  CHECK(contains(error_with(idx_bytes({3, 3, 2}, kPixels), labels), "images of 1x3x2; expected 1x2x3"));
  CHECK(contains(error_with(images, idx_bytes({2}, "ab")), "2 labels; expected 3, one for each image"));
  CHECK(contains(error_with(images, idx_bytes({3}, std::string("\0\3\0", 3))),
                 "labels: item 1 has label 3; expected 0..2"));
  // A count that asks for more than there is, up to the largest that fits the header.
  CHECK(contains(error_with(idx_bytes({0xffffffff, 2, 3}, kPixels), labels), "expected 25769803770"));
}

TEST_CASE("a gzipped IDX file that is cut or damaged is refused by name", "[data]") {
  const auto images = gzip(idx_bytes({3, 2, 3}, kPixels)), labels = idx_bytes({3}, kLabels);
  for (size_t keep = 2; keep < images.size(); ++keep) {
    CHECK(contains(error_with(images.substr(0, keep), labels), "/images: "));
  }
  std::string damaged = images;
  damaged[images.size() - 6] ^= 1;  // the checksum at the end
  CHECK(contains(error_with(damaged, labels), "/images: "));
}
