#pragma once
// What stands before the network: between the search, which chooses it, and the data, which become it.

#include <string>

#include "cli/records/records.hpp"
#include "cli/run_config.hpp"
#include "condenser/data/preparation.hpp"
#include "condenser/search/space.hpp"

namespace condenser::cli {

data::Preparation preparation_of(const search::InputChoice&);
data::Preparation preparation_of(const InputRecord&);
InputRecord record_of(const search::InputChoice&);

search::PreparedInput with_front_end(const data::Card&);  // of sounds: their input, and what makes it on the device
// What spaces know of the data. With `prepared`, the run file says itself what they are brought to, and spaces may not.
search::SpaceContext space_context(const data::Card&, bool prepared = false);

// Stands in for a data set of which nothing but the shape of an item is known: sounds where a space speaks of a
// front-end (the usual one, whose shape it must be), else pictures.
data::Card card_like(const data::ItemShape&, int classes, bool sounds);

// A run file that trains the winner without its search: what the run had, with the data as the winner wants them.
std::string winner_yaml(const RunConfig&, const search::InputChoice&);

}  // namespace condenser::cli
