// JPEG through libjpeg-turbo, from bytes in memory to 8-bit grey or RGB. Damaged files are refused, not patched.
//
// Only what is wanted is decoded: rows above and columns beside the window are passed over (their bits are read, their
// pixels not computed), rows below it are not read, and the inverse DCT makes the picture smaller where the result is
// smaller anyway.
#include <algorithm>
#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <iterator>
#include <string>

// libjpeg's headers use FILE and size_t without including them, and jerror.h needs jpeglib.h.
// clang-format off
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include "condenser/core/error.hpp"
#include "condenser/core/table.hpp"
#include "data/formats/image.hpp"
#include "data/formats/luma.hpp"

namespace condenser::data {
namespace {

constexpr int64_t kMostCoefficientBytes = int64_t{1} << 30;

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

// Level -1 is a warning. Most are about damaged data (cut short, bad codes), which libjpeg would fill with grey; these
// say that something in the file is unusual, and lose nothing.
constexpr int kHarmless[] = {JWRN_EXTRANEOUS_DATA, JWRN_ADOBE_XFORM,       JWRN_JFIF_MAJOR,
                             JWRN_NOT_SEQUENTIAL,  JWRN_BOGUS_PROGRESSION, JWRN_BOGUS_ICC};

void jpeg_message(j_common_ptr info, int level) {
  const int code = info->err->msg_code;
  if (level < 0 && std::find(std::begin(kHarmless), std::end(kHarmless), code) == std::end(kHarmless)) jpeg_fail(info);
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
    jpeg_save_markers(&info_, JPEG_APP0 + 1, 0xFFFF);  // EXIF
    jpeg_mem_src(&info_, const_cast<unsigned char*>(bytes), static_cast<unsigned long>(size));
    jpeg_read_header(&info_, TRUE);
    return true;
  }

