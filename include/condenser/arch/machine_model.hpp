#pragma once
// What an int8 network takes of a machine, from its shapes alone: instructions of one inference, bytes of code, bytes
// of stack. Per kernel a few counts with a meaning ("patches", "pairs_16s"); a machine is what each of them takes
// there, as measured under an emulator (src/arch/machine_models.csv, written by `condenser bench kernels`).

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/kernels.hpp"
#include "condenser/arch/strips.hpp"

namespace condenser::arch {

inline constexpr size_t kMaxCounts = 64;

// How often a kernel does what, for one node. Pure functions of operator and shapes, for all forms of the kernel: what
// a form does not do takes nothing there.
struct KernelCounts {
  const char* kernel;
  std::vector<const char*> names;
  void (*count)(const Op&, std::span<const Shape> in, const Shape& out, double* counts);  // names.size() numbers, >= 0
};
const KernelCounts& kernel_counts(const Kernel&);  // of a row of kernels()

// What a machine's compiler made of a kernel.
struct KernelModel {
  std::vector<double> instructions;  // per count, in the order of its names; empty: not measured
  std::vector<double> cycles;        // the same, of cycles as verify/machine.hpp estimates them
  double call_bytes = 0;             // of code in the run function
  int64_t stack_bytes = -1;          // of a network that runs this kernel alone; -1: not measured
  std::vector<size_t> sources;       // that are compiled for it: places in MachineModel::sources
};
struct SourceBytes {
  std::string name;  // "cnd_conv2d.c"
  int64_t bytes = 0;
};
struct MachineModel {
  std::string name;                            // "cortex-m4"
  std::string compiler;                        // with its version and options
  std::string kernel_set;                      // exporters::kernel_version() of what was measured
  double run_instructions = 0, run_bytes = 0;  // of the run function without its calls
  double run_cycles = 0;
  int64_t run_stack_bytes = 0;       // that it takes more where it calls several kernels
  std::vector<KernelModel> kernels;  // parallel to kernels()
  std::vector<SourceBytes> sources;
};

std::span<const MachineModel> machine_models();
std::vector<std::string> modelled_machines();
const MachineModel* find_machine_model(std::string_view name);  // null: none

bool knows_stack(const MachineModel&);   // of programs of Linux nobody measures it
bool knows_cycles(const MachineModel&);  // where what instructions take is published

// Text of rows `machine,kernel,of,what,value`. Throws core::Error naming the line.
std::vector<MachineModel> parse_machine_models(std::string_view csv);
std::string to_csv(std::span<const MachineModel>);

// Estimates; -1: not known, as a kernel was not measured.
struct MachineCosts {
  int64_t instructions = 0;
  int64_t code_bytes = 0;   // of kernels and the run function, as `condenser profile` counts them
  int64_t stack_bytes = 0;  // never below what is measured for these kernels
  int64_t cycles = 0;       // an estimate of an estimate: emulators count none
};
// `lowered` and its analysis as in a Design. `strips`, if given: what of it is executed in strips. `by_node`, if given,
// becomes the instructions of every node.
MachineCosts machine_costs(const MachineModel&, const Spec& lowered, const Analysis&, const Strips* strips = nullptr,
                           std::vector<double>* by_node = nullptr);

}  // namespace condenser::arch
