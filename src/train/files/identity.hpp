#pragma once
// What decides the result of a run and so must not change between its start and its resume.

#include "condenser/train/backend.hpp"
#include "train/files/checkpoint.hpp"

namespace condenser::train {

// The network's hash, every training option but those that only change how fast or how safely the result is reached,
// and checksums of the data sets.
Identity identity_of(const FitRequest&);

// Over shape, classes, normalization, and every item's label and file name; and over the values of all items, or in a
// set of more than 2^25 values (128 MiB) of evenly spaced ones.
std::string data_checksum(const data::Dataset&);

}  // namespace condenser::train
