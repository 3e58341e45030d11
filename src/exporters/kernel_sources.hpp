#pragma once
// The text of the C99 kernels and of the templates, put into the program when it is built (cmake/CondenserEmbed.cmake).

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "condenser/core/source_text.hpp"

namespace condenser::exporters {

using core::SourceText;

std::span<const SourceText> kernel_sources();
std::span<const SourceText> front_end_sources();  // of sounds: "cnd_frontend.c", "cnd_frontend.h"
std::span<const SourceText> detector_sources();   // of streams: "stream_detector.h"
std::span<const SourceText> template_sources();   // "Makefile.in"
std::span<const SourceText> torch_sources();      // "torch_model.py"
std::span<const SourceText> wasm_sources();       // "network.js"

// Sources and headers of the named kernels ("conv2d", "add", ...) and every header that they include with
// the source of its functions, if it has one; sorted by name.
std::set<std::string> kernel_files(const std::set<std::string>& kernels);
std::string_view kernel_text(const std::string& name);  // of the front-end too; throws core::Error

// Eight hexadecimal digits over the names and texts of the given sources: other text, other kernels.
std::string kernel_set(std::span<const SourceText> sources);
// Of all sources that exports may share: kernels and front-end.
const std::string& kernel_version();

// Kernels of different versions must never be linked to each other's callers, so the functions in an export carry a
// tag: cnd_conv2d becomes cnd_conv2d_<tag>, and so do those of the front-end. `text` is C text; types and file names
// keep their names.
std::string tag_kernels(std::string_view text, const std::string& tag);

}  // namespace condenser::exporters
