#include "condenser/core/source_text.hpp"

#include <algorithm>

#include "condenser/core/error.hpp"

namespace condenser::core {

std::string_view source_text(std::span<const SourceText> sources, std::string_view name) {
  const auto found = std::ranges::find(sources, name, &SourceText::name);
  if (found == sources.end()) throw Error("source " + std::string(name) + " is not part of this program");
  return found->text;
}

std::string filled(std::string text, const std::map<std::string, std::string>& marks) {
  for (const auto& [mark, value] : marks) {
    const std::string place = "%" + mark + "%";
    for (size_t at = text.find(place); at != std::string::npos; at = text.find(place, at + value.size()))
      text.replace(at, place.size(), value);
  }
  return text;
}

}  // namespace condenser::core
