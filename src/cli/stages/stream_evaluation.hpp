#pragma once
// The int8 network of a run on a stream of its test clips, as a device hears it.

#include <nlohmann/json_fwd.hpp>

#include "cli/stages/stages.hpp"

namespace condenser::cli {

struct StreamEvaluation {
  StageOutput output;
  std::string json;  // the same
};

// Misses and false alarms by threshold. With the form of export.stream; where that is none row by row, if the network
// can, else on windows. Throws core::Error where the data are no sounds or the outputs no classes.
StreamEvaluation evaluate_stream(RunContext&, const arch::Design& winner, const data::Dataset& test, uint64_t seed);

}  // namespace condenser::cli
