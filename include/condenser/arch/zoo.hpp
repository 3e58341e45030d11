#pragma once
// Reference networks by name.

#include <optional>
#include <string>
#include <vector>

#include "condenser/arch/spec.hpp"

namespace condenser::arch {

// Published facts of a comparator; absent values are unknown.
struct ZooCard {
  std::string name;
  std::string about;  // one line
  std::string source;
  Shape input;         // default
  int classes = 1000;  // default
  std::optional<double> published_accuracy_percent;
  Spec (*make)(Shape input, int classes);
};

const std::vector<ZooCard>& zoo();
const ZooCard& find_zoo(const std::string& name);  // throws ConfigError naming the nearest

}  // namespace condenser::arch
