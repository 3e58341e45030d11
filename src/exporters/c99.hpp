#pragma once
// The C99 target in three parts: what it refuses and the order of writing (c99.cpp), the C text (c99_sources.cpp), the
// manifest (c99_manifest.cpp).

#include <map>
#include <set>
#include <string>

#include "condenser/exporters/target.hpp"
#include "condenser/runtime/int8_program.hpp"

namespace condenser::exporters {

std::vector<Unsupported> c99_unsupported(const arch::Design&);
void c99_write(const Package&, const KnownAnswers&, const ExportOptions&, const std::filesystem::path& folder);

// File name -> content.
using Files = std::map<std::string, std::string>;

inline constexpr size_t kEmbeddedAnswers = 8;  // of the self-test

// C texts, Makefile and README, the kernels excepted.
Files c99_sources(const runtime::Int8Program&, const Package&, const KnownAnswers&, const ExportOptions&);
// What the kernels' functions carry behind their names: the version of the kernels, after the prefix when private.
std::string c99_kernel_tag(const ExportOptions&);
// A template of c99_templates/ with every mark "%MARK%" replaced by its text.
std::string c99_fill(const std::string& name, const std::map<std::string, std::string>& marks);
// Names of the kernels that the program calls: "conv2d", "add", ...
std::set<std::string> c99_kernels(const runtime::Int8Program&);
std::string c99_manifest(const runtime::Int8Program&, const Package&, const KnownAnswers&, const ExportOptions&,
                         const Files&);

}  // namespace condenser::exporters
