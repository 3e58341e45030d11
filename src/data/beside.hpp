#pragma once
// What lies beside the splits of a data set. Private to src/data.

#include <string>

#include "data/formats/listing.hpp"

namespace condenser::data {

// "train", "test" or "validation" for the usual names of such a folder, letters of either case; else "".
std::string split_called(const std::string& folder);

// Pictures or sounds in the folder that holds the splits of such a set, but in none of them; pictures beside those that
// CSV files name, named by none of them. Empty for other formats.
UnusedFiles beside_splits(const Card&);

}  // namespace condenser::data
