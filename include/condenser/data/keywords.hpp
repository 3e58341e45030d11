#pragma once
// Which classes of sounds are keywords.

#include <string>

namespace condenser::data {

// Speech Commands and data sets like it write classes that are none as _silence_ and _unknown_.
inline bool is_keyword(const std::string& class_name) {
  return !(class_name.size() > 1 && class_name.front() == '_' && class_name.back() == '_');
}

}  // namespace condenser::data
