#pragma once
// Small data sets on disk for the tests of data/: bytes of every format, pictures, temporary folders, an environment
// variable for one scope.

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "condenser/data/card.hpp"
#include "condenser/data/dataset.hpp"

namespace condenser::data::testing {

class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  // Creates parent folders; returns the full path.
  std::filesystem::path write(const std::string& name, const std::string& bytes) const;

 private:
  std::filesystem::path path_;
};

class ScopedVariable {
 public:
  ScopedVariable(const std::string& name, const char* value);  // nullptr: unset
  ~ScopedVariable();
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  std::string name_, old_;
  bool was_set_ = false;
};

std::string idx_bytes(const std::vector<uint32_t>& extents, const std::string& data);
std::string gzip(const std::string& bytes);

// `pixels`: interleaved [h, w, c]; c = 1, 3, for JPEG also 4 (CMYK).
struct JpegKind {
  bool progressive = false, halved_colour = false;  // 4:2:0
};
std::string jpeg_bytes(int c, int h, int w, const std::vector<uint8_t>& pixels, int quality = 100, JpegKind = {});
// Grey, 16 bits a pixel.
std::string png16_bytes(int h, int w, const std::vector<uint16_t>& pixels);
// c = 1 grey, 3 RGB, 4 RGB and alpha.
std::string png_bytes(int c, int h, int w, const std::vector<uint8_t>& pixels);

// Fields of a WAV header; see wav_bytes.
struct WavHeader {
  int format = 1, channels = 1, rate = 16000, bits = 16;
};
std::string wav_bytes(const WavHeader&, const std::string& data);
std::string little_endian(uint64_t value, int bytes);

// The message of the core::Error that `action` throws, which must have exit code 1, or 2 with `config`; "" when nothing
// is thrown.
std::string error_of(const std::function<void()>& action, bool config = false);
bool contains(const std::string& text, const std::string& part);

// n one-pixel items; item i has pixel i % 256 and label i % classes.
std::shared_ptr<const Dataset> counting_dataset(int64_t n, int classes);

}  // namespace condenser::data::testing
