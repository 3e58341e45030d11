// Writers of small files for the tests; encoders are libjpeg's and libpng's own.
#include "data/fixtures.hpp"

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <stdexcept>

// clang-format off
#include <jpeglib.h>
// clang-format on
#include <png.h>
#include <zlib.h>

#include "condenser/core/error.hpp"
#include "support/catch.hpp"

namespace condenser::data::testing {
namespace fs = std::filesystem;

TempFolder::TempFolder() {
  std::string name = (fs::temp_directory_path() / "condenser_data_XXXXXX").string();
  if (!mkdtemp(name.data())) throw std::runtime_error("mkdtemp failed: " + name);
  path_ = name;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

fs::path TempFolder::write(const std::string& name, const std::string& bytes) const {
  const fs::path file = path_ / name;
  fs::create_directories(file.parent_path());
  std::ofstream out(file, std::ios::binary);
  out << bytes;
  if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
  return file;
}

ScopedVariable::ScopedVariable(const std::string& name, const char* value) : name_(name) {
  if (const char* old = std::getenv(name.c_str())) {
    old_ = old;
    was_set_ = true;
  }
  value ? setenv(name.c_str(), value, 1) : unsetenv(name.c_str());
}

ScopedVariable::~ScopedVariable() { was_set_ ? setenv(name_.c_str(), old_.c_str(), 1) : unsetenv(name_.c_str()); }

std::string idx_bytes(const std::vector<uint32_t>& extents, const std::string& data) {
  std::string bytes("\0\0\x08", 3);
  bytes += static_cast<char>(extents.size());
  for (uint32_t extent : extents) {
    for (int shift : {24, 16, 8, 0}) bytes += static_cast<char>(extent >> shift & 255);
  }
  return bytes + data;
}

std::string gzip(const std::string& bytes) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(deflateBound(&stream, bytes.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int result = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  REQUIRE(result == Z_STREAM_END);
  return packed;
}

std::string jpeg_bytes(int c, int h, int w, const std::vector<uint8_t>& pixels, int quality, JpegKind kind) {
  REQUIRE(pixels.size() == static_cast<size_t>(c) * h * w);
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);  // ends the process on an error: fine in a test
  jpeg_create_compress(&info);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &buffer, &size);
  info.image_width = w;
  info.image_height = h;
  info.input_components = c;
  info.in_color_space = c == 1 ? JCS_GRAYSCALE : c == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  for (int k = 0; k < info.num_components; ++k) info.comp_info[k].h_samp_factor = info.comp_info[k].v_samp_factor = 1;
  if (kind.halved_colour) info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = 2;
  if (kind.progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  for (int y = 0; y < h; ++y) {
    JSAMPROW row = const_cast<uint8_t*>(pixels.data()) + static_cast<size_t>(y) * w * c;
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  std::string bytes(reinterpret_cast<char*>(buffer), size);
  jpeg_destroy_compress(&info);
  std::free(buffer);
  return bytes;
}

std::string png_bytes(int c, int h, int w, const std::vector<uint8_t>& pixels) {
  REQUIRE(pixels.size() == static_cast<size_t>(c) * h * w);
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = w;
  image.height = h;
  image.format = c == 1 ? PNG_FORMAT_GRAY : c == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_RGBA;
  png_alloc_size_t size = 0;
  REQUIRE(png_image_write_to_memory(&image, nullptr, &size, 0, pixels.data(), 0, nullptr));
  std::string bytes(size, '\0');
  REQUIRE(png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels.data(), 0, nullptr));
  bytes.resize(size);
  return bytes;
}

std::string little_endian(uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * i & 255);
  return out;
}

std::string wav_bytes(const WavHeader& h, const std::string& data) {
  const int frame = h.channels * h.bits / 8;
  const std::string format = little_endian(h.format, 2) + little_endian(h.channels, 2) + little_endian(h.rate, 4) +
                             little_endian(static_cast<uint64_t>(h.rate) * frame, 4) + little_endian(frame, 2) +
                             little_endian(h.bits, 2);
  return "RIFF" + little_endian(4 + 8 + format.size() + 8 + data.size(), 4) + "WAVE" + "fmt " +
         little_endian(format.size(), 4) + format + "data" + little_endian(data.size(), 4) + data;
}

std::string png16_bytes(int h, int w, const std::vector<uint16_t>& pixels) {
  REQUIRE(pixels.size() == static_cast<size_t>(h) * w);
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  std::string bytes;
  const auto append = [](png_structp writer, png_bytep data, png_size_t size) {
    static_cast<std::string*>(png_get_io_ptr(writer))->append(reinterpret_cast<char*>(data), size);
  };
  png_set_write_fn(png, &bytes, append, nullptr);
  png_set_IHDR(png, info, w, h, 16, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  png_set_swap(png);  // the file is big-endian
  for (int y = 0; y < h; ++y) png_write_row(png, reinterpret_cast<png_const_bytep>(pixels.data() + y * w));
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return bytes;
}

std::string error_of(const std::function<void()>& action, bool config) {
  try {
    action();
  } catch (const core::Error& error) {
    CHECK(error.code() == (config ? core::ExitCode::Usage : core::ExitCode::RunFailed));
    CHECK(std::string(error.what()).find('\n') == std::string::npos);
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::shared_ptr<const Dataset> counting_dataset(int64_t n, int classes) {
  std::vector<std::string> names;
  for (int c = 0; c < classes; ++c) names.push_back("class" + std::to_string(c));
  std::vector<uint8_t> pixels(n);
  std::vector<int> labels(n);
  for (int64_t i = 0; i < n; ++i) {
    pixels[i] = static_cast<uint8_t>(i);
    labels[i] = static_cast<int>(i % classes);
  }
  return make_image_dataset({1, 1, 1}, names, {}, pixels, labels);
}

}  // namespace condenser::data::testing
