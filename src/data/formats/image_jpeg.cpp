// JPEG through libjpeg-turbo, from bytes in memory to 8-bit grey or RGB. Damaged files are refused, not patched.
//
// Only what is wanted is decoded: rows above and columns beside the window are passed over (their bits are read, their
// pixels not computed), rows below it are not read, and where the result is much smaller, the inverse DCT gives means
// of 2x2, 4x4 or 8x8 pixels. Where such a cell sticks out of the picture, it would mix in what the encoder has put into
// the rest of its last blocks; then all pixels are decoded and the means made here.
#include <algorithm>
#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <mutex>
#include <span>
#include <string>

// libjpeg's headers use FILE and size_t without including them, and jerror.h needs jpeglib.h.
// clang-format off
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include "condenser/core/error.hpp"
#include "condenser/core/table.hpp"
#include "data/formats/image.hpp"

namespace condenser::data {
namespace {

// Of files with several scans, see below: the most, and from where on only one picture at a time is decoded.
constexpr int64_t kMostCoefficientBytes = int64_t{3} << 29, kManyCoefficientBytes = int64_t{1} << 27;

// libjpeg reports errors by a function that must not return. Exceptions may not cross its C frames, so control goes
// back by longjmp, and only through functions without objects to destroy: setjmp stands in the three short methods
// below, all owners live in decode_jpeg.
struct JpegErrors {
  jpeg_error_mgr manager;  // first: libjpeg hands back a pointer to it
  std::jmp_buf back;
  int code;
  int most_scans;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void jpeg_fail(j_common_ptr info) {
  auto* errors = reinterpret_cast<JpegErrors*>(info->err);
  errors->code = info->err->msg_code;
  errors->manager.format_message(info, errors->message);
  std::longjmp(errors->back, 1);
}

constexpr int kLargestCell = 8;  // of the inverse DCT

bool contains(std::span<const int> codes, int code) { return std::ranges::find(codes, code) != codes.end(); }

// Level -1 is a warning. Most are about damaged data (cut short, bad codes, a scan missing), which libjpeg would fill
// with grey; these say that something in the file is unusual, and lose nothing.
constexpr int kHarmless[] = {JWRN_EXTRANEOUS_DATA, JWRN_ADOBE_XFORM, JWRN_JFIF_MAJOR, JWRN_NOT_SEQUENTIAL,
                             JWRN_BOGUS_ICC};

// Errors that are no damage: kinds of JPEG that the library does not decode.
constexpr int kUnsupported[] = {
    JERR_BAD_PRECISION, JERR_SOF_UNSUPPORTED, JERR_ARITH_NOTIMPL, JERR_COMPONENT_COUNT, JERR_CONVERSION_NOTIMPL,
    JERR_NOTIMPL,       JERR_IMAGE_TOO_BIG,   JERR_EMPTY_IMAGE,   JERR_CCIR601_NOTIMPL, JERR_FRACT_SAMPLE_NOTIMPL};

void jpeg_message(j_common_ptr info, int level) {
  if (level < 0 && !contains(kHarmless, info->err->msg_code)) jpeg_fail(info);
}

void jpeg_silent(j_common_ptr) {}

// A progressive file may repeat its scans without end; the usual number is 10. So many for small pictures, and for
// large ones as many as go over so many pixels.
constexpr int kMostScans = 200, kFewScans = 12;
constexpr int64_t kMostScannedPixels = 4'000'000'000;

void jpeg_progress(j_common_ptr info) {
  auto* errors = reinterpret_cast<JpegErrors*>(info->err);
  if (!info->is_decompressor || reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= errors->most_scans)
    return;
  errors->code = 0;
  std::snprintf(errors->message, sizeof errors->message, "more than %d scans", errors->most_scans);
  std::longjmp(errors->back, 1);
}

class JpegReader {
 public:
  JpegReader() {
    info_.err = jpeg_std_error(&errors_.manager);
    errors_.manager.error_exit = jpeg_fail;
    errors_.manager.emit_message = jpeg_message;
    errors_.manager.output_message = jpeg_silent;
    errors_.most_scans = kMostScans;
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
    const int64_t pixels = std::max<int64_t>(1, int64_t{info_.image_width} * info_.image_height);
    errors_.most_scans = static_cast<int>(std::clamp<int64_t>(kMostScannedPixels / pixels, kFewScans, kMostScans));
    return true;
  }

