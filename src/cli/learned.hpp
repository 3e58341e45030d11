#pragma once
// What a network's inputs and outputs mean: taken from the data when its training begins, kept in the run folder, and
// compared with the data whenever both are at hand.

#include "cli/records/records.hpp"
#include "condenser/data/card.hpp"
#include "condenser/train/options.hpp"

namespace condenser::cli {

// Of the data as they are now. `spec_hash` and `settings` are left to the training.
Learned learned_of(const data::Card&, const train::TrainOptions&);

// Enough of a card to bring one file to the network; it has no splits.
data::Card card_of(const Learned&);

// In what the two mean different things, with what both say: "classes: 2 there (a, b), 3 now (a, b, c)"; "" when they
// mean the same.
std::string difference(const Learned& there, const Learned& now);

// The meaning as named settings, for the identity of a stage.
Settings meaning_of(const Learned&);
// Back from those: what the same data were when a search noted its settings, before it chose what its winner sees.
Learned as_noted(Learned, const Settings&);

}  // namespace condenser::cli
