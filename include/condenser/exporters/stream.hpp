#pragma once
// An export on a stream (ExportOptions::stream): rows of the input, or samples of sound, that do not end.

#include <cstdint>
#include <span>
#include <vector>

#include "condenser/exporters/target.hpp"

namespace condenser::exporters {

// What the caller pushes, and when answers come.
struct StreamTimes {
  bool sound = false;  // samples are pushed; else rows of the input
  int64_t piece = 0;   // values of one push: samples of 16 bits, or bytes of a row
  int64_t first = 0;   // pushes until the first answer, its own included
  int64_t period = 1;  // pushes from answer to answer

  int64_t answers(int64_t values) const;  // to so many values
};

// Throws ConfigError for options that do not fit together or a front-end that needs a whole clip, SpecError naming the
// node that cannot go row by row.
StreamTimes stream_times(const Package&, const ExportOptions&);

// Rows of the network's input, of a sound that goes on.
std::vector<int8_t> stream_rows(const Package&, std::span<const int16_t> sound);

// What an export answers to all clips, of a package without front-end to all inputs, one after the other. Made by the
// ordinary executor, of the whole stream at once.
std::vector<std::vector<int8_t>> stream_outputs(const Package&, const ExportOptions&, const KnownAnswers&);

}  // namespace condenser::exporters
