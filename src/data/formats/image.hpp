#pragma once
// One decoded picture, its decoders and the resizing. Private to src/data.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "data/window.hpp"

namespace condenser::data {

struct Picture {
  int c = 0, h = 0, w = 0;
  std::vector<uint8_t> pixels;  // interleaved: [h, w, c], and what lies around the picture in its rows
  size_t first = 0;             // where the picture begins in them
  size_t stride = 0;            // from row to row; 0: w * c
};

// What is wanted of a picture. With h and w a JPEG is decoded at the smallest scale of eighths that its DCT offers
// cheaply and at which the window still has h x w pixels; 0: at full size.
struct Wanted {
  Window window;
  int h = 0, w = 0;
};

// Decodes JPEG or PNG (told apart by the first bytes, not by name) to `channels` = 1 (grey) or 3 (RGB); the result is
// the window. Damage outside the window need not be noticed. Throws core::Error naming the file.
Picture decode_picture(std::string_view bytes, int channels, const std::filesystem::path& file, const Wanted& = {});
Picture decode_jpeg(std::string_view bytes, int channels, const std::filesystem::path& file, const Wanted& = {});
Picture decode_png(std::string_view bytes, int channels, const std::filesystem::path& file, const Wanted& = {});

// Throws core::Error for pictures too large to be meant (over 64 million pixels).
void check_extent(uint64_t width, uint64_t height, const std::filesystem::path& file);

// A part of interleaved pixels: rows of w * c bytes, `stride` bytes apart.
struct View {
  const uint8_t* pixels = nullptr;
  int c = 0, h = 0, w = 0;
  ptrdiff_t stride = 0;
};
inline View view_of(const Picture& p) {
  return {p.pixels.data() + p.first, p.c, p.h, p.w, p.stride ? static_cast<ptrdiff_t>(p.stride) : ptrdiff_t{p.w} * p.c};
}

// Writes planes [c, height, width]. See resize.cpp for the arithmetic.
void resize_to_planes(const View&, int height, int width, std::span<uint8_t> planes);

}  // namespace condenser::data
