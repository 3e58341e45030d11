#pragma once
// TensorBoard event files with scalar values, written by hand. Formats: TensorFlow's record_writer.h (framing, masked
// CRC) and event.proto, summary.proto (messages). Private to core: programs use core::Metrics.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace condenser::core {

using Scalars = std::vector<std::pair<std::string, double>>;

uint32_t crc32c(std::string_view bytes);                    // Castagnoli polynomial, RFC 3720
std::string tfrecord(std::string_view data);                // length, CRC, data, CRC
std::string version_event(double wall_time);                // must come first in a file
std::string restart_event(double wall_time, int64_t step);  // readers drop what older files hold from `step` on
std::string scalars_event(double wall_time, int64_t step, const Scalars& values);

constexpr const char* kEventFilePrefix = "events.out.tfevents.";
// A new name in `folder`; readers go through the files of a folder in the order of their names.
std::filesystem::path new_event_file(const std::filesystem::path& folder, double wall_time);

}  // namespace condenser::core
