#pragma once
// The rows of metrics.csv.

#include <string>
#include <vector>

namespace condenser::report {

struct MetricsRows {
  std::vector<std::string> names;         // of the columns; the first is the step
  std::vector<std::vector<double>> rows;  // as long as `names`; NaN: an empty field
};

// Throws core::Error naming the line that is not a row of numbers. Without text: nothing.
MetricsRows read_metrics(const std::string& csv);

}  // namespace condenser::report
