// Folders of pictures: decoding, grey and RGB, class order, and pictures that cannot be read.
#include <algorithm>

#include "condenser/core/error.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/rng.hpp"
#include "data/fixtures.hpp"
#include "data/formats/formats.hpp"
#include "data/formats/image.hpp"
#include "support/catch.hpp"

using namespace condenser::data;
using namespace condenser::data::testing;

namespace {

// A smooth picture, which JPEG keeps within a few steps.
std::vector<uint8_t> ramp(int c, int h, int w) {
  std::vector<uint8_t> pixels;
  for (int y = 0; y < h; ++y) {
    for (int x = 0; x < w; ++x) {
      for (int k = 0; k < c; ++k) pixels.push_back(static_cast<uint8_t>(40 + 5 * x + 3 * y + 20 * k));
    }
  }
  return pixels;
}

void check_near(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b, int tolerance) {
  REQUIRE(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) CHECK(std::abs(int{a[i]} - int{b[i]}) <= tolerance);
}

Card folder_card(const TempFolder& folder, std::vector<std::string> classes = {}, ItemShape shape = {1, 4, 4}) {
  Card card;
  card.file = folder.path() / "card.yaml";
  card.root = folder.path();
  card.format = "image_folder";
  card.shape = shape;
  card.classes = std::move(classes);
  card.splits["train"] = {{"train", ""}};
  card.splits["test"] = {{"test", ""}};
  return card;
}

std::string grey_png(uint8_t value) { return png_bytes(1, 2, 2, std::vector<uint8_t>(4, value)); }

struct Quiet {
  Quiet() { condenser::core::log::set_level(condenser::core::log::Level::Error); }
  ~Quiet() { condenser::core::log::set_level(condenser::core::log::Level::Info); }
};

}  // namespace

TEST_CASE("PNG is decoded without loss", "[data]") {
  const auto grey = ramp(1, 5, 7), rgb = ramp(3, 5, 7);
  Picture picture = decode_picture(png_bytes(1, 5, 7, grey), 1, "x.png");
  CHECK(picture.h == 5);
  CHECK(picture.w == 7);
  CHECK(picture.pixels == grey);
  CHECK(decode_picture(png_bytes(3, 5, 7, rgb), 3, "x.png").pixels == rgb);
  picture = decode_picture(png_bytes(1, 5, 7, grey), 3, "x.png");
  for (size_t i = 0; i < grey.size(); ++i) CHECK(picture.pixels[3 * i + 1] == grey[i]);
  picture = decode_picture(png_bytes(3, 5, 7, rgb), 1, "x.png");
  for (size_t i = 0; i < grey.size(); ++i) {
    CHECK(picture.pixels[i] == std::lround(0.299 * rgb[3 * i] + 0.587 * rgb[3 * i + 1] + 0.114 * rgb[3 * i + 2]));
  }
}

TEST_CASE("transparent PNG pixels are black", "[data]") {
  const std::vector<uint8_t> pixels = {200, 100, 50, 255, 200, 100, 50, 0};
  CHECK(decode_picture(png_bytes(4, 1, 2, pixels), 3, "x.png").pixels == std::vector<uint8_t>{200, 100, 50, 0, 0, 0});
}

TEST_CASE("JPEG is decoded to grey or RGB as asked", "[data]") {
  const auto grey = ramp(1, 16, 16), rgb = ramp(3, 16, 16);
  check_near(decode_picture(jpeg_bytes(1, 16, 16, grey), 1, "x.jpg").pixels, grey, 2);
  check_near(decode_picture(jpeg_bytes(3, 16, 16, rgb), 3, "x.jpg").pixels, rgb, 4);
  const Picture as_rgb = decode_picture(jpeg_bytes(1, 16, 16, grey), 3, "x.jpg");
  const Picture as_grey = decode_picture(jpeg_bytes(3, 16, 16, rgb), 1, "x.jpg");
  REQUIRE(as_rgb.pixels.size() == rgb.size());
  for (size_t i = 0; i < grey.size(); ++i) {
    CHECK(as_rgb.pixels[3 * i] == as_rgb.pixels[3 * i + 2]);
    CHECK(std::abs(as_grey.pixels[i] - (0.299 * rgb[3 * i] + 0.587 * rgb[3 * i + 1] + 0.114 * rgb[3 * i + 2])) < 3);
  }
}

