// PNG through libpng, from bytes in memory to 8-bit grey or RGB: the numbers that are stored, as Pillow and torchvision
// give them. Gamma and colour profiles (gAMA, cHRM, sRGB, iCCP) change nothing, alpha and tRNS are left out, 16 bits
// lose the lower eight, fewer are spread over 0..255, palettes are looked up. Of an animation the default picture is
// read. Rows behind the window are not read.
#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string>

#include <png.h>
#include <zlib.h>

#include "condenser/core/error.hpp"
#include "data/formats/image.hpp"

namespace condenser::data {
namespace {

// libpng reports errors by a function that must not return; control goes back by longjmp, only through its own frames
// and the short methods below, which own nothing.
class PngReader {
 public:
  explicit PngReader(std::string_view bytes) : rest_(bytes) {}
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  bool read_header() {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, fail, ignore);
    if (png_ == nullptr) return false;
    info_ = png_create_info_struct(png_);
    if (info_ == nullptr || setjmp(back_)) return false;
    png_set_read_fn(png_, this, read);
    png_set_user_limits(png_, 0x7fffffff, 0x7fffffff);  // check_extent() decides
    png_set_benign_errors(png_, 1);
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);  // what changes no pixel is passed over
    png_read_info(png_, info_);
    return true;
  }

  // From here on rows are 8-bit grey or RGB.
  bool start() {
    if (setjmp(back_)) return false;
    const int type = png_get_color_type(png_, info_);
    png_set_strip_16(png_);
    png_set_strip_alpha(png_);
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png_);
    if (type == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(png_);
    passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }

  bool read_row(png_bytep to) {
    if (setjmp(back_)) return false;
    png_read_row(png_, to, nullptr);
    return true;
  }

  // `to`: height() rows of row_bytes(). An interlaced picture comes in seven passes over the same rows.
  bool read_all(png_bytep to) {
    if (setjmp(back_)) return false;
    for (int pass = 0; pass < passes_; ++pass)
      for (png_uint_32 y = 0; y < height(); ++y) png_read_row(png_, to + y * row_bytes(), nullptr);
    return true;
  }

  bool interlaced() const { return passes_ > 1; }
  png_uint_32 height() const { return png_get_image_height(png_, info_); }
  png_uint_32 width() const { return png_get_image_width(png_, info_); }
  size_t row_bytes() const { return png_get_rowbytes(png_, info_); }
  int channels() const { return png_get_channels(png_, info_); }
  const char* message() const { return message_; }

 private:
  static PngReader& reader(png_structp png) { return *static_cast<PngReader*>(png_get_error_ptr(png)); }

  [[noreturn]] static void fail(png_structp png, png_const_charp text) {
    std::snprintf(reader(png).message_, sizeof message_, "%s", text);
    std::longjmp(reader(png).back_, 1);
  }
  static void ignore(png_structp, png_const_charp) {}

  static void read(png_structp png, png_bytep to, size_t count) {
    std::string_view& rest = static_cast<PngReader*>(png_get_io_ptr(png))->rest_;
    if (count > rest.size()) png_error(png, "cut short");
    std::memcpy(to, rest.data(), count);
    rest.remove_prefix(count);
  }

  std::string_view rest_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  int passes_ = 1;
  std::jmp_buf back_;
  char message_[160] = "";
};

// What follows the signature and stands between chunks: length, type, content, checksum.
constexpr size_t kSignature = 8, kLength = 4, kType = 4, kChecksum = 4;

uint32_t number(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

// From the chunk eXIf, else from XMP in iTXt; either may stand behind the pixels, but is needed before them. A chunk
// whose checksum is wrong does not count.
int orientation_of(std::string_view bytes) {
  constexpr std::string_view kExif("Exif\0\0", 6), kXmp("XML:com.adobe.xmp\0", 18);
  int by_exif = 0, by_xmp = 0;
  bytes.remove_prefix(kSignature);
  while (bytes.size() >= kLength + kType + kChecksum && by_exif == 0) {
    const size_t length = number(bytes);
    if (length > bytes.size() - kLength - kType - kChecksum) break;
    const std::string_view typed = bytes.substr(kLength, kType + length), type = typed.substr(0, kType);
    if (type == "eXIf" || type == "iTXt") {
      const auto sum = crc32(0, reinterpret_cast<const Bytef*>(typed.data()), static_cast<uInt>(typed.size()));
      std::string_view content = typed.substr(kType);
      const bool whole = sum == number(bytes.substr(kLength + typed.size()));
      if (content.starts_with(kExif)) content.remove_prefix(kExif.size());  // a mistake that some programs make
      if (whole && type == "eXIf") by_exif = exif_orientation(content);
      if (whole && type == "iTXt" && content.starts_with(kXmp) && by_xmp == 0) by_xmp = xmp_orientation(content);
    }
    bytes.remove_prefix(kLength + typed.size() + kChecksum);
  }
  return by_exif ? by_exif : by_xmp ? by_xmp : 1;
}

// Means of cells only where the pixels would take much memory; see largest_cell().
constexpr int64_t kManyPixels = 16'000'000;

int choose_cell(const Rect& window, int wanted_h, int wanted_w) {
  int most = 1;
  while (int64_t{window.h} * window.w / (int64_t{most} * most) > kManyPixels) most *= 2;
  return largest_cell(window.h, window.w, wanted_h, wanted_w, most);
}

}  // namespace

Picture decode_png(std::string_view bytes, int channels, const std::filesystem::path& file, const Wanted& wanted) {
  PngReader reader(bytes);
  const auto check = [&](bool done) {
    if (!done) throw core::Error(file.string() + ": damaged PNG: " + reader.message());
  };
  check(reader.read_header());
  check_extent(reader.width(), reader.height(), file);
  check(reader.start());
  const int decoded = reader.channels();
  if (decoded != 1 && decoded != 3)
    throw core::Error(file.string() + ": PNG with " + std::to_string(decoded) + " channels; expected grey or RGB");
  const int height = static_cast<int>(reader.height()), width = static_cast<int>(reader.width());
  const int orientation = orientation_of(bytes);
  const Rect window = stored_rect(wanted.window, orientation, height, width);
  const bool turned = sides_exchanged(orientation);
  const int cell = choose_cell(window, turned ? wanted.w : wanted.h, turned ? wanted.h : wanted.w);
  const bool all = reader.interlaced();
  all ? check_kept(reader.width(), reader.height(), file)
      : check_kept(static_cast<uint64_t>(window.w / cell), static_cast<uint64_t>(window.h / cell), file);
  std::vector<uint8_t> rows(reader.row_bytes() * static_cast<size_t>(all ? height : 1));
  if (all) check(reader.read_all(rows.data()));
  RowSink sink(channels, window.h, window.w, cell);
  for (int y = 0; y < window.y + window.h; ++y) {
    if (!all) check(reader.read_row(rows.data()));
    const uint8_t* row = rows.data() + (all ? static_cast<size_t>(y) * reader.row_bytes() : 0);
    if (y >= window.y) sink.add(row + ptrdiff_t{window.x} * decoded, decoded);
  }
  return upright(sink.take(), orientation);
}

}  // namespace condenser::data
