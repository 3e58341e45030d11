#pragma once
// What is known to be wrong or weak about a run: one list for the terminal, the report and summary.json.

#include <string>
#include <vector>

namespace condenser::report {

struct Material;

struct Warning {
  std::string code;     // stable, snake_case: "accuracy_at_chance"
  std::string message;  // one sentence: what was found, what it is measured against, what to try
  bool operator==(const Warning&) const = default;
};

// The most serious first. Codes:
//   limit_missed            a rule, budget or comparator does not hold for the finished network
//   accuracy_at_chance      the test accuracy cannot be told from guessing
//   accuracy_of_one_class   nor from always naming the most frequent class
//   int8_behind_float       below the interval of the float accuracy, and half a point or more
//   class_never_predicted   classes with items in the evaluated part that the network never names
//   few_steps               fewer than ten steps an epoch, or than a hundred in all
//   few_test_items          the interval of the test accuracy is wider than ten points
//   trained_on_validation   the validation figures are of items that were trained on
//   gate_fitted_to_data     a budget or comparator was made for other data, and what was done about it
//   check_skipped           a check of the export that could not run here
// and what was noticed when the data were opened, data_<kind>: data_unused, data_damaged, data_duplicate_between,
// data_speaker_in_two_splits, data_channels_cancel ... (kinds of data::Finding).
std::vector<Warning> warnings(const Material&);

}  // namespace condenser::report
