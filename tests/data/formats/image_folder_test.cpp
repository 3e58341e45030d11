// Folders of pictures: decoding, grey and RGB, class order, and pictures that cannot be read.
#include <algorithm>
#include <cmath>

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

namespace fs = std::filesystem;

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

// Slow waves of colour.
std::vector<uint8_t> waves(int h, int w) {
  std::vector<uint8_t> pixels;
  for (int y = 0; y < h; ++y) {
    for (int x = 0; x < w; ++x) {
      for (double phase : {0.0, 1.0, 2.5}) {
        pixels.push_back(static_cast<uint8_t>(128 + 60 * std::sin(x / 17.0 + phase) + 50 * std::cos(y / 13.0 - phase)));
      }
    }
  }
  return pixels;
}

int largest_difference(const Picture& a, const Picture& b) {
  const View x = view_of(a), y = view_of(b);
  int largest = 0;
  for (int row = 0; row < a.h; ++row) {
    for (int i = 0; i < a.w * a.c; ++i) {
      largest = std::max(largest, std::abs(x.pixels[row * x.stride + i] - y.pixels[row * y.stride + i]));
    }
  }
  return largest;
}

// Of both after resizing.
double mean_difference(const Picture& a, const Picture& b, int h, int w) {
  std::vector<uint8_t> x(static_cast<size_t>(a.c) * h * w), y(x.size());
  resize_to_planes(view_of(a), h, w, x);
  resize_to_planes(view_of(b), h, w, y);
  double total = 0;
  for (size_t i = 0; i < x.size(); ++i) total += std::abs(int{x[i]} - int{y[i]});
  return total / static_cast<double>(x.size());
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

struct Items {
  std::vector<std::string> classes;
  std::vector<int> labels;
  std::vector<int> pixels;  // the first of each
};

Items read_folder(const Card& card, const std::string& split) {
  const auto dataset = open_split(card, split);
  Items items{dataset->classes(), {}, {}};
  std::vector<float> values(card.shape.elements());
  for (int64_t i = 0; i < dataset->size(); ++i) {
    dataset->get(i, values);
    items.labels.push_back(dataset->label(i));
    items.pixels.push_back(static_cast<int>(std::lround(values[0] * 255)));
  }
  return items;
}

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

TEST_CASE("transparency of a PNG is left out", "[data]") {
  const std::vector<uint8_t> pixels = {200, 100, 50, 255, 200, 100, 50, 0};
  CHECK(decode_picture(png_bytes(4, 1, 2, pixels), 3, "x.png").pixels ==
        std::vector<uint8_t>{200, 100, 50, 200, 100, 50});
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

TEST_CASE("a window of a JPEG is what the whole has there", "[data]") {
  // Smooth, so that neighbouring blocks agree and a shift by one pixel would show.
  for (const bool halved : {false, true}) {
    const std::string bytes = jpeg_bytes(3, 120, 150, waves(120, 150), 95, {.halved_colour = halved});
    const Picture whole = decode_jpeg(bytes, 3, "x.jpg");
    for (const Window window : {Window{0, 0, 1, 1}, {0.25, 0.5, 0.5, 0.25}, {0.6, 0.1, 0.4, 0.9}, {0, 0.7, 0.3, 0.3}}) {
      const Picture part = decode_jpeg(bytes, 3, "x.jpg", {window});
      const Rect rect = rect_of(window, 120, 150);
      REQUIRE(part.h == rect.h);
      REQUIRE(part.w == rect.w);
      Picture cut = whole;
      cut.h = rect.h, cut.w = rect.w, cut.stride = 150 * 3, cut.first = (rect.y * 150 + rect.x) * 3;
      CHECK(largest_difference(part, cut) <= 2);
    }
  }
}

TEST_CASE("scaled decoding is close to decoding all and resizing", "[data]") {
  const std::string jpeg = jpeg_bytes(3, 240, 320, waves(240, 320), 95);
  const std::string progressive = jpeg_bytes(3, 240, 320, waves(240, 320), 95, {.progressive = true});
  for (const std::string& bytes : {jpeg, progressive}) {
    for (auto [h, w, scaled_h] :
         {std::tuple{7, 10, 30}, {15, 20, 60}, {16, 20, 120}, {30, 40, 120}, {31, 40, 240}, {224, 224, 240}}) {
      const Picture small = decode_jpeg(bytes, 3, "x.jpg", {{}, h, w});
      CHECK(small.h == scaled_h);
      CHECK(mean_difference(small, decode_jpeg(bytes, 3, "x.jpg"), h, w) < 1.5);
      const Window window{0.1, 0.3, 0.8, 0.6};
      const Picture part = decode_jpeg(bytes, 3, "x.jpg", {window, h / 2, w / 2});
      CHECK(part.h <= 192);
      CHECK(mean_difference(part, decode_jpeg(bytes, 3, "x.jpg", {window}), h / 2, w / 2) < 1.5);
    }
  }
}

TEST_CASE("a window of a PNG is cut out", "[data]") {
  const auto rgb = ramp(3, 8, 10);
  const Picture part = decode_png(png_bytes(3, 8, 10, rgb), 3, "x.png", {{0.25, 0.5, 0.5, 0.3}});
  REQUIRE(part.h == 4);
  REQUIRE(part.w == 3);
  const View view = view_of(part);
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 9; ++x) CHECK(view.pixels[y * view.stride + x] == rgb[(2 + y) * 30 + 15 + x]);
  }
}

