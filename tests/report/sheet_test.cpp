#include "condenser/report/sheet.hpp"

#include "condenser/core/error.hpp"
#include "data/formats/image.hpp"
#include "report/glyphs.hpp"
#include "support/catch.hpp"

namespace condenser::report {
namespace {

using Rgb = std::array<uint8_t, 3>;

Tile plain(int width, int height, Rgb colour, std::vector<std::string> caption = {}) {
  Tile tile{.width = width, .height = height, .rgb = {}, .caption = std::move(caption)};
  for (int i = 0; i < width * height; ++i) tile.rgb.insert(tile.rgb.end(), colour.begin(), colour.end());
  return tile;
}

data::Picture decoded(const std::string& png) { return data::decode_png(png, 3, "sheet.png"); }

int64_t count(const data::Picture& picture, Rgb colour) {
  int64_t n = 0;
  for (size_t i = 0; i < picture.pixels.size(); i += 3)
    n += picture.pixels[i] == colour[0] && picture.pixels[i + 1] == colour[1] && picture.pixels[i + 2] == colour[2];
  return n;
}

int64_t glyph_pixels(const std::string& text) {
  int64_t n = 0;
  for (const char c : text)
    for (const uint8_t row : kGlyphs[static_cast<size_t>(c - 32)]) n += __builtin_popcount(row);
  return n;
}

constexpr Rgb kRed{255, 0, 0}, kBlue{0, 0, 255}, kInk{1, 2, 3}, kWhite{255, 255, 255};

}  // namespace

TEST_CASE("a sheet shows every pixel of its tiles, row by row", "[report][sheet]") {
  const auto sheet = decoded(sheet_png({plain(30, 10, kRed), plain(30, 10, kBlue), plain(20, 10, kRed)}, 2));
  CHECK(count(sheet, kRed) == 500);
  CHECK(count(sheet, kBlue) == 300);
  CHECK(count(sheet, kWhite) == sheet.h * sheet.w - 800);
  const auto first = [&](Rgb colour) {
    for (int i = 0; i < sheet.h * sheet.w; ++i)
      if (sheet.pixels[static_cast<size_t>(3 * i)] == colour[0] &&
          sheet.pixels[static_cast<size_t>(3 * i + 2)] == colour[2])
        return std::pair(i / sheet.w, i % sheet.w);
    return std::pair(-1, -1);
  };
  CHECK(first(kRed).first == first(kBlue).first);
  CHECK(first(kBlue).second >= first(kRed).second + 30);
}

TEST_CASE("captions are drawn in their ink, what is too long ends in two dots", "[report][sheet]") {
  Tile tile = plain(100, 10, kRed, {"cat 0.70", "/ dog 0.30"});
  tile.ink = kInk;
  CHECK(count(decoded(sheet_png({tile}, 1)), kInk) == glyph_pixels("cat0.70/dog0.30"));
  const std::string longest(200, 'i');
  tile.caption = {longest};
  const auto sheet = decoded(sheet_png({tile}, 1));
  CHECK(sheet.w < 300);
  CHECK(count(sheet, kInk) < glyph_pixels(longest));
  CHECK((count(sheet, kInk) - glyph_pixels("..")) % glyph_pixels("i") == 0);
  tile.caption = {"\xc3\xa9"};  // two bytes outside of ASCII
  CHECK(count(decoded(sheet_png({tile}, 1)), kInk) == glyph_pixels("??"));
}

TEST_CASE("glyphs of printable characters differ from one another", "[report][sheet]") {
  for (size_t a = 0; a < kGlyphs.size(); ++a)
    for (size_t b = a + 1; b < kGlyphs.size(); ++b) {
      INFO(static_cast<char>(a + 32) << " and " << static_cast<char>(b + 32));
      CHECK(kGlyphs[a] != kGlyphs[b]);
    }
}

TEST_CASE("a heat map is brighter where values are higher", "[report][sheet]") {
  std::vector<float> values;
  for (int i = 0; i < 20; ++i) values.push_back(static_cast<float>(i));
  const Tile tile = heat_map(values, 1, 20, 2, 17);
  const auto brightness = [&](size_t i) { return tile.rgb[3 * i] + tile.rgb[3 * i + 1] + tile.rgb[3 * i + 2]; };
  for (size_t i = 3; i < 18; ++i) CHECK(brightness(i) > brightness(i - 1));
  CHECK(brightness(0) == brightness(2));
  CHECK(brightness(19) == brightness(17));
}

TEST_CASE("enlarging repeats pixels", "[report][sheet]") {
  Tile tile{.width = 2, .height = 1, .rgb = {1, 2, 3, 4, 5, 6}, .caption = {"kept"}};
  const Tile large = enlarged(tile, 2, 3);
  CHECK(large.width == 4);
  CHECK(large.height == 3);
  CHECK(large.caption == tile.caption);
  const std::vector<uint8_t> row{1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6};
  for (size_t y = 0; y < 3; ++y)
    CHECK(std::equal(row.begin(), row.end(), large.rgb.begin() + static_cast<int64_t>(12 * y)));
}

TEST_CASE("a sheet without pictures, or with pixels missing, is refused", "[report][sheet]") {
  CHECK_THROWS_AS(sheet_png({}, 4), core::Error);
  Tile tile = plain(4, 4, kRed);
  tile.rgb.pop_back();
  CHECK_THROWS_AS(sheet_png({tile}, 4), core::Error);
}

}  // namespace condenser::report
