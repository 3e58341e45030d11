// Where and with what it was made.

#include "report/sections/sections.hpp"

namespace condenser::report {

std::optional<Section> environment_section(const Material& m) {
  if (m.environment.empty()) return std::nullopt;
  Pairs t;
  for (const auto& [what, value] : m.environment) t.add(what, value);
  return Section{"environment", "Environment", {t.block()}};
}

}  // namespace condenser::report
