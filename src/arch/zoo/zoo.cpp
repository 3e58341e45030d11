// Looks reference networks up by name. The table is in cards.cpp.

#include "condenser/arch/zoo.hpp"

#include "condenser/core/config.hpp"

namespace condenser::arch {

const ZooCard& find_zoo(const std::string& name) {
  std::vector<std::string> names;
  std::string known;
  for (const ZooCard& card : zoo()) {
    if (card.name == name) return card;
    names.push_back(card.name);
    known += (known.empty() ? "" : ", ") + card.name;
  }
  const std::string near = core::config::nearest(name, names);
  throw core::ConfigError("reference network '" + name + "' is unknown; expected one of " + known +
                          (near.empty() ? std::string() : "; did you mean '" + near + "'?"));
}

}  // namespace condenser::arch
