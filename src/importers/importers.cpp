// The formats that are read, one row each.
#include "condenser/importers/importer.hpp"

#include <algorithm>
#include <cctype>

#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"
#include "importers/onnx.hpp"
#include "importers/tflite.hpp"

namespace condenser::importers {

const std::vector<Importer>& importers() {
  static const std::vector<Importer> list = {
      {".onnx", "ONNX, float or int8 with QuantizeLinear and DequantizeLinear", read_onnx},
      {".tflite", "TensorFlow Lite, float or int8", read_tflite},
  };
  return list;
}

Imported import_file(const std::filesystem::path& file) {
  std::string extension = file.extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return std::tolower(c); });
  std::vector<std::string> known;
  for (const Importer& importer : importers()) {
    if (importer.extension == extension) return importer.read(file);
    known.push_back(importer.extension);
  }
  throw core::ConfigError(core::printable(file.string()) + ": expected a network in a file of " +
                          core::join(known, " or "));
}

}  // namespace condenser::importers
