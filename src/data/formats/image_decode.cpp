// JPEG through libjpeg and PNG through libpng's simplified interface, from bytes in memory to 8-bit grey or RGB.
// Damaged files are refused, not patched. Resizing is left to resize.cpp.
#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <string>

// libjpeg's headers use FILE and size_t without including them, and jerror.h needs jpeglib.h.
// clang-format off
#include <jpeglib.h>
#include <jerror.h>
// clang-format on
#include <png.h>

#include "condenser/core/error.hpp"
#include "data/formats/image.hpp"

namespace condenser::data {
namespace {

// libjpeg reports errors by a function that must not return. Exceptions may not cross its C frames, so control goes
// back by longjmp, and only through functions without objects to destroy: setjmp stands in the three short methods
// below, all owners live in decode_jpeg.
struct JpegErrors {
  jpeg_error_mgr manager;  // first: libjpeg hands back a pointer to it
  std::jmp_buf back;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void jpeg_fail(j_common_ptr info) {
  auto* errors = reinterpret_cast<JpegErrors*>(info->err);
  errors->manager.format_message(info, errors->message);
  std::longjmp(errors->back, 1);
}

// Level -1 is a warning about damaged data (cut short, bad codes), which libjpeg would fill with grey. Two are
// harmless.
void jpeg_message(j_common_ptr info, int level) {
  const int code = info->err->msg_code;
  if (level < 0 && code != JWRN_EXTRANEOUS_DATA && code != JWRN_ADOBE_XFORM) jpeg_fail(info);
}

void jpeg_silent(j_common_ptr) {}

class JpegReader {
 public:
  JpegReader() {
    info_.err = jpeg_std_error(&errors_.manager);
    errors_.manager.error_exit = jpeg_fail;
    errors_.manager.emit_message = jpeg_message;
    errors_.manager.output_message = jpeg_silent;
  }
  ~JpegReader() { jpeg_destroy_decompress(&info_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  bool read_header(const unsigned char* bytes, size_t size) {
    if (setjmp(errors_.back)) return false;
    jpeg_create_decompress(&info_);
    jpeg_mem_src(&info_, const_cast<unsigned char*>(bytes), static_cast<unsigned long>(size));
    jpeg_read_header(&info_, TRUE);
    return true;
  }

  bool start(int channels) {
    if (setjmp(errors_.back)) return false;
    info_.out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    info_.dct_method = JDCT_ISLOW;  // the exact one: the same on all machines
    jpeg_start_decompress(&info_);
    return true;
  }

  bool read_rows(unsigned char* to, size_t stride) {
    if (setjmp(errors_.back)) return false;
    while (info_.output_scanline < info_.output_height) {
      JSAMPROW row = to + info_.output_scanline * stride;
      jpeg_read_scanlines(&info_, &row, 1);
    }
    jpeg_finish_decompress(&info_);
    return true;
  }

  const jpeg_decompress_struct& info() const { return info_; }
  const char* message() const { return errors_.message; }

 private:
  jpeg_decompress_struct info_{};  // zeros: safe to destroy before it was created
  JpegErrors errors_{};
};

const unsigned char* raw_bytes(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

// png_image with its state freed on every way out.
struct PngReader {
  png_image image{};
  PngReader() { image.version = PNG_IMAGE_VERSION; }
  ~PngReader() { png_image_free(&image); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
};

// Luma as JPEG has it (ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B), so that both formats give one grey. Weights sum to
// 1000: grey stays as it is.
std::vector<uint8_t> luma(const std::vector<uint8_t>& rgb) {
  std::vector<uint8_t> grey(rgb.size() / 3);
  for (size_t i = 0; i < grey.size(); ++i) {
    grey[i] = static_cast<uint8_t>((299 * rgb[3 * i] + 587 * rgb[3 * i + 1] + 114 * rgb[3 * i + 2] + 500) / 1000);
  }
  return grey;
}

}  // namespace

void check_extent(uint64_t width, uint64_t height, const std::filesystem::path& file) {
  constexpr uint64_t kLongest = 1 << 15, kMostPixels = 64'000'000;
  if (width < 1 || height < 1 || width > kLongest || height > kLongest || width * height > kMostPixels) {
    throw core::Error(file.string() + ": picture of " + std::to_string(width) + "x" + std::to_string(height) +
                      "; expected at most " + std::to_string(kLongest) + " a side and " + std::to_string(kMostPixels) +
                      " pixels");
  }
}

Picture decode_jpeg(std::string_view bytes, int channels, const std::filesystem::path& file) {
  JpegReader reader;
  const auto check = [&](bool done) {
    if (!done) throw core::Error(file.string() + ": damaged JPEG: " + reader.message());
  };
  check(reader.read_header(raw_bytes(bytes), bytes.size()));
  check_extent(reader.info().image_width, reader.info().image_height, file);
  const J_COLOR_SPACE space = reader.info().jpeg_color_space;
  if (space == JCS_CMYK || space == JCS_YCCK) {
    throw core::Error(file.string() + ": CMYK JPEG (for print); expected grey or RGB; convert it");
  }
  check(reader.start(channels));
  Picture picture;
  picture.c = channels;
  picture.h = static_cast<int>(reader.info().output_height);
  picture.w = static_cast<int>(reader.info().output_width);
  if (reader.info().output_components != channels) {
    throw core::Error(file.string() + ": JPEG of unknown colours; expected grey or RGB");
  }
  const size_t stride = static_cast<size_t>(picture.w) * channels;
  picture.pixels.resize(stride * picture.h);
  check(reader.read_rows(picture.pixels.data(), stride));
  return picture;
}

Picture decode_png(std::string_view bytes, int channels, const std::filesystem::path& file) {
  PngReader reader;
  const auto fail = [&] { return core::Error(file.string() + ": damaged PNG: " + reader.image.message); };
  if (!png_image_begin_read_from_memory(&reader.image, bytes.data(), bytes.size())) throw fail();
  check_extent(reader.image.width, reader.image.height, file);
  reader.image.format = PNG_FORMAT_RGB;
  reader.image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  Picture picture;
  picture.c = channels;
  picture.h = static_cast<int>(reader.image.height);
  picture.w = static_cast<int>(reader.image.width);
  picture.pixels.resize(PNG_IMAGE_SIZE(reader.image));
  const png_color black = {0, 0, 0};  // what shows through transparent pixels
  if (!png_image_finish_read(&reader.image, &black, picture.pixels.data(), 0, nullptr)) throw fail();
  if (channels == 1) picture.pixels = luma(picture.pixels);
  return picture;
}

Picture decode_picture(std::string_view bytes, int channels, const std::filesystem::path& file) {
  if (bytes.starts_with("\xff\xd8\xff")) return decode_jpeg(bytes, channels, file);
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return decode_png(bytes, channels, file);
  throw core::Error(file.string() + ": " + std::to_string(bytes.size()) +
                    " bytes that begin neither as JPEG nor as PNG; expected one of the two");
}

}  // namespace condenser::data
