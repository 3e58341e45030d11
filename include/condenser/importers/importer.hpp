#pragma once
// Networks of other programs as a Spec with its weights. A file made of operators that a Spec has becomes a network
// that every verb takes; any other is refused by node and name. An explicit list of formats.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "condenser/arch/spec.hpp"
#include "condenser/arch/weights.hpp"
#include "condenser/runtime/quant_params.hpp"

namespace condenser::importers {

// Integers that the file brought along. They belong to arch::lower(spec).
struct Int8Form {
  arch::Weights weights;
  runtime::QuantParams quant;
};

struct Imported {
  arch::Spec spec;                 // not lowered: batch norms and activations are nodes
  arch::Weights weights;           // floats; of an int8 file the values that its integers stand for
  std::optional<Int8Form> int8;    // none: a float file
  std::string input_name;          // as the file has it
  std::string input_axes;          // of the file's input: "nchw", "nhwc", "nc"; ours is always chw
  std::vector<std::string> notes;  // what is not as it was in the file, a sentence each
};

struct Importer {
  std::string extension;  // ".onnx"
  std::string about;
  // Throws core::Error: "<file>: node 'conv1' (Conv): what was found; expected ...". Bounded: never reads out of the
  // file, and takes memory in proportion to it.
  Imported (*read)(const std::filesystem::path&);
};
const std::vector<Importer>& importers();

// By extension, in any case; throws ConfigError for one that no importer has.
Imported import_file(const std::filesystem::path&);

}  // namespace condenser::importers
