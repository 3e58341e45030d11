#pragma once
// Studies that earlier versions wrote: schemas 1 to 3, whose verdicts and findings were tables of their own.

#include <soci/soci.h>

#include <string>
#include <vector>

#include "condenser/search/trial.hpp"

namespace condenser::search {

// All trials by index. Those of schemas 2 and 3 must have the checksums of their values; what schema 1 holds is taken
// for what was written. Throws core::Error naming the trial that cannot be.
std::vector<Trial> read_legacy(soci::session&, int schema, const std::string& study);

}  // namespace condenser::search
