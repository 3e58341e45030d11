// PNG through libpng, from bytes in memory to 8-bit grey or RGB: the numbers that are stored, as Pillow and torchvision
// give them. Gamma and colour profiles (gAMA, cHRM, sRGB, iCCP) change nothing, alpha and tRNS are left out, 16 bits
// lose the lower eight, fewer are spread over 0..255, palettes are looked up. Of an animation the default picture is
// read.
#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string>

#include <png.h>

#include "condenser/core/error.hpp"
#include "data/formats/image.hpp"
#include "data/formats/luma.hpp"

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
    png_set_chunk_malloc_max(png_, 1 << 26);
    png_set_benign_errors(png_, 1);
    png_read_info(png_, info_);
    return true;
  }

  // Rows of 8-bit grey or RGB; false when the transformations were not possible.
  bool start(bool colour) {
    if (setjmp(back_)) return false;
    const int type = png_get_color_type(png_, info_);
    png_set_strip_16(png_);
    png_set_strip_alpha(png_);
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png_);
    if (type == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(png_);
    if (colour) png_set_gray_to_rgb(png_);
    passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }

  // `to`: height() rows of row_bytes(). An interlaced picture comes in seven passes over the same rows.
  bool read_rows(png_bytep to) {
    if (setjmp(back_)) return false;
    for (int pass = 0; pass < passes_; ++pass)
      for (png_uint_32 y = 0; y < height(); ++y) png_read_row(png_, to + y * row_bytes(), nullptr);
    return true;
  }

  // What stands behind the pixels; damage there costs none of them.
  void finish() {
    if (setjmp(back_)) return;
    png_read_end(png_, info_);
  }

  int orientation() const {
    png_uint_32 size = 0;
    png_bytep exif = nullptr;
    if (png_get_eXIf_1(png_, info_, &size, &exif) == 0) return 1;
    return exif_orientation({reinterpret_cast<const char*>(exif), size});
  }

  bool grey() const { return (png_get_color_type(png_, info_) & PNG_COLOR_MASK_COLOR) == 0; }
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

}  // namespace

Picture decode_png(std::string_view bytes, int channels, const std::filesystem::path& file, const Wanted& wanted) {
  PngReader reader(bytes);
  const auto check = [&](bool done) {
    if (!done) throw core::Error(file.string() + ": damaged PNG: " + reader.message());
  };
  check(reader.read_header());
  check_extent(reader.width(), reader.height(), file);
  check(reader.start(channels == 3 || !reader.grey()));
  const int decoded = reader.channels(), height = static_cast<int>(reader.height()),
            width = static_cast<int>(reader.width());
  if (decoded != 1 && decoded != 3)
    throw core::Error(file.string() + ": PNG with " + std::to_string(decoded) + " channels; expected grey or RGB");
  std::vector<uint8_t> pixels(reader.row_bytes() * static_cast<size_t>(height));
  check(reader.read_rows(pixels.data()));
  reader.finish();
  if (channels < decoded) pixels = luma(pixels);
  const int orientation = reader.orientation();
  const Rect rect = rect_of(stored_window(wanted.window, orientation), height, width);
  const size_t stride = static_cast<size_t>(width) * static_cast<size_t>(channels);
  const size_t first =
      static_cast<size_t>(rect.y) * stride + static_cast<size_t>(rect.x) * static_cast<size_t>(channels);
  return upright({channels, rect.h, rect.w, std::move(pixels), first, stride, {}, {}}, orientation);
}

}  // namespace condenser::data
