#pragma once
// Layers of an export that Arm's CMSIS-NN computes, which the firmware brings: which ones, with what, and the C text
// between the network and the library.

#include "exporters/c99.hpp"

namespace condenser::exporters {

// Of the library: all have the same arguments, and were read for what they refuse.
inline constexpr const char* kCmsisNnVersions = "4.1.0 to 7.0.0";

bool uses_cmsis_nn(const ExportOptions&);

// Per node: whether the library computes it and makes no promise for an output that lies over the input.
std::vector<bool> cmsis_nn_apart(const arch::Spec& lowered, const arch::Analysis&);

// The same program with steps for the library where it fits: parameters and constants as it wants them. For a plan
// without strips. Throws SpecError where weights could overflow what the library adds up.
runtime::Int8Program with_cmsis_nn(runtime::Int8Program);

// <prefix>_nn_<function>(&p, constants..., inputs..., output), p being a <prefix>_nn_<params>.
struct CmsisNnCall {
  const char* function;
  const char* params;
};
const CmsisNnCall* cmsis_nn_call(const arch::Kernel&);  // null: a kernel of our own

// Scratch that the library asks for at most, of the layer that asks most.
struct CmsisNnBytes {
  int64_t dsp = 4;       // GCC and clang, with or without DSP instructions
  int64_t armclang = 4;  // Arm's compiler, which takes other paths of DSP instructions
  int64_t mve = 4;       // with Helium
};
CmsisNnBytes cmsis_nn_bytes(const runtime::Int8Program&);

std::string cmsis_nn_buffer_text(const runtime::Int8Program&, const std::string& macro);  // of <prefix>.h
std::string cmsis_nn_cmake(const std::string& prefix);                                    // of CMakeLists.txt
Files cmsis_nn_files(const std::string& prefix);

}  // namespace condenser::exporters
