// JPEG through libjpeg-turbo and PNG through libpng's simplified interface, from bytes in memory to 8-bit grey or RGB.
// Damaged files are refused, not patched. Resizing is left to resize.cpp.
//
// Of a JPEG only what is wanted is decoded: rows above and columns beside the window are passed over (their bits are
// read, their pixels not computed), rows below it are not read, and the inverse DCT makes the picture smaller where
// the result is smaller anyway.
#include <algorithm>
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

// A progressive file may repeat its scans without end.
constexpr int kMostScans = 200;

void jpeg_progress(j_common_ptr info) {
  if (!info->is_decompressor || reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMostScans) return;
  auto* errors = reinterpret_cast<JpegErrors*>(info->err);
  std::snprintf(errors->message, sizeof errors->message, "more than %d scans", kMostScans);
  std::longjmp(errors->back, 1);
}

class JpegReader {
 public:
  JpegReader() {
    info_.err = jpeg_std_error(&errors_.manager);
    errors_.manager.error_exit = jpeg_fail;
    errors_.manager.emit_message = jpeg_message;
    errors_.manager.output_message = jpeg_silent;
    progress_.progress_monitor = jpeg_progress;
  }
  ~JpegReader() { jpeg_destroy_decompress(&info_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  bool read_header(const unsigned char* bytes, size_t size) {
    if (setjmp(errors_.back)) return false;
    jpeg_create_decompress(&info_);
    info_.progress = &progress_;
    jpeg_mem_src(&info_, const_cast<unsigned char*>(bytes), static_cast<unsigned long>(size));
    jpeg_read_header(&info_, TRUE);
    return true;
  }

  // The exact inverse DCT ("islow"): the same bytes on all machines, and with vector instructions hardly slower than
  // the approximate one ("ifast").
  bool start(int channels, int eighths) {
    if (setjmp(errors_.back)) return false;
    info_.out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    info_.dct_method = JDCT_ISLOW;
    info_.scale_num = static_cast<unsigned>(eighths);
    info_.scale_denom = 8;
    jpeg_start_decompress(&info_);
    return true;
  }

  // Goes to the first row of `rect` and narrows rows to its columns; the library widens them to whole blocks.
  // `first_column` is where rows begin then.
  bool seek(const Rect& rect, JDIMENSION& first_column) {
    if (setjmp(errors_.back)) return false;
    first_column = 0;
    // Smooth upsampling of colours looks one pixel to either side.
    const int begin = std::max(0, rect.x - 2);
    const int end = std::min(static_cast<int>(info_.output_width), rect.x + rect.w + 2);
    if (begin > 0 || end < static_cast<int>(info_.output_width)) {
      first_column = static_cast<JDIMENSION>(begin);
      JDIMENSION width = static_cast<JDIMENSION>(end - begin);
      jpeg_crop_scanline(&info_, &first_column, &width);
    }
    if (rect.y > 0) jpeg_skip_scanlines(&info_, static_cast<JDIMENSION>(rect.y));
    return true;
  }

  bool read_row(unsigned char* to) {
    if (setjmp(errors_.back)) return false;
    jpeg_read_scanlines(&info_, &to, 1);
    return true;
  }

  bool finish() {
    if (setjmp(errors_.back)) return false;
    jpeg_finish_decompress(&info_);
    return true;
  }

  const jpeg_decompress_struct& info() const { return info_; }
  const char* message() const { return errors_.message; }

 private:
  jpeg_decompress_struct info_{};  // zeros: safe to destroy before it was created
  jpeg_progress_mgr progress_{};
  JpegErrors errors_{};
};

int scaled(int extent, int eighths) { return (extent * eighths + 7) / 8; }  // as libjpeg rounds

// The smallest scale at which the window has as many pixels as are wanted. Of the eighths only the powers of two have
// vector code; the others take longer than the pixels that they save.
int choose_scale(const Wanted& wanted, int height, int width) {
  if (wanted.h < 1 || wanted.w < 1) return 8;
  for (int eighths : {1, 2, 4}) {
    const Rect rect = rect_of(wanted.window, scaled(height, eighths), scaled(width, eighths));
    if (rect.h >= wanted.h && rect.w >= wanted.w) return eighths;
  }
  return 8;
}

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

Picture decode_jpeg(std::string_view bytes, int channels, const std::filesystem::path& file, const Wanted& wanted) {
  JpegReader reader;
  const auto check = [&](bool done) {
    if (!done) throw core::Error(file.string() + ": damaged JPEG: " + reader.message());
  };
  check(reader.read_header(raw_bytes(bytes), bytes.size()));
  const jpeg_decompress_struct& info = reader.info();
  check_extent(info.image_width, info.image_height, file);
  if (info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK) {
    throw core::Error(file.string() + ": CMYK JPEG (for print); expected grey or RGB; convert it");
  }
  check(reader.start(channels,
                     choose_scale(wanted, static_cast<int>(info.image_height), static_cast<int>(info.image_width))));
  if (info.output_components != channels) {
    throw core::Error(file.string() + ": JPEG of unknown colours; expected grey or RGB");
  }
  const Rect rect = rect_of(wanted.window, static_cast<int>(info.output_height), static_cast<int>(info.output_width));
  JDIMENSION first_column = 0;
  check(reader.seek(rect, first_column));
  const size_t stride = static_cast<size_t>(info.output_width) * static_cast<size_t>(channels);
  Picture picture{channels, rect.h, rect.w, std::vector<uint8_t>(stride * static_cast<size_t>(rect.h))};
  picture.first = (static_cast<size_t>(rect.x) - first_column) * static_cast<size_t>(channels);
  picture.stride = stride;
  for (size_t y = 0; y < static_cast<size_t>(rect.h); ++y) check(reader.read_row(picture.pixels.data() + y * stride));
  if (info.output_scanline == info.output_height) check(reader.finish());
  return picture;
}

Picture decode_png(std::string_view bytes, int channels, const std::filesystem::path& file, const Wanted& wanted) {
  PngReader reader;
  const auto fail = [&] { return core::Error(file.string() + ": damaged PNG: " + reader.image.message); };
  if (!png_image_begin_read_from_memory(&reader.image, bytes.data(), bytes.size())) throw fail();
  check_extent(reader.image.width, reader.image.height, file);
  reader.image.format = PNG_FORMAT_RGB;
  reader.image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;  // 16 bits are 8 bits with a finer step
  std::vector<uint8_t> pixels(PNG_IMAGE_SIZE(reader.image));
  const png_color black = {0, 0, 0};  // what shows through transparent pixels
  if (!png_image_finish_read(&reader.image, &black, pixels.data(), 0, nullptr)) throw fail();
  if (channels == 1) pixels = luma(pixels);
  const int height = static_cast<int>(reader.image.height), width = static_cast<int>(reader.image.width);
  const Rect rect = rect_of(wanted.window, height, width);
  const size_t stride = static_cast<size_t>(width) * static_cast<size_t>(channels);
  const size_t first =
      static_cast<size_t>(rect.y) * stride + static_cast<size_t>(rect.x) * static_cast<size_t>(channels);
  return {channels, rect.h, rect.w, std::move(pixels), first, stride};
}

Picture decode_picture(std::string_view bytes, int channels, const std::filesystem::path& file, const Wanted& wanted) {
  if (bytes.starts_with("\xff\xd8\xff")) return decode_jpeg(bytes, channels, file, wanted);
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return decode_png(bytes, channels, file, wanted);
  throw core::Error(file.string() + ": " + std::to_string(bytes.size()) +
                    " bytes that begin neither as JPEG nor as PNG; expected one of the two");
}

}  // namespace condenser::data
