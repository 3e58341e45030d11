#pragma once
// The C99 target in three parts: what it refuses and the order of writing (c99.cpp), the C text (c99_sources.cpp), the
// manifest (c99_manifest.cpp).

#include <map>
#include <set>
#include <string>

#include "condenser/exporters/stream.hpp"
#include "condenser/exporters/target.hpp"
#include "condenser/runtime/int8_program.hpp"

namespace condenser::exporters {

struct Names;

std::vector<Unsupported> c99_unsupported(const arch::Design&);
void c99_write(const Package&, const KnownAnswers&, const ExportOptions&, const std::filesystem::path& folder);

// Where an offset of the plan lies: `arena` is a name of C, "arena", or "fast" and "slow" of two memories.
struct Place {
  const char* arena;
  int64_t offset;  // into it
};
Place c99_place(const arch::MemoryPlan&, int64_t offset);

// Name, below the folder, and content.
using Files = std::map<std::string, std::string>;

inline constexpr size_t kEmbeddedAnswers = 8;  // of the self-test
inline constexpr size_t kEmbeddedClips = 2;    // of them, from the sound on

// What is compiled, the kernels excepted.
Files c99_sources(const runtime::Int8Program&, const Package&, const KnownAnswers&, const ExportOptions&);
// <prefix>_weights.h and .c; with binary weights also .bin, which they point into.
Files c99_weights(const runtime::Int8Program&, const ExportOptions&);
int64_t c99_weights_bytes(const runtime::Int8Program&);  // of the .bin
bool is_binary(const ExportOptions&);
// Makefile, CMakeLists.txt, what makes the folder a module of Zephyr and a library of Arduino, README.
Files c99_bundle(const runtime::Int8Program&, const Package&, const ExportOptions&);
// The sources that a firmware compiles.
std::vector<std::string> c99_compiled(const runtime::Int8Program&, const Package&, const ExportOptions&);
// Firmware of several kinds, below examples/.
Files c99_examples(const runtime::Int8Program&, const Package&, const ExportOptions&);
// <prefix>_sound.h and .c: from a clip to the input.
// With a stream the front-end's numbers lie in files of their own, <prefix>_front_end.h and .c.
Files c99_sound(const runtime::Int8Program&, const SoundInput&, const ExportOptions&);
int64_t c99_sound_bytes(const runtime::Int8Program&, const SoundInput&);  // of RAM, beside the arena and the clip
// C text that declares `scratch`: in the rest of the arena, relative to `input`, or memory of its own.
std::string c99_sound_scratch(const runtime::Int8Program&, const SoundInput&);
// <prefix>_stream.h and .c (ExportOptions::stream).
Files c99_stream(const runtime::Int8Program&, const Package&, const ExportOptions&);
int64_t c99_stream_bytes(const runtime::Int8Program&, const Package&, const ExportOptions&);  // of RAM
std::set<std::string> c99_stream_kernels(const Package&, const ExportOptions&);
size_t c99_stream_clips(const Package&, const ExportOptions&);  // or inputs, until there is an answer
// Its part of the self-test, on the first `samples` sounds or inputs.
std::string c99_stream_test(const Package&, const KnownAnswers&, const ExportOptions&, size_t samples);
bool has_stream(const ExportOptions&);
// A kernel's call, as a block.
std::string c99_call(const runtime::Int8Program&, const runtime::Turn&, const Names&);
// Headers that cost nothing unless they are included: <prefix>_float.h, _classes.h, _picture.h.
Files c99_helpers(const runtime::Int8Program&, const Package&, const std::string& prefix);
// Whether the outputs are one value for each class.
bool c99_has_classes(const runtime::Int8Program&, const Package&);
// What the kernels' functions carry behind their names: the version of the kernels, after the prefix when private.
std::string c99_kernel_tag(const ExportOptions&);
// A template of c99_templates/ with every mark "%MARK%" replaced by its text.
std::string c99_fill(const std::string& name, const std::map<std::string, std::string>& marks);
// Names of the kernels that the program calls: "conv2d", "add", ...
std::set<std::string> c99_kernels(const runtime::Int8Program&);
// Sources and headers of kernels and front-end that the export holds.
std::set<std::string> c99_shared_files(const runtime::Int8Program&, const Package&, const ExportOptions&);
std::string c99_manifest(const runtime::Int8Program&, const Package&, const KnownAnswers&, const ExportOptions&,
                         const Files&);

}  // namespace condenser::exporters
