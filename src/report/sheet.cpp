// Lays tiles out on one white picture, writes captions with the font of glyphs.hpp, and packs it as PNG.
#include "condenser/report/sheet.hpp"

#include <png.h>

#include <algorithm>
#include <cmath>

#include "condenser/core/error.hpp"
#include "report/glyphs.hpp"

namespace condenser::report {
namespace {

using Rgb = std::array<uint8_t, 3>;
constexpr int kAdvance = kGlyphWidth + 1, kLine = kGlyphHeight + 2, kGap = 6;
constexpr int kLongestLine = 28;  // characters that a cell makes room for

struct Canvas {
  int width, height;
  std::vector<uint8_t> rgb;

  Canvas(int w, int h) : width(w), height(h), rgb(static_cast<size_t>(w) * static_cast<size_t>(h) * 3, 255) {}
  uint8_t* at(int x, int y) {
    return rgb.data() + (static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)) * 3;
  }
};

void draw_glyph(Canvas& canvas, int x, int y, char character, const Rgb& ink) {
  const auto code = static_cast<unsigned char>(character);
  const Glyph& glyph = kGlyphs[code >= 32 && code < 127 ? code - 32u : '?' - 32u];
  for (int row = 0; row < kGlyphHeight; ++row)
    for (int column = 0; column < kGlyphWidth; ++column)
      if (glyph[static_cast<size_t>(row)] >> (kGlyphWidth - 1 - column) & 1)
        std::copy(ink.begin(), ink.end(), canvas.at(x + column, y + row));
}

int fitting(int width) { return std::max(3, (width + 1) / kAdvance); }

void draw_text(Canvas& canvas, int x, int y, int width, std::string text, const Rgb& ink) {
  const auto fits = static_cast<size_t>(fitting(width));
  if (text.size() > fits) text = text.substr(0, fits - 2) + "..";
  for (const char character : text) {
    draw_glyph(canvas, x, y, character, ink);
    x += kAdvance;
  }
}

struct Layout {
  int cell_width = 3 * kAdvance, picture_height = 0, lines = 0;
  int cell_height() const { return picture_height + (lines > 0 ? 3 + lines * kLine : 0); }
};

Layout layout_of(const std::vector<Tile>& tiles) {
  Layout l;
  for (const Tile& tile : tiles) {
    if (tile.width < 1 || tile.height < 1 || std::ssize(tile.rgb) != int64_t{3} * tile.width * tile.height)
      throw core::Error("picture sheet: " + std::to_string(tile.rgb.size()) + " bytes for a picture of " +
                        std::to_string(tile.width) + "x" + std::to_string(tile.height) +
                        "; expected three per pixel and at least one pixel");
    l.cell_width = std::max(l.cell_width, tile.width);
    l.picture_height = std::max(l.picture_height, tile.height);
    l.lines = std::max(l.lines, static_cast<int>(tile.caption.size()));
    for (const std::string& line : tile.caption)
      l.cell_width = std::max(l.cell_width, kAdvance * std::min(kLongestLine, static_cast<int>(line.size()) + 1));
  }
  return l;
}

void draw_tile(Canvas& canvas, int x, int y, const Tile& tile, const Layout& layout) {
  for (int row = 0; row < tile.height; ++row)
    std::copy_n(tile.rgb.data() + static_cast<size_t>(row) * static_cast<size_t>(tile.width) * 3, tile.width * 3,
                canvas.at(x, y + row));
  int line_y = y + layout.picture_height + 3;
  for (const std::string& line : tile.caption) {
    draw_text(canvas, x, line_y, layout.cell_width, line, tile.ink);
    line_y += kLine;
  }
}

std::string to_png(const Canvas& canvas) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(canvas.width);
  image.height = static_cast<png_uint_32>(canvas.height);
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string bytes(size, '\0');
  if (!png_image_write_to_memory(&image, bytes.data(), &size, 0, canvas.rgb.data(), 0, nullptr))
    throw core::Error(std::string("picture sheet: PNG of ") + std::to_string(canvas.width) + "x" +
                      std::to_string(canvas.height) + " pixels: " + image.message);
  bytes.resize(size);
  return bytes;
}

// Black, violet, red, yellow, white: brightness rises all the way.
Rgb heat(float share) {
  static constexpr std::array<Rgb, 5> kStops{
      {{0, 0, 12}, {84, 16, 110}, {200, 60, 74}, {250, 174, 52}, {252, 252, 216}}};
  const float place = std::clamp(share, 0.0f, 1.0f) * (kStops.size() - 1);
  const auto stop = std::min(static_cast<size_t>(place), kStops.size() - 2);
  const float part = place - static_cast<float>(stop);
  Rgb colour;
  for (size_t i = 0; i < 3; ++i)
    colour[i] = static_cast<uint8_t>(
        std::lround(static_cast<float>(kStops[stop][i]) * (1 - part) + static_cast<float>(kStops[stop + 1][i]) * part));
  return colour;
}

}  // namespace

Tile enlarged(const Tile& tile, int across, int down) {
  Tile out = tile;
  out.width = tile.width * across;
  out.height = tile.height * down;
  out.rgb.clear();
  out.rgb.reserve(static_cast<size_t>(out.width) * static_cast<size_t>(out.height) * 3);
  for (int y = 0; y < out.height; ++y)
    for (int x = 0; x < out.width; ++x) {
      const size_t from =
          3 * (static_cast<size_t>(y / down) * static_cast<size_t>(tile.width) + static_cast<size_t>(x / across));
      out.rgb.insert(out.rgb.end(), {tile.rgb[from], tile.rgb[from + 1], tile.rgb[from + 2]});
    }
  return out;
}

Tile heat_map(std::span<const float> values, int height, int width, float low, float high) {
  Tile tile{.width = width, .height = height, .rgb = {}, .caption = {}};
  for (const float value : values) {
    const Rgb colour = heat((value - low) / (high - low));
    tile.rgb.insert(tile.rgb.end(), colour.begin(), colour.end());
  }
  return tile;
}

std::string sheet_png(const std::vector<Tile>& tiles, int columns, const std::string& title) {
  if (tiles.empty() || columns < 1) throw core::Error("picture sheet: nothing to show; expected at least one picture");
  const Layout layout = layout_of(tiles);
  const int across = std::min(columns, static_cast<int>(tiles.size()));
  const int down = (static_cast<int>(tiles.size()) + across - 1) / across;
  const int head = title.empty() ? 0 : kLine + kGap;
  const int width = kGap + across * (layout.cell_width + kGap);
  Canvas canvas(width, head + kGap + down * (layout.cell_height() + kGap));
  if (!title.empty()) draw_text(canvas, kGap, kGap, width - 2 * kGap, title, {});
  for (size_t i = 0; i < tiles.size(); ++i) {
    const int column = static_cast<int>(i) % across, row = static_cast<int>(i) / across;
    draw_tile(canvas, kGap + column * (layout.cell_width + kGap), head + kGap + row * (layout.cell_height() + kGap),
              tiles[i], layout);
  }
  return to_png(canvas);
}

}  // namespace condenser::report
