// Filling in the text templates of an export: self-test, Makefile, README.
#include "exporters/c99.hpp"
#include "exporters/kernel_sources.hpp"

namespace condenser::exporters {

std::string c99_fill(const std::string& name, const std::map<std::string, std::string>& marks) {
  return core::filled(std::string(core::source_text(template_sources(), name)), marks);
}

std::string c99_kernel_tag(const ExportOptions& options) {
  return options.private_kernels ? options.prefix + "_" + kernel_version() : kernel_version();
}

}  // namespace condenser::exporters
