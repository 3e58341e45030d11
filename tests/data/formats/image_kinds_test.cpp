// Pictures as strangers have them: turned by a camera, with gamma, in four inks, with unusual headers, of sizes that
// are no multiple of a block.
#include <zlib.h>

#include <algorithm>
#include <cmath>

#include "condenser/core/error.hpp"
#include "data/fixtures.hpp"
#include "data/formats/image.hpp"
#include "support/catch.hpp"

using namespace condenser::data;
using namespace condenser::data::testing;

namespace {

std::string big_endian(uint32_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}

// A TIFF with one entry: the tag Orientation.
std::string exif(int orientation, bool big) {
  const auto number = [&](uint32_t v, int n) { return big ? big_endian(v, n) : little_endian(v, n); };
  return (big ? "MM" : "II") + number(42, 2) + number(8, 4) + number(1, 2) + number(0x0112, 2) + number(3, 2) +
         number(1, 4) + number(static_cast<uint32_t>(orientation), 2) + number(0, 2) + number(0, 4);
}

std::string with_exif(const std::string& jpeg, const std::string& tiff) {
  const std::string body = std::string("Exif\0\0", 6) + tiff;
  return jpeg.substr(0, 2) + "\xff\xe1" + big_endian(static_cast<uint32_t>(body.size() + 2), 2) + body + jpeg.substr(2);
}

// Behind the header of a PNG, or before its end.
std::string with_chunk(const std::string& png, const std::string& type, const std::string& data, bool at_end = false) {
  const std::string body = type + data;
  const auto sum = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  const std::string chunk =
      big_endian(static_cast<uint32_t>(data.size()), 4) + body + big_endian(static_cast<uint32_t>(sum), 4);
  return std::string(png).insert(at_end ? png.size() - 12 : 33, chunk);
}

std::vector<uint8_t> planes_of(const Picture& p, int h, int w) {
  std::vector<uint8_t> planes(static_cast<size_t>(p.c) * h * w);
  resize_to_planes(view_of(p), h, w, planes);
  return planes;
}

// [h, w] of one channel whose four corners differ.
std::vector<uint8_t> corners(int h, int w) {
  std::vector<uint8_t> grey;
  for (int y = 0; y < h; ++y)
    for (int x = 0; x < w; ++x) grey.push_back(static_cast<uint8_t>(20 + 150 * y / (h - 1) + 60 * x / (w - 1)));
  return grey;
}

// What a viewer shows of stored pixels; the definition of the tag (TIFF 6.0, EXIF 2.3).
uint8_t shown(const std::vector<uint8_t>& stored, int h, int w, int orientation, int row, int column) {
  switch (orientation) {
    case 2: return stored[row * w + (w - 1 - column)];
    case 3: return stored[(h - 1 - row) * w + (w - 1 - column)];
    case 4: return stored[(h - 1 - row) * w + column];
    case 5: return stored[column * w + row];
    case 6: return stored[(h - 1 - column) * w + row];
    case 7: return stored[(h - 1 - column) * w + (w - 1 - row)];
    case 8: return stored[column * w + (w - 1 - row)];
    default: return stored[row * w + column];
  }
}

std::vector<uint8_t> waves(int h, int w) {
  std::vector<uint8_t> rgb;
  for (int y = 0; y < h; ++y)
    for (int x = 0; x < w; ++x)
      for (int c = 0; c < 3; ++c)
        rgb.push_back(static_cast<uint8_t>(
            std::lround(127 + 100 * std::sin(6.2832 * (1.7 * x / w + 0.2 * c)) * std::cos(6.2832 * (1.3 * y / h)))));
  return rgb;
}

}  // namespace

TEST_CASE("pictures are upright whatever the camera stored", "[data]") {
  constexpr int h = 6, w = 9;
  const auto stored = corners(h, w);
  const std::string png = png_bytes(1, h, w, stored);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    INFO(orientation);
    const bool turned = orientation >= 5;
    const int rows = turned ? w : h, columns = turned ? h : w;
    for (const bool big : {false, true})
      for (const bool at_end : {false, true}) {
        const Picture p = decode_png(with_chunk(png, "eXIf", exif(orientation, big), at_end), 1, "x.png");
        REQUIRE(p.h == rows);
        REQUIRE(p.w == columns);
        const auto planes = planes_of(p, rows, columns);
        for (int r = 0; r < rows; ++r)
          for (int c = 0; c < columns; ++c)
            CHECK(int{planes[r * columns + c]} == int{shown(stored, h, w, orientation, r, c)});
      }
  }
}

