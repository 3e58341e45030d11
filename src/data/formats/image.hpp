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

// One direction of a picture that was decoded smaller: each of its pixels is the mean of `cell` pixels of the file (of
// those that exist, at the end), and the picture is [begin, begin + extent) of these, so that it may begin and end
// within a cell.
struct Side {
  int begin = 0;
  int extent = 0;  // 0: all
  int cell = 1;
};

struct Picture {
  int c = 0, h = 0, w = 0;
  std::vector<uint8_t> pixels;  // interleaved: [h, w, c], and what lies around the picture in its rows
  size_t first = 0;             // where the picture begins in them
  size_t stride = 0;            // from row to row; 0: w * c
  Side down, across;
};

// What is wanted of a picture, as people see it: upright. With h and w a large picture may be decoded smaller, see
// largest_cell(); 0: at full size.
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

// The largest cell, a power of two up to `most`, at which a window of h x w pixels keeps four times what is wanted in
// each direction, or at least as much where more than kMostKept pixels would have to be kept. 1 when no size is wanted.
int largest_cell(int h, int w, int wanted_h, int wanted_w, int most);

// Throw core::Error: for a file with no pixels or more than kMostPixels, and for more than kMostKept in memory at once.
constexpr uint64_t kMostPixels = 300'000'000, kMostKept = 100'000'000;
void check_extent(uint64_t width, uint64_t height, const std::filesystem::path& file);
void check_kept(uint64_t width, uint64_t height, const std::filesystem::path& file);

// Grey as Pillow has it (ITU-R BT.601 in 16 bits; the weights sum to 65536, so grey stays as it is). JPEG's own luma
// has the same weights.
inline uint8_t luma(int r, int g, int b) {
  return static_cast<uint8_t>((19595 * r + 38470 * g + 7471 * b + 0x8000) >> 16);
}

// Puts rows of a picture together, and makes means of cells of them on the way. Rows may have one channel (grey, also
// for pictures of three), three or, in JPEGs, four (inverted CMYK).
class RowSink {
 public:
  RowSink(int channels, int h, int w, int cell);
  void add(const uint8_t* row, int row_channels);  // w pixels
  Picture take() { return std::move(picture_); }

 private:
  void add_to_cells(const uint8_t* row);

  Picture picture_;
  int w_, rows_ = 0;
  std::vector<uint8_t> converted_;  // [w, c]
  std::vector<uint32_t> sums_;      // [cells, c]
};

// How a picture is stored, by the EXIF tag Orientation (0x0112): 1 upright, 2 mirrored, 3 upside down, 4 flipped, 5
// transposed, 6 to be turned clockwise, 7 transposed along the other diagonal, 8 to be turned counter-clockwise.
// `tiff`: what follows "Exif\0\0" in a JPEG, or an eXIf chunk. 0 when there is no such tag, 1 when it makes no sense.
int exif_orientation(std::string_view tiff);
// The same from a packet of XMP (tiff:Orientation).
int xmp_orientation(std::string_view packet);
bool sides_exchanged(int orientation);
// The part `upright` of the upright picture as a part of the stored one of height x width.
Rect stored_rect(const Rect& upright, int orientation, int height, int width);
Rect stored_rect(const Window& upright, int orientation, int height, int width);
Picture upright(Picture stored, int orientation);

// A part of interleaved pixels: rows of w * c bytes, `stride` bytes apart.
struct View {
  const uint8_t* pixels = nullptr;
  int c = 0, h = 0, w = 0;
  ptrdiff_t stride = 0;
  Side down, across;
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
