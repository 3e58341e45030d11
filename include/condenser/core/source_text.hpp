#pragma once
// A file whose text was put into the program when it was built (cmake/CondenserEmbed.cmake).

#include <span>
#include <string_view>

namespace condenser::core {

struct SourceText {
  std::string_view name;  // "cnd_conv2d.c"
  std::string_view text;
};

}  // namespace condenser::core