TEST_CASE("windows of a turned JPEG are cut from what people see", "[data]") {
  constexpr int h = 160, w = 240;
  const std::string jpeg = jpeg_bytes(1, h, w, corners(h, w), 95);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    INFO(orientation);
    const std::string turned = with_exif(jpeg, exif(orientation, orientation % 2 == 0));
    const Picture whole = decode_jpeg(turned, 1, "x.jpg");
    const auto all = planes_of(whole, whole.h, whole.w);
    // The upper left quarter.
    const Picture part = decode_jpeg(turned, 1, "x.jpg", {{0, 0, 0.5, 0.5}, 8, 8});
    const auto small = planes_of(part, 8, 8);
    for (int y = 0; y < 8; ++y)
      for (int x = 0; x < 8; ++x) {
        const int row = (2 * y + 1) * whole.h / 32, column = (2 * x + 1) * whole.w / 32;
        CHECK(std::abs(small[y * 8 + x] - all[row * whole.w + column]) <= 3);
      }
  }
}

TEST_CASE("EXIF that makes no sense turns nothing and damages nothing", "[data]") {
  const std::string jpeg = jpeg_bytes(1, 16, 16, corners(16, 16), 95);
  const Picture plain = decode_jpeg(jpeg, 1, "x.jpg");
  for (const std::string& tiff : {std::string(), std::string("MM"), exif(0, true), exif(9, false),
                                  exif(6, true).substr(0, 15), std::string("MM\0*\xff\xff\xff\xff", 8)})
    CHECK(decode_jpeg(with_exif(jpeg, tiff), 1, "x.jpg").pixels == plain.pixels);
}

TEST_CASE("sides that are no multiple of a block keep their geometry when a JPEG is decoded smaller", "[data]") {
  for (const auto& [h, w] : {std::pair{225, 225}, {226, 233}, {228, 299}, {233, 449}, {449, 500}}) {
    for (const bool progressive : {false, true}) {
      const auto rgb = waves(h, w);
      const std::string jpeg = jpeg_bytes(3, h, w, rgb, 97, {.progressive = progressive});
      const Picture original{3, h, w, rgb, 0, 0, {}, {}};
      for (const int size : {28, 32, 56}) {
        const auto wanted = planes_of(original, size, size);
        const auto found = planes_of(decode_jpeg(jpeg, 3, "x.jpg", {{}, size, size}), size, size);
        int largest = 0;
        for (size_t i = 0; i < wanted.size(); ++i) largest = std::max(largest, std::abs(wanted[i] - found[i]));
        INFO(h << "x" << w << " to " << size);
        CHECK(largest <= 2);
      }
    }
  }
}

TEST_CASE("the numbers stored in a PNG count, whatever it says of gamma", "[data]") {
  const auto rgb = waves(5, 7);
  const std::string png = png_bytes(3, 5, 7, rgb);
  for (const uint32_t gamma : {100000u, 55556u, 45455u, 35000u})
    CHECK(decode_png(with_chunk(png, "gAMA", big_endian(gamma, 4)), 3, "x.png").pixels == rgb);
}

TEST_CASE("unusual headers of a JPEG damage nothing", "[data]") {
  const std::string jpeg = jpeg_bytes(1, 16, 16, corners(16, 16), 95);
  const Picture plain = decode_jpeg(jpeg, 1, "x.jpg");
  const size_t jfif = jpeg.find(std::string("JFIF\0", 5));
  REQUIRE(jfif != std::string::npos);
  for (const std::string& revision : {std::string("\x02\x01", 2), std::string("\0\x02", 2)}) {
    std::string other = jpeg;
    other.replace(jfif + 5, 2, revision);
    CHECK(decode_jpeg(other, 1, "x.jpg").pixels == plain.pixels);
  }
  std::string scan = jpeg;
  const size_t sos = scan.find("\xff\xda");
  scan[sos + 8] = '\0';  // Se of a baseline scan: 63
  CHECK(decode_jpeg(scan, 1, "x.jpg").pixels == plain.pixels);
}

