// Which kernel files an export needs: the kernels' own and, by reading their #include lines, the headers below.
#include "exporters/kernel_sources.hpp"

#include "condenser/core/error.hpp"

namespace condenser::exporters {
namespace {

void add_with_includes(const std::string& name, std::set<std::string>& files) {
  if (!files.insert(name).second) return;
  constexpr std::string_view kInclude = "#include \"";
  const std::string_view text = kernel_text(name);
  for (size_t at = text.find(kInclude); at != std::string_view::npos; at = text.find(kInclude, at)) {
    at += kInclude.size();
    add_with_includes(std::string(text.substr(at, text.find('"', at) - at)), files);
  }
}

}  // namespace

std::string_view kernel_text(const std::string& name) {
  for (const KernelSource& source : kernel_sources()) {
    if (source.name == name) return source.text;
  }
  throw core::Error("kernel source " + name + " is not part of this program");
}

std::set<std::string> kernel_files(const std::set<std::string>& kernels) {
  std::set<std::string> files;
  for (const std::string& kernel : kernels) add_with_includes("cnd_" + kernel + ".c", files);
  return files;
}

}  // namespace condenser::exporters
