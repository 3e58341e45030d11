#pragma once
// What others published for the networks of our zoo on the machines of machine.hpp. Cycles, where we count
// instructions.

#include <optional>
#include <string>

namespace condenser::verify {

struct PublishedCost {
  std::string network, machine;  // of arch::zoo(), of machines()
  double cycles = 0;
  std::string source;
};

std::optional<PublishedCost> published(const std::string& network, const std::string& machine);  // none: unknown

}  // namespace condenser::verify