  // The exact inverse DCT ("islow"): the same bytes on all machines, and with vector instructions hardly slower than
  // the approximate one ("ifast").
  bool start(J_COLOR_SPACE colours, int eighths) {
    if (setjmp(errors_.back)) return false;
    info_.out_color_space = colours;
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

  bool has_several_scans() { return jpeg_has_multiple_scans(&info_); }
  const jpeg_decompress_struct& info() const { return info_; }
  const char* message() const { return errors_.message; }

 private:
  jpeg_decompress_struct info_{};  // zeros: safe to destroy before it was created
  jpeg_progress_mgr progress_{};
  JpegErrors errors_{};
};

// The smallest scale at which the window has as many pixels as are wanted. Of the eighths only the powers of two have
// vector code; the others take longer than the pixels that they save.
int choose_scale(const Rect& rect, int wanted_h, int wanted_w) {
  if (wanted_h < 1 || wanted_w < 1) return 8;
  for (int eighths : {1, 2, 4})
    if (int64_t{rect.h} * eighths >= int64_t{8} * wanted_h && int64_t{rect.w} * eighths >= int64_t{8} * wanted_w)
      return eighths;
  return 8;
}

// Pixels of the whole picture to pixels of the scaled one that they touch, and what of these is the window.
struct Side {
  int first, count;
  Span8 span;
};
Side scaled_side(int first, int count, int eighths) {
  const int begin = first * eighths, end = (first + count) * eighths;
  return {begin / 8, (end + 7) / 8 - begin / 8, eighths == 8 ? Span8{} : Span8{begin % 8, end - begin}};
}

int orientation_of(const jpeg_decompress_struct& info) {
  constexpr std::string_view kExif("Exif\0\0", 6);
  for (const jpeg_marker_struct* marker = info.marker_list; marker != nullptr; marker = marker->next) {
    const std::string_view data(reinterpret_cast<const char*>(marker->data), marker->data_length);
    if (marker->marker == JPEG_APP0 + 1 && data.starts_with(kExif)) return exif_orientation(data.substr(kExif.size()));
  }
  return 1;
}

// Files of several scans (progressive ones) keep the coefficients of the whole picture in memory, two bytes each.
void check_coefficients(const jpeg_decompress_struct& info, const std::filesystem::path& file) {
  uint64_t bytes = 0;
  for (int i = 0; i < info.num_components; ++i)
    bytes += uint64_t{info.comp_info[i].width_in_blocks} * info.comp_info[i].height_in_blocks * DCTSIZE2 * 2;
  if (bytes > kMostCoefficientBytes)
    throw core::Error(file.string() + ": progressive JPEG of " + std::to_string(info.image_width) + "x" +
                      std::to_string(info.image_height) + " takes " + core::bytes_text(static_cast<int64_t>(bytes)) +
                      " to decode; expected at most " + core::bytes_text(kMostCoefficientBytes) +
                      "; save it as a baseline JPEG or smaller");
}

// Four inks as RGB, as Pillow converts them. Adobe's programs store inks inverted and say so by their marker.
void inks_to_rgb(std::vector<uint8_t>& pixels, bool inverted) {
  const auto scaled = [](int a, int b) {
    const int t = a * b + 128;
    return (t + (t >> 8)) >> 8;  // a * b / 255, rounded
  };
  size_t to = 0;
  for (size_t from = 0; from + 3 < pixels.size(); from += 4) {
    const int flip = inverted ? 255 : 0, paper = 255 - (pixels[from + 3] ^ flip);
    const int ink[3] = {pixels[from] ^ flip, pixels[from + 1] ^ flip, pixels[from + 2] ^ flip};
    for (const int i : ink) pixels[to++] = static_cast<uint8_t>(paper - scaled(i, paper));
  }
  pixels.resize(to);
}

}  // namespace

Picture decode_jpeg(std::string_view bytes, int channels, const std::filesystem::path& file, const Wanted& wanted) {
  JpegReader reader;
  const auto check = [&](bool done) {
    if (!done) throw core::Error(file.string() + ": damaged JPEG: " + reader.message());
  };
  check(reader.read_header(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
  const jpeg_decompress_struct& info = reader.info();
  const int orientation = orientation_of(info);
  const int height = static_cast<int>(info.image_height), width = static_cast<int>(info.image_width);
  const Rect window = rect_of(stored_window(wanted.window, orientation), height, width);
  const bool turned = sides_exchanged(orientation);
  const int eighths = choose_scale(window, turned ? wanted.w : wanted.h, turned ? wanted.h : wanted.w);
  const Side down = scaled_side(window.y, window.h, eighths), across = scaled_side(window.x, window.w, eighths);
  check_extent(static_cast<uint64_t>(across.count), static_cast<uint64_t>(down.count), file);
  if (reader.has_several_scans()) check_coefficients(info, file);
  const bool inks = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
  check(reader.start(inks ? JCS_CMYK : channels == 1 ? JCS_GRAYSCALE : JCS_RGB, eighths));
  const int decoded = inks ? 4 : channels;
  if (info.output_components != decoded)
    throw core::Error(file.string() + ": JPEG of unknown colours; expected grey, RGB or CMYK");
  const Rect rect{down.first, across.first, down.count, across.count};
  JDIMENSION first_column = 0;
  check(reader.seek(rect, first_column));
  const size_t stride = static_cast<size_t>(info.output_width) * static_cast<size_t>(decoded);
  Picture picture{channels, rect.h, rect.w, std::vector<uint8_t>(stride * static_cast<size_t>(rect.h)), 0, 0, {}, {}};
  for (size_t y = 0; y < static_cast<size_t>(rect.h); ++y) check(reader.read_row(picture.pixels.data() + y * stride));
  if (info.output_scanline == info.output_height) check(reader.finish());
  if (inks) {
    inks_to_rgb(picture.pixels, info.saw_Adobe_marker);
    if (channels == 1) picture.pixels = luma(picture.pixels);
  }
  picture.first = (static_cast<size_t>(rect.x) - first_column) * static_cast<size_t>(channels);
  picture.stride = static_cast<size_t>(info.output_width) * static_cast<size_t>(channels);
  picture.down = down.span;
  picture.across = across.span;
  return upright(std::move(picture), orientation);
}

}  // namespace condenser::data