TEST_CASE("PNG of 16 bits is brought to 8", "[data]") {
  const std::vector<uint16_t> wide = {0, 257, 128 * 257, 255 * 257, 1000, 65000};
  CHECK(decode_png(png16_bytes(2, 3, wide), 1, "x.png").pixels == std::vector<uint8_t>{0, 1, 128, 255, 3, 253});
}

TEST_CASE("a JPEG that repeats its scans is refused", "[data]") {
  // A progressive file, its scans copied until there are too many.
  std::string bytes = jpeg_bytes(1, 16, 16, ramp(1, 16, 16), 90, {.progressive = true});
  const size_t scans = bytes.find("\xff\xda"), end = bytes.size() - 2;
  REQUIRE(scans < end);
  const std::string body = bytes.substr(bytes.rfind("\xff\xc4", scans), end - bytes.rfind("\xff\xc4", scans));
  std::string many = bytes.substr(0, end);
  for (int i = 0; i < 100; ++i) many += body;
  CHECK_FALSE(error_of([&] { decode_jpeg(many + "\xff\xd9", 1, "many.jpg"); }).empty());
}

TEST_CASE("pictures that cannot be read are refused by name", "[data]") {
  const std::string jpeg = jpeg_bytes(3, 24, 24, ramp(3, 24, 24)), png = png_bytes(3, 24, 24, ramp(3, 24, 24));
  const auto refused = [](const std::string& bytes, const std::string& name) {
    return error_of([&] { decode_picture(bytes, 3, name); });
  };
  CHECK(contains(refused("GIF89a", "x.png"), "x.png: GIF"));
  CHECK(contains(refused("RIFF....WEBPVP8 ", "x.jpg"), "x.jpg: WebP"));
  CHECK(contains(refused("", "x.png"), "an empty file"));
  for (size_t keep = 8; keep < jpeg.size() - 2; keep += 13) {
    CHECK(contains(refused(jpeg.substr(0, keep), "cut.jpg"), "cut.jpg: damaged JPEG"));
  }
  for (size_t keep = 8; keep < png.size() - 20; keep += 5) {
    CHECK(contains(refused(png.substr(0, keep), "cut.png"), "cut.png: damaged PNG"));
  }
  CHECK(contains(error_of([] { check_extent(2'000'000, 1, "huge.png"); }), "huge.png: picture of 2000000x1"));
  CHECK(contains(error_of([] { check_extent(20000, 20000, "huge.png"); }), "300,000,000 pixels"));
  CHECK(contains(error_of([] { check_extent(0, 5, "none.png"); }), "has no pixels"));
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
  Items raw = read_folder(card, "train");
  CHECK(raw.classes == std::vector<std::string>{"a", "b"});
  CHECK(raw.labels == std::vector<int>{0, 1, 1});
  CHECK(raw.pixels == std::vector<int>{3, 1, 2});
  // The test split lacks class a: the labels stay those of the training split.
  raw = read_folder(card, "test");
  CHECK(raw.classes == std::vector<std::string>{"a", "b"});
  CHECK(raw.labels == std::vector<int>{1});
}

