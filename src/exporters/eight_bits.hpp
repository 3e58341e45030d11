#pragma once
// For targets whose files hold values of 8 bits only.

#include <string>
#include <vector>

#include "condenser/exporters/target.hpp"

namespace condenser::exporters {

// Names the nodes of 16 bits; `why` they cannot be expressed.
void refuse_16_bits(const arch::Design&, const std::string& why, std::vector<Unsupported>&);
// Throws core::Error where there is one.
void check_8_bits(const Package&, const std::string& target);

}  // namespace condenser::exporters
