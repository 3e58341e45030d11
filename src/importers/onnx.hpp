#pragma once
// ONNX: see README.md for what is read and how.

#include <string_view>

#include "condenser/importers/importer.hpp"

namespace condenser::importers {

Imported read_onnx(const std::filesystem::path&);

// The same from memory. `name` stands in messages and names the network; `folder`: where tensors that are kept in files
// of their own lie.
Imported parse_onnx(std::string_view bytes, const std::string& name, const std::filesystem::path& folder);

}  // namespace condenser::importers
