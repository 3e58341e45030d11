#pragma once
// TensorFlow Lite: see README.md for what is read and how.

#include <string_view>

#include "condenser/importers/importer.hpp"

namespace condenser::importers {

Imported read_tflite(const std::filesystem::path&);

// The same from memory. `name` stands in messages and names the network.
Imported parse_tflite(std::string_view bytes, const std::string& name);

}  // namespace condenser::importers
