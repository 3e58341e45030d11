#pragma once
// The text of the C99 kernels, put into the program when it is built (embed_kernels.cmake).

#include <set>
#include <span>
#include <string>
#include <string_view>

namespace condenser::exporters {

struct KernelSource {
  std::string_view name;  // "cnd_conv2d.c"
  std::string_view text;
};

std::span<const KernelSource> kernel_sources();

// Sources and headers of the named kernels ("conv2d", "add", ...) and every header that they include; sorted by name.
std::set<std::string> kernel_files(const std::set<std::string>& kernels);
std::string_view kernel_text(const std::string& name);  // throws core::Error

}  // namespace condenser::exporters
