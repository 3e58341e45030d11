#pragma once
// Weights of 4 bits as a decision, for any space of networks.

#include <memory>

#include "condenser/search/space.hpp"

namespace condenser::search {

// Reads `int4` and, where it names options, adds the decision of that name behind those of `space`. Throws ConfigError
// for a table, whose networks are not known.
std::unique_ptr<Space> with_weight_bits(core::config::Reader&, std::unique_ptr<Space> space);

}  // namespace condenser::search
