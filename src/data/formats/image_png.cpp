// PNG through libpng, from bytes in memory to 8-bit grey or RGB: the numbers that are stored, as Pillow and torchvision
// give them. Gamma and colour profiles (gAMA, cHRM, sRGB, iCCP) change nothing, alpha and tRNS are left out, 16 bits
// lose the lower eight, fewer are spread over 0..255, palettes are looked up. Of an animation the default picture is
// read. Rows behind the window are not read.
#include <algorithm>
#include <cctype>
#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <optional>
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

constexpr std::string_view kProfile = "Raw profile type exif", kXmp = "XML:com.adobe.xmp";

// "": damaged, or longer than a text about a picture ever is.
std::string inflated(std::string_view compressed) {
  constexpr size_t kMostBytes = size_t{1} << 20;
  std::string bytes(kMostBytes, '\0');
  uLongf size = kMostBytes;
  const auto* from = reinterpret_cast<const Bytef*>(compressed.data());
  if (uncompress(reinterpret_cast<Bytef*>(bytes.data()), &size, from, compressed.size()) != Z_OK) return "";
  bytes.resize(size);
  return bytes;
}

// Takes what stands before the next zero byte, and that byte, off `rest`; all of it when there is none.
std::string_view before_zero(std::string_view& rest) {
  const size_t end = std::min(rest.find('\0'), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

// The text of a chunk tEXt, zTXt or iTXt.
std::string text_in(std::string_view type, std::string_view rest) {
  if (type == "tEXt") return std::string(rest);
  if (type == "zTXt") return rest.empty() ? "" : inflated(rest.substr(1));
  if (rest.size() < 2) return "";
  const bool compressed = rest[0] != 0;
  rest.remove_prefix(2);
  before_zero(rest);  // language
  before_zero(rest);  // translated keyword
  return compressed ? inflated(rest) : std::string(rest);
}

// ImageMagick's way to keep EXIF: an empty line, a name, a length, then lines of hexadecimal digits.
std::string bytes_of_profile(std::string_view text) {
  for (int line = 0; line < 3; ++line) text.remove_prefix(std::min(text.find('\n') + 1, text.size()));
  std::string bytes;
  int high = -1;
  for (const char c : text) {
    if (std::isspace(static_cast<unsigned char>(c))) continue;
    if (!std::isxdigit(static_cast<unsigned char>(c))) return "";
    const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    if (high >= 0) bytes += static_cast<char>(high * 16 + digit);
    high = high < 0 ? digit : -1;
  }
  return bytes;
}

// What the chunks say about how the picture is to be turned; of several of a kind the last counts.
struct About {
  std::optional<std::string> exif, profile, xmp;
  void add(std::string_view type, std::string_view content) {
    if (type == "eXIf") exif = content;
    if (type != "tEXt" && type != "zTXt" && type != "iTXt") return;
    const std::string_view key = before_zero(content);
    if (key == kProfile) profile = bytes_of_profile(text_in(type, content));
    if (key == kXmp) xmp = text_in(type, content);
  }
};

// From the chunk eXIf, else EXIF in a text, else XMP, as Pillow has it; each may stand behind the pixels, but is needed
// before them. A chunk whose checksum is wrong does not count.
int orientation_of(std::string_view bytes) {
  constexpr std::string_view kExif("Exif\0\0", 6);
  About about;
  bytes.remove_prefix(kSignature);
  while (bytes.size() >= kLength + kType + kChecksum) {
    const size_t length = number(bytes);
    if (length > bytes.size() - kLength - kType - kChecksum) break;
    const std::string_view typed = bytes.substr(kLength, kType + length), type = typed.substr(0, kType);
    if (type == "eXIf" || type.ends_with("Xt")) {
      const auto sum = crc32(0, reinterpret_cast<const Bytef*>(typed.data()), static_cast<uInt>(typed.size()));
      if (sum == number(bytes.substr(kLength + typed.size()))) about.add(type, typed.substr(kType));
    }
    bytes.remove_prefix(kLength + typed.size() + kChecksum);
  }
  const std::string exif = about.exif ? *about.exif : about.profile.value_or("");
  std::string_view tiff = exif;
  while (tiff.starts_with(kExif)) tiff.remove_prefix(kExif.size());  // in an eXIf chunk a mistake that some make
  const int by_exif = exif_orientation(tiff), by_xmp = xmp_orientation(about.xmp.value_or(""));
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
