#pragma once
// A folder that appears whole or not at all.

#include <filesystem>

#include "exporters/c99.hpp"

namespace condenser::exporters {

// Writes the files into a temporary folder beside `folder` and renames it. An existing export (a folder with a
// manifest.json) or an empty folder is replaced; anything else is left alone: throws core::Error. On failure the old
// export is still there.
void write_export_folder(const std::filesystem::path& folder, const Files& files);

}  // namespace condenser::exporters