TEST_CASE("pictures that cannot be read are refused by name", "[data]") {
  const std::string jpeg = jpeg_bytes(3, 24, 24, ramp(3, 24, 24)), png = png_bytes(3, 24, 24, ramp(3, 24, 24));
  const auto refused = [](const std::string& bytes, const std::string& name) {
    return error_of([&] { decode_picture(bytes, 3, name); });
  };
  CHECK(contains(refused(jpeg_bytes(4, 8, 8, std::vector<uint8_t>(256, 9)), "print.jpg"), "print.jpg: CMYK JPEG"));
  CHECK(contains(refused("GIF89a", "x.png"), "x.png: 6 bytes that begin neither as JPEG nor as PNG"));
  CHECK(contains(refused("", "x.png"), "0 bytes"));
  for (size_t keep = 8; keep < jpeg.size() - 2; keep += 13) {
    CHECK(contains(refused(jpeg.substr(0, keep), "cut.jpg"), "cut.jpg: damaged JPEG"));
  }
  for (size_t keep = 8; keep < png.size() - 20; keep += 5) {
    CHECK(contains(refused(png.substr(0, keep), "cut.png"), "cut.png: damaged PNG"));
  }
  CHECK(contains(error_of([] { check_extent(40000, 1, "huge.png"); }), "huge.png: picture of 40000x1"));
  CHECK(contains(error_of([] { check_extent(20000, 20000, "huge.png"); }), "at most 32768 a side"));
}

TEST_CASE("damaged pictures only give errors", "[data]") {
  const std::vector<std::string> originals = {jpeg_bytes(3, 17, 13, ramp(3, 17, 13)), png_bytes(3, 9, 9, ramp(3, 9, 9)),
                                              jpeg_bytes(1, 8, 8, ramp(1, 8, 8))};
  condenser::core::Rng rng(1);
  for (int round = 0; round < 600; ++round) {
    std::string bytes = originals[round % originals.size()];
    for (int changes = 1 + static_cast<int>(rng.below(4)); changes > 0; --changes) {
      bytes[rng.below(bytes.size())] = static_cast<char>(rng.below(256));
    }
    try {
      const Picture picture = decode_picture(bytes, 1 + 2 * static_cast<int>(rng.below(2)), "x");
      CHECK(picture.pixels.size() == static_cast<size_t>(picture.c) * picture.h * picture.w);
    } catch (const condenser::core::Error&) {
    }
  }
}

TEST_CASE("classes are the sorted folders of the training split", "[data]") {
  TempFolder folder;
  folder.write("train/b/2.png", grey_png(2));
  folder.write("train/b/1.PNG", grey_png(1));
  folder.write("train/a/x.jpeg", grey_png(3));  // a PNG in spite of its name
  folder.write("train/.cache/x.png", "hidden");
  folder.write("train/b/.hidden.png", "hidden");
  folder.write("test/b/9.png", grey_png(9));
  const Card card = folder_card(folder);
  RawImages raw = read_image_folder(card, {folder.path() / "train"});
  CHECK(raw.classes == std::vector<std::string>{"a", "b"});
  CHECK(raw.labels == std::vector<int>{0, 1, 1});
  CHECK(raw.pixels[0] == 3);
  CHECK(raw.pixels[16] == 1);
  CHECK(raw.pixels[32] == 2);
  // The test split lacks class a: the labels stay those of the training split.
  raw = read_image_folder(card, {folder.path() / "test"});
  CHECK(raw.classes == std::vector<std::string>{"a", "b"});
  CHECK(raw.labels == std::vector<int>{1});
}

TEST_CASE("the card's list gives the order of classes", "[data]") {
  TempFolder folder;
  folder.write("train/a/1.png", grey_png(1));
  folder.write("train/b/1.png", grey_png(2));
  const RawImages raw = read_image_folder(folder_card(folder, {"b", "a"}), {folder.path() / "train"});
  CHECK(raw.classes == std::vector<std::string>{"b", "a"});
  CHECK(raw.labels == std::vector<int>{0, 1});
  CHECK(raw.pixels[0] == 2);
}

TEST_CASE("image folder errors name the folder or file", "[data]") {
  Quiet quiet;
  TempFolder folder;
  folder.write("train/good/1.png", grey_png(1));
  const auto read = [&](std::vector<std::string> classes = {}) {
    return error_of([&] { read_image_folder(folder_card(folder, classes), {folder.path() / "train"}); });
  };
  CHECK(read().empty());
  CHECK(contains(read({"god", "bad"}), "train/good: good is not one of the 2 classes; did you mean god?"));
  folder.write("train/good/2.png", "not a picture");
  CHECK(contains(read(), "train/good/2.png: 13 bytes that begin neither"));
  std::filesystem::remove(folder.path() / "train/good/2.png");
  folder.write("train/bad/notes.txt", "x");
  CHECK(contains(read(), "train/bad: no .jpg, .jpeg or .png file in it"));
  std::filesystem::remove_all(folder.path() / "train");
  CHECK(contains(read(), "train: no such folder"));
  std::filesystem::create_directory(folder.path() / "train");
  CHECK(contains(read(), "train: no folder in it; expected one folder per class"));
}
