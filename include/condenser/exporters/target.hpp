#pragma once
// Destinations of export. An explicit list; a target either writes a package or refuses it by name.

#include <array>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "condenser/arch/design.hpp"
#include "condenser/arch/weights.hpp"
#include "condenser/data/features.hpp"
#include "condenser/runtime/quant_params.hpp"

namespace condenser::exporters {

// From a clip of sound to the network's input.
struct SoundInput {
  int sample_rate = 0;           // Hz
  double mean = 0.0, std = 1.0;  // of a feature: x = (feature - mean) / std
  data::FrontEndTables tables;
};

// A lowered Spec with its weights; int8 when `quant` is present.
struct Package {
  arch::Spec spec;
  arch::Weights weights;
  std::optional<runtime::QuantParams> quant;
  std::optional<arch::Weights> floats;  // of the same Spec before quantization, for targets that write both forms
  std::string spec_hash;                // of the Spec before lowering: searched = trained = exported
  std::vector<std::string> classes;
  bool independent = false;  // each class has a probability of its own (sigmoid); else one of them is chosen (softmax)
  std::vector<std::array<int8_t, 256>> pixels;  // [channel]: input byte of every pixel of 8 bits; empty: no pictures
  std::optional<SoundInput> sound;              // the front-end that goes along; its features fill the input
  std::string input_note;                       // how to make the input, for people: normalization and order
  std::string output_note;                      // what the outputs are where they are no classes; else empty
};

// Inputs and the outputs that the framework's int8 executor gives for them; shipped with every export.
struct KnownAnswers {
  std::vector<std::vector<int8_t>> inputs;   // [h, w, c]
  std::vector<std::vector<int8_t>> outputs;  // [h, w, c]; several outputs one after the other
  std::vector<std::vector<int16_t>> clips;   // that the inputs were made from, with SoundInput; else empty
  std::vector<std::vector<int8_t>> stream;   // of ExportOptions::stream: its outputs (exporters/stream.hpp)
  // Whether an output is the right answer for sample i; empty: not known.
  std::function<bool(size_t i, std::span<const int8_t> output)> right;
};

struct Unsupported {
  std::string node, why;
};

struct ExportOptions {
  std::string prefix = "model";       // of C symbols and files
  bool private_kernels = false;       // kernels that no other export shares: whole folders can be added to one program
  bool front_end = true;              // of sounds; see SoundInput
  bool strips = false;                // the first layers a few rows at a time; see arch/strips.hpp
  int64_t fast_ram_bytes = 0;         // two arenas where one would be larger; see arch/memory.hpp. 0: one memory
  std::string weights = "const";      // arrays of C; binary: a file that is flashed or loaded by itself
  std::string activations = "uint8";  // of onnx: the type that values are stored in; int8
  std::string kernels = "own";        // cmsis_nn: calls of Arm's CMSIS-NN, which the firmware brings, where it has them
  std::string stream = "none";        // frames: also row by row; window: the network on the last rows, again and again
  int64_t stream_hop = 10;            // of window: rows from answer to answer
};

// The memory of an export, scratch of foreign libraries excepted: in strips, where that is asked for and helps, and in
// two memories, where one is too small.
// `wide`: nodes whose values have 16 bits (arch::Int16Nodes), which CMSIS-NN is not asked to read: throws ConfigError.
arch::MemoryPlan export_plan(const arch::Spec& lowered, const arch::Analysis&, const ExportOptions&,
                             const std::vector<bool>& wide = {});

std::string macro_prefix(std::string prefix);  // of C macros: MODEL for model

struct Target {
  std::string name;
  std::string about;
  bool floats = false;               // writes the network in floats too, where Package::floats is there
  std::vector<std::string> options;  // of ExportOptions that it reads, as run files call them
  std::vector<Unsupported> (*unsupported)(const arch::Design&);  // callable before training, also from the gate
  // Writes into a temporary folder beside `folder` and renames: never half an export.
  void (*write)(const Package&, const KnownAnswers&, const ExportOptions&, const std::filesystem::path& folder);
  std::string (*remark)(const Package&) = nullptr;  // what people should know of the files, in a line; "": nothing
};
const std::vector<Target>& targets();
const Target& find_target(const std::string& name);  // throws ConfigError
// An option that differs from its default although none of the targets reads it, and the targets that do; "" if there
// is none: "prefix", "c99".
struct UnusedOption {
  std::string key, readers;
};
UnusedOption unused_option(const ExportOptions&, const std::vector<std::string>& targets);

}  // namespace condenser::exporters
