#pragma once
// What stands before the network as a decision, for any space of networks.

#include <memory>

#include "condenser/search/space.hpp"

namespace condenser::search {

// Reads `input` and `front_end` and, where they leave a choice, makes the space once for each of them: its networks
// follow the shape of what they see. The decisions come last. Throws ConfigError when the data cannot be that, or when
// the space has other decisions for other inputs.
std::unique_ptr<Space> make_with_inputs(const SpaceRow&, core::config::Reader&, const SpaceContext&);

// Counts the front-end of a candidate beside its network, after the lowered form or its plan has changed.
void count_front_end(Candidate&);

}  // namespace condenser::search
