// Texts of a first run file, and the numbers in it that follow from the data.

#include "cli/run_template.hpp"

#include <algorithm>

#include "condenser/arch/machine_model.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/table.hpp"
#include "condenser/core/text.hpp"
#include "condenser/verify/machine.hpp"

namespace condenser::cli {

const std::vector<SpaceTemplate>& space_templates() {
  static const std::vector<SpaceTemplate> table{
      {"small", "8,000 to 40,000 parameters, for a microcontroller with 32 KB of flash to spare", 64,
       R"(  space: columns
  stages: [3]
  stem_width: [8, 16]
  activation: [relu, relu6]
  merge_stage: [1, 2, 3]      # a dense 1x1 after so many stages mixes the columns; 3: none
  s1: {width: [16, 24, 32], depth: [1, 2], columns: [2, 4, 8], block: [basic], attention: [rescaled], kernel: [3, 5]}
  s2: {width: [16, 24, 32], depth: [1, 2], columns: [2, 4, 8], kernel: [3, 5]}
  s3: {width: [16, 24, 32], depth: [1, 2], columns: [1, 2, 4], kernel: [3]}
)",
       "a small microcontroller", 32'000, 24'000, 0},
      {"large", "50,000 to 400,000 parameters, for a microcontroller with 512 KB of flash to spare", 128,
       R"(  space: columns
  stages: [3]
  stem_width: [16, 24, 32]
  activation: [relu, relu6]
  merge_stage: [1, 2, 3]      # a dense 1x1 after so many stages mixes the columns; 3: none
  s1: {width: [16, 24, 32], depth: [1, 2, 3], columns: [2, 4, 8], block: [basic], kernel: [3]}
  s2: {width: [32, 48, 64], depth: [1, 2, 3], columns: [2, 4, 8], kernel: [3, 5]}
  s3: {width: [64, 80, 96], depth: [1, 2, 3], columns: [1, 2, 4], kernel: [3]}
)",
       "a microcontroller of the Cortex-M7 class", 512'000, 240'000, 60'000'000},
  };
  return table;
}

const SpaceTemplate& find_space_template(const std::string& name) {
  for (const SpaceTemplate& row : space_templates())
    if (name == row.name) return row;
  throw core::ConfigError("--space " + name + ": no such space");
}

