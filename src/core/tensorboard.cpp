// Encodes Event messages in protobuf's wire format and frames them as TFRecords. Which numbers are written, and when,
// is decided by metrics.cpp.

#include "core/tensorboard.hpp"

#include <unistd.h>

#include <array>
#include <bit>
#include <cctype>

namespace condenser::core {
namespace {

constexpr std::array<uint32_t, 256> crc_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0u);  // reflected 0x1EDC6F41
    table[i] = crc;
  }
  return table;
}

// CRCs of data that contains CRCs are weak; TFRecord therefore stores them rotated and shifted.
uint32_t masked(uint32_t crc) { return (crc >> 15 | crc << 17) + 0xA282EAD8u; }

template <class T>
std::string little_endian(T value) {
  std::string out;
  for (size_t i = 0; i < sizeof(T); ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
  return out;
}

std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
  return out + static_cast<char>(value);
}

// Wire types of protobuf: 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes.
std::string key(int field, int wire_type) { return varint(static_cast<uint64_t>(field << 3 | wire_type)); }
std::string int_field(int field, int64_t value) { return key(field, 0) + varint(static_cast<uint64_t>(value)); }
std::string double_field(int field, double value) {
  return key(field, 1) + little_endian(std::bit_cast<uint64_t>(value));
}
std::string float_field(int field, float value) {
  return key(field, 5) + little_endian(std::bit_cast<uint32_t>(value));
}
std::string bytes_field(int field, std::string_view bytes) {
  return (key(field, 2) + varint(bytes.size())).append(bytes);
}

// Field numbers of event.proto and summary.proto.
constexpr int kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;  // Event
constexpr int kValue = 1;                                                                 // Summary
constexpr int kTag = 1, kSimpleValue = 2;                                                 // Summary.Value
constexpr int kStatus = 1, kStart = 1;                                                    // SessionLog, START

std::string event(double wall_time, int64_t step, const std::string& what) {
  return tfrecord(double_field(kWallTime, wall_time) + int_field(kStep, step) + what);
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  static constexpr std::array<uint32_t, 256> kTable = crc_table();
  uint32_t crc = ~0u;
  for (char c : bytes) crc = crc >> 8 ^ kTable[(crc ^ static_cast<uint8_t>(c)) & 0xFF];
  return ~crc;
}

std::string tfrecord(std::string_view data) {
  const std::string length = little_endian(static_cast<uint64_t>(data.size()));
  std::string out = length + little_endian(masked(crc32c(length)));
  out.append(data).append(little_endian(masked(crc32c(data))));
  return out;
}

std::string version_event(double wall_time) { return event(wall_time, 0, bytes_field(kFileVersion, "brain.Event:2")); }

std::string restart_event(double wall_time, int64_t step) {
  return event(wall_time, step, bytes_field(kSessionLog, int_field(kStatus, kStart)));
}

std::string scalars_event(double wall_time, int64_t step, const Scalars& values) {
  std::string summary;
  for (const auto& [tag, value] : values)
    summary += bytes_field(kValue, bytes_field(kTag, tag) + float_field(kSimpleValue, static_cast<float>(value)));
  return event(wall_time, step, bytes_field(kSummary, summary));
}

std::filesystem::path new_event_file(const std::filesystem::path& folder, double wall_time) {
  char host[256] = "";
  if (::gethostname(host, sizeof host - 1) != 0 || !host[0]) host[0] = 'x';
  for (char* c = host; *c; ++c)
    if (!std::isalnum(static_cast<unsigned char>(*c)) && *c != '-') *c = '_';
  std::string seconds = std::to_string(static_cast<int64_t>(wall_time));
  seconds.insert(0, seconds.size() < 10 ? 10 - seconds.size() : 0, '0');  // names sort like times
  const std::string stem = kEventFilePrefix + seconds + "." + host + "." + std::to_string(::getpid()) + ".";
  for (int serial = 0;; ++serial) {
    const std::filesystem::path path = folder / (stem + std::to_string(serial));
    if (!std::filesystem::exists(path)) return path;
  }
}

}  // namespace condenser::core
