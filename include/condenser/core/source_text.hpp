#pragma once
// A file whose text was put into the program when it was built (cmake/CondenserEmbed.cmake).

#include <map>
#include <span>
#include <string>
#include <string_view>

namespace condenser::core {

struct SourceText {
  std::string_view name;  // "cnd_conv2d.c"
  std::string_view text;
};

std::string_view source_text(std::span<const SourceText>, std::string_view name);  // throws Error for one that is none

// A template with every mark "%MARK%" replaced by its text.
std::string filled(std::string text, const std::map<std::string, std::string>& marks);

}  // namespace condenser::core
