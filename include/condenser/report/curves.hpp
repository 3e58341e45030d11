#pragma once
// Learning curves of a run as a picture.

#include <string>
#include <vector>

namespace condenser::report {

// `metrics_csv`: the run folder's metrics.csv. One chart for each measure, training and validation ("train/loss",
// "val/loss") in it together, and one for the learning rate ("lr"); clocks are left out. Empty without a row of
// numbers. `trained_on_validation`: the validation part was trained on, and its curves say so. Throws core::Error
// naming the line that is not a row of numbers.
std::string curves_svg(const std::string& metrics_csv, const std::string& title, bool trained_on_validation = false);

// The same charts, each a picture of its own.
std::vector<std::string> curve_panels(const std::string& metrics_csv, bool trained_on_validation);

}  // namespace condenser::report