namespace {

constexpr int64_t kProbeItems = 2000;
constexpr double kSteps = 2000;  // of the training: what small networks need on digits

// Small data in small batches and more often.
int batch_for(int64_t items) {
  return items == 0 || items >= 4000 ? 64 : items >= 1000 ? 32 : items >= 300 ? 16 : items >= 60 ? 8 : 4;
}

int epochs_for(int64_t items) {
  if (items == 0) return 20;
  const double steps_per_epoch = std::max(1.0, static_cast<double>(items) / batch_for(items));
  return std::clamp(static_cast<int>(kSteps / steps_per_epoch), 16, 100);
}

// A line with what people should know of it; comments stand below each other.
std::string noted(const std::string& line, const std::string& note) {
  const size_t shown = line.size() - (line.starts_with("\n") ? 1 : 0);
  return line + std::string(shown < 29 ? 30 - shown : 1, ' ') + "# " + note + "\n";
}

std::string head(const std::string& name, const OwnData& data, const std::string& file) {
  return "# " + core::printable(data.found) + ".\n#   condenser data check " + file +
         "      counts, duplicates, unreadable files\n#   condenser run " + file +
         " --dry-run   what would be done, and what it costs\n#   condenser run " + file +
         "             the network, its C code, a report\n"
         "# Every option with its range: condenser run --help-config [SECTION]\n"
         "condenser: 1\nname: " +
         core::json_quote(name) + "\nseed: 1\n";
}

std::string dataset(const OwnData& data, const std::string& data_line) {
  const std::string text = "\ndataset:\n  " + data_line + "\n";
  if (!data_line.starts_with("folder")) return text;  // a card says its shape
  const data::ItemShape& s = data.shape;
  return text +
         noted("  shape: [" + std::to_string(s.c) + ", " + std::to_string(s.h) + ", " + std::to_string(s.w) + "]",
               "channels (1: grey, 3: colour), height, width; pictures are brought to it");
}

// Of the brief training and of the real one.
std::string recipe(const OwnData& data, int epochs, int batch, const char* decay, const char* warmup) {
  std::string augment = "  augment: {shift: 0}\n";
  if (data.kind == OwnData::Pictures)
    augment = noted("  augment: {shift: 2}",
                    "pixels; photographs gain by {shift: 2, flip: true} where left and right mean the same");
  if (data.kind == OwnData::Sounds)
    augment = std::string("  augment: {shift: 0, time_shift_ms: 100") +
              (data.noise ? ", noise_probability: 0.8, noise_volume: 0.1}\n" : "}\n");
  return "  epochs: " + std::to_string(epochs) + "\n  batch_size: " + std::to_string(batch) +
         "\n  optimizer: adamw\n  lr: 0.01\n  weight_decay: " + decay + "\n  warmup_epochs: " + warmup + "\n" +
         augment +
         (data.uneven ? noted("  balance: weights", "classes are of very different size: each counts the same") : "");
}

constexpr int64_t kInputs = 3;  // that an arena has room for: pictures as large as the device's memory fit nothing

std::string gate(const OwnData& data, const SpaceTemplate& space, const Target& target) {
  const int64_t constants = target.flash_bytes ? target.flash_bytes : space.constant_bytes;
  const int64_t arena =
      target.ram_bytes ? target.ram_bytes : std::max(space.arena_bytes, kInputs * data.shape.elements());
  std::string text =
      "  device: " + core::json_quote(target.machine.empty() ? space.device : target.machine) +
      "\n  rules: [column_layout, no_strided_pointwise, antialiased_downsampling]\n" +
      noted("  max_constant_bytes: " + std::to_string(constants), "flash: weights, biases, tables; code comes on top") +
      noted("  max_arena_bytes: " + std::to_string(arena), "RAM: activations, input and output");
  if (space.macs)
    text += noted("  max_macs: " + std::to_string(space.macs), "multiply-accumulates: what an answer takes of time");
  return text;
}

// Bounds of it are named for those who know theirs.
std::string machine_line(const std::string& machine) {
  if (arch::find_machine_model(machine) == nullptr) return "";
  return noted("  machine: " + machine, "instructions, code and stack are estimated for it; bounds of one's own:") +
         noted("", "max_instructions, max_code_bytes, max_stack_bytes, max_ram_bytes (arena and stack)");
}

std::string machine_proof(const std::string& machine) {
  if (machine.empty()) return "";
  return noted("  machines: [" + machine + "]", "proven under an emulator too, and counted; needs the packages") +
         noted("", verify::find_machine(machine).packages);
}

}  // namespace

std::string run_file_text(const std::string& name, const OwnData& data, const std::string& data_line,
                          const SpaceTemplate& space, const std::string& file, const Target& target) {
  const int batch = batch_for(data.items);
  const bool many = data.items > kProbeItems && data.classes <= kProbeItems;
  return head(name, data, file) + dataset(data, data_line) + noted("\nspace:", "which networks are searched:") +
         "  # " + space.about + "\n" + space.space +
         noted("\ngate:", "what the int8 network may take of the device; all others are refused") +
         gate(data, space, target) + machine_line(target.machine) +
         "\nsearch:\n  generator: evolution\n  objective: val_accuracy\n" +
         noted("  trials: 14", "candidates that are trained briefly; refusals cost nothing") +
         noted("\nprobe:", "the brief training") +
         noted("  samples: " + std::to_string(many ? kProbeItems : 0), "items of it; 0: all") +
         recipe(data, 3, std::min(batch, 32), "0.05", "0.5") + noted("\ntrain:", "of the network that was found") +
         recipe(data, epochs_for(data.items), batch, "0.1", "1") + "  label_smoothing: 0.1\n  ema_decay: 0.99\n" +
         "\nquantize:\n  observer: percentile\n\nexport:\n  targets: [c99]\n\nverify:\n" +
         noted("  samples: 500", "test items whose integers are compared") + machine_proof(target.machine);
}

}  // namespace condenser::cli
