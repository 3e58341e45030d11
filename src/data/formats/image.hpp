#pragma once
// One decoded picture, its decoders and the resizing. Private to src/data.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace condenser::data {

struct Picture {
  int c = 0, h = 0, w = 0;
  std::vector<uint8_t> pixels;  // interleaved: [h, w, c]
};

// Decodes JPEG or PNG (told apart by the first bytes, not by name) to `channels` = 1 (grey) or 3 (RGB).
// Throws core::Error naming the file.
Picture decode_picture(std::string_view bytes, int channels, const std::filesystem::path& file);
Picture decode_jpeg(std::string_view bytes, int channels, const std::filesystem::path& file);
Picture decode_png(std::string_view bytes, int channels, const std::filesystem::path& file);

// Throws core::Error for pictures too large to be meant (over 64 million pixels).
void check_extent(uint64_t width, uint64_t height, const std::filesystem::path& file);

// Writes planes [c, height, width]. See resize.cpp for the arithmetic.
void resize_to_planes(const Picture&, int height, int width, std::span<uint8_t> planes);

}  // namespace condenser::data
