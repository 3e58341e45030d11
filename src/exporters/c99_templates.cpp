// Filling in the text templates of an export: self-test, Makefile, README.
#include <algorithm>

#include "exporters/c99.hpp"
#include "exporters/kernel_sources.hpp"

namespace condenser::exporters {

std::string c99_fill(const std::string& name, const std::map<std::string, std::string>& marks) {
  const auto source = std::ranges::find(template_sources(), name, &SourceText::name);
  if (source == template_sources().end()) throw core::Error("template " + name + " is not part of this program");
  std::string text(source->text);
  for (const auto& [mark, value] : marks) {
    const std::string place = "%" + mark + "%";
    for (size_t at = text.find(place); at != std::string::npos; at = text.find(place, at + value.size()))
      text.replace(at, place.size(), value);
  }
  return text;
}

std::string c99_kernel_tag(const ExportOptions& options) {
  static const std::string set = kernel_set(kernel_sources());
  return options.private_kernels ? options.prefix + "_" + set : set;
}

}  // namespace condenser::exporters
