// Which format a file has is told by its first bytes, not by its name. Resizing is left to resize.cpp.
#include <string>

#include "condenser/core/error.hpp"
#include "condenser/core/table.hpp"
#include "data/formats/image.hpp"

namespace condenser::data {
namespace {

struct Signature {
  size_t at;
  std::string_view bytes;
  const char* name;
};

// What is found under the endings of pictures in practice.
constexpr Signature kOthers[] = {
    {0, "GIF8", "GIF"},
    {8, "WEBP", "WebP"},
    {0, "BM", "BMP"},
    {0, "P4", "PNM"},
    {0, "P5", "PNM"},
    {0, "P6", "PNM"},
    {0, std::string_view("\0\0\1\0", 4), "ICO"},
    {0, "\xff\x4f\xff\x51", "JPEG 2000"},
    {0, std::string_view("II*\0", 4), "TIFF"},
    {0, std::string_view("MM\0*", 4), "TIFF"},
    {4, "ftypavif", "AVIF"},
    {4, "ftyphei", "HEIC"},
    {4, "ftypmif1", "HEIC or AVIF"},
    {4, "ftypmsf1", "HEIC"},
    {0, std::string_view("\0\0\0\x0cJXL ", 8), "JPEG XL"},
    {0, "\xff\x0a", "JPEG XL"},
    {0, std::string_view("\0\0\0\x0cjP  ", 8), "JPEG 2000"},
    {0, "8BPS", "Photoshop"},
    {0, "%PDF", "PDF"},
    {0, "<svg", "SVG"},
    {0, "<?xml", "XML or SVG"},
    {0, "<!DOCTYPE", "an HTML page"},
    {0, "<html", "an HTML page"},
    {0, "version https://git-lfs", "a Git LFS pointer (the file itself was not fetched)"},
};

std::string found(std::string_view bytes) {
  if (bytes.empty()) return "an empty file";
  for (const Signature& other : kOthers)
    if (bytes.size() > other.at && bytes.substr(other.at).starts_with(other.bytes)) return other.name;
  return core::thousands(static_cast<int64_t>(bytes.size())) + " bytes that begin neither as JPEG nor as PNG";
}

}  // namespace

// Fewer would do for the eye; with four the result is within 1 or 2 of 255 of what all pixels give, in smooth pictures.
constexpr int kPixelsPerTarget = 4;

void check_extent(uint64_t width, uint64_t height, const std::filesystem::path& file) {
  const std::string size = std::to_string(width) + "x" + std::to_string(height);
  if (width < 1 || height < 1) throw core::Error(file.string() + ": picture of " + size + " has no pixels");
  constexpr uint64_t kLongest = 1'000'000;
  if (width > kLongest || height > kLongest || width * height > kMostPixels)
    throw core::Error(file.string() + ": picture of " + size + "; expected at most " +
                      core::thousands(static_cast<int64_t>(kLongest)) + " a side and " +
                      core::thousands(static_cast<int64_t>(kMostPixels)) + " pixels; save it smaller");
}

void check_kept(uint64_t width, uint64_t height, const std::filesystem::path& file) {
  if (width * height <= kMostKept) return;
  throw core::Error(file.string() + ": " + std::to_string(width) + "x" + std::to_string(height) +
                    " pixels to be kept in memory at once; expected at most " +
                    core::thousands(static_cast<int64_t>(kMostKept)) + "; save it smaller, and not interlaced");
}

int largest_cell(int h, int w, int wanted_h, int wanted_w, int most) {
  if (wanted_h < 1 || wanted_w < 1) return 1;
  const auto keeps = [&](int cell) { return h / cell >= wanted_h && w / cell >= wanted_w; };
  int cell = 1;
  while (2 * cell <= most) {
    const bool too_many = static_cast<uint64_t>(h / cell) * static_cast<uint64_t>(w / cell) > kMostKept;
    if (!keeps((too_many ? 1 : kPixelsPerTarget) * 2 * cell)) break;
    cell *= 2;
  }
  return cell;
}

Picture decode_picture(std::string_view bytes, int channels, const std::filesystem::path& file, const Wanted& wanted) {
  if (bytes.starts_with("\xff\xd8\xff")) return decode_jpeg(bytes, channels, file, wanted);
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return decode_png(bytes, channels, file, wanted);
  throw core::Error(file.string() + ": " + found(bytes) + "; expected JPEG or PNG" +
                    (bytes.empty() ? "" : "; convert it or take it out"));
}

}  // namespace condenser::data
