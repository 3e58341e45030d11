#pragma once
// A trial as a row of a study's table: numbers and texts that read back to the same bits, and a checksum over them.

#include <string>
#include <string_view>

#include "condenser/search/trial.hpp"

namespace condenser::search {

struct TrialRow {
  long long trial = 0;
  std::string state;  // to_string(TrialState), or "copy"
  long long rung = 0;
  std::string fidelity, genotype, hash;  // "1", "0 3 12", 32 hexadecimal digits
  long long same_as = -1;
  std::string worker;
  long long tries = 0;
  std::string seconds;
  // One line for each verdict, one for all metrics, ...: a word, then fields behind tabs.
  std::string details;
  std::string checksum;  // of all the above
  bool operator==(const TrialRow&) const = default;
};

// Copies leave behind what their original has: state, hash, verdicts, findings, error.
TrialRow encode(const Trial&);
// Throws core::Error saying what cannot be: a checksum of other values, a number that is none.
Trial decode(const TrialRow&);

// Text of people in a form that every database takes: UTF-8 without zeros, tabs and ends of line.
std::string escape(std::string_view);
std::string unescape(std::string_view);

// The shortest decimal form that reads back to the same bits; "nan:<bits>" for unusual NaNs.
std::string bits_text(double);
double parse_bits(std::string_view);
std::string choice_text(const Genotype&);
Genotype parse_choice(std::string_view);

}  // namespace condenser::search