TEST_CASE("the card's list gives the order of classes", "[data]") {
  TempFolder folder;
  folder.write("train/a/1.png", grey_png(1));
  folder.write("train/b/1.png", grey_png(2));
  const Items raw = read_folder(folder_card(folder, {"b", "a"}), "train");
  CHECK(raw.classes == std::vector<std::string>{"b", "a"});
  CHECK(raw.labels == std::vector<int>{0, 1});
  CHECK(raw.pixels[0] == 2);
}

TEST_CASE("image folder errors name the folder or file", "[data]") {
  Quiet quiet;
  TempFolder folder;
  folder.write("train/good/1.png", grey_png(1));
  folder.write("train/worn/1.png", grey_png(1));
  const auto read = [&](std::vector<std::string> classes = {}) {
    return error_of([&] { read_folder(folder_card(folder, classes), "train"); });
  };
  CHECK(read().empty());
  CHECK(contains(read({"god", "worn"}), "train/good: \"good\" is not one of the 2 classes; did you mean god?"));
  folder.write("train/good/2.png", "not a picture");
  CHECK(contains(read(), "train/good/2.png: 13 bytes that begin neither"));
  std::filesystem::remove(folder.path() / "train/good/2.png");
  folder.write("train/bad/notes.txt", "x");
  CHECK(contains(read(), "train: no item of class \"bad\" to learn from"));
  std::filesystem::remove_all(folder.path() / "train");
  CHECK(contains(read(), "train: no such folder"));
  std::filesystem::create_directory(folder.path() / "train");
  CHECK(contains(read(), "train: no folder in it; expected one folder per class"));
  folder.write("train/only/1.png", grey_png(1));
  CHECK(contains(read(), "train: 1 classes; expected at least 2"));
}

TEST_CASE("links in a folder are followed, broken ones are named or left out", "[data]") {
  Quiet quiet;
  TempFolder folder;
  for (const char* name : {"train/a/1.png", "train/b/1.png"}) folder.write(name, grey_png(7));
  const Card card = folder_card(folder);
  fs::create_symlink("self.png", folder.path() / "train/a/self.png");
  CHECK(contains(error_of([&] { read_folder(card, "train"); }), "train/a/self.png: cannot read"));
  CHECK(open_split(card, "train", {.on_damaged = OnDamaged::Skip})->size() == 2);
  fs::remove(folder.path() / "train/a/self.png");
  fs::create_symlink("c", folder.path() / "train/c");
  CHECK(contains(error_of([&] { open_split(card, "train"); }), "train/c: a link that leads nowhere"));
  CHECK(open_split(card, "train", {.on_damaged = OnDamaged::Skip})->size() == 2);
}

TEST_CASE("folders of classes that look alike are refused with both names", "[data]") {
  TempFolder folder;
  for (const char* name : {"train/cat/1.png", "train/cat /1.png", "train/dog/1.png"}) folder.write(name, grey_png(7));
  const Card card = folder_card(folder);
  CHECK(contains(error_of([&] { open_split(card, "train"); }), "\"cat\" and \"cat \" look alike"));
}

TEST_CASE("a class without training pictures is an error unless allowed", "[data]") {
  TempFolder folder;
  for (const char* name : {"train/a/1.png", "train/b/1.png"}) folder.write(name, grey_png(7));
  Card card = folder_card(folder, {"a", "b", "c"});
  CHECK(contains(error_of([&] { open_split(card, "train"); }), "no item of class \"c\" to learn from"));
  card.allow_empty_classes = true;
  CHECK(open_split(card, "train")->classes().size() == 3);
}
