#pragma once
// Pictures kept decoded: 8-bit planes in memory or in a memory-mapped file. Private to src/data.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "data/pictures.hpp"

namespace condenser::data {

// The size at which pictures are kept for items of `shape`; see OpenOptions::crop_area.
ItemShape stored_shape(const ItemShape& shape, double crop_area);

// What Auto means for so many bytes; other choices stay as they are. `free_bytes`: memory that can still be had.
Cache choose_cache(Cache, int64_t bytes, int64_t free_bytes);

// The file that keeps these pictures at this size: its name is a hash of their paths, sizes and times.
std::filesystem::path cache_file(const Pictures&, const ItemShape& stored, const std::filesystem::path& folder);

// $XDG_CACHE_HOME/condenser, or ~/.cache/condenser. Throws core::ConfigError when neither variable is set.
std::filesystem::path default_cache_folder();

}  // namespace condenser::data
