#pragma once
// Metrics that follow from a measured one and from costs: netscore.

#include "condenser/search/probe.hpp"

namespace condenser::search {

// The measured metric that one follows from; nullptr: it follows from none.
const Metric* source_of(const Metric&);
// Adds what follows from the others, where they have values.
void derive(Findings&);

}  // namespace condenser::search
