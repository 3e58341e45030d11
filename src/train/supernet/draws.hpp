#pragma once
// Which networks of a space are trained together, and how large what they share has to be. Pure functions of their
// arguments.

#include "condenser/train/supernet.hpp"
#include "train/supernet/shared_weights.hpp"

namespace condenser::train {

// Large enough for the network with the most parameters of all, whether allowed or not, for every single change of its
// decisions and of `widest`, and for 500 draws; not started. Networks beyond that are not covered.
SharedWeights cover_space(const search::Space&, const Extremes&, uint64_t seed);

// The first of all draws that are allowed and covered. Throws core::Error when 10,000 in a row are not.
std::vector<search::Genotype> draw(const search::Space&, const Allowed&, const SharedWeights&, int64_t count,
                                   uint64_t seed);

}  // namespace condenser::train
