#pragma once
// One decoded picture, its decoders and the resizing. Private to src/data.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/window.hpp"

namespace condenser::data {

// What of a decoded side belongs to the picture, in eighths of its pixels: a JPEG decoded at e/8 of its size has pixels
// that stand for 8/e of the original's, and the first and the last may belong to the window only in part.
struct Span8 {
  int begin = 0;   // within the first pixel: 0..7
  int extent = 0;  // 0: all pixels, whole
};

struct Picture {
  int c = 0, h = 0, w = 0;
  std::vector<uint8_t> pixels;  // interleaved: [h, w, c], and what lies around the picture in its rows
  size_t first = 0;             // where the picture begins in them
  size_t stride = 0;            // from row to row; 0: w * c
  Span8 down, across;
};

// What is wanted of a picture, as people see it: upright. With h and w a JPEG is decoded at the smallest scale of
// eighths that its DCT offers cheaply and at which the window still has h x w pixels; 0: at full size.
struct Wanted {
  Window window;
  int h = 0, w = 0;
};

// Decodes JPEG or PNG (told apart by the first bytes, not by name) to `channels` = 1 (grey) or 3 (RGB); the result is
// the window, turned as its EXIF orientation says. Damage outside the window need not be noticed. Throws core::Error
// naming the file.
Picture decode_picture(std::string_view bytes, int channels, const std::filesystem::path& file, const Wanted& = {});
Picture decode_jpeg(std::string_view bytes, int channels, const std::filesystem::path& file, const Wanted& = {});
Picture decode_png(std::string_view bytes, int channels, const std::filesystem::path& file, const Wanted& = {});

// Throws core::Error for an empty picture and for one that would take more than kMostPixels decoded.
constexpr uint64_t kMostPixels = 100'000'000;
void check_extent(uint64_t width, uint64_t height, const std::filesystem::path& file);

// How a picture is stored, by the EXIF tag Orientation (0x0112): 1 upright, 2 mirrored, 3 upside down, 4 flipped, 5
// transposed, 6 to be turned clockwise, 7 transposed along the other diagonal, 8 to be turned counter-clockwise.
// `tiff`: what follows "Exif\0\0" in a JPEG, or an eXIf chunk. 1 when it is absent or makes no sense.
int exif_orientation(std::string_view tiff);
Window stored_window(const Window& upright, int orientation);
bool sides_exchanged(int orientation);
Picture upright(Picture stored, int orientation);

// A part of interleaved pixels: rows of w * c bytes, `stride` bytes apart.
struct View {
  const uint8_t* pixels = nullptr;
  int c = 0, h = 0, w = 0;
  ptrdiff_t stride = 0;
  Span8 down, across;
};
inline View view_of(const Picture& p) {
  return {p.pixels.data() + p.first,
          p.c,
          p.h,
          p.w,
          p.stride ? static_cast<ptrdiff_t>(p.stride) : ptrdiff_t{p.w} * p.c,
          p.down,
          p.across};
}

// Writes planes [c, height, width]. See resize.cpp for the arithmetic.
void resize_to_planes(const View&, int height, int width, std::span<uint8_t> planes);

}  // namespace condenser::data