TEST_CASE("four inks become RGB as Pillow has it", "[data]") {
  // Stored inverted: 255 is no ink. Without black the inks are the colours, and black darkens them in proportion.
  for (const auto& [inks, rgb] : {std::pair{std::vector<uint8_t>{200, 100, 50, 255}, std::vector<int>{200, 100, 50}},
                                  {{200, 100, 50, 128}, {100, 50, 25}}}) {
    std::vector<uint8_t> pixels;
    for (int i = 0; i < 64; ++i) pixels.insert(pixels.end(), inks.begin(), inks.end());
    const std::string bytes = jpeg_bytes(4, 8, 8, pixels);
    const Picture p = decode_jpeg(bytes, 3, "print.jpg");
    for (size_t i = 0; i < p.pixels.size(); ++i) CHECK(std::abs(p.pixels[i] - rgb[i % 3]) <= 2);
    const Picture grey = decode_jpeg(bytes, 1, "print.jpg");
    for (const uint8_t value : grey.pixels)
      CHECK(std::abs(value - (0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2])) <= 2);
  }
}

TEST_CASE("what stands behind the edge of a JPEG in its last blocks does not show", "[data]") {
  constexpr int kCoded = 240, kShown = 225;
  for (const int fill : {0, 255}) {
    std::vector<uint8_t> grey = corners(kCoded, kCoded);
    for (int y = 0; y < kCoded; ++y)
      for (int x = 0; x < kCoded; ++x)
        if (y >= kShown || x >= kShown) grey[y * kCoded + x] = static_cast<uint8_t>(fill);
    std::string jpeg = jpeg_bytes(1, kCoded, kCoded, grey, 97);
    const std::string side = big_endian(kShown, 2);
    jpeg.replace(jpeg.find("\xff\xc0") + 5, 2, side).replace(jpeg.find("\xff\xc0") + 7, 2, side);
    const Picture whole = decode_jpeg(jpeg, 1, "x.jpg");
    REQUIRE(whole.h == kShown);
    for (const int size : {7, 14, 28}) {
      const Picture small = decode_jpeg(jpeg, 1, "x.jpg", {{}, size, size});
      CHECK(small.h < kShown);
      const auto wanted = planes_of(whole, size, size), found = planes_of(small, size, size);
      for (size_t i = 0; i < wanted.size(); ++i) CHECK(std::abs(wanted[i] - found[i]) <= 2);
    }
  }
}

TEST_CASE("XMP turns a picture whose EXIF does not say how it is stored", "[data]") {
  const std::string jpeg = jpeg_bytes(1, 16, 24, corners(16, 24), 95);
  const auto with_xmp = [](const std::string& file, int orientation) {
    std::string body("http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation=\"0\"/>", 54);
    body[50] = static_cast<char>('0' + orientation);
    return std::string(file).insert(2, "\xff\xe1" + big_endian(static_cast<uint32_t>(body.size() + 2), 2) + body);
  };
  CHECK(decode_jpeg(with_xmp(jpeg, 6), 1, "x.jpg").h == 24);
  CHECK(decode_jpeg(with_xmp(with_exif(jpeg, exif(1, true)), 6), 1, "x.jpg").h == 16);
  CHECK(decode_jpeg(with_xmp(with_exif(jpeg, exif(6, true)), 1), 1, "x.jpg").h == 24);
  CHECK(decode_jpeg(with_xmp(jpeg, 9), 1, "x.jpg").h == 16);
}