  // The exact inverse DCT ("islow"): the same bytes on all machines, and with vector instructions hardly slower than
  // the approximate one ("ifast").
  bool start(J_COLOR_SPACE colours, int cell) {
    if (setjmp(errors_.back)) return false;
    info_.out_color_space = colours;
    info_.dct_method = JDCT_ISLOW;
    info_.scale_num = 1;
    info_.scale_denom = static_cast<unsigned>(cell);
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
  core::Error error(const std::filesystem::path& file) const {
    const std::string message = errors_.message;
    if (!contains(kUnsupported, errors_.code)) return core::Error(file.string() + ": damaged JPEG: " + message);
    return core::Error(file.string() + ": a JPEG of a kind that is not read: " + message +
                       "; expected 8 bits, baseline or progressive; convert it or take it out");
  }

 private:
  jpeg_decompress_struct info_{};  // zeros: safe to destroy before it was created
  jpeg_progress_mgr progress_{};
  JpegErrors errors_{};
};

// From the first Exif segment with the tag, else from XMP; other APP1 segments may stand before them.
int orientation_of(const jpeg_decompress_struct& info) {
  constexpr std::string_view kExif("Exif\0\0", 6), kXmp("http://ns.adobe.com/xap/1.0/\0", 29);
  int by_exif = 0, by_xmp = 0;
  for (const jpeg_marker_struct* marker = info.marker_list; marker != nullptr; marker = marker->next) {
    const std::string_view data(reinterpret_cast<const char*>(marker->data), marker->data_length);
    if (by_exif == 0 && data.starts_with(kExif)) by_exif = exif_orientation(data.substr(kExif.size()));
    if (by_xmp == 0 && data.starts_with(kXmp)) by_xmp = xmp_orientation(data.substr(kXmp.size()));
  }
  return by_exif ? by_exif : by_xmp ? by_xmp : 1;
}

// Files of several scans (progressive ones) keep the coefficients of the whole picture in memory, two bytes each.
int64_t coefficient_bytes(const jpeg_decompress_struct& info, const std::filesystem::path& file) {
  int64_t bytes = 0;
  for (int i = 0; i < info.num_components; ++i)
    bytes += int64_t{info.comp_info[i].width_in_blocks} * info.comp_info[i].height_in_blocks * DCTSIZE2 * 2;
  if (bytes > kMostCoefficientBytes)
    throw core::Error(file.string() + ": progressive JPEG of " + std::to_string(info.image_width) + "x" +
                      std::to_string(info.image_height) + " takes " + core::bytes_text(bytes) +
                      " to decode; expected at most " + core::bytes_text(kMostCoefficientBytes) +
                      "; save it as a baseline JPEG or smaller");
  return bytes;
}

// Whether a cell that the range [first, first + count) of n pixels touches sticks out of them.
bool sticks_out(int first, int count, int cell, int n) { return (first + count + cell - 1) / cell * cell > n; }

}  // namespace

Picture decode_jpeg(std::string_view bytes, int channels, const std::filesystem::path& file, const Wanted& wanted) {
  JpegReader reader;
  const auto check = [&](bool done) {
    if (!done) throw reader.error(file);
  };
  check(reader.read_header(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
  const jpeg_decompress_struct& info = reader.info();
  check_extent(info.image_width, info.image_height, file);
  const int orientation = orientation_of(info);
  const int height = static_cast<int>(info.image_height), width = static_cast<int>(info.image_width);
  const Rect window = stored_rect(wanted.window, orientation, height, width);
  const bool turned = sides_exchanged(orientation);
  const int cell =
      largest_cell(window.h, window.w, turned ? wanted.w : wanted.h, turned ? wanted.h : wanted.w, kLargestCell);
  const bool here = sticks_out(window.y, window.h, cell, height) || sticks_out(window.x, window.w, cell, width);
  const int by_library = here ? 1 : cell, by_sink = here ? cell : 1;
  const auto cells = [by_library](int first, int count) {
    return (first + count + by_library - 1) / by_library - first / by_library;
  };
  const Rect rect{window.y / by_library, window.x / by_library, cells(window.y, window.h), cells(window.x, window.w)};
  check_kept(static_cast<uint64_t>(rect.w / by_sink), static_cast<uint64_t>(rect.h / by_sink), file);
  std::unique_lock<std::mutex> alone;
  if (reader.has_several_scans() && coefficient_bytes(info, file) > kManyCoefficientBytes) {
    static std::mutex one;
    alone = std::unique_lock(one);
  }
  const bool inks = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
  const int decoded = inks ? 4 : channels;
  check(reader.start(inks ? JCS_CMYK : channels == 1 ? JCS_GRAYSCALE : JCS_RGB, by_library));
  if (info.output_components != decoded)
    throw core::Error(file.string() + ": JPEG of unknown colours; expected grey, RGB or CMYK");
  JDIMENSION first_column = 0;
  check(reader.seek(rect, first_column));
  std::vector<uint8_t> row(static_cast<size_t>(info.output_width) * static_cast<size_t>(decoded));
  const uint8_t* begin = row.data() + (static_cast<size_t>(rect.x) - first_column) * static_cast<size_t>(decoded);
  RowSink sink(channels, rect.h, rect.w, by_sink);
  for (int y = 0; y < rect.h; ++y) {
    check(reader.read_row(row.data()));
    sink.add(begin, decoded);
  }
  if (info.output_scanline == info.output_height) check(reader.finish());
  Picture picture = sink.take();
  if (!here) {
    picture.down = {window.y % cell, window.h, cell};
    picture.across = {window.x % cell, window.w, cell};
  }
  return upright(std::move(picture), orientation);
}

}  // namespace condenser::data
