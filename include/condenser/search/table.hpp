#pragma once
// Spaces that are a look-up table (`space: table`): their candidates have costs and a graph, but no network, and a
// table answers for the training.

#include <memory>

#include "condenser/search/probe.hpp"
#include "condenser/search/space.hpp"

namespace condenser::search {

bool is_table(const Space&);
// Finds val_accuracy: the reward of the candidate, at a fidelity below 1 that of the table's short training. `space`
// must outlive it. Null for a space of networks.
std::unique_ptr<Probe> make_table_probe(const Space& space);

core::Hash128 table_content(const Space&);  // of the files; throws core::Error for a space of networks

}  // namespace condenser::search