TEST_CASE("texts of a PNG turn it as Pillow turns it", "[data]") {
  const std::string png = png_bytes(1, 2, 3, std::vector<uint8_t>(6, 9)), zero(1, '\0');
  const auto deflated = [](const std::string& text) {
    std::string out(compressBound(text.size()), '\0');
    uLongf size = out.size();
    compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(text.data()), text.size());
    return out.substr(0, size);
  };
  // As ImageMagick writes it: name and length, then lines of 36 bytes in hexadecimal digits.
  const auto profile = [](int orientation) {
    const std::string bytes = std::string("Exif\0\0", 6) + exif(orientation, true);
    std::string text = "\nexif\n      " + std::to_string(bytes.size());
    for (size_t i = 0; i < bytes.size(); ++i) {
      char digits[3];
      std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(bytes[i]));
      text += (i % 36 == 0 ? "\n" : "") + std::string(digits);
    }
    return text + "\n";
  };
  const std::string name = "Raw profile type exif" + zero, xmp = "XML:com.adobe.xmp" + zero;
  const auto packet = [](int orientation) {
    return "<x><rdf:Description tiff:Orientation=\"" + std::to_string(orientation) + "\"/></x>";
  };
  const auto turned = [](const std::string& file) { return decode_png(file, 1, "x.png").h == 3; };
  for (const bool at_end : {false, true}) {
    CHECK(turned(with_chunk(png, "zTXt", name + zero + deflated(profile(6)), at_end)));
    CHECK_FALSE(turned(with_chunk(png, "zTXt", name + zero + deflated(profile(3)), at_end)));
    CHECK(turned(with_chunk(png, "tEXt", name + profile(8), at_end)));
    CHECK(turned(with_chunk(png, "iTXt", name + zero + zero + "en" + zero + zero + profile(5), at_end)));
    CHECK(turned(with_chunk(png, "iTXt", xmp + "\1" + zero + zero + zero + deflated(packet(6)), at_end)));
    CHECK(turned(with_chunk(png, "iTXt", xmp + zero + zero + zero + zero + packet(6), at_end)));
  }
  // The chunk made for it comes before a text, EXIF before XMP.
  const std::string both = with_chunk(png, "zTXt", name + zero + deflated(profile(6)));
  CHECK_FALSE(turned(with_chunk(both, "eXIf", exif(1, false), true)));
  CHECK(turned(with_chunk(both, "iTXt", xmp + zero + zero + zero + zero + packet(1))));
  // Damage and other texts turn nothing.
  CHECK_FALSE(turned(with_chunk(png, "zTXt", name + zero + deflated(profile(6)).substr(0, 20))));
  CHECK_FALSE(turned(with_chunk(png, "tEXt", name + "\nexif\n 4\nzz")));
  CHECK_FALSE(turned(with_chunk(png, "tEXt", name)));
  CHECK_FALSE(turned(with_chunk(png, "tEXt", "Raw profile type APP1" + zero + profile(6))));
  CHECK_FALSE(turned(with_chunk(png, "iTXt", xmp)));
  CHECK_FALSE(turned(with_chunk(png, "zTXt", name + zero + deflated(std::string(2'000'000, '1')))));
}

TEST_CASE("large photographs are decoded smaller", "[data]") {
  constexpr int kSide = 8200;  // 67 million pixels
  const std::string jpeg = jpeg_bytes(1, kSide, kSide, std::vector<uint8_t>(size_t{kSide} * kSide, 90), 30);
  const Picture p = decode_jpeg(jpeg, 1, "x.jpg", {{}, 28, 28});
  CHECK(p.h == kSide / 8);
  CHECK(p.pixels.size() == static_cast<size_t>(kSide / 8) * (kSide / 8));
  CHECK(std::ranges::all_of(planes_of(p, 28, 28), [](uint8_t value) { return std::abs(value - 90) <= 1; }));
}

TEST_CASE("a picture is made of cells only where enough of them remain", "[data]") {
  CHECK(largest_cell(225, 225, 28, 28, 8) == 2);
  CHECK(largest_cell(4000, 3000, 28, 28, 8) == 8);
  CHECK(largest_cell(223, 500, 28, 28, 8) == 1);
  CHECK(largest_cell(4000, 3000, 0, 0, 8) == 1);
  CHECK(largest_cell(12000, 16000, 5000, 5000, 8) == 2);  // all would be too many to keep
}

TEST_CASE("one row of 60,000 pixels is read", "[data]") {
  std::vector<uint8_t> row(60000);
  for (size_t x = 0; x < row.size(); ++x) row[x] = static_cast<uint8_t>(x / 240);
  for (const std::string& bytes : {png_bytes(1, 1, 60000, row), jpeg_bytes(1, 1, 60000, row)}) {
    const auto planes = planes_of(decode_picture(bytes, 1, "x", {{}, 1, 10}), 1, 10);
    for (int o = 1; o < 9; ++o) CHECK(std::abs(planes[o] - (25 * o + 12)) <= 1);
  }
}

TEST_CASE("kinds of JPEG that are not read are named, not called damaged", "[data]") {
  std::string jpeg = jpeg_bytes(1, 16, 16, corners(16, 16), 95);
  const size_t frame = jpeg.find("\xff\xc0");
  std::string wide = jpeg;
  wide[frame + 4] = 12;
  CHECK(contains(error_of([&] { decode_jpeg(wide, 1, "x.jpg"); }), "x.jpg: a JPEG of a kind that is not read"));
  jpeg[frame + 1] = '\xc3';
  CHECK(contains(error_of([&] { decode_jpeg(jpeg, 1, "x.jpg"); }), "a kind that is not read"));
}
