#pragma once
// Machines other than this one that an export is proven on: cross compilers and emulators. What they tell besides is
// what a network takes of the machine: instructions, code, memory, stack. Instructions are counted; cycles are
// estimated from them by a model that is stated (Timing), as an emulator knows nothing of wait states and pipelines.

#include <optional>
#include <string>
#include <vector>

#include "condenser/verify/verify.hpp"

namespace condenser::verify {

// A board without a system: a program on it is linked for these addresses.
struct Board {
  uint32_t rom = 0, rom_bytes = 0, ram = 0, ram_bytes = 0;
  const char* library = "--specs=nosys.specs";  // of C
  std::optional<uint32_t> vectors = {};         // where the processor looks first; empty: where `rom` begins
};

// What instructions take of a core, in cycles; everything else takes one. From the core's manual (`source`).
struct Timing {
  double load = 1, load_after_load = 1;    // the second: behind another load that its address does not need
  double address_wait = 0;                 // of a load or store whose address the instruction before has computed
  double store = 1, store_apart = 1;       // the second: to an address of two registers, unless behind a load
  double multiple = 1, multiple_word = 1;  // loads and stores of several registers: once, and for each register
  double multiply = 1, multiply_add = 1, long_multiply = 1, divide = 1;
  double taken = 0;       // that a jump takes more when it is taken
  double flash_wait = 0;  // wait states of flash, for jumps and reads that miss the caches of board/count.c.in
  const char* source = "";
};

struct Machine {
  std::string name;                   // "cortex-m4"
  std::string compiler;               // "arm-none-eabi-gcc"
  std::vector<std::string> flags;     // that choose the machine
  std::vector<std::string> emulator;  // program and options; the program to run stands behind them
  std::string packages;               // of Debian, that bring both
  std::optional<Board> board;         // none: a program of Linux
  std::optional<Timing> timing = {};  // none: Arm publishes nothing to estimate cycles from
  int seconds = 300;                  // that a compilation or a run may take
};
const std::vector<Machine>& machines();
std::vector<std::string> machine_names();
const Machine& find_machine(const std::string& name);  // throws ConfigError naming the nearest

struct LayerCost {
  std::string layer;  // as in the export's source
  int64_t instructions = 0;
  int64_t cycles = -1;  // estimated
};

struct SourceCost {
  std::string source;  // "cnd_conv2d.c"
  int64_t code_bytes = 0;
};

// What one inference takes; -1: not known here.
struct MachineCost {
  int64_t instructions = -1;
  int64_t cycles = -1;          // estimated, by the machine's timing
  int64_t code_bytes = -1;      // of the network's and the kernels' functions; libraries of the compiler come on top
  int64_t constant_bytes = -1;  // weights, tables, parameters of kernels
  int64_t memory_bytes = -1;    // arena and other variables
  int64_t stack_bytes = -1;     // most of it in use, the run function's own frame included
  std::vector<LayerCost> layers;
  std::vector<SourceCost> sources;
};

// What a piece of a stream takes, a push; -1: not known. Most pushes bring no answer, and some bring work of many
// layers.
struct StreamCost {
  int64_t pushes = 0;  // that were counted
  int64_t mean_instructions = -1, most_instructions = -1;
  int64_t mean_cycles = -1, most_cycles = -1;  // estimated; the second of the push with most instructions
  double piece_ms = 0;                         // of sound; 0: rows of another kind
};

struct MachineResult {
  std::string machine;
  std::string options;  // of the compiler
  Check check;
  MachineCost cost;
  std::optional<StreamCost> stream;  // of exports on a stream
};

// Folders beside that of an export; empty: none.
struct MachineFolders {
  std::filesystem::path kept;      // where objects of kernels wait for the next export with the same ones
  std::filesystem::path cmsis_nn;  // of CMSIS-NN with its Include and Source, for exports that call it
};

// Compiles the c99 export in `folder` for the machine, runs the first `most` of the answers under the emulator,
// compares every output integer, and counts on the first of them. Missing programs are no failure: check.ran is false,
// and check.detail says what to install or to name.
MachineResult run_on(const Machine&, const std::filesystem::path& folder, const exporters::KnownAnswers&, int most,
                     const MachineFolders& = {});

// "stream on cortex-m4: 120,000 instructions ..., 12.3 % of 80 MHz ..."; empty without a stream.
std::string stream_line(const MachineResult&, double clock_mhz);
core::Table to_table(const std::vector<MachineResult>&);
core::Table layer_table(const MachineResult&);

}  // namespace condenser::verify
